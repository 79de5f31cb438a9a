"""Reshaping, joining, cutting and padding."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from multikeras.backends import arguments

transpose = jnp.transpose
swapaxes = jnp.swapaxes
moveaxis = jnp.moveaxis
expand_dims = jnp.expand_dims
tile = jnp.tile
flip = jnp.flip
roll = jnp.roll


def reshape(x: jax.Array, newshape: Any) -> jax.Array:
    return jnp.reshape(x, arguments.target_shape(newshape))


ravel = jnp.ravel


def squeeze(x: jax.Array, axis: Any = None) -> jax.Array:
    return jnp.squeeze(x, arguments.squeezed_axes(x.shape, axis))


def concatenate(xs: list, axis: int = 0) -> jax.Array:
    return jnp.concatenate(xs, axis)


def stack(x: list, axis: int = 0) -> jax.Array:
    return jnp.stack(x, axis)


def split(x: jax.Array, indices_or_sections: Any, axis: int = 0) -> list:
    if isinstance(indices_or_sections, int):
        arguments.split_points(x.shape[axis], indices_or_sections)
        return jnp.split(x, indices_or_sections, axis)
    (axis,) = arguments.axes_of(axis, x.ndim)
    points = [int(i) for i in indices_or_sections]
    front = (slice(None),) * axis
    return [x[(*front, slice(a, b))] for a, b in zip([0, *points], [*points, None], strict=True)]


def unstack(x: jax.Array, num: int | None = None, axis: int = 0) -> list:
    return list(jnp.unstack(x, axis=axis))


def repeat(x: jax.Array, repeats: Any, axis: int | None = None) -> jax.Array:
    if isinstance(repeats, (list, tuple)):
        repeats = np.asarray(repeats)
    return jnp.repeat(x, repeats, axis)


def broadcast_to(x: jax.Array, shape: Any) -> jax.Array:
    return jnp.broadcast_to(x, shape)


def pad(x: jax.Array, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    pairs = arguments.pad_pairs(pad_width, x.ndim)
    if arguments.pad_mode(mode, constant_values) == "constant":
        return jnp.pad(x, pairs, constant_values=0 if constant_values is None else constant_values)
    return jnp.pad(x, pairs, mode)
