"""Reshaping, joining, cutting and padding."""

from __future__ import annotations

from typing import Any

import torch

from multikeras.backends import arguments
from multikeras.backends.torch import core

swapaxes = torch.swapaxes
moveaxis = torch.movedim


def reshape(x: torch.Tensor, newshape: Any) -> torch.Tensor:
    return x.reshape(tuple(int(d) for d in arguments.target_shape(newshape)))


ravel = torch.ravel


def transpose(x: torch.Tensor, axes: Any = None) -> torch.Tensor:
    return x.permute(tuple(range(x.ndim))[::-1] if axes is None else tuple(axes))


def expand_dims(x: torch.Tensor, axis: Any) -> torch.Tensor:
    if isinstance(axis, int):
        return x.unsqueeze(axis)
    for place in sorted(arguments.axes_of(axis, x.ndim + len(axis))):
        x = x.unsqueeze(place)
    return x


def squeeze(x: torch.Tensor, axis: Any = None) -> torch.Tensor:
    return torch.squeeze(x, arguments.squeezed_axes(x.shape, axis))


def concatenate(xs: list, axis: int = 0) -> torch.Tensor:
    return torch.cat(xs, axis)


def stack(x: list, axis: int = 0) -> torch.Tensor:
    return torch.stack(x, axis)


def split(x: torch.Tensor, indices_or_sections: Any, axis: int = 0) -> list:
    if isinstance(indices_or_sections, int):
        arguments.split_points(x.shape[axis], indices_or_sections)
        return list(torch.tensor_split(x, indices_or_sections, axis))
    return list(torch.tensor_split(x, [int(i) for i in indices_or_sections], axis))


def unstack(x: torch.Tensor, num: int | None = None, axis: int = 0) -> list:
    return list(torch.unbind(x, axis))


def tile(x: torch.Tensor, repeats: Any) -> torch.Tensor:
    return torch.tile(x, (repeats,) if isinstance(repeats, int) else tuple(repeats))


def repeat(x: torch.Tensor, repeats: Any, axis: int | None = None) -> torch.Tensor:
    if not isinstance(repeats, int):
        repeats = core.convert_to_tensor(repeats).to(x.device, torch.int64)
    return torch.repeat_interleave(x, repeats, axis)


def broadcast_to(x: torch.Tensor, shape: Any) -> torch.Tensor:
    return torch.broadcast_to(x, (shape,) if isinstance(shape, int) else tuple(shape))


def pad(
    x: torch.Tensor, pad_width: Any, mode: str = "constant", constant_values: Any = None
) -> Any:
    pairs = arguments.pad_pairs(pad_width, x.ndim)
    if arguments.pad_mode(mode, constant_values) == "constant":
        if any(n < 0 for pair in pairs for n in pair):
            raise ValueError(f"pad: `pad_width` can't be negative, got {pad_width}.")
        flat = [n for pair in reversed(pairs) for n in pair]
        return torch.nn.functional.pad(x, flat, value=constant_values or 0)
    for axis, (before, after) in enumerate(pairs):
        if before or after:
            index = arguments.pad_index(x.shape[axis], before, after, mode)
            x = torch.index_select(x, axis, torch.from_numpy(index).to(x.device))
    return x


def flip(x: torch.Tensor, axis: Any = None) -> torch.Tensor:
    return torch.flip(x, arguments.axes_of(axis, x.ndim))


def roll(x: torch.Tensor, shift: Any, axis: Any = None) -> torch.Tensor:
    if isinstance(axis, tuple) and isinstance(shift, int):
        shift = (shift,) * len(axis)
    elif isinstance(shift, tuple) and isinstance(axis, int):
        axis = (axis,) * len(shift)
    return torch.roll(x, shift, axis)
