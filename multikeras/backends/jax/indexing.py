"""Reading and writing elements by position."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from multikeras import dtypes
from multikeras.backends.jax import core

_UPDATES = {None: "set", "add": "add", "max": "max", "min": "min"}


def _key(item: Any) -> Any:
    return np.asarray(item) if isinstance(item, (list, range)) else item


def get_item(x: jax.Array, key: Any) -> jax.Array:
    return x[tuple(map(_key, key)) if isinstance(key, tuple) else _key(key)]


def _integers(indices: jax.Array) -> jax.Array:
    return indices if jnp.issubdtype(indices.dtype, jnp.integer) else indices.astype("int32")


def take(x: jax.Array, indices: jax.Array, axis: int | None = None) -> jax.Array:
    return jnp.take(x, _integers(indices), axis)


def take_along_axis(x: jax.Array, indices: jax.Array, axis: int | None = None) -> jax.Array:
    return jnp.take_along_axis(x, _integers(indices), axis)


def _places(indices: jax.Array) -> tuple:
    return tuple(jnp.moveaxis(_integers(indices), -1, 0))


def scatter(indices: jax.Array, values: jax.Array, shape: Any) -> jax.Array:
    return jnp.zeros(shape, values.dtype).at[_places(indices)].add(values)


@jax.custom_vjp
def _multiplied(inputs: jax.Array, places: tuple, updates: jax.Array) -> jax.Array:
    return inputs.at[places].multiply(updates)


def _multiplied_forward(inputs: jax.Array, places: tuple, updates: jax.Array) -> tuple:
    result = inputs.at[places].multiply(updates)
    return result, (result, inputs, places, updates)


def _multiplied_backward(kept: tuple, g: jax.Array) -> tuple:
    # JAX has this gradient only for places that are known to differ.
    result, inputs, places, updates = kept
    factors = jnp.ones_like(inputs).at[places].multiply(updates)
    return g * factors, None, (g * result)[places] / updates


_multiplied.defvjp(_multiplied_forward, _multiplied_backward)


def scatter_update(
    inputs: jax.Array, indices: jax.Array, updates: jax.Array, reduction: str | None = None
) -> jax.Array:
    if reduction not in _UPDATES and reduction != "mul":
        raise ValueError(
            f"scatter_update: `reduction` must be 'mul' or one of {tuple(_UPDATES)}, "
            f"got {reduction!r}."
        )
    updates = updates.astype(inputs.dtype)
    if reduction == "mul":
        return _multiplied(inputs, _places(indices), updates)
    return getattr(inputs.at[_places(indices)], _UPDATES[reduction])(updates)


def slice(inputs: jax.Array, start_indices: Any, shape: Any) -> jax.Array:
    if all(isinstance(s, (int, np.integer)) for s in start_indices):
        ends = [
            full if n == -1 else s + n
            for s, n, full in zip(start_indices, shape, inputs.shape, strict=True)
        ]
        return jax.lax.slice(inputs, tuple(start_indices), ends)
    return jax.lax.dynamic_slice(inputs, tuple(start_indices), shape)


def slice_update(inputs: jax.Array, start_indices: Any, updates: jax.Array) -> jax.Array:
    return jax.lax.dynamic_update_slice(inputs, updates.astype(inputs.dtype), tuple(start_indices))


def one_hot(
    x: jax.Array, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> jax.Array:
    if sparse:
        raise ValueError("one_hot: sparse tensors are not supported.")
    wanted = core.native_dtype(dtypes.standardize_dtype(dtype))
    return jax.nn.one_hot(_integers(x), num_classes, axis=axis, dtype=wanted)
