"""Cross-entropies: of independent yes/no labels, of one-hot rows, and of class numbers.

Predictions are probabilities unless `from_logits=True`; logits are more exact and quicker.
"""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

from multikeras import dtypes, ops, registry
from multikeras.losses.wrapper import LossFunctionWrapper, pair


def smooth(y_true: Any, label_smoothing: float, classes: int) -> Any:
    """Labels moved towards the uniform distribution over `classes`."""
    if not label_smoothing:
        return y_true
    return ops.add(ops.multiply(y_true, 1.0 - label_smoothing), label_smoothing / classes)


def check_smoothing(owner: str, label_smoothing: float) -> float:
    """`label_smoothing`, if it lies between 0 and 1.

    Raises:
        ValueError: otherwise.
    """
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(
            f"{owner}: `label_smoothing` must lie between 0 and 1; got {label_smoothing!r}."
        )
    return label_smoothing


def check_classes(owner: str, y_true: Any, y_pred: Any, axis: int) -> None:
    """Refuses targets of another shape than the predictions, naming the sparse loss.

    Raises:
        ValueError: if the shapes differ.
    """
    true_shape, pred_shape = tuple(y_true.shape), tuple(y_pred.shape)
    fits = len(true_shape) == len(pred_shape) and all(
        a == b or None in (a, b) for a, b in zip(true_shape, pred_shape, strict=True)
    )
    if not fits:
        raise ValueError(
            f"{owner}: targets and predictions must have the same shape (one-hot rows and "
            f"probabilities); got {true_shape} and {pred_shape}. For targets that are class "
            "numbers use sparse_categorical_crossentropy."
        )
    if pred_shape and pred_shape[axis] == 1:
        warnings.warn(
            f"{owner}: the predictions have shape {pred_shape}, so there is one class and the "
            "loss says nothing. For two classes in one column use binary_crossentropy.",
            SyntaxWarning,
            stacklevel=3,
        )


@registry.expose("keras.losses")
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Mean along `axis` of `-(y log(p) + (1 - y) log(1 - p))`.

    Args:
        y_true: labels of 0 and 1, or probabilities between.
        y_pred: predictions of the same shape.
        from_logits: whether `y_pred` are logits rather than probabilities.
        label_smoothing: labels become `y * (1 - s) + s / 2`.
        axis: the axis over which the mean is taken.

    Returns:
        One loss per sample.

    Example:
        >>> from multikeras import losses
        >>> y_true, y_pred = [[0.0, 1.0]], [[0.5, 0.5]]
        >>> loss = losses.binary_crossentropy(y_true, y_pred)
        >>> round(float(loss[0]), 4)
        0.6931
    """
    y_true, y_pred = pair(y_true, y_pred)
    y_true = smooth(y_true, label_smoothing, 2)
    values = ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits)
    return ops.mean(values, axis=axis)


@registry.expose("keras.losses")
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """`-sum(y * log(p))` along `axis`.

    Args:
        y_true: one-hot labels or distributions.
        y_pred: predictions of the same shape; probabilities are scaled to sum to one.
        from_logits: whether `y_pred` are logits rather than probabilities.
        label_smoothing: labels become `y * (1 - s) + s / classes`.
        axis: the axis of the classes.

    Returns:
        One loss per sample.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> from multikeras import losses
        >>> y_true, y_pred = [[0.0, 1.0]], [[0.5, 0.5]]
        >>> loss = losses.categorical_crossentropy(y_true, y_pred)
        >>> round(float(loss[0]), 4)
        0.6931
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, y_pred.dtype)
    check_classes("categorical_crossentropy", y_true, y_pred, axis)
    if label_smoothing:
        y_true = smooth(y_true, label_smoothing, y_true.shape[axis])
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


@registry.expose("keras.losses")
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any:
    """`-log(p[y])`: the cross-entropy of labels that are class numbers.

    Args:
        y_true: class numbers, `(batch, ...)` or `(batch, ..., 1)`.
        y_pred: predictions, `(batch, ..., classes)`.
        from_logits: whether `y_pred` are logits rather than probabilities.
        ignore_class: a number that marks samples without a label: their loss is 0.
        axis: the axis of the classes.

    Returns:
        One loss per sample, `(batch, ...)`.

    Example:
        >>> from multikeras import losses
        >>> loss = losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]])
        >>> round(float(loss[0]), 4)
        0.6931
    """
    return sparse_with_mask(y_true, y_pred, from_logits, ignore_class, axis)[0]


def sparse_with_mask(
    y_true: Any, y_pred: Any, from_logits: bool, ignore_class: int | None, axis: int
) -> tuple[Any, Any]:
    """`sparse_categorical_crossentropy`, and where labels are not `ignore_class` (None: all)."""
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    if not dtypes.is_int_dtype(ops.dtype(y_true)):
        y_true = ops.cast(y_true, "int32")
    valid = None
    if ignore_class is not None:
        valid = ops.not_equal(y_true, ignore_class)
        y_true = ops.where(valid, y_true, ops.zeros_like(y_true))
    values = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    if valid is not None:
        values = ops.where(valid, values, ops.zeros_like(values))
    return values, valid


@registry.expose("keras.losses")
class BinaryCrossentropy(LossFunctionWrapper):
    """`binary_crossentropy`, reduced over the batch.

    Args:
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
        >>> round(float(losses.BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.6931
    """

    shown: ClassVar[tuple[str, ...]] = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=check_smoothing("BinaryCrossentropy", label_smoothing),
            axis=axis,
        )


@registry.expose("keras.losses")
class CategoricalCrossentropy(LossFunctionWrapper):
    """`categorical_crossentropy`, reduced over the batch.

    Args:
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
        >>> round(float(losses.CategoricalCrossentropy()([[0, 1]], [[0.5, 0.5]])), 4)
        0.6931
    """

    shown: ClassVar[tuple[str, ...]] = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=check_smoothing("CategoricalCrossentropy", label_smoothing),
            axis=axis,
        )

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The losses per sample; shapes must agree."""
        return self.fn(y_true, y_pred, **self._fn_kwargs)


@registry.expose("keras.losses")
class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """`sparse_categorical_crossentropy`, reduced over the batch.

    With `ignore_class`, a mean is one over the samples that have a label.

    Args:
        from_logits: whether predictions are logits rather than probabilities.
        ignore_class: a number that marks samples without a label.
        reduction: how the losses of a batch become one number; see `Loss`.
        axis: the axis of the classes.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> round(float(losses.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 4)
        0.6931
    """

    keeps_labels = True
    shown: ClassVar[tuple[str, ...]] = ("from_logits", "ignore_class")
    shown_if_set: ClassVar[dict[str, Any]] = {"axis": -1}

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )

    def call_with_mask(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """The losses per sample, and which samples have a label."""
        if type(self).call is not SparseCategoricalCrossentropy.call:
            return self.call(y_true, y_pred), None
        return sparse_with_mask(y_true, y_pred, self.from_logits, self.ignore_class, self.axis)
