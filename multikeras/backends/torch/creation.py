"""Tensors of given shapes and values."""

from __future__ import annotations

from typing import Any

import torch

from multikeras import dtypes
from multikeras.backends.ranges import grid_axes, line_shape, range_dtype
from multikeras.backends.torch import core
from multikeras.backends.torch.core import default_device


def _dtype(dtype: Any) -> torch.dtype:
    return core.native_dtype(dtypes.standardize_dtype(dtype))


def zeros(shape: Any, dtype: Any) -> Any:
    return torch.zeros(shape, dtype=_dtype(dtype), device=default_device())


empty = zeros


def ones(shape: Any, dtype: Any) -> Any:
    return torch.ones(shape, dtype=_dtype(dtype), device=default_device())


def full(shape: Any, fill_value: Any, dtype: Any) -> Any:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    return fill_value.to(_dtype(dtype)).expand(shape).clone()


def zeros_like(x: Any, dtype: Any) -> Any:
    return torch.zeros_like(x, dtype=x.dtype if dtype is None else _dtype(dtype))


empty_like = zeros_like


def ones_like(x: Any, dtype: Any) -> Any:
    return torch.ones_like(x, dtype=x.dtype if dtype is None else _dtype(dtype))


def full_like(x: Any, fill_value: Any, dtype: Any) -> Any:
    wanted = x.dtype if dtype is None else _dtype(dtype)
    return fill_value.to(device=x.device, dtype=wanted).expand(x.shape).clone()


copy = torch.clone


def arange(start: Any, stop: Any, step: Any, dtype: Any) -> Any:
    wanted = core.native_dtype(range_dtype(start, stop, step, dtype=dtype))
    start, stop = (0, start) if stop is None else (start, stop)
    step = 1 if step is None else step
    if not wanted.is_floating_point:
        # Numbers with fractions are counted as such and cut off afterwards.
        return torch.arange(start, stop, step, device=default_device()).to(wanted)
    return torch.arange(start, stop, step, dtype=wanted, device=default_device())


def tril(x: Any, k: int) -> Any:
    return torch.tril(x, k)


def triu(x: Any, k: int) -> Any:
    return torch.triu(x, k)


def meshgrid_of(xs: Any, indexing: str) -> Any:
    axes = grid_axes(len(xs), indexing)
    lines = [x.reshape(line_shape(a, len(xs))) for x, a in zip(xs, axes, strict=True)]
    return list(torch.broadcast_tensors(*lines))
