"""Arrays of given shapes and values."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from multikeras import dtypes
from multikeras.backends.jax import core
from multikeras.backends.ranges import range_dtype


def _dtype(dtype: Any) -> Any:
    return core.native_dtype(dtypes.standardize_dtype(dtype))


def zeros(shape: Any, dtype: Any) -> Any:
    return jnp.zeros(shape, _dtype(dtype))


empty = zeros


def ones(shape: Any, dtype: Any) -> Any:
    return jnp.ones(shape, _dtype(dtype))


def full(shape: Any, fill_value: Any, dtype: Any) -> Any:
    return jnp.full(shape, fill_value, _dtype(dtype))


def zeros_like(x: Any, dtype: Any) -> Any:
    return jnp.zeros_like(x, dtype=None if dtype is None else _dtype(dtype))


empty_like = zeros_like


def ones_like(x: Any, dtype: Any) -> Any:
    return jnp.ones_like(x, dtype=None if dtype is None else _dtype(dtype))


def full_like(x: Any, fill_value: Any, dtype: Any) -> Any:
    return jnp.full_like(x, fill_value, dtype=None if dtype is None else _dtype(dtype))


def copy(x: Any) -> Any:
    return jnp.array(x, copy=True)


def arange(start: Any, stop: Any, step: Any, dtype: Any) -> Any:
    dtype = core.native_dtype(range_dtype(start, stop, step, dtype=dtype))
    start, stop = (0, start) if stop is None else (start, stop)
    return jnp.arange(start, stop, step, dtype=dtype)


def eye(N: int, M: int | None, k: int, dtype: Any) -> Any:
    return jnp.eye(N, M, k, dtype=_dtype(dtype))


def tri(N: int, M: int | None, k: int, dtype: Any) -> Any:
    return jnp.tri(N, M, k, dtype=_dtype(dtype))


tril = jnp.tril
triu = jnp.triu


def meshgrid_of(xs: Any, indexing: str) -> Any:
    return jnp.meshgrid(*(x.reshape(-1) for x in xs), indexing=indexing)
