"""Activation functions of the TensorFlow backend, the framework's own kernels where it has
them."""

from __future__ import annotations

import tensorflow as tf

relu = tf.nn.relu
relu6 = tf.nn.relu6
sigmoid = tf.sigmoid
silu = tf.nn.silu
softplus = tf.math.softplus
softsign = tf.nn.softsign
leaky_relu = tf.nn.leaky_relu
selu = tf.nn.selu
log_sigmoid = tf.math.log_sigmoid


def elu(x: tf.Tensor, alpha: float = 1.0) -> tf.Tensor:
    y = tf.nn.elu(x)
    return y if alpha == 1 else tf.where(x > 0, y, y * alpha)


def celu(x: tf.Tensor, alpha: float = 1.0) -> tf.Tensor:
    return tf.maximum(x, 0) + tf.math.expm1(tf.minimum(x, 0) / alpha) * alpha


def gelu(x: tf.Tensor, approximate: bool = True) -> tf.Tensor:
    return tf.nn.gelu(x, approximate)


def glu(x: tf.Tensor, axis: int = -1) -> tf.Tensor:
    first, second = tf.split(x, 2, axis)
    return first * tf.sigmoid(second)


def hard_sigmoid(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.relu6(x + 3) / 6


def hard_silu(x: tf.Tensor) -> tf.Tensor:
    return x * (tf.nn.relu6(x + 3) / 6)


def hard_tanh(x: tf.Tensor) -> tf.Tensor:
    lower = 0 if x.dtype.is_unsigned else -1
    return tf.clip_by_value(x, tf.cast(lower, x.dtype), tf.cast(1, x.dtype))


def hard_shrink(x: tf.Tensor, threshold: float = 0.5) -> tf.Tensor:
    return tf.where(tf.abs(x) > threshold, x, tf.zeros_like(x))


def soft_shrink(x: tf.Tensor, threshold: float = 0.5) -> tf.Tensor:
    low = tf.where(x < -threshold, x + threshold, tf.zeros_like(x))
    return tf.where(x > threshold, x - threshold, low)


def tanh_shrink(x: tf.Tensor) -> tf.Tensor:
    return x - tf.tanh(x)


def mish(x: tf.Tensor) -> tf.Tensor:
    return x * tf.tanh(tf.math.softplus(x))


def sparse_plus(x: tf.Tensor) -> tf.Tensor:
    middle = tf.clip_by_value(x + 1, 0, 2)
    return tf.where(x >= 1, x, middle * middle * 0.25)


def sparse_sigmoid(x: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value((x + 1) * 0.5, 0, 1)


def _moved(x: tf.Tensor, axis: int) -> tf.Tensor:
    """Swaps `axis` and the last one; its own inverse."""
    rank = x.shape.rank
    order = list(range(rank))
    order[axis], order[-1] = order[-1], order[axis]
    return x if axis in (-1, rank - 1) else tf.transpose(x, order)


def sparsemax(x: tf.Tensor, axis: int = -1) -> tf.Tensor:
    z = _moved(x, axis)
    ordered = tf.sort(z, direction="DESCENDING")
    rank = tf.cast(tf.range(1, tf.shape(z)[-1] + 1), z.dtype)
    excess = tf.cumsum(ordered, -1) - 1
    count = tf.reduce_sum(tf.cast(ordered * rank > excess, tf.int32), -1, keepdims=True)
    level = tf.gather(excess, count - 1, batch_dims=z.shape.rank - 1) / tf.cast(count, z.dtype)
    return _moved(tf.nn.relu(z - level), axis)


def squareplus(x: tf.Tensor, b: float = 4) -> tf.Tensor:
    return (x + tf.sqrt(x * x + b)) * 0.5


def threshold(x: tf.Tensor, threshold: float, default_value: float) -> tf.Tensor:
    return tf.where(x > tf.cast(threshold, x.dtype), x, tf.cast(default_value, x.dtype))
