"""The Huber loss: squares for small differences, absolute values for large ones."""

from __future__ import annotations

from typing import Any, ClassVar

from multikeras import ops, registry
from multikeras.losses.wrapper import LossFunctionWrapper, pair


@registry.expose("keras.losses")
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Mean over the last axis of `e^2 / 2` where `|e| <= delta`, else `delta |e| - delta^2 / 2`
    (Huber, 1964).

    Args:
        y_true: targets, `(batch, ..., n)`.
        y_pred: predictions of the same shape.
        delta: where the square turns into a line.

    Returns:
        One loss per sample, `(batch, ...)`.

    Example:
        >>> from multikeras import losses, ops
        >>> ops.convert_to_numpy(losses.huber([[0.0, 0.0]], [[1.0, 3.0]])).tolist()
        [1.5]
    """
    y_true, y_pred = pair(y_true, y_pred)
    error = ops.abs(ops.subtract(y_true, y_pred))
    square = ops.multiply(0.5, ops.square(error))
    line = ops.subtract(ops.multiply(delta, error), 0.5 * delta * delta)
    return ops.mean(ops.where(ops.less_equal(error, delta), square, line), axis=-1)


@registry.expose("keras.losses")
class Huber(LossFunctionWrapper):
    """`huber`, reduced over the batch.

    Args:
        delta: where the square turns into a line.
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> float(losses.Huber()([[0.0, 0.0]], [[1.0, 3.0]]))
        1.5
    """

    shown_if_set: ClassVar[dict[str, Any]] = {"delta": 1.0}

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction=reduction, name=name, dtype=dtype, delta=delta)
