"""The mean of squared differences of logarithms."""

from __future__ import annotations

from typing import Any

from multikeras import config, ops, registry
from multikeras.losses.wrapper import LossFunctionWrapper, pair


@registry.expose("keras.losses")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """`mean((log(y_true + 1) - log(y_pred + 1)) ** 2)` over the last axis.

    Values below `epsilon()` count as `epsilon()`.

    Args:
        y_true: targets, `(batch, ..., n)`.
        y_pred: predictions of the same shape.

    Returns:
        One loss per sample, `(batch, ...)`.

    Example:
        >>> from multikeras import losses, ops
        >>> y_true, y_pred = [[1.0, 2.0]], [[1.0, 2.0]]
        >>> ops.convert_to_numpy(losses.mean_squared_logarithmic_error(y_true, y_pred)).tolist()
        [0.0]
    """
    y_true, y_pred = pair(y_true, y_pred)
    epsilon = config.epsilon()
    log_pred = ops.log(ops.add(ops.maximum(y_pred, epsilon), 1.0))
    log_true = ops.log(ops.add(ops.maximum(y_true, epsilon), 1.0))
    return ops.mean(ops.square(ops.subtract(log_pred, log_true)), axis=-1)


@registry.expose("keras.losses")
class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """`mean((log(y_true + 1) - log(y_pred + 1)) ** 2)`, reduced over the batch.

    Args:
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> round(float(losses.MeanSquaredLogarithmicError()([[1.0, 2.0]], [[1.0, 2.0]])), 4)
        0.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            mean_squared_logarithmic_error, reduction=reduction, name=name, dtype=dtype
        )
