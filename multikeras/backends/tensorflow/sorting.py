"""Order and counts."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from multikeras import dtypes
from multikeras.backends.tensorflow import core


def _sortable(x: tf.Tensor) -> tf.Tensor:
    return tf.cast(x, tf.int32) if x.dtype is tf.bool else x


def sort(x: tf.Tensor, axis: int | None = -1) -> tf.Tensor:
    if axis is None:
        x, axis = tf.reshape(x, (-1,)), 0
    return tf.cast(tf.sort(_sortable(x), axis), x.dtype)


def argsort(x: tf.Tensor, axis: int | None = -1) -> tf.Tensor:
    if axis is None:
        x, axis = tf.reshape(x, (-1,)), 0
    x = _sortable(x)
    if x.dtype.is_unsigned or x.dtype.is_integer:
        # The stable order of integers: TensorFlow negates them, where the smallest overflows.
        x = tf.cast(x, tf.int64) if x.dtype not in (tf.int64, tf.uint64) else x
    return tf.argsort(x, axis, stable=True)


def top_k(x: tf.Tensor, k: int, sorted: bool = True) -> tuple:
    values, indices = tf.math.top_k(_sortable(x), k, sorted=True)
    return tf.cast(values, x.dtype), indices


def in_top_k(targets: tf.Tensor, predictions: tf.Tensor, k: int) -> tf.Tensor:
    targets = tf.cast(targets, tf.int32)
    size = tf.shape(predictions)[-1]
    inside = (targets >= 0) & (targets < size)
    rank = targets.shape.rank
    chosen = tf.gather(
        predictions, tf.where(inside, targets, 0)[..., None], batch_dims=rank, axis=rank
    )
    higher = tf.reduce_sum(tf.cast(predictions > chosen, tf.int32), -1)
    return inside & tf.math.is_finite(chosen[..., 0]) & (higher < k)


def searchsorted(sorted_sequence: tf.Tensor, values: tf.Tensor, side: str = "left") -> tf.Tensor:
    if sorted_sequence.shape.rank != 1:
        raise ValueError("searchsorted: `sorted_sequence` must be of rank 1.")
    found = tf.searchsorted(sorted_sequence, tf.reshape(values, (-1,)), side=side)
    return tf.reshape(found, core.dynamic_shape(values))


def bincount(
    x: tf.Tensor, weights: Any = None, minlength: int = 0, sparse: bool = False
) -> tf.Tensor:
    if sparse:
        raise ValueError("bincount: sparse tensors are not supported.")
    x = tf.cast(x, tf.int32)
    dtype = "int32" if weights is None else dtypes.promote(core.dtype_name(weights), "int32")
    wanted = core.native_dtype(dtype)
    length = tf.maximum(
        tf.cast(minlength, tf.int32), tf.reduce_max(tf.concat([tf.reshape(x, (-1,)), [-1]], 0)) + 1
    )
    added = tf.ones_like(x, wanted) if weights is None else tf.cast(weights, wanted)
    if x.shape.rank == 1:
        return tf.math.unsorted_segment_sum(added, x, length)
    rows = tf.shape(x)[0]
    flat = tf.reshape(tf.range(rows)[:, None] * length + x, (-1,))
    counts = tf.math.unsorted_segment_sum(tf.reshape(added, (-1,)), flat, rows * length)
    return tf.reshape(counts, (rows, length))
