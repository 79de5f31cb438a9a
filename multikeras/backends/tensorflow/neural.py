"""Neural-network functions of the TensorFlow backend, by its fused kernels where shapes allow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from multikeras import config
from multikeras.backends import checks

# Probabilities are kept this far from 0 and 1 before a logarithm is taken of them.
_EPSILON = 1e-7
_ACTIVATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "linear": lambda y: y,
    "relu": tf.nn.relu,
    "sigmoid": tf.sigmoid,
    "softmax": tf.nn.softmax,
    "tanh": tf.tanh,
}


def _wide(x: tf.Tensor) -> tf.Tensor:
    """16-bit floats in 32 bits."""
    return tf.cast(x, tf.float32) if x.dtype.size == 2 else x


def dense(
    x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None = None, activation: str | None = None
) -> tf.Tensor:
    if x.shape.rank == 2:
        y = tf.raw_ops.MatMul(a=x, b=kernel)
    else:
        # One product of matrices is quicker than a batch of them, forward and back.
        flat = tf.raw_ops.MatMul(a=tf.reshape(x, (-1, kernel.shape[0])), b=kernel)
        lead = x.shape[:-1]
        lead = lead if lead.is_fully_defined() else tf.shape(x)[:-1]
        y = tf.reshape(flat, tf.concat([lead, kernel.shape[1:]], 0))
        y.set_shape([*x.shape[:-1], kernel.shape[1]])
    if bias is not None:
        y = tf.raw_ops.BiasAdd(value=y, bias=bias) if y.shape.rank > 1 else y + bias
    return y if activation is None else _ACTIVATIONS[activation](y)


def _over_axes(
    function: Callable[..., tf.Tensor], x: tf.Tensor, axis: int | Sequence[int] | None
) -> tf.Tensor:
    if isinstance(axis, int):
        return function(x, axis=axis)
    rank = x.shape.rank
    axes = list(range(rank)) if axis is None else [a % rank for a in axis]
    order = [i for i in range(rank) if i not in axes] + axes
    moved = tf.transpose(x, order)
    lead = tf.shape(moved)[: rank - len(axes)]
    y = function(tf.reshape(moved, tf.concat([lead, [-1]], 0)), axis=-1)
    y = tf.transpose(tf.reshape(y, tf.shape(moved)), [order.index(i) for i in range(rank)])
    return tf.ensure_shape(y, x.shape)


def softmax(x: tf.Tensor, axis: int | Sequence[int] | None = -1) -> tf.Tensor:
    return _over_axes(tf.nn.softmax, x, axis)


def log_softmax(x: tf.Tensor, axis: int | Sequence[int] | None = -1) -> tf.Tensor:
    return _over_axes(tf.nn.log_softmax, x, axis)


def _classes_last(x: tf.Tensor, axis: int) -> tf.Tensor:
    rank = x.shape.rank
    if axis in (-1, rank - 1):
        return x
    axis %= rank
    return tf.transpose(x, [i for i in range(rank) if i != axis] + [axis])


def sparse_categorical_crossentropy(
    target: tf.Tensor, output: tf.Tensor, from_logits: bool = False, axis: int = -1
) -> tf.Tensor:
    labels = tf.squeeze(target, axis) if checks.label_shape(target, output, axis) else target
    if not labels.dtype.is_integer or labels.dtype.size < 4:
        labels = tf.cast(labels, tf.int64)
    output = _classes_last(output, axis)
    if from_logits:
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, output)
    wide = _wide(output)
    chosen = tf.gather(wide, labels, batch_dims=output.shape.rank - 1, axis=-1)
    chosen = chosen / tf.reduce_sum(wide, -1)
    loss = -tf.math.log(tf.clip_by_value(chosen, _EPSILON, 1 - _EPSILON))
    return tf.cast(loss, output.dtype)


def categorical_crossentropy(
    target: tf.Tensor, output: tf.Tensor, from_logits: bool = False, axis: int = -1
) -> tf.Tensor:
    checks.same_shape("categorical_crossentropy", target, output)
    if from_logits:
        # The fused kernel has the right gradient for targets that sum to 1 only.
        return -tf.reduce_sum(target * tf.nn.log_softmax(output, axis), axis)
    wide = _wide(output)
    q = wide / tf.reduce_sum(wide, axis, keepdims=True)
    logs = tf.math.log(tf.clip_by_value(q, _EPSILON, 1 - _EPSILON))
    return tf.cast(-tf.reduce_sum(tf.cast(target, logs.dtype) * logs, axis), output.dtype)


def binary_crossentropy(
    target: tf.Tensor, output: tf.Tensor, from_logits: bool = False
) -> tf.Tensor:
    checks.same_shape("binary_crossentropy", target, output)
    if from_logits:
        return tf.nn.sigmoid_cross_entropy_with_logits(target, output)
    wide, wanted = _wide(output), _wide(target)
    p = tf.clip_by_value(wide, _EPSILON, 1 - _EPSILON)
    loss = -(wanted * tf.math.log(p) + (1 - wanted) * tf.math.log1p(-p))
    return tf.cast(loss, output.dtype)


def moments(
    x: tf.Tensor, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[tf.Tensor, tf.Tensor]:
    wide = _wide(x)
    mean = tf.reduce_mean(wide, axes, keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(wide, mean), axes, keepdims=keepdims)
    if not keepdims:
        mean = _squeezed(mean, axes)
    return tf.cast(mean, x.dtype), tf.cast(variance, x.dtype)


def _squeezed(x: tf.Tensor, axes: Any) -> tf.Tensor:
    if axes is None:
        return tf.reshape(x, ())
    return tf.squeeze(x, axes if isinstance(axes, int) else list(axes))


def _on_axis(vector: tf.Tensor, axis: int, rank: int) -> tf.Tensor:
    if axis in (-1, rank - 1):
        return vector
    return tf.reshape(vector, [-1] + [1] * (rank - 1 - axis % rank))


def batch_normalization(
    x: tf.Tensor,
    mean: tf.Tensor,
    variance: tf.Tensor,
    axis: int,
    offset: tf.Tensor | None = None,
    scale: tf.Tensor | None = None,
    epsilon: float = 1e-3,
) -> tf.Tensor:
    factor = tf.math.rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    rank = x.shape.rank
    return x * _on_axis(factor, axis, rank) + _on_axis(shift, axis, rank)


def batch_normalization_train(
    x: tf.Tensor,
    offset: tf.Tensor | None,
    scale: tf.Tensor | None,
    axis: Sequence[int],
    epsilon: float,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    rank = x.shape.rank
    axes = sorted(a % rank for a in axis)
    size = x.shape[-1]
    if axes == list(range(rank - 1)) and size is not None and x.dtype is not tf.float64:
        return _fused_train(x, offset, scale, size, epsilon)
    mean, variance = moments(x, axes, True)
    factor = tf.math.rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * tf.reshape(scale, tf.shape(factor))
    y = (x - mean) * factor
    if offset is not None:
        y = y + tf.reshape(offset, tf.shape(factor))
    stop = tf.stop_gradient
    return y, stop(tf.squeeze(mean, axes)), stop(tf.squeeze(variance, axes))


def _fused_train(
    x: tf.Tensor, offset: Any, scale: Any, size: int, epsilon: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    image = x if x.shape.rank == 4 else tf.reshape(x, (1, 1, -1, size))
    scale = tf.ones(size) if scale is None else tf.cast(scale, tf.float32)
    offset = tf.zeros(size) if offset is None else tf.cast(offset, tf.float32)
    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=image, scale=scale, offset=offset, mean=[], variance=[], epsilon=epsilon,
        exponential_avg_factor=1.0, data_format="NHWC", is_training=True,
    )  # fmt: skip
    if image is not x:
        y = tf.ensure_shape(tf.reshape(y, tf.shape(x)), x.shape)
    # The kernel's variance is the unbiased one, meant for a running average.
    count = tf.cast(tf.size(x) // size, tf.float32)
    variance = variance * ((count - 1) / count)
    stop = tf.stop_gradient
    return y, stop(tf.cast(mean, x.dtype)), stop(tf.cast(variance, x.dtype))


def _normalize(
    x: tf.Tensor, gamma: Any, beta: Any, axis: Any, epsilon: float | None, centre: bool
) -> tf.Tensor:
    epsilon = config.epsilon() if epsilon is None else epsilon
    rank = x.shape.rank
    axes = sorted(a % rank for a in ((axis,) if isinstance(axis, int) else axis))
    shape = None
    if axes != list(range(rank - len(axes), rank)):
        shape = [x.shape[i] if i in axes else 1 for i in range(rank)]
    y = _wide(x)
    if centre:
        y = y - tf.reduce_mean(y, axes, keepdims=True)
    y = y * tf.math.rsqrt(tf.reduce_mean(tf.square(y), axes, keepdims=True) + epsilon)
    for value, combine in ((gamma, tf.multiply), (beta, tf.add)):
        if value is not None:
            y = combine(y, tf.cast(value if shape is None else tf.reshape(value, shape), y.dtype))
    return tf.cast(y, x.dtype)


def layer_normalization(
    x: tf.Tensor,
    gamma: tf.Tensor | None = None,
    beta: tf.Tensor | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
) -> tf.Tensor:
    return _normalize(x, gamma, beta, axis, epsilon, True)


def rms_normalization(
    x: tf.Tensor,
    scale: tf.Tensor | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
) -> tf.Tensor:
    return _normalize(x, scale, None, axis, epsilon, False)
