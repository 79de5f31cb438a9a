"""Sums over groups of rows, and positions that depend on values."""

from __future__ import annotations

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
    # Negative groups are left out; those beyond the last go to one more, which is cut off.
    ids = tf.minimum(ids, num_segments)
    if data.dtype is tf.bool:
        counts = tf.math.unsorted_segment_sum(tf.cast(data, tf.int32), ids, num_segments + 1)
        return tf.cast(counts[:-1], tf.bool)
    return tf.math.unsorted_segment_sum(data, ids, num_segments + 1)[:-1]


def nonzero(x: tf.Tensor) -> tuple:
    places = tf.cast(tf.where(tf.cast(x, tf.bool)), tf.int32)
    return tuple(tf.unstack(places, num=x.shape.rank, axis=-1))
