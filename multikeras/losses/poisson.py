"""The negative logarithm of the Poisson likelihood, without its constant term."""

from __future__ import annotations

from typing import Any

from multikeras import config, ops, registry
from multikeras.losses.wrapper import LossFunctionWrapper, pair


@registry.expose("keras.losses")
def poisson(y_true: Any, y_pred: Any) -> Any:
    """`mean(y_pred - y_true * log(y_pred))` over the last axis.

    Args:
        y_true: targets, `(batch, ..., n)`.
        y_pred: predictions of the same shape.

    Returns:
        One loss per sample, `(batch, ...)`.

    Example:
        >>> from multikeras import losses, ops
        >>> ops.convert_to_numpy(losses.poisson([[0.0, 0.0]], [[1.0, 3.0]])).tolist()
        [2.0]
    """
    y_true, y_pred = pair(y_true, y_pred)
    log_pred = ops.log(ops.add(y_pred, config.epsilon()))
    return ops.mean(ops.subtract(y_pred, ops.multiply(y_true, log_pred)), axis=-1)


@registry.expose("keras.losses")
class Poisson(LossFunctionWrapper):
    """`mean(y_pred - y_true * log(y_pred))`, reduced over the batch.

    Args:
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> round(float(losses.Poisson()([[0.0, 0.0]], [[1.0, 3.0]])), 4)
        2.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(poisson, reduction=reduction, name=name, dtype=dtype)
