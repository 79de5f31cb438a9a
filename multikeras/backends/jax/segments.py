"""Sums over groups of rows, and positions that depend on values."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp


def segment_sum(
    data: jax.Array,
    segment_ids: jax.Array,
    num_segments: int | None = None,
    sorted: bool = False,
) -> jax.Array:
    if num_segments is None:
        num_segments = int(segment_ids.max()) + 1 if len(segment_ids) else 0
    return _sums(data, segment_ids, num_segments)


@functools.partial(jax.jit, static_argnums=2)
def _sums(data: jax.Array, ids: jax.Array, count: int) -> jax.Array:
    # Negative positions would count from the end; those beyond it are dropped.
    ids = jnp.where(ids < 0, count, ids)
    return jnp.zeros((count, *data.shape[1:]), data.dtype).at[ids].add(data, mode="drop")


def nonzero(x: jax.Array) -> tuple:
    return tuple(index.astype("int32") for index in jnp.nonzero(x))
