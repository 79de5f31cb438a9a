"""Reading and writing elements by position.

Gradients of gathers add up into one array in place, repeated indices included; whole rows go
through flat indices, for which `np.add.at` has a fast loop.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np
from autograd.core import SparseObject
from autograd.extend import Box, VSpace, defvjp, primitive, vspace
from autograd.numpy.numpy_boxes import ArrayBox

from multikeras import dtypes

_UPDATES = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def _is_basic(key: Any) -> bool:
    items = key if type(key) is tuple else (key,)
    return all(type(item) in (int, builtins.slice, type(None), type(Ellipsis)) for item in items)


@primitive
def _spread(g: Any, key: Any, space: VSpace) -> SparseObject:
    """The gradient of `x[key]`: adds itself into zeros of the shape of `x`."""

    def add_into(total: np.ndarray) -> np.ndarray:
        if _is_basic(key):
            total[key] += g
        else:
            np.add.at(total, key, g)
        return total

    return SparseObject(space, add_into)


defvjp(_spread, lambda ans, g, key, space: lambda h: h[key], argnums=(0,))
defvjp(ArrayBox.__getitem__, lambda ans, x, key: lambda g: _spread(g, key, vspace(x)), argnums=(0,))


def get_item(x: Any, key: Any) -> Any:
    return x[key]


@primitive
def _gather(x: Any, indices: np.ndarray, axis: int) -> np.ndarray:
    return np.take(x, indices, axis)


@primitive
def _gather_spread(g: Any, indices: np.ndarray, axis: int, space: VSpace) -> SparseObject:
    def add_into(total: np.ndarray) -> np.ndarray:
        if axis or not total.flags.c_contiguous or g.dtype != total.dtype:
            rows = g.reshape(g.shape[:axis] + (-1,) + g.shape[axis + indices.ndim :])
            np.add.at(np.moveaxis(total, axis, 0), indices.ravel(), np.moveaxis(rows, axis, 0))
            return total
        width = total[0].size if len(total) else 0
        flat = np.where(indices < 0, indices + len(total), indices).reshape(-1, 1)
        places = (flat.astype(np.intp) * width + np.arange(width)).ravel()
        np.add.at(total.reshape(-1), places, np.ascontiguousarray(g).reshape(-1))
        return total

    return SparseObject(space, add_into)


defvjp(
    _gather,
    lambda ans, x, indices, axis: lambda g: _gather_spread(g, indices, axis, vspace(x)),
    argnums=(0,),
)
defvjp(
    _gather_spread,
    lambda ans, g, indices, axis, space: lambda h: _gather(h, indices, axis),
    argnums=(0,),
)


def _integers(indices: Any) -> np.ndarray:
    while isinstance(indices, Box):
        indices = indices._value
    return indices if indices.dtype.kind in "iu" else indices.astype(np.int64)


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    indices = _integers(indices)
    if axis is None:
        x, axis = x.reshape((-1,)), 0
    if type(x) is np.ndarray:
        return x.take(indices, axis)
    return _gather(x, indices, axis % x.ndim)


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    indices = _integers(indices)
    if axis is None:
        return _gather(x.reshape((-1,)), indices, 0)
    axis %= x.ndim
    grid = [
        np.arange(d).reshape((-1,) + (1,) * (x.ndim - i - 1)) if d != 1 else 0
        for i, d in enumerate(x.shape)
    ]
    key: list[Any] = list(grid)
    key[axis] = indices
    return x[tuple(key)]


def _places(indices: Any) -> tuple:
    return tuple(np.moveaxis(_integers(indices), -1, 0))


@primitive
def _scatter_add(base: Any, places: tuple, values: Any) -> np.ndarray:
    result = np.array(base)
    np.add.at(result, places, values)
    return result


defvjp(
    _scatter_add,
    lambda ans, base, places, values: lambda g: g,
    lambda ans, base, places, values: lambda g: g[places],
    argnums=(0, 2),
)


def scatter(indices: Any, values: Any, shape: Any) -> Any:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    return _scatter_add(np.zeros(shape, values.dtype), _places(indices), values)


@primitive
def _overwritten(base: Any, places: tuple, values: Any) -> np.ndarray:
    result = np.array(base)
    result[places] = values
    return result


def _cleared(g: Any, places: tuple) -> Any:
    return _overwritten(g, places, np.zeros((), g.dtype))


defvjp(
    _overwritten,
    lambda ans, base, places, values: lambda g: _cleared(g, places),
    lambda ans, base, places, values: lambda g: g[places],
    argnums=(0, 2),
)


@primitive
def _scatter_reduce(base: Any, places: tuple, values: Any, reduction: str) -> np.ndarray:
    result = np.array(base)
    _UPDATES[reduction].at(result, places, values)
    return result


def _plain(x: Any) -> np.ndarray:
    """The array itself, inside of all boxes."""
    while isinstance(x, Box):
        x = x._value
    return x


def _shares(ans: Any, base: Any, places: tuple, values: Any) -> np.ndarray:
    """One over how many have the largest (smallest) value of each place."""
    ans, base, values = _plain(ans), _plain(base), _plain(values)
    count = (ans == base).astype(ans.dtype)
    np.add.at(count, places, (ans[places] == values).astype(ans.dtype))
    return 1 / np.maximum(count, 1)


def _factor_gradient(g: Any, ans: Any, base: Any, places: tuple, values: Any) -> Any:
    """Of values that were multiplied into places: the product of the others."""
    plain = _plain(values)
    zero = plain == 0
    if not zero.any():
        return (g * ans)[places] / values
    zeros = np.zeros(np.shape(base), np.int32)
    np.add.at(zeros, places, zero.astype(np.int32))
    others = _scatter_reduce(_plain(base), places, np.where(zero, 1, plain), "mul")[places]
    others = others / np.where(zero, 1, plain) * (zeros[places] == zero)
    return g[places] * others.astype(plain.dtype)


def _reduce_base_gradient(ans: Any, base: Any, places: tuple, values: Any, how: str) -> Callable:
    def vjp(g: Any) -> Any:
        if how == "mul":
            return g * _scatter_reduce(np.ones_like(base), places, values, how)
        return g * (ans == base) * _shares(ans, base, places, values)

    return vjp


def _reduce_values_gradient(ans: Any, base: Any, places: tuple, values: Any, how: str) -> Callable:
    def vjp(g: Any) -> Any:
        if how == "mul":
            return _factor_gradient(g, ans, base, places, values)
        return (g * _shares(ans, base, places, values))[places] * (ans[places] == values)

    return vjp


defvjp(_scatter_reduce, _reduce_base_gradient, _reduce_values_gradient, argnums=(0, 2))


def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    places = _places(indices)
    updates = _like(updates, inputs)
    if reduction is None:
        return _overwritten(inputs, places, updates)
    if reduction == "add":
        return _scatter_add(inputs, places, updates)
    if reduction not in _UPDATES:
        raise ValueError(
            f"scatter_update: `reduction` must be None or one of {tuple(_UPDATES)}, "
            f"got {reduction!r}."
        )
    return _scatter_reduce(inputs, places, updates, reduction)


def _like(x: Any, other: Any) -> Any:
    return x if x.dtype == other.dtype else x.astype(other.dtype)


def _block(start_indices: Any, sizes: Any) -> tuple:
    return tuple(
        builtins.slice(int(s), None if n == -1 else int(s) + int(n))
        for s, n in zip(start_indices, sizes, strict=True)
    )


def _within(key: tuple, shape: tuple, who: str) -> tuple:
    for part, dim in zip(key, shape, strict=True):
        if part.start < 0 or (part.stop or 0) > dim:
            raise ValueError(f"{who}: the block {part.start}:{part.stop} leaves {shape}.")
    return key


def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    return inputs[_within(_block(start_indices, shape), inputs.shape, "slice")]


def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    key = _within(_block(start_indices, updates.shape), inputs.shape, "slice_update")
    return _overwritten(inputs, key, _like(updates, inputs))


def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> np.ndarray:
    if sparse:
        raise ValueError("one_hot: sparse tensors are not supported.")
    x = _integers(x)
    axis %= x.ndim + 1
    classes = np.arange(num_classes).reshape((-1,) + (1,) * (x.ndim - axis))
    hot = np.expand_dims(x, axis) == classes
    return hot.astype(dtypes.numpy_dtype(dtypes.standardize_dtype(dtype)))
