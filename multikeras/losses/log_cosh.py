"""The mean of the logarithm of the hyperbolic cosine of differences."""

from __future__ import annotations

import math
from typing import Any

from multikeras import ops, registry
from multikeras.losses.wrapper import LossFunctionWrapper, pair


@registry.expose("keras.losses")
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """`mean(log(cosh(y_pred - y_true)))` over the last axis: a square near zero, linear far off.

    Computed as `e + softplus(-2 e) - log(2)`, which can't overflow.

    Args:
        y_true: targets, `(batch, ..., n)`.
        y_pred: predictions of the same shape.

    Returns:
        One loss per sample, `(batch, ...)`.

    Example:
        >>> from multikeras import losses, ops
        >>> ops.convert_to_numpy(losses.log_cosh([[0.0, 0.0]], [[0.0, 0.0]])).tolist()
        [0.0]
    """
    y_true, y_pred = pair(y_true, y_pred)
    error = ops.subtract(y_pred, y_true)
    rest = ops.subtract(ops.softplus(ops.multiply(-2.0, error)), math.log(2.0))
    return ops.mean(ops.add(error, rest), axis=-1)


@registry.expose("keras.losses")
class LogCosh(LossFunctionWrapper):
    """`mean(log(cosh(y_pred - y_true)))`, reduced over the batch.

    Args:
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> round(float(losses.LogCosh()([[0.0, 0.0]], [[0.0, 0.0]])), 4)
        0.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(log_cosh, reduction=reduction, name=name, dtype=dtype)
