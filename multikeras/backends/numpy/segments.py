"""Sums over groups of rows, and positions that depend on values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import Box

from multikeras.backends.numpy._gradients import differentiable, unboxed


def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    ids = unboxed(segment_ids)
    if num_segments is None:
        num_segments = int(ids.max()) + 1 if len(ids) else 0
    return _sums(data, ids, num_segments)


def _inside(ids: np.ndarray, count: int) -> np.ndarray | None:
    """Which ids are in range; None if all are."""
    if not len(ids) or (ids.min() >= 0 and ids.max() < count):
        return None
    return (ids >= 0) & (ids < count)


def _sums_gradient(
    needs: tuple[int, ...], data: np.ndarray, ids: np.ndarray, count: int
) -> tuple[Any, Callable[..., tuple[Any, ...]]]:
    inside = _inside(ids, count)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        if inside is None:
            return (g[ids],)
        gradient = np.zeros(data.shape, g.dtype)
        gradient[inside] = g[ids[inside]]
        return (gradient,)

    return _sums.fun(data, ids, count), backward


def _sums_by_product(data: Any, ids: np.ndarray, count: int) -> Any:
    hot = (np.arange(count)[:, None] == ids).astype(data.dtype)
    return anp.tensordot(hot, data, 1)


@differentiable(_sums_gradient, composed=_sums_by_product)
def _sums(data: np.ndarray, ids: np.ndarray, count: int) -> np.ndarray:
    inside = _inside(ids, count)
    if inside is not None:
        data, ids = data[inside], ids[inside]
    total = np.zeros((count, *data.shape[1:]), data.dtype)
    if data.ndim == 1:
        np.add.at(total, ids, data)
    else:
        # Flat indices have a fast loop, whole rows have not.
        width = total[:1].size if count else 0
        places = ids.astype(np.intp)[:, None] * width + np.arange(width)
        np.add.at(total.reshape(-1), places.reshape(-1), data.reshape(-1))
    return total


def nonzero(x: Any) -> tuple:
    while isinstance(x, Box):
        x = x._value
    return tuple(index.astype(np.int32) for index in np.nonzero(x))
