"""The negative cosine of the angle between targets and predictions."""

from __future__ import annotations

from typing import Any, ClassVar

from multikeras import ops, registry
from multikeras.losses.wrapper import LossFunctionWrapper, pair


@registry.expose("keras.losses")
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """`-sum(unit(y_true) * unit(y_pred))` along `axis`: -1 for the same direction.

    A vector of zeros has similarity 0 to all.

    Args:
        y_true: targets.
        y_pred: predictions of the same shape.
        axis: the axis along which the vectors run.

    Returns:
        One value per vector.

    Example:
        >>> from multikeras import losses, ops
        >>> ops.convert_to_numpy(losses.cosine_similarity([[3.0, 0.0]], [[2.0, 0.0]])).tolist()
        [-1.0]
    """
    y_true, y_pred = pair(y_true, y_pred)
    product = ops.multiply(ops.normalize(y_true, axis=axis), ops.normalize(y_pred, axis=axis))
    return ops.negative(ops.sum(product, axis=axis))


@registry.expose("keras.losses")
class CosineSimilarity(LossFunctionWrapper):
    """`cosine_similarity`, reduced over the batch.

    Args:
        axis: the axis along which the vectors run.
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> float(losses.CosineSimilarity()([[3.0, 0.0]], [[2.0, 0.0]]))
        -1.0
    """

    shown_if_set: ClassVar[dict[str, Any]] = {"axis": -1}

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction=reduction, name=name, dtype=dtype, axis=axis)
