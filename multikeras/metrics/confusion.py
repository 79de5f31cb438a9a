"""Counts of true and false positives and negatives at one or many thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np

from multikeras import config, ops
from multikeras.losses.loss import squeeze_or_expand

# A threshold that every prediction passes: with `top_k` the filter alone decides.
NO_THRESHOLD = -1e10


def standardize_thresholds(owner: str, thresholds: Any, default: float = 0.5) -> list[float]:
    """Thresholds as a list of floats.

    Raises:
        ValueError: for one that is not between 0 and 1.
    """
    if thresholds is None:
        return [default]
    several = (
        list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    )
    for value in several:
        if value is None or not 0 <= value <= 1:
            raise ValueError(f"{owner}: thresholds must lie between 0 and 1; got {thresholds!r}.")
    return [float(value) for value in several]


def even_thresholds(count: int, closed: bool) -> list[float]:
    """`count` thresholds from 0 to 1; if `closed`, the ends lie a bit outside, so that every
    prediction is above the first and none above the last."""
    inner = [i / (count - 1) for i in range(1, count - 1)]
    margin = config.epsilon() if closed else 0.0
    return [0.0 - margin, *inner, 1.0 + margin]


def keep_top_k(y_pred: Any, top_k: int) -> Any:
    """`y_pred` with all but the `top_k` largest entries of the last axis set far below."""
    _, indices = ops.top_k(y_pred, top_k, sorted=False)
    classes = y_pred.shape[-1]
    hits = ops.sum(ops.one_hot(indices, classes, dtype=ops.dtype(y_pred)), axis=-2)
    return ops.where(ops.greater(hits, 0), y_pred, NO_THRESHOLD)


def confusion_counts(
    y_true: Any,
    y_pred: Any,
    thresholds: list[float],
    dtype: str,
    sample_weight: Any = None,
    multi_label: bool = False,
    label_weights: Any = None,
    class_id: int | None = None,
    top_k: int | None = None,
) -> tuple[Any, Any, Any, Any]:
    """(true positives, false positives, true negatives, false negatives), each of shape
    `(thresholds,)`, or `(thresholds, labels)` if `multi_label`.

    A prediction is positive if it is greater than the threshold.

    Raises:
        ValueError: if the shapes differ.
    """
    y_true = ops.convert_to_tensor(y_true, dtype)
    y_pred = ops.convert_to_tensor(y_pred, dtype)
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight, dtype)
        y_pred, sample_weight = squeeze_or_expand(y_pred, sample_weight, expand_rank_1=False)
    y_true, y_pred = squeeze_or_expand(y_true, y_pred)
    if len(y_true.shape) != len(y_pred.shape):
        raise ValueError(
            "Targets and predictions must have the same shape; got "
            f"{tuple(y_true.shape)} and {tuple(y_pred.shape)}."
        )
    if top_k is not None:
        y_pred = keep_top_k(y_pred, top_k)
    if class_id is not None:
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
    labels = ops.cast(ops.cast(y_true, "bool"), dtype)
    weight = _weights(labels, sample_weight, label_weights, dtype)
    positive, negative = ops.multiply(labels, weight), ops.multiply(1.0 - labels, weight)
    levels = ops.convert_to_tensor(np.asarray(thresholds), dtype)
    if not multi_label:
        flat = ops.reshape(y_pred, (-1, 1))
        above = ops.cast(ops.greater(flat, ops.reshape(levels, (1, -1))), dtype)
        positive, negative = ops.reshape(positive, (1, -1)), ops.reshape(negative, (1, -1))
        tp = ops.matmul(positive, above)[0]
        fp = ops.matmul(negative, above)[0]
        axis: Any = None
    else:
        above = ops.cast(
            ops.greater(ops.expand_dims(y_pred, 0), ops.reshape(levels, (-1, 1, 1))), dtype
        )
        tp = ops.sum(ops.multiply(above, ops.expand_dims(positive, 0)), axis=1)
        fp = ops.sum(ops.multiply(above, ops.expand_dims(negative, 0)), axis=1)
        axis = 0
    fn = ops.subtract(ops.sum(positive, axis=axis), tp)
    tn = ops.subtract(ops.sum(negative, axis=axis), fp)
    return tp, fp, tn, fn


def _weights(labels: Any, sample_weight: Any, label_weights: Any, dtype: str) -> Any:
    weight = ops.ones_like(labels)
    if sample_weight is not None:
        missing = len(labels.shape) - len(sample_weight.shape)
        for _ in range(missing):
            sample_weight = ops.expand_dims(sample_weight, -1)
        weight = ops.multiply(weight, sample_weight)
    if label_weights is not None:
        weight = ops.multiply(weight, ops.convert_to_tensor(label_weights, dtype))
    return weight
