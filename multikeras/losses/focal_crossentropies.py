"""Focal cross-entropies: easy samples count less (Lin et al., 2018)."""

from __future__ import annotations

from typing import Any, ClassVar

from multikeras import config, ops, registry
from multikeras.losses.crossentropies import check_smoothing, smooth
from multikeras.losses.wrapper import LossFunctionWrapper, pair


@registry.expose("keras.losses")
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary cross-entropy times `(1 - p_t) ** gamma`, `p_t` the probability of the true label.

    Args:
        y_true: labels of 0 and 1.
        y_pred: predictions of the same shape.
        apply_class_balancing: whether class 1 is weighted by `alpha` and class 0 by `1 - alpha`.
        alpha: the weight of class 1.
        gamma: the focusing power; 0 gives the plain cross-entropy.
        from_logits: whether `y_pred` are logits rather than probabilities.
        label_smoothing: labels become `y * (1 - s) + s / 2`.
        axis: the axis over which the mean is taken.

    Returns:
        One loss per sample.

    Example:
        >>> from multikeras import losses
        >>> y_true, y_pred = [[0.0, 1.0]], [[0.5, 0.5]]
        >>> round(float(losses.binary_focal_crossentropy(y_true, y_pred)[0]), 4)
        0.1733
    """
    y_true, y_pred = pair(y_true, y_pred)
    y_true = smooth(y_true, label_smoothing, 2)
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    values = ops.binary_crossentropy(y_true, y_pred, from_logits=False)
    wrong = ops.subtract(1.0, y_true)
    of_truth = ops.add(ops.multiply(y_true, y_pred), ops.multiply(wrong, ops.subtract(1.0, y_pred)))
    values = ops.multiply(ops.power(ops.subtract(1.0, of_truth), gamma), values)
    if apply_class_balancing:
        weight = ops.add(ops.multiply(y_true, alpha), ops.multiply(wrong, 1.0 - alpha))
        values = ops.multiply(weight, values)
    return ops.mean(values, axis=axis)


@registry.expose("keras.losses")
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """`-sum(alpha * (1 - p) ** gamma * y * log(p))` along `axis`.

    Args:
        y_true: one-hot labels.
        y_pred: predictions of the same shape; probabilities are scaled to sum to one.
        alpha: a weight, or one per class.
        gamma: the focusing power; 0 gives the plain cross-entropy times `alpha`.
        from_logits: whether `y_pred` are logits rather than probabilities.
        label_smoothing: labels become `y * (1 - s) + s / classes`.
        axis: the axis of the classes.

    Returns:
        One loss per sample.

    Example:
        >>> from multikeras import losses
        >>> y_true, y_pred = [[0.0, 1.0]], [[0.5, 0.5]]
        >>> round(float(losses.categorical_focal_crossentropy(y_true, y_pred)[0]), 4)
        0.0433
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, y_pred.dtype)
    if label_smoothing:
        y_true = smooth(y_true, label_smoothing, y_true.shape[axis])
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    y_pred = ops.divide(y_pred, ops.sum(y_pred, axis=axis, keepdims=True))
    y_pred = ops.clip(y_pred, config.epsilon(), 1.0 - config.epsilon())
    values = ops.multiply(ops.negative(y_true), ops.log(y_pred))
    focus = ops.power(ops.subtract(1.0, y_pred), gamma)
    weight = ops.multiply(focus, ops.convert_to_tensor(alpha, ops.dtype(focus)))
    return ops.sum(ops.multiply(weight, values), axis=axis)


@registry.expose("keras.losses")
class BinaryFocalCrossentropy(LossFunctionWrapper):
    """`binary_focal_crossentropy`, reduced over the batch.

    Args:
        apply_class_balancing: whether class 1 is weighted by `alpha` and class 0 by `1 - alpha`.
        alpha: the weight of class 1.
        gamma: the focusing power.
        from_logits: whether predictions are logits rather than probabilities.
        label_smoothing: labels become `y * (1 - s) + s / 2`.
        axis: the axis over which the mean is taken.
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Raises:
        ValueError: if `label_smoothing` is not between 0 and 1.

    Example:
        >>> from multikeras import losses
        >>> round(float(losses.BinaryFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.1733
    """

    shown: ClassVar[tuple[str, ...]] = (
        "from_logits", "label_smoothing", "axis", "apply_class_balancing", "alpha", "gamma",
    )  # fmt: skip

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=check_smoothing("BinaryFocalCrossentropy", label_smoothing),
            axis=axis,
        )


@registry.expose("keras.losses")
class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """`categorical_focal_crossentropy`, reduced over the batch.

    Args:
        alpha: a weight, or one per class.
        gamma: the focusing power.
        from_logits: whether predictions are logits rather than probabilities.
        label_smoothing: labels become `y * (1 - s) + s / classes`.
        axis: the axis of the classes.
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Raises:
        ValueError: if `label_smoothing` is not between 0 and 1.

    Example:
        >>> from multikeras import losses
        >>> round(float(losses.CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.0433
    """

    shown: ClassVar[tuple[str, ...]] = ("from_logits", "label_smoothing", "axis", "alpha", "gamma")

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=check_smoothing("CategoricalFocalCrossentropy", label_smoothing),
            axis=axis,
        )
