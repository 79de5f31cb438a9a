"""Reductions and cumulative functions."""

from __future__ import annotations

from typing import Any

import torch

from multikeras import dtypes
from multikeras.backends.torch import core
from multikeras.backends.torch.core import widened

# torch stores these, but computes little with them.
_UNSIGNED = frozenset((torch.uint16, torch.uint32, torch.uint64))


def _dims(x: Any, axis: Any) -> tuple[int, ...]:
    return tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else axis


def _no_axes(axis: Any) -> bool:
    # For torch an empty tuple means all axes.
    return axis is not None and not isinstance(axis, int) and not len(axis)


def sum(x: Any, axis: Any, keepdims: bool) -> Any:
    if _no_axes(axis):
        return x
    if x.dtype in _UNSIGNED:
        return torch.sum(x, axis, keepdims, dtype=torch.int64).to(x.dtype)
    return torch.sum(x, axis, keepdims, dtype=x.dtype)


def mean(x: Any, axis: Any, keepdims: bool) -> Any:
    return x if _no_axes(axis) else torch.mean(x, axis, keepdims)


_amax, _amin = widened(torch.amax), widened(torch.amin)


def amax(x: Any, axis: Any, keepdims: bool) -> Any:
    dims = _dims(x, axis)
    # torch.amax, unlike torch.max, splits the gradient among equal elements.
    return _amax(x, dims, keepdims) if dims else x


def amin(x: Any, axis: Any, keepdims: bool) -> Any:
    dims = _dims(x, axis)
    return _amin(x, dims, keepdims) if dims else x


_maximum, _minimum = widened(torch.maximum), widened(torch.minimum)


def _emptied(x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    shape = torch.sum(x.to(torch.float32), _dims(x, axis), keepdims).shape
    return initial.expand(shape)


def max(x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    if initial is None:
        return amax(x, axis, keepdims)
    initial = torch.as_tensor(initial, dtype=x.dtype, device=x.device)
    if not x.numel():
        return _emptied(x, axis, keepdims, initial)
    return _maximum(amax(x, axis, keepdims), initial)


def min(x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    if initial is None:
        return amin(x, axis, keepdims)
    initial = torch.as_tensor(initial, dtype=x.dtype, device=x.device)
    if not x.numel():
        return _emptied(x, axis, keepdims, initial)
    return _minimum(amin(x, axis, keepdims), initial)


def _as(x: Any, dtype: Any) -> Any:
    return x if dtype is None else core.cast(x, dtypes.standardize_dtype(dtype))


def prod(x: Any, axis: Any, keepdims: bool, dtype: Any) -> Any:
    x = _as(x, dtype)
    result, out = x.to(_summable(x.dtype)), x.dtype
    for dim in sorted((a % x.ndim for a in _dims(x, axis)), reverse=True):
        result = torch.prod(result, dim, keepdims, dtype=result.dtype)
    return result.to(out)


def var(x: Any, axis: Any, keepdims: bool) -> Any:
    if _no_axes(axis) or not x.ndim:
        return torch.zeros_like(x)
    return torch.var(x, axis, correction=0, keepdim=keepdims)


def std(x: Any, axis: Any, keepdims: bool) -> Any:
    return torch.sqrt(var(x, axis, keepdims))


def all(x: Any, axis: Any, keepdims: bool) -> Any:
    return torch.all(x != 0, _dims(x, axis), keepdims) if _dims(x, axis) else x != 0


def any(x: Any, axis: Any, keepdims: bool) -> Any:
    return torch.any(x != 0, _dims(x, axis), keepdims) if _dims(x, axis) else x != 0


def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    return x if not _dims(x, axis) else torch.logsumexp(x, _dims(x, axis), keepdims)


_WIDE = {torch.bool: torch.uint8, torch.uint16: torch.int32, torch.uint32: torch.int64}


def argmax(x: Any, axis: Any, keepdims: bool) -> Any:
    return torch.argmax(x.to(_WIDE.get(x.dtype, x.dtype)), axis, keepdims).to(torch.int32)


def argmin(x: Any, axis: Any, keepdims: bool) -> Any:
    return torch.argmin(x.to(_WIDE.get(x.dtype, x.dtype)), axis, keepdims).to(torch.int32)


def cumsum(x: Any, axis: int | None, dtype: Any) -> Any:
    x = _as(x, dtype)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    return torch.cumsum(x, axis, dtype=_summable(x.dtype)).to(x.dtype)


def cumprod(x: Any, axis: int | None, dtype: Any) -> Any:
    x = _as(x, dtype)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    return torch.cumprod(x, axis, dtype=_summable(x.dtype)).to(x.dtype)


def _summable(dtype: torch.dtype) -> torch.dtype:
    return torch.int64 if dtype in _UNSIGNED else dtype
