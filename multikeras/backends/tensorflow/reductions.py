"""Reductions and cumulative functions."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from multikeras import dtypes
from multikeras.backends.tensorflow import core

sum = tf.reduce_sum
mean = tf.reduce_mean
var = tf.math.reduce_variance
logsumexp = tf.reduce_logsumexp


def std(x: Any, axis: Any, keepdims: bool) -> Any:
    return tf.sqrt(tf.math.reduce_variance(x, axis, keepdims))


def _number(x: Any) -> Any:
    return tf.cast(x, tf.uint8) if x.dtype is tf.bool else x


def amax(x: Any, axis: Any, keepdims: bool) -> Any:
    return tf.cast(tf.reduce_max(_number(x), axis, keepdims), x.dtype)


def amin(x: Any, axis: Any, keepdims: bool) -> Any:
    return tf.cast(tf.reduce_min(_number(x), axis, keepdims), x.dtype)


def max(x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    peak = tf.reduce_max(_number(x), axis, keepdims)
    if initial is not None:
        peak = tf.maximum(peak, core.convert_to_tensor(initial, core.dtype_name(peak)))
    return tf.cast(peak, x.dtype)


def min(x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    low = tf.reduce_min(_number(x), axis, keepdims)
    if initial is not None:
        low = tf.minimum(low, core.convert_to_tensor(initial, core.dtype_name(low)))
    return tf.cast(low, x.dtype)


def _as(x: Any, dtype: Any) -> Any:
    return x if dtype is None else core.cast(x, dtypes.standardize_dtype(dtype))


def prod(x: Any, axis: Any, keepdims: bool, dtype: Any) -> Any:
    return tf.reduce_prod(_as(x, dtype), axis, keepdims)


def _true(x: Any) -> Any:
    return x if x.dtype is tf.bool else tf.not_equal(x, tf.zeros((), x.dtype))


def all(x: Any, axis: Any, keepdims: bool) -> Any:
    return tf.reduce_all(_true(x), axis, keepdims)


def any(x: Any, axis: Any, keepdims: bool) -> Any:
    return tf.reduce_any(_true(x), axis, keepdims)


def _position(find: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    x, rank = _number(x), len(x.shape)
    if axis is None:
        found = find(tf.reshape(x, [-1]), 0, tf.int32)
        return tf.reshape(found, (1,) * rank) if keepdims else found
    found = find(x, axis, tf.int32)
    return tf.expand_dims(found, axis) if keepdims else found


def argmax(x: Any, axis: Any, keepdims: bool) -> Any:
    return _position(tf.argmax, x, axis, keepdims)


def argmin(x: Any, axis: Any, keepdims: bool) -> Any:
    return _position(tf.argmin, x, axis, keepdims)


def _cumulative(function: Any, x: Any, axis: int | None, dtype: Any) -> Any:
    x = _as(x, dtype)
    x, axis = (tf.reshape(x, [-1]), 0) if axis is None else (x, axis)
    return function(x, axis)


def cumsum(x: Any, axis: int | None, dtype: Any) -> Any:
    return _cumulative(tf.cumsum, x, axis, dtype)


def _products(x: Any, axis: int) -> Any:
    """Cumulative products whose slopes are right at zeros, too: TensorFlow's divide by `x`. The
    reach of each product is doubled until it covers the axis."""
    size = x.shape[axis]
    if size is None or not (x.dtype.is_floating or x.dtype.is_complex):
        return tf.math.cumprod(x, axis)
    reach = 1
    while reach < size:
        kept, moved = tf.split(x, [reach, size - reach], axis)
        earlier = tf.split(x, [size - reach, reach], axis)[0]
        x = tf.concat([kept, moved * earlier], axis)
        reach *= 2
    return x


def cumprod(x: Any, axis: int | None, dtype: Any) -> Any:
    return _cumulative(_products, x, axis, dtype)
