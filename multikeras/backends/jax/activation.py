"""Activation functions of the JAX backend: each one jitted call, so that eager use is one
dispatch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp


def _call(*settings: str) -> Callable[[Callable], Callable]:
    """Compiles a function of one array; numbers among the settings are part of its key."""
    return partial(jax.jit, static_argnames=settings, inline=True)


relu = _call()(lambda x: jax.nn.relu(x))
sigmoid = _call()(lambda x: jax.nn.sigmoid(x))
silu = _call()(lambda x: jax.nn.silu(x))
softplus = _call()(lambda x: jax.nn.softplus(x))
softsign = _call()(lambda x: jax.nn.soft_sign(x))
selu = _call()(lambda x: jax.nn.selu(x))
hard_sigmoid = _call()(lambda x: jax.nn.relu6(x + 3) / 6)
hard_silu = _call()(lambda x: x * (jax.nn.relu6(x + 3) / 6))
tanh_shrink = _call()(lambda x: x - jnp.tanh(x))
log_sigmoid = _call()(lambda x: jax.nn.log_sigmoid(x))
mish = _call()(lambda x: jax.nn.mish(x))
sparse_plus = _call()(lambda x: jax.nn.sparse_plus(x))
sparse_sigmoid = _call()(lambda x: jax.nn.sparse_sigmoid(x))


@_call()
def relu6(x: jax.Array) -> jax.Array:
    return jnp.where((x <= 0) | (x >= 6), jax.lax.stop_gradient(jnp.clip(x, 0, 6)), x)


@_call()
def hard_tanh(x: jax.Array) -> jax.Array:
    return jnp.where(x > 1, jnp.ones_like(x), jnp.where(x < -1, -jnp.ones_like(x), x))


@_call("negative_slope")
def leaky_relu(x: jax.Array, negative_slope: float = 0.2) -> jax.Array:
    # The slope at 0 is the negative one, which jax.nn.leaky_relu has otherwise.
    return jnp.where(x > 0, x, negative_slope * x)


@_call("alpha")
def elu(x: jax.Array, alpha: float = 1.0) -> jax.Array:
    return jax.nn.elu(x, alpha)


@_call("alpha")
def celu(x: jax.Array, alpha: float = 1.0) -> jax.Array:
    return jax.nn.celu(x, alpha)


@_call("approximate")
def gelu(x: jax.Array, approximate: bool = True) -> jax.Array:
    return jax.nn.gelu(x, approximate)


@_call("axis")
def glu(x: jax.Array, axis: int = -1) -> jax.Array:
    first, second = jnp.split(x, 2, axis)
    return first * jax.nn.sigmoid(second)


@_call("threshold")
def hard_shrink(x: jax.Array, threshold: float = 0.5) -> jax.Array:
    return jnp.where(jnp.abs(x) > threshold, x, jnp.zeros_like(x))


@_call("threshold")
def soft_shrink(x: jax.Array, threshold: float = 0.5) -> jax.Array:
    low = jnp.where(x < -threshold, x + threshold, jnp.zeros_like(x))
    return jnp.where(x > threshold, x - threshold, low)


@_call("axis")
def sparsemax(x: jax.Array, axis: int = -1) -> jax.Array:
    z = jnp.moveaxis(x, axis, -1)
    ordered = jnp.flip(jnp.sort(z, axis=-1), -1)
    rank = jnp.arange(1, z.shape[-1] + 1, dtype=z.dtype)
    excess = jnp.cumsum(ordered, -1) - 1
    count = jnp.sum(ordered * rank > excess, -1, keepdims=True)
    level = jnp.take_along_axis(excess, count - 1, -1) / count.astype(z.dtype)
    return jnp.moveaxis(jax.nn.relu(z - level), -1, axis)


@_call("b")
def squareplus(x: jax.Array, b: float = 4) -> jax.Array:
    return (x + jnp.sqrt(x * x + b)) * 0.5


@_call("threshold", "default_value")
def threshold(x: jax.Array, threshold: float, default_value: float) -> jax.Array:
    return jnp.where(x > threshold, x, jnp.asarray(default_value, x.dtype))
