"""Intersection over union of segmentations, from a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from multikeras import ops, registry
from multikeras.metrics.metric import Metric


class _ConfusionMatrix(Metric):
    """Gathers how often which class was predicted for which."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype or "int32")
        self.num_classes = num_classes
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable(
            (num_classes, num_classes), "zeros", name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch: class numbers, or one value per class along `axis`."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if not self.sparse_y_true:
            y_true = ops.argmax(y_true, axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = ops.argmax(y_pred, axis=self.axis)
        labels = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        predicted = ops.reshape(ops.cast(y_pred, "int32"), (-1,))
        weight = ops.ones_like(labels, dtype="float32")
        if sample_weight is not None:
            # In the dtype of the counts: integer counts take whole weights.
            given = ops.cast(ops.cast(sample_weight, self.dtype), "float32")
            while len(given.shape) < len(y_true.shape):
                given = ops.expand_dims(given, -1)
            given = ops.multiply(given, ops.ones_like(y_true, dtype="float32"))
            weight = ops.reshape(given, (-1,))
        if self.ignore_class is not None:
            valid = ops.not_equal(labels, self.ignore_class)
            weight = ops.where(valid, weight, 0.0)
            labels = ops.where(valid, labels, 0)
        rows = ops.one_hot(labels, self.num_classes, dtype="float32")
        columns = ops.one_hot(predicted, self.num_classes, dtype="float32")
        counts = ops.matmul(ops.transpose(rows), ops.multiply(columns, ops.expand_dims(weight, 1)))
        self.total_cm.assign_add(ops.cast(counts, self.total_cm.dtype))

    def _ious(self, class_ids: Sequence[int]) -> Any:
        matrix = ops.cast(self.total_cm.value, "float32")
        hits = ops.diagonal(matrix)
        union = ops.subtract(ops.add(ops.sum(matrix, axis=0), ops.sum(matrix, axis=1)), hits)
        chosen = ops.convert_to_tensor(list(class_ids), "int32")
        hits, union = ops.take(hits, chosen, axis=0), ops.take(union, chosen, axis=0)
        # Classes that occur nowhere don't count.
        present = ops.sum(ops.cast(ops.greater(union, 0.0), "float32"))
        return ops.divide_no_nan(ops.sum(ops.divide_no_nan(hits, union)), present)


def _classes_first(settings: dict[str, Any]) -> dict[str, Any]:
    """The order of these configs in Keras 3's files."""
    first = [key for key in ("num_classes", "target_class_ids") if key in settings]
    return {key: settings[key] for key in (*first, *(k for k in settings if k not in first))}


@registry.expose("keras.metrics")
class IoU(_ConfusionMatrix):
    """The mean over some classes of `hits / (hits + misses + false alarms)`.

    Args:
        num_classes: the number of classes.
        target_class_ids: the classes that count.
        name: the metric's name.
        dtype: dtype of the counts; None: "int32".
        ignore_class: a label that marks what is not to be counted.
        sparse_y_true: whether targets are class numbers rather than one value per class.
        sparse_y_pred: whether predictions are class numbers rather than one value per class.
        axis: the axis of the classes, where they are not class numbers.

    Raises:
        ValueError: if a target class doesn't exist.

    Example:
        >>> from multikeras import metrics
        >>> metric = metrics.IoU(num_classes=2, target_class_ids=[0])
        >>> round(float(metric([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        for class_id in target_class_ids:
            if not 0 <= class_id < num_classes:
                raise ValueError(
                    f"{type(self).__name__}: the target class {class_id} doesn't exist; there are "
                    f"{num_classes} classes."
                )
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        self.target_class_ids = list(target_class_ids)

    def result(self) -> Any:
        """The mean over the target classes so far."""
        return self._ious(self.target_class_ids)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }


@registry.expose("keras.metrics")
class BinaryIoU(IoU):
    """`IoU` of two classes, predictions being probabilities of class 1.

    Args:
        target_class_ids: the classes that count.
        threshold: from it on a prediction means class 1.
        name: the metric's name.
        dtype: dtype of the counts; None: "int32".

    Raises:
        ValueError: if a target class is neither 0 nor 1.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.BinaryIoU()([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 4)
        0.5833
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        y_pred = ops.convert_to_tensor(y_pred)
        decided = ops.cast(ops.greater_equal(y_pred, self.threshold), "int32")
        super().update_state(y_true, decided, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "target_class_ids": self.target_class_ids,
            "threshold": self.threshold,
            "name": self.name,
            "dtype": self.dtype,
        }


@registry.expose("keras.metrics")
class MeanIoU(IoU):
    """`IoU` of all classes.

    Args:
        num_classes: the number of classes.
        name: the metric's name.
        dtype: dtype of the counts; None: "int32".
        ignore_class: a label that marks what is not to be counted.
        sparse_y_true: whether targets are class numbers rather than one value per class.
        sparse_y_pred: whether predictions are class numbers rather than one value per class.
        axis: the axis of the classes, where they are not class numbers.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes,
            range(num_classes),
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=sparse_y_true,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        settings = _classes_first(super().get_config())
        del settings["target_class_ids"]
        return settings


@registry.expose("keras.metrics")
class OneHotIoU(IoU):
    """`IoU` of one-hot targets.

    Args:
        num_classes: the number of classes.
        target_class_ids: the classes that count.
        name: the metric's name.
        dtype: dtype of the counts; None: "int32".
        ignore_class: a label that marks what is not to be counted.
        sparse_y_pred: whether predictions are class numbers rather than one value per class.
        axis: the axis of the classes.

    Raises:
        ValueError: if a target class doesn't exist.

    Example:
        >>> from multikeras import metrics
        >>> metric = metrics.OneHotIoU(num_classes=2, target_class_ids=[0])
        >>> float(metric([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]]))
        1.0
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes,
            target_class_ids,
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=False,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        settings = _classes_first(super().get_config())
        del settings["sparse_y_true"]
        return settings


@registry.expose("keras.metrics")
class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot targets.

    Args:
        num_classes: the number of classes.
        name: the metric's name.
        dtype: dtype of the counts; None: "int32".
        ignore_class: a label that marks what is not to be counted.
        sparse_y_pred: whether predictions are class numbers rather than one value per class.
        axis: the axis of the classes.

    Example:
        >>> from multikeras import metrics
        >>> metric = metrics.OneHotMeanIoU(num_classes=2)
        >>> float(metric([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]]))
        1.0
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes,
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=False,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        settings = _classes_first(super().get_config())
        del settings["sparse_y_true"]
        return settings
