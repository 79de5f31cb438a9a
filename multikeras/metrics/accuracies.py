"""How often predictions are right: accuracies, and accuracies within the k best classes."""

from __future__ import annotations

from typing import Any

from multikeras import config, ops, registry
from multikeras.losses.loss import squeeze_or_expand
from multikeras.metrics.reductions import MeanMetricWrapper


def _equal(x1: Any, x2: Any) -> Any:
    return ops.cast(ops.equal(x1, x2), config.floatx())


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where both are equal, 0 elsewhere.

    Args:
        y_true: targets.
        y_pred: predictions of the same shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(accuracy([1, 2], [1, 3])).tolist()
        [1.0, 0.0]
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, ops.dtype(y_pred))
    return _equal(*squeeze_or_expand(y_true, y_pred))


@registry.expose("keras.metrics")
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where the label is that of the prediction, which is 1 if greater than `threshold`.

    Args:
        y_true: labels of 0 and 1.
        y_pred: predictions of the same shape.
        threshold: the bound.

    Example:
        >>> from multikeras import metrics, ops
        >>> ops.convert_to_numpy(metrics.binary_accuracy([1, 0], [0.9, 0.6])).tolist()
        [1.0, 0.0]
    """
    y_true, y_pred = squeeze_or_expand(ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred))
    bound = ops.cast(threshold, ops.dtype(y_pred))
    return _equal(y_true, ops.cast(ops.greater(y_pred, bound), ops.dtype(y_true)))


@registry.expose("keras.metrics")
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the class with the greatest prediction is the one-hot label's.

    Args:
        y_true: one-hot labels, `(batch, ..., classes)`.
        y_pred: predictions of the same shape.

    Returns:
        One value per sample, `(batch, ...)`.

    Example:
        >>> from multikeras import metrics, ops
        >>> ops.convert_to_numpy(metrics.categorical_accuracy([[0, 1]], [[0.4, 0.6]])).tolist()
        [1.0]
    """
    return sparse_categorical_accuracy(ops.argmax(ops.convert_to_tensor(y_true), axis=-1), y_pred)


@registry.expose("keras.metrics")
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the class with the greatest prediction is the label.

    Args:
        y_true: class numbers, `(batch, ...)` or `(batch, ..., 1)`.
        y_pred: predictions, `(batch, ..., classes)`.

    Returns:
        One value per sample, `(batch, ...)`.

    Example:
        >>> from multikeras import metrics, ops
        >>> ops.convert_to_numpy(metrics.sparse_categorical_accuracy([1], [[0.4, 0.6]])).tolist()
        [1.0]
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    return _equal(ops.cast(y_true, "int32"), ops.argmax(y_pred, axis=-1))


@registry.expose("keras.metrics")
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the one-hot label's class is among the `k` greatest predictions.

    Args:
        y_true: one-hot labels, `(batch, ..., classes)`.
        y_pred: predictions of the same shape.
        k: how many classes count.

    Returns:
        One value per sample, `(batch, ...)`.

    Example:
        >>> from multikeras import metrics, ops
        >>> y_true, y_pred = [[0, 0, 1]], [[0.5, 0.1, 0.4]]
        >>> ops.convert_to_numpy(metrics.top_k_categorical_accuracy(y_true, y_pred, k=2)).tolist()
        [1.0]
    """
    labels = ops.argmax(ops.convert_to_tensor(y_true), axis=-1)
    return sparse_top_k_categorical_accuracy(labels, y_pred, k)


@registry.expose("keras.metrics")
def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """1 where the label is among the `k` greatest predictions.

    Args:
        y_true: class numbers, `(batch, ...)`.
        y_pred: predictions, `(batch, ..., classes)`; if `from_sorted_ids`, class numbers, the
            likeliest first.
        k: how many classes count.
        from_sorted_ids: see `y_pred`.

    Returns:
        One value per sample, `(batch, ...)`.

    Example:
        >>> from multikeras import metrics, ops
        >>> y_true, y_pred = [2], [[0.5, 0.1, 0.4]]
        >>> hits = metrics.sparse_top_k_categorical_accuracy(y_true, y_pred, k=2)
        >>> ops.convert_to_numpy(hits).tolist()
        [1.0]
    """
    y_pred = ops.convert_to_tensor(y_pred)
    labels = ops.cast(ops.convert_to_tensor(y_true), "int32")
    if len(labels.shape) == len(y_pred.shape) and labels.shape[-1] == 1:
        labels = ops.squeeze(labels, axis=-1)
    if from_sorted_ids:
        ids = ops.cast(y_pred[..., :k], "int32")
        hits = ops.any(ops.equal(ops.expand_dims(labels, -1), ids), axis=-1)
        return ops.cast(hits, config.floatx())
    shape = ops.shape(labels)
    flat = ops.reshape(y_pred, (-1, y_pred.shape[-1]))
    hits = ops.cast(ops.in_top_k(ops.reshape(labels, (-1,)), flat, k=k), config.floatx())
    return ops.reshape(hits, shape) if len(shape) != 1 else hits


@registry.expose("keras.metrics")
class Accuracy(MeanMetricWrapper):
    """How often predictions equal targets.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> float(metrics.Accuracy()([1, 2, 3, 4], [1, 2, 3, 0]))
        0.75
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}


@registry.expose("keras.metrics")
class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions, rounded at a threshold, equal labels of 0 and 1.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.
        threshold: above it a prediction means 1.

    Raises:
        ValueError: if the threshold is not between 0 and 1.

    Example:
        >>> from multikeras import metrics
        >>> float(metrics.BinaryAccuracy()([1, 1, 0, 0], [0.9, 0.2, 0.1, 0.4]))
        0.75
    """

    shown = ("threshold",)

    def __init__(
        self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ) -> None:
        if threshold is not None and not 0 <= threshold <= 1:
            raise ValueError(
                f"BinaryAccuracy: `threshold` must lie between 0 and 1; got {threshold!r}."
            )
        threshold = 0.5 if threshold is None else threshold
        super().__init__(binary_accuracy, name=name, dtype=dtype, threshold=threshold)


@registry.expose("keras.metrics")
class CategoricalAccuracy(MeanMetricWrapper):
    """How often the class with the greatest prediction is the one-hot label's.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> float(metrics.CategoricalAccuracy()([[0, 1], [1, 0]], [[0.4, 0.6], [0.4, 0.6]]))
        0.5
    """

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name=name, dtype=dtype)


@registry.expose("keras.metrics")
class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the class with the greatest prediction is the label.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> float(metrics.SparseCategoricalAccuracy()([1, 0], [[0.4, 0.6], [0.4, 0.6]]))
        0.5
    """

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name=name, dtype=dtype)


@registry.expose("keras.metrics")
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the one-hot label's class is among the k greatest predictions.

    Args:
        k: how many classes count.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> float(metrics.TopKCategoricalAccuracy(k=1)([[0, 0, 1]], [[0.1, 0.2, 0.7]]))
        1.0
    """

    shown = ("k",)

    def __init__(
        self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name=name, dtype=dtype, k=k)


@registry.expose("keras.metrics")
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the label is among the k greatest predictions.

    Args:
        k: how many classes count.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.
        from_sorted_ids: whether predictions are class numbers, the likeliest first.

    Example:
        >>> from multikeras import metrics
        >>> float(metrics.SparseTopKCategoricalAccuracy(k=1)([2], [[0.1, 0.2, 0.7]]))
        1.0
    """

    shown = ("k",)
    shown_if_set = {"from_sorted_ids": False}  # noqa: RUF012

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy,
            name=name,
            dtype=dtype,
            k=k,
            from_sorted_ids=from_sorted_ids,
        )
