"""Reductions and cumulative functions."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from multikeras import dtypes
from multikeras.backends.jax import core


def _axes(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _reduction(function: Any) -> Any:
    def reduce(x: Any, axis: Any, keepdims: bool) -> Any:
        return function(x, axis=_axes(axis), keepdims=keepdims)

    return reduce


def sum(x: Any, axis: Any, keepdims: bool) -> Any:
    return jnp.sum(x, axis=_axes(axis), dtype=x.dtype, keepdims=keepdims)


mean = _reduction(jnp.mean)
amax = _reduction(jnp.max)
amin = _reduction(jnp.min)
var = _reduction(jnp.var)
std = _reduction(jnp.std)
all = _reduction(jnp.all)
any = _reduction(jnp.any)

_logsumexp = jax.jit(_reduction(jax.nn.logsumexp), static_argnums=(1, 2))


def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    # One dispatch for what is half a dozen functions.
    return _logsumexp(x, _axes(axis), keepdims)


def max(x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    return jnp.max(x, axis=_axes(axis), keepdims=keepdims, initial=initial)


def min(x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    return jnp.min(x, axis=_axes(axis), keepdims=keepdims, initial=initial)


def _as(x: Any, dtype: Any) -> Any:
    return x if dtype is None else core.cast(x, dtypes.standardize_dtype(dtype))


def prod(x: Any, axis: Any, keepdims: bool, dtype: Any) -> Any:
    x = _as(x, dtype)
    return jnp.prod(x, axis=_axes(axis), keepdims=keepdims, dtype=x.dtype)


# One dispatch for both steps.
@functools.partial(jax.jit, static_argnums=(1, 2))
def argmax(x: Any, axis: Any, keepdims: bool) -> Any:
    return jnp.argmax(x, axis=axis, keepdims=keepdims).astype(jnp.int32)


# One dispatch for both steps.
@functools.partial(jax.jit, static_argnums=(1, 2))
def argmin(x: Any, axis: Any, keepdims: bool) -> Any:
    return jnp.argmin(x, axis=axis, keepdims=keepdims).astype(jnp.int32)


def cumsum(x: Any, axis: int | None, dtype: Any) -> Any:
    x = _as(x, dtype)
    return jnp.cumsum(x, axis=axis, dtype=x.dtype)


def cumprod(x: Any, axis: int | None, dtype: Any) -> Any:
    x = _as(x, dtype)
    return jnp.cumprod(x, axis=axis, dtype=x.dtype)
