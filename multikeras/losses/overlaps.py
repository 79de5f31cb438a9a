"""Overlap losses for segmentation: Dice and Tversky."""

from __future__ import annotations

from typing import Any, ClassVar

from multikeras import config, ops, registry
from multikeras.losses.wrapper import LossFunctionWrapper, pair


@registry.expose("keras.losses")
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """`1 - 2 sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))` (Sorensen, 1948; Dice, 1945).

    Args:
        y_true: masks or probabilities.
        y_pred: predictions of the same shape.
        axis: the axes over which the sums are taken; None: all.

    Returns:
        One loss per index of the axes that are left.

    Example:
        >>> from multikeras import losses
        >>> round(float(losses.dice([[1.0, 0.0]], [[1.0, 1.0]])), 4)
        0.3333
    """
    y_true, y_pred = pair(y_true, y_pred)
    epsilon = config.epsilon()
    both = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    all_of = ops.add(ops.sum(y_true, axis=axis), ops.sum(y_pred, axis=axis))
    share = ops.divide(ops.add(ops.multiply(2.0, both), epsilon), ops.add(all_of, epsilon))
    return ops.subtract(1.0, share)


@registry.expose("keras.losses")
def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Any:
    """`1 - both / (both + alpha * missed + beta * wrong)` (Salehi et al., 2017).

    `both` is the sum of `y_true * y_pred`, `missed` what is only in the targets, `wrong` what
    is only in the predictions. With `alpha = beta = 0.5` it is the Dice loss.

    Args:
        y_true: masks or probabilities.
        y_pred: predictions of the same shape.
        alpha: the weight of what was missed.
        beta: the weight of what was wrongly predicted.
        axis: the axes over which the sums are taken; None: all.

    Returns:
        One loss per index of the axes that are left.

    Example:
        >>> from multikeras import losses
        >>> round(float(losses.tversky([[1.0, 0.0]], [[1.0, 1.0]])), 4)
        0.3333
    """
    y_true, y_pred = pair(y_true, y_pred)
    both = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    missed = ops.sum(ops.multiply(y_true, ops.subtract(1.0, y_pred)), axis=axis)
    wrong = ops.sum(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=axis)
    upper = ops.add(both, config.epsilon())
    lower = ops.add(upper, ops.add(ops.multiply(alpha, missed), ops.multiply(beta, wrong)))
    return ops.subtract(1.0, ops.divide(upper, lower))


@registry.expose("keras.losses")
class Dice(LossFunctionWrapper):
    """`dice`, reduced over the batch.

    Args:
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        axis: the axes over which the sums are taken; None: all.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> round(float(losses.Dice()([[1.0, 0.0]], [[1.0, 1.0]])), 4)
        0.3333
    """

    shown: ClassVar[tuple[str, ...]] = ("axis",)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "dice",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction=reduction, name=name, dtype=dtype, axis=axis)


@registry.expose("keras.losses")
class Tversky(LossFunctionWrapper):
    """`tversky`, reduced over the batch.

    Args:
        alpha: the weight of what was missed.
        beta: the weight of what was wrongly predicted.
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        axis: the axes over which the sums are taken; None: all.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> round(float(losses.Tversky()([[1.0, 0.0]], [[1.0, 1.0]])), 4)
        0.3333
    """

    shown: ClassVar[tuple[str, ...]] = ("alpha", "beta", "axis")

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            tversky, reduction=reduction, name=name, dtype=dtype, alpha=alpha, beta=beta, axis=axis
        )
