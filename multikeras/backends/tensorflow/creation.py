"""Tensors of given shapes and values."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from multikeras import dtypes
from multikeras.backends.ranges import grid_axes, line_shape, range_dtype
from multikeras.backends.tensorflow import core


def _dtype(dtype: Any) -> tf.DType:
    return core.native_dtype(dtypes.standardize_dtype(dtype))


def zeros(shape: Any, dtype: Any) -> Any:
    return tf.zeros(shape, _dtype(dtype))


empty = zeros


def ones(shape: Any, dtype: Any) -> Any:
    return tf.ones(shape, _dtype(dtype))


def full(shape: Any, fill_value: Any, dtype: Any) -> Any:
    shape = (shape,) if isinstance(shape, int) else shape
    return tf.broadcast_to(tf.cast(fill_value, _dtype(dtype)), shape)


def zeros_like(x: Any, dtype: Any) -> Any:
    return tf.zeros_like(x, None if dtype is None else _dtype(dtype))


empty_like = zeros_like


def ones_like(x: Any, dtype: Any) -> Any:
    return tf.ones_like(x, None if dtype is None else _dtype(dtype))


def full_like(x: Any, fill_value: Any, dtype: Any) -> Any:
    wanted = x.dtype if dtype is None else _dtype(dtype)
    return tf.broadcast_to(tf.cast(fill_value, wanted), tf.shape(x))


copy = tf.identity
_RANGES = frozenset((tf.int32, tf.int64, tf.float32, tf.float64))


def arange(start: Any, stop: Any, step: Any, dtype: Any) -> Any:
    name = range_dtype(start, stop, step, dtype=dtype)
    wanted = core.native_dtype(name)
    start, stop = (0, start) if stop is None else (start, stop)
    step = 1 if step is None else step
    # The numbers are counted in a dtype that holds them all, and cut to the wanted one last.
    counted = range_dtype(start, stop, step)
    if wanted in _RANGES and dtypes.is_float_dtype(name):
        counted = name
    counted = counted if core.native_dtype(counted) in _RANGES else "float32"
    start, stop, step = (core.convert_to_tensor(n, counted) for n in (start, stop, step))
    return core.cast(tf.range(start, stop, step), name)


def meshgrid_of(xs: Any, indexing: str) -> Any:
    axes = grid_axes(len(xs), indexing)
    lines = [tf.reshape(x, line_shape(a, len(xs))) for x, a in zip(xs, axes, strict=True)]
    sizes = dict(zip(axes, map(tf.size, xs), strict=True))
    shape = tf.stack([sizes[a] for a in range(len(xs))])
    return [tf.broadcast_to(line, shape) for line in lines]
