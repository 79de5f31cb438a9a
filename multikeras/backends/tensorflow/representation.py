"""Bits read as another dtype."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from multikeras.backends.tensorflow import core


def reinterpret(x: Any, dtype: str) -> Any:
    target = core.native_dtype(dtype)
    old, new = x.dtype.size, target.size
    if old == new:
        return tf.bitcast(x, target)
    *batch, last = core.dynamic_shape(x)
    if old < new:
        x = tf.reshape(x, (*batch, last * old // new, new // old))
        return tf.bitcast(x, target)
    return tf.reshape(tf.bitcast(x, target), (*batch, last * (old // new)))
