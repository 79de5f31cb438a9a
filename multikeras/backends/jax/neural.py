"""Neural-network functions of the JAX backend: each one jitted call, so that eager use is one
dispatch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from multikeras import config
from multikeras.backends import checks

# Probabilities are kept this far from 0 and 1 before a logarithm is taken of them.
_EPSILON = 1e-7
_ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "linear": lambda y: y,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "softmax": jax.nn.softmax,
    "tanh": jnp.tanh,
}


def _call(*settings: str) -> Callable[[Callable], Callable]:
    return partial(jax.jit, static_argnames=settings, inline=True)


def _hashable(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, (list, range)) else axis


def _wide(x: jax.Array) -> jax.Array:
    """16-bit floats in 32 bits."""
    return x.astype(jnp.float32) if x.dtype.itemsize == 2 else x


@_call("activation")
def dense(
    x: jax.Array, kernel: jax.Array, bias: jax.Array | None = None, activation: str | None = None
) -> jax.Array:
    y = jnp.matmul(x, kernel)
    if bias is not None:
        y = y + bias
    return y if activation is None else _ACTIVATIONS[activation](y)


@_call("axis")
def _softmax(x: jax.Array, axis: Any) -> jax.Array:
    return jax.nn.softmax(_wide(x), axis=axis).astype(x.dtype)


@_call("axis")
def _log_softmax(x: jax.Array, axis: Any) -> jax.Array:
    return jax.nn.log_softmax(_wide(x), axis=axis).astype(x.dtype)


def softmax(x: jax.Array, axis: int | Sequence[int] | None = -1) -> jax.Array:
    return _softmax(x, _hashable(axis))


def log_softmax(x: jax.Array, axis: int | Sequence[int] | None = -1) -> jax.Array:
    return _log_softmax(x, _hashable(axis))


@_call("from_logits", "axis")
def sparse_categorical_crossentropy(
    target: jax.Array, output: jax.Array, from_logits: bool = False, axis: int = -1
) -> jax.Array:
    labels = target.astype(jnp.int32)
    if not checks.label_shape(target, output, axis):
        labels = jnp.expand_dims(labels, axis)
    wide = _wide(output)
    if from_logits:
        loss = -jnp.take_along_axis(jax.nn.log_softmax(wide, axis), labels, axis).squeeze(axis)
        return loss.astype(output.dtype)
    chosen = jnp.take_along_axis(wide, labels, axis).squeeze(axis) / jnp.sum(wide, axis)
    return -jnp.log(jnp.clip(chosen, _EPSILON, 1 - _EPSILON)).astype(output.dtype)


@_call("from_logits", "axis")
def categorical_crossentropy(
    target: jax.Array, output: jax.Array, from_logits: bool = False, axis: int = -1
) -> jax.Array:
    checks.same_shape("categorical_crossentropy", target, output)
    wide = _wide(output)
    if from_logits:
        logs = jax.nn.log_softmax(wide, axis)
    else:
        q = wide / jnp.sum(wide, axis, keepdims=True)
        logs = jnp.log(jnp.clip(q, _EPSILON, 1 - _EPSILON))
    return -jnp.sum(target * logs, axis).astype(output.dtype)


@_call("from_logits")
def binary_crossentropy(
    target: jax.Array, output: jax.Array, from_logits: bool = False
) -> jax.Array:
    checks.same_shape("binary_crossentropy", target, output)
    wide = _wide(output)
    if from_logits:
        return (jax.nn.softplus(wide) - wide * target).astype(output.dtype)
    p = jnp.clip(wide, _EPSILON, 1 - _EPSILON)
    return -(target * jnp.log(p) + (1 - target) * jnp.log1p(-p)).astype(output.dtype)


@_call("axes", "keepdims")
def _moments(x: jax.Array, axes: Any, keepdims: bool) -> tuple[jax.Array, jax.Array]:
    wide = _wide(x)
    mean = jnp.mean(wide, axes, keepdims=True)
    variance = jnp.mean(jnp.square(wide - mean), axes, keepdims=keepdims)
    mean = mean.reshape(variance.shape)
    return mean.astype(x.dtype), variance.astype(x.dtype)


def moments(
    x: jax.Array, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[jax.Array, jax.Array]:
    return _moments(x, _hashable(axes), keepdims)


def _on_axis(vector: jax.Array, axis: int, ndim: int) -> jax.Array:
    return vector.reshape([-1] + [1] * (ndim - 1 - axis % ndim))


@_call("axis", "epsilon")
def batch_normalization(
    x: jax.Array,
    mean: jax.Array,
    variance: jax.Array,
    axis: int,
    offset: jax.Array | None = None,
    scale: jax.Array | None = None,
    epsilon: float = 1e-3,
) -> jax.Array:
    factor = jax.lax.rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    y = (x - _on_axis(mean, axis, x.ndim)) * _on_axis(factor, axis, x.ndim)
    return y if offset is None else y + _on_axis(offset, axis, x.ndim)


@_call("axis", "epsilon")
def _batch_normalization_train(
    x: jax.Array, offset: Any, scale: Any, axis: tuple[int, ...], epsilon: float
) -> tuple[jax.Array, jax.Array, jax.Array]:
    wide = _wide(x)
    mean = jnp.mean(wide, axis, keepdims=True)
    centred = wide - mean
    variance = jnp.mean(jnp.square(centred), axis, keepdims=True)
    factor = jax.lax.rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale.reshape(factor.shape)
    y = centred * factor
    if offset is not None:
        y = y + offset.reshape(factor.shape)
    mean, variance = jax.lax.stop_gradient((mean.squeeze(axis), variance.squeeze(axis)))
    return y.astype(x.dtype), mean.astype(x.dtype), variance.astype(x.dtype)


def batch_normalization_train(
    x: jax.Array, offset: Any, scale: Any, axis: Sequence[int], epsilon: float
) -> tuple[jax.Array, jax.Array, jax.Array]:
    return _batch_normalization_train(x, offset, scale, _hashable(axis), epsilon)


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    axes = (axis,) if isinstance(axis, int) else axis
    return tuple(sorted(a % ndim for a in axes))


@_call("axis", "epsilon", "centre")
def _normalize(
    x: jax.Array, gamma: Any, beta: Any, axis: Any, epsilon: float, centre: bool
) -> jax.Array:
    axes = _axes(axis, x.ndim)
    shape = [n if i in axes else 1 for i, n in enumerate(x.shape)]
    y = _wide(x)
    if centre:
        y = y - jnp.mean(y, axes, keepdims=True)
    y = y * jax.lax.rsqrt(jnp.mean(jnp.square(y), axes, keepdims=True) + epsilon)
    if gamma is not None:
        y = y * gamma.reshape(shape)
    if beta is not None:
        y = y + beta.reshape(shape)
    return y.astype(x.dtype)


def layer_normalization(
    x: jax.Array,
    gamma: jax.Array | None = None,
    beta: jax.Array | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
) -> jax.Array:
    epsilon = config.epsilon() if epsilon is None else epsilon
    return _normalize(x, gamma, beta, _hashable(axis), epsilon, True)


def rms_normalization(
    x: jax.Array,
    scale: jax.Array | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
) -> jax.Array:
    epsilon = config.epsilon() if epsilon is None else epsilon
    return _normalize(x, scale, None, _hashable(axis), epsilon, False)
