"""Generalized cross-entropy, which wrong labels disturb less (Zhang and Sabuncu, 2018)."""

from __future__ import annotations

from typing import Any, ClassVar

from multikeras import ops, registry
from multikeras.losses.wrapper import LossFunctionWrapper


@registry.expose("keras.losses")
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """`(1 - p[y] ** q) / q`: the cross-entropy for q near 0, an absolute error for q = 1.

    Args:
        y_true: class numbers, `(batch,)` or `(batch, 1)`.
        y_pred: probabilities, `(batch, classes)`.
        q: the power, between 0 and 1.

    Returns:
        One loss per sample, `(batch,)`.

    Example:
        >>> from multikeras import losses, ops
        >>> y_true, y_pred = [0], [[0.25, 0.75]]
        >>> ops.convert_to_numpy(
        ...     losses.categorical_generalized_cross_entropy(y_true, y_pred, 0.5)
        ... ).tolist()
        [1.0]
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    rows = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1], dtype=ops.dtype(y_pred))
    of_truth = ops.sum(ops.multiply(y_pred, rows), axis=-1)
    return ops.divide(ops.subtract(1.0, ops.power(of_truth, q)), q)


@registry.expose("keras.losses")
class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """`categorical_generalized_cross_entropy`, reduced over the batch.

    Args:
        q: the power, greater than 0 and less than 1.
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Raises:
        ValueError: for a `q` outside of (0, 1).

    Example:
        >>> from multikeras import losses
        >>> float(losses.CategoricalGeneralizedCrossEntropy()([0], [[0.25, 0.75]]))
        1.0
    """

    keeps_labels = True
    shown: ClassVar[tuple[str, ...]] = ("q",)

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ValueError(
                f"CategoricalGeneralizedCrossEntropy: `q` must lie between 0 and 1; got {q!r}."
            )
        super().__init__(
            categorical_generalized_cross_entropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            q=q,
        )
