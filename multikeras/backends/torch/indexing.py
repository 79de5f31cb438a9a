"""Reading and writing elements by position."""

from __future__ import annotations

import builtins
from typing import Any

import torch

from multikeras import dtypes
from multikeras.backends import arguments
from multikeras.backends.torch import core

_REDUCTIONS = {"mul": "prod", "max": "amax", "min": "amin"}


def get_item(x: torch.Tensor, key: Any) -> torch.Tensor:
    if type(key) is int:
        return x[key]
    items = arguments.key_items(key, x.ndim)
    gathers = any(map(arguments.is_advanced, items))
    flips, built = [], []
    dim = 0  # of the result of the slices alone
    for item in items:
        if isinstance(item, builtins.slice):
            if item.step is not None and item.step < 0:
                # Torch knows no negative steps: the same elements in rising order, then flipped.
                part = range(x.shape[_position(built)])[item]
                item = (
                    builtins.slice(part[-1], part[0] + 1, -item.step)
                    if part
                    else builtins.slice(0, 0)
                )
                flips.append(dim)
            dim += 1
        elif item is None:
            dim += 1
        elif gathers:
            item = _index(item, x.device)
        elif not isinstance(item, int):
            item = int(item)
        built.append(item)
    if not gathers:
        result = x[tuple(built)]
        return torch.flip(result, flips) if flips else result
    if flips:
        # The slices first, flipped, then the gathers on what they left.
        slices = [
            item if isinstance(item, builtins.slice) else builtins.slice(None)
            for item in built
            if item is not None
        ]
        x = torch.flip(x[tuple(slices)], [i for i, s in enumerate(_reversed(items)) if s])
        built = [
            builtins.slice(None) if isinstance(item, builtins.slice) else item for item in built
        ]
    return x[tuple(built)]


def _position(built: list) -> int:
    """Which dimension of the tensor comes after the items so far."""
    return sum(
        item.ndim if isinstance(item, torch.Tensor) and item.dtype is torch.bool else 1
        for item in built
        if item is not None
    )


def _reversed(items: list) -> list[bool]:
    """For each dimension of the tensor, whether its slice runs backwards."""
    result: list[bool] = []
    for item in items:
        if isinstance(item, builtins.slice):
            result.append(item.step is not None and item.step < 0)
        elif item is not None:
            mask = arguments.is_advanced(item) and "bool" in str(item.dtype)
            result.extend([False] * (item.ndim if mask else 1))
    return result


def _index(item: Any, device: Any) -> torch.Tensor:
    """A tensor of rank 1 or more: of rank 0, torch takes it for a plain integer."""
    tensor = core.convert_to_tensor(item).to(device)
    if tensor.dtype is torch.bool:
        return tensor
    tensor = tensor.to(torch.int64)
    return tensor if tensor.ndim else tensor.reshape(1)


def _integers(indices: torch.Tensor, size: int) -> torch.Tensor:
    if indices.dtype not in (torch.int64, torch.int32):
        indices = indices.to(torch.int64)
    return torch.where(indices < 0, indices + size, indices)


def take(x: torch.Tensor, indices: torch.Tensor, axis: int | None = None) -> torch.Tensor:
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis %= x.ndim
    indices = _integers(indices, x.shape[axis])
    if axis == 0 and x.ndim == 2:
        return torch.nn.functional.embedding(indices, x)
    rows = torch.index_select(x, axis, indices.reshape(-1))
    return rows.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


def take_along_axis(
    x: torch.Tensor, indices: torch.Tensor, axis: int | None = None
) -> torch.Tensor:
    size = x.numel() if axis is None else x.shape[axis]
    return torch.take_along_dim(x, _integers(indices, size).long(), axis)


def _places(indices: torch.Tensor, shape: Any) -> tuple[torch.Tensor, ...]:
    return tuple(
        _integers(part, size).long() for part, size in zip(indices.unbind(-1), shape, strict=False)
    )


def scatter(indices: torch.Tensor, values: torch.Tensor, shape: Any) -> torch.Tensor:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    zeros = torch.zeros(shape, dtype=values.dtype, device=values.device)
    return zeros.index_put(_places(indices, shape), values, accumulate=True)


def scatter_update(
    inputs: torch.Tensor,
    indices: torch.Tensor,
    updates: torch.Tensor,
    reduction: str | None = None,
) -> torch.Tensor:
    updates = updates.to(inputs.dtype)
    places = _places(indices, inputs.shape)
    if reduction in (None, "add"):
        return inputs.index_put(places, updates, accumulate=reduction == "add")
    if reduction not in _REDUCTIONS:
        raise ValueError(
            "scatter_update: `reduction` must be None, 'add' or one of "
            f"{tuple(_REDUCTIONS)}, got {reduction!r}."
        )
    leading = inputs.shape[: len(places)]
    flat = torch.zeros_like(places[0])
    for part, size in zip(places, leading, strict=True):
        flat = flat * size + part
    rows = inputs.reshape(leading.numel(), -1)
    index = flat.reshape(-1, 1).expand(-1, rows.shape[1])
    result = rows.scatter_reduce(
        0, index, updates.reshape(index.shape), _REDUCTIONS[reduction], include_self=True
    )
    return result.reshape(inputs.shape)


def _block(start_indices: Any, sizes: Any, shape: Any, who: str) -> tuple:
    key = tuple(
        builtins.slice(int(s), d if n == -1 else int(s) + int(n))
        for s, n, d in zip(start_indices, sizes, shape, strict=True)
    )
    for part, dim in zip(key, shape, strict=True):
        if part.start < 0 or part.stop > dim:
            raise ValueError(f"{who}: the block {part.start}:{part.stop} leaves {tuple(shape)}.")
    return key


def slice(inputs: torch.Tensor, start_indices: Any, shape: Any) -> torch.Tensor:
    return inputs[_block(start_indices, shape, inputs.shape, "slice")]


def slice_update(inputs: torch.Tensor, start_indices: Any, updates: torch.Tensor) -> torch.Tensor:
    result = inputs.clone()
    key = _block(start_indices, updates.shape, inputs.shape, "slice_update")
    result[key] = updates.to(inputs.dtype)
    return result


def one_hot(
    x: torch.Tensor, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> torch.Tensor:
    if sparse:
        raise ValueError("one_hot: sparse tensors are not supported.")
    axis %= x.ndim + 1
    classes = torch.arange(num_classes, device=x.device).reshape((-1,) + (1,) * (x.ndim - axis))
    hot = x.long().unsqueeze(axis) == classes
    return hot.to(core.native_dtype(dtypes.standardize_dtype(dtype)))
