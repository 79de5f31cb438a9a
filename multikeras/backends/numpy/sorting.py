"""Order and counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.extend import Box, defvjp, primitive

from multikeras import dtypes
from multikeras.backends.numpy import core
from multikeras.backends.numpy.indexing import take_along_axis


def _value(x: Any) -> np.ndarray:
    while isinstance(x, Box):
        x = x._value
    return x


def sort(x: Any, axis: int | None = -1) -> Any:
    if not isinstance(x, Box):
        return np.sort(x, axis)
    if axis is None:
        x, axis = x.reshape((-1,)), 0
    return take_along_axis(x, np.argsort(_value(x), axis, kind="stable"), axis)


def argsort(x: Any, axis: int | None = -1) -> np.ndarray:
    return np.argsort(_value(x), axis, kind="stable").astype(np.int32)


def top_k(x: Any, k: int, sorted: bool = True) -> tuple:
    values = _value(x)
    size = values.shape[-1]
    if k > size:
        raise ValueError(f"top_k: `k` is {k}, but the last dimension is {size}.")
    if k == 1:
        indices = np.argmax(values, -1)[..., None]
    else:
        # Backwards, so that of equal elements the first comes first after the second reversal.
        order = np.argsort(values[..., ::-1], -1, kind="stable")[
            ..., : size - k - 1 if k < size else None : -1
        ]
        indices = size - 1 - order
    return take_along_axis(x, indices, -1), indices.astype(np.int32)


def in_top_k(targets: Any, predictions: Any, k: int) -> np.ndarray:
    targets, predictions = _value(targets).astype(np.int64), _value(predictions)
    inside = (targets >= 0) & (targets < predictions.shape[-1])
    chosen = np.take_along_axis(predictions, np.where(inside, targets, 0)[..., None], -1)
    higher = np.sum(predictions > chosen, -1)
    return inside & np.isfinite(chosen[..., 0]) & (higher < k)


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> np.ndarray:
    found = np.searchsorted(_value(sorted_sequence), _value(values), side)  # type: ignore[call-overload]
    return np.asarray(found, np.int32)


@primitive
def _counts(weights: Any, where: Any, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    counts = np.zeros(shape, dtypes.numpy_dtype(dtype))
    np.add.at(counts, where, weights)
    return counts


# Each weight is added to one place.
defvjp(
    _counts,
    lambda ans, weights, where, *_: lambda g: core.cast(g[where], core.dtype_name(weights)),
    argnums=(0,),
)


def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    if sparse:
        raise ValueError("bincount: sparse tensors are not supported.")
    x = _value(x).astype(np.int64)
    dtype = "int32" if weights is None else dtypes.promote(core.dtype_name(weights), "int32")
    length = max(minlength, int(x.max()) + 1 if x.size else 0)
    where = x if x.ndim == 1 else (np.arange(len(x))[:, None], x)
    count = _counts if isinstance(weights, Box) else _counts.fun
    return count(1 if weights is None else weights, where, (*x.shape[:-1], length), dtype)
