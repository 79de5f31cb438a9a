"""Reshaping, joining, cutting and padding; gradients come from `autograd`."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import Box, defvjp, primitive

from multikeras.backends import arguments
from multikeras.backends.numpy.indexing import get_item, take

swapaxes = anp.swapaxes


def _plain(xs: Any) -> bool:
    return not any(isinstance(x, Box) for x in xs)


def reshape(x: Any, newshape: Any) -> Any:
    return x.reshape(arguments.target_shape(newshape))


def ravel(x: Any) -> Any:
    return x.reshape(-1)


@primitive
def _transpose(x: Any, axes: tuple[int, ...]) -> np.ndarray:
    return np.transpose(x, axes)


def _transpose_gradient(ans: Any, x: Any, axes: tuple[int, ...]) -> Any:
    back = sorted(range(len(axes)), key=axes.__getitem__)
    return lambda g: _transpose(g, tuple(back))


defvjp(_transpose, _transpose_gradient, argnums=(0,))


def transpose(x: Any, axes: Any = None) -> Any:
    if axes is None:
        axes = range(x.ndim)[::-1]
    if not isinstance(x, Box):
        return np.transpose(x, axes)
    return _transpose(x, arguments.axes_of(axes, x.ndim))


@primitive
def roll(x: Any, shift: Any, axis: Any = None) -> np.ndarray:
    return np.roll(x, shift, axis)


def _roll_gradient(ans: Any, x: Any, shift: Any, axis: Any = None) -> Any:
    back = tuple(-s for s in shift) if isinstance(shift, (tuple, list)) else -shift
    return lambda g: roll(g, back, axis)


defvjp(roll, _roll_gradient, argnums=(0,))


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    return transpose(x, arguments.moved(x.ndim, source, destination))


def expand_dims(x: Any, axis: Any) -> Any:
    if not isinstance(x, Box):
        return np.expand_dims(x, axis)
    return x.reshape(np.expand_dims(np.empty(x.shape, bool), axis).shape)


def squeeze(x: Any, axis: Any = None) -> Any:
    axes = arguments.squeezed_axes(x.shape, axis)
    return x.reshape(tuple(d for i, d in enumerate(x.shape) if i not in axes))


def concatenate(xs: Any, axis: int = 0) -> Any:
    return np.concatenate(xs, axis) if _plain(xs) else anp.concatenate(xs, axis)


def stack(x: Any, axis: int = 0) -> Any:
    if _plain(x):
        return np.stack(x, axis)
    return anp.concatenate([expand_dims(item, axis) for item in x], axis)


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list:
    (axis,) = arguments.axes_of(axis, x.ndim)
    if x.shape[axis] == 0 and isinstance(indices_or_sections, int):
        return [x] * indices_or_sections
    points = arguments.split_points(x.shape[axis], indices_or_sections)
    front = (slice(None),) * axis
    bounds = zip([0, *points], [*points, None], strict=True)
    return [get_item(x, (*front, slice(a, b))) for a, b in bounds]


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list:
    (axis,) = arguments.axes_of(axis, x.ndim)
    front = (slice(None),) * axis
    return [get_item(x, (*front, i)) for i in range(x.shape[axis])]


def tile(x: Any, repeats: Any) -> Any:
    if not isinstance(x, Box):
        return np.tile(x, repeats)
    full, added = arguments.tile_repeats(repeats, x.ndim)
    dims = (1,) * added + x.shape
    spread = x.reshape(tuple(n for d in dims for n in (1, d)))
    wide = broadcast_to(spread, tuple(n for pair in zip(full, dims, strict=True) for n in pair))
    return wide.reshape(tuple(r * d for r, d in zip(full, dims, strict=True)))


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    if not isinstance(x, Box):
        return np.repeat(x, repeats, axis)
    if axis is None:
        x, axis = x.reshape((-1,)), 0
    return take(x, np.repeat(np.arange(x.shape[axis]), repeats), axis)


@primitive
def _broadcast_to(x: Any, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(x, shape)


def _summed_to(g: Any, shape: tuple[int, ...]) -> Any:
    g = anp.sum(g, axis=tuple(range(g.ndim - len(shape)))) if g.ndim > len(shape) else g
    axes = tuple(i for i, d in enumerate(shape) if d == 1 and g.shape[i] != 1)
    return anp.sum(g, axis=axes, keepdims=True) if axes else g


defvjp(_broadcast_to, lambda ans, x, shape: lambda g: _summed_to(g, x.shape), argnums=(0,))


def broadcast_to(x: Any, shape: Any) -> Any:
    return _broadcast_to(x, (shape,) if isinstance(shape, int) else tuple(shape))


@primitive
def _pad_constant(x: Any, pairs: tuple, value: Any) -> np.ndarray:
    shape = tuple(a + d + b for d, (a, b) in zip(x.shape, pairs, strict=True))
    padded = np.full(shape, value, x.dtype)
    padded[tuple(slice(a, a + d) for d, (a, _) in zip(x.shape, pairs, strict=True))] = x
    return padded


def _unpad(g: Any, shape: tuple[int, ...], pairs: tuple) -> Any:
    return g[tuple(slice(a, a + d) for d, (a, _) in zip(shape, pairs, strict=True))]


defvjp(
    _pad_constant, lambda ans, x, pairs, value: lambda g: _unpad(g, x.shape, pairs), argnums=(0,)
)


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    pairs = arguments.pad_pairs(pad_width, x.ndim)
    if arguments.pad_mode(mode, constant_values) == "constant":
        if any(n < 0 for pair in pairs for n in pair):
            raise ValueError(f"pad: `pad_width` can't be negative, got {pad_width}.")
        return _pad_constant(x, pairs, 0 if constant_values is None else constant_values)
    for axis, (before, after) in enumerate(pairs):
        if before or after:
            x = take(x, arguments.pad_index(x.shape[axis], before, after, mode), axis)
    return x


def flip(x: Any, axis: Any = None) -> Any:
    axes = arguments.axes_of(axis, x.ndim)
    return x[tuple(slice(None, None, -1 if i in axes else None) for i in range(x.ndim))]
