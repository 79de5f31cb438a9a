"""The mean of absolute differences."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.losses.wrapper import LossFunctionWrapper, pair


@registry.expose("keras.losses")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """`mean(abs(y_true - y_pred))` over the last axis.

    Args:
        y_true: targets, `(batch, ..., n)`.
        y_pred: predictions of the same shape.

    Returns:
        One loss per sample, `(batch, ...)`.

    Example:
        >>> from multikeras import losses, ops
        >>> ops.convert_to_numpy(losses.mean_absolute_error([[0.0, 1.0]], [[1.0, 3.0]])).tolist()
        [1.5]
    """
    y_true, y_pred = pair(y_true, y_pred)
    return ops.mean(ops.abs(ops.subtract(y_true, y_pred)), axis=-1)


@registry.expose("keras.losses")
class MeanAbsoluteError(LossFunctionWrapper):
    """`mean(abs(y_true - y_pred))`, reduced over the batch.

    Args:
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> round(float(losses.MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 3.0]])), 4)
        1.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction=reduction, name=name, dtype=dtype)
