"""Arrays of given shapes and values."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from multikeras import dtypes
from multikeras.backends.numpy import core
from multikeras.backends.numpy._gradients import differentiable
from multikeras.backends.ranges import grid_axes, line_shape, range_dtype


def _dtype(dtype: Any) -> np.dtype:
    return dtypes.numpy_dtype(dtypes.standardize_dtype(dtype))


def zeros(shape: Any, dtype: Any) -> Any:
    return np.zeros(shape, _dtype(dtype))


empty = zeros


def ones(shape: Any, dtype: Any) -> Any:
    return np.ones(shape, _dtype(dtype))


def full(shape: Any, fill_value: Any, dtype: Any) -> Any:
    filled = core.cast(fill_value, dtypes.standardize_dtype(dtype))
    return anp.add(filled, np.zeros(shape, filled.dtype))


def zeros_like(x: Any, dtype: Any) -> Any:
    return np.zeros(x.shape, x.dtype if dtype is None else _dtype(dtype))


empty_like = zeros_like


def ones_like(x: Any, dtype: Any) -> Any:
    return np.ones(x.shape, x.dtype if dtype is None else _dtype(dtype))


def full_like(x: Any, fill_value: Any, dtype: Any) -> Any:
    return full(x.shape, fill_value, dtype or core.dtype_name(x))


@differentiable(lambda needs, x: (x.copy(), lambda g: (g,)), widen=False, composed=anp.array)
def copy(x: Any) -> Any:
    return x.copy()


def arange(start: Any, stop: Any, step: Any, dtype: Any) -> Any:
    dtype = range_dtype(start, stop, step, dtype=dtype)
    start, stop = (0, start) if stop is None else (start, stop)
    return np.arange(start, stop, 1 if step is None else step).astype(dtypes.numpy_dtype(dtype))


def eye(N: int, M: int | None, k: int, dtype: Any) -> Any:
    return np.eye(N, M, k, _dtype(dtype))


def tri(N: int, M: int | None, k: int, dtype: Any) -> Any:
    return np.tri(N, M, k, _dtype(dtype))


tril = anp.tril
triu = anp.triu


def meshgrid_of(xs: Any, indexing: str) -> Any:
    axes = grid_axes(len(xs), indexing)
    lines = [x.reshape(line_shape(a, len(xs))) for x, a in zip(xs, axes, strict=True)]
    shape = np.broadcast_shapes(*(line.shape for line in lines))
    return [anp.broadcast_to(line, shape) for line in lines]
