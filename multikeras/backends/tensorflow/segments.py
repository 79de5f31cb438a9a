"""Sums over groups of rows, and positions that depend on values."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def segment_sum(
    data: tf.Tensor,
    segment_ids: tf.Tensor,
    num_segments: int | None = None,
    sorted: bool = False,
) -> tf.Tensor:
    ids = tf.cast(segment_ids, tf.int32)
    if num_segments is None:
        num_segments = tf.maximum(tf.reduce_max(ids) + 1, 0)
    # Negative groups are left out, those beyond the last refused. Eagerly a look at the values
    # costs less than the ops that change them.
    if not (tf.executing_eagerly() and _inside(ids.numpy(), num_segments)):
        ids = tf.where(ids < num_segments, ids, -1)
    if data.dtype is tf.bool:
        counts = tf.math.unsorted_segment_sum(tf.cast(data, tf.int32), ids, num_segments)
        return tf.cast(counts, tf.bool)
    return tf.math.unsorted_segment_sum(data, ids, num_segments)


def _inside(ids: Any, count: Any) -> bool:
    return not ids.size or bool(ids.max() < count)


def nonzero(x: tf.Tensor) -> tuple:
    places = tf.cast(tf.where(tf.cast(x, tf.bool)), tf.int32)
    return tuple(tf.unstack(places, num=x.shape.rank, axis=-1))
