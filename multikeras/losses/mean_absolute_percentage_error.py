"""The mean of absolute differences in per cent of the targets."""

from __future__ import annotations

from typing import Any

from multikeras import config, ops, registry
from multikeras.losses.wrapper import LossFunctionWrapper, pair


@registry.expose("keras.losses")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """`100 * mean(abs((y_true - y_pred) / y_true))` over the last axis.

    Targets nearer to zero than `epsilon()` count as `epsilon()` in the division.

    Args:
        y_true: targets, `(batch, ..., n)`.
        y_pred: predictions of the same shape.

    Returns:
        One loss per sample, `(batch, ...)`.

    Example:
        >>> from multikeras import losses, ops
        >>> y_true, y_pred = [[1.0, 2.0]], [[2.0, 3.0]]
        >>> ops.convert_to_numpy(losses.mean_absolute_percentage_error(y_true, y_pred)).tolist()
        [75.0]
    """
    y_true, y_pred = pair(y_true, y_pred)
    scale = ops.maximum(ops.abs(y_true), config.epsilon())
    share = ops.abs(ops.divide(ops.subtract(y_true, y_pred), scale))
    return ops.multiply(100.0, ops.mean(share, axis=-1))


@registry.expose("keras.losses")
class MeanAbsolutePercentageError(LossFunctionWrapper):
    """`100 * mean(abs((y_true - y_pred) / y_true))`, reduced over the batch.

    Args:
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> round(float(losses.MeanAbsolutePercentageError()([[1.0, 2.0]], [[2.0, 3.0]])), 4)
        75.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            mean_absolute_percentage_error, reduction=reduction, name=name, dtype=dtype
        )
