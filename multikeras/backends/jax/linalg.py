"""Linear algebra of `jax.numpy.linalg`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

diagonal = jnp.diagonal
diag = jnp.diag


def _in_single(fn: Callable) -> Callable:
    """Computes 16-bit floats in float32 and rounds the results."""

    @functools.wraps(fn)
    def wide(x: jax.Array, *args: Any, **kwargs: Any) -> Any:
        if x.dtype not in (jnp.float16, jnp.bfloat16):
            return fn(x, *args, **kwargs)
        args = tuple(a.astype("float32") if isinstance(a, jax.Array) else a for a in args)
        result = fn(x.astype("float32"), *args, **kwargs)
        return jax.tree.map(
            lambda part: part.astype(x.dtype) if part.dtype == jnp.float32 else part, result
        )

    return wide


@_in_single
def cholesky(x: jax.Array, upper: bool = False) -> jax.Array:
    factor = jnp.linalg.cholesky(x, symmetrize_input=False)
    return jnp.swapaxes(factor, -1, -2) if upper else factor


@_in_single
def det(x: jax.Array) -> jax.Array:
    return jnp.linalg.det(x)


@_in_single
def slogdet(x: jax.Array) -> tuple:
    return tuple(jnp.linalg.slogdet(x))


@_in_single
def inv(x: jax.Array) -> jax.Array:
    return jnp.linalg.inv(x)


@_in_single
def solve(a: jax.Array, b: jax.Array) -> jax.Array:
    if b.ndim == a.ndim - 1:
        return jnp.linalg.solve(a, b[..., None])[..., 0]
    return jnp.linalg.solve(a, b)


@_in_single
def solve_triangular(a: jax.Array, b: jax.Array, lower: bool = False) -> jax.Array:
    if b.ndim == a.ndim - 1:
        return jax.scipy.linalg.solve_triangular(a, b[..., None], lower=lower)[..., 0]
    return jax.scipy.linalg.solve_triangular(a, b, lower=lower)


@_in_single
def qr(x: jax.Array, mode: str = "reduced") -> tuple:
    return tuple(jnp.linalg.qr(x, mode))


@_in_single
def svd(x: jax.Array, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    found = jnp.linalg.svd(x, full_matrices, compute_uv)
    return tuple(found) if compute_uv else found


@_in_single
def eigh(x: jax.Array) -> tuple:
    return tuple(jnp.linalg.eigh(x))


@_in_single
def eig(x: jax.Array) -> tuple:
    return tuple(jnp.linalg.eig(x))


@_in_single
def pinv(x: jax.Array, rcond: float | None = None) -> jax.Array:
    if rcond is None:
        rcond = float(jnp.finfo(x.dtype).eps) * max(x.shape[-2:])
    return jnp.linalg.pinv(x, rtol=rcond)


@_in_single
def lu_factor(x: jax.Array) -> tuple:
    return tuple(jax.scipy.linalg.lu_factor(x))
