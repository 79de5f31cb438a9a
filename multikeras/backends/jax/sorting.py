"""Order and counts."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from multikeras import dtypes
from multikeras.backends.jax import core

sort = jnp.sort


def argsort(x: jax.Array, axis: int | None = -1) -> jax.Array:
    return jnp.argsort(x, axis).astype("int32")


def top_k(x: jax.Array, k: int, sorted: bool = True) -> tuple:
    if x.dtype == bool:
        values, indices = jax.lax.top_k(x.astype("int32"), k)
        return values.astype(bool), indices
    return tuple(jax.lax.top_k(x, k))


def in_top_k(targets: jax.Array, predictions: jax.Array, k: int) -> jax.Array:
    targets = targets.astype("int32")
    inside = (targets >= 0) & (targets < predictions.shape[-1])
    chosen = jnp.take_along_axis(predictions, jnp.where(inside, targets, 0)[..., None], -1)
    higher = jnp.sum(predictions > chosen, -1)
    return inside & jnp.isfinite(chosen[..., 0]) & (higher < k)


def searchsorted(sorted_sequence: jax.Array, values: jax.Array, side: str = "left") -> jax.Array:
    return jnp.searchsorted(sorted_sequence, values, side=side).astype("int32")


def bincount(
    x: jax.Array, weights: jax.Array | None = None, minlength: int = 0, sparse: bool = False
) -> jax.Array:
    if sparse:
        raise ValueError("bincount: sparse tensors are not supported.")
    length = minlength
    if not isinstance(x, jax.core.Tracer):
        length = max(minlength, int(x.max()) + 1 if x.size else 0)
    dtype = "int32" if weights is None else dtypes.promote(core.dtype_name(weights), "int32")
    counts = jnp.zeros((*x.shape[:-1], length), core.native_dtype(dtype))
    where = x if x.ndim == 1 else (jnp.arange(len(x))[:, None], x)
    return counts.at[where].add(1 if weights is None else weights.astype(counts.dtype))
