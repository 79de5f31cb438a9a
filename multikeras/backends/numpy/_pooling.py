"""Largest and mean values of sliding windows, with hand-written gradients; part of `convolution`.

Every function goes through a block of the data at a time, some samples or some rows of one, that
stays in the cache. Answers are folded one dimension after the other, rows first: there whole rows
of memory meet. Only the gradient of a maximum looks at each position of a window by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from multikeras.backends.numpy import _nested
from multikeras.backends.numpy._gradients import differentiable
from multikeras.backends.numpy._windows import (
    Ints,
    Pads,
    cut_blocks,
    from_last,
    inner,
    out_sizes,
    padded,
    pads_of,
    positions,
    to_last,
)

__all__ = ["average_pool_nd", "max_pool_nd"]

Recorded = tuple[Any, Callable[..., tuple[Any, ...]]]

# Bytes of input of a block; every pass reads it again.
_BLOCK_BYTES = 1 << 20


class _Pool:
    """The geometry of one pooling, channels-last."""

    __slots__ = ("apart", "out", "pads", "size", "sizes", "strides")

    def __init__(self, sizes: Ints, pool_size: Ints, strides: Ints, padding: str) -> None:
        ones = (1,) * len(pool_size)
        self.sizes, self.size, self.strides = sizes, pool_size, strides
        self.pads: Pads = pads_of(sizes, pool_size, strides, ones, padding)
        self.out = out_sizes(sizes, pool_size, strides, ones, self.pads)
        self.apart = all(s >= p for s, p in zip(strides, pool_size, strict=True))

    def blocks(self, x: np.ndarray) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
        """(where in the output, where in padded `x`), block by block, no later one larger."""
        row = x[:1, :1].nbytes * self.strides[0]
        for samples, rows in cut_blocks(x.shape[0], self.out[0], row, _BLOCK_BYTES):
            first, count = rows.start * self.strides[0], rows.stop - rows.start
            last = first + (count - 1) * self.strides[0] + self.size[0]
            yield (samples, rows), (samples, slice(first, last))

    def taps(self, x: np.ndarray, axis: int, count: int) -> list[np.ndarray]:
        """What each position of the windows sees of `x` along one axis, for `count` windows."""
        size, stride = self.size[axis - 1], self.strides[axis - 1]
        lead = (slice(None),) * axis
        reach = stride * (count - 1) + 1
        return [x[(*lead, slice(t, t + reach, stride))] for t in range(size)]

    def cuts(self, rows: int) -> list[tuple[slice, ...]]:
        """What each position of the windows sees of a block with so many rows of windows."""
        ones = (1,) * len(self.size)
        return [cut for _, cut in positions(self.size, self.strides, ones, (rows, *self.out[1:]))]

    def empty_gradient(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Room for the gradient of padded input: zeros, unless each value is written once."""
        exact = all(
            p == s and n % s == 0
            for n, p, s in zip(shape[1:], self.size, self.strides, strict=False)
        )
        return (np.empty if exact else np.zeros)(shape, dtype)


class _Scratch:
    """Arrays that are used again for each block: new memory costs more than what is done in it."""

    def __init__(self) -> None:
        self.held: dict[Any, np.ndarray] = {}

    def __call__(self, key: Any, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        size = math.prod(shape)
        found = self.held.get(key)
        if found is None or found.size < size:
            found = self.held[key] = np.empty(size, dtype)
        return found[:size].reshape(shape)


def _padded_shape(x: np.ndarray, pads: Pads) -> tuple[int, ...]:
    spatial = (n + a + b for n, (a, b) in zip(x.shape[1:], pads, strict=False))
    return (x.shape[0], *spatial, x.shape[-1])


def _folded(x: np.ndarray, pool: _Pool, join: np.ufunc, fill: Any) -> np.ndarray:
    """All values of each window joined by `join`; x channels-last."""
    whole = padded(x, pool.pads, fill)
    y = np.empty((x.shape[0], *pool.out, x.shape[-1]), x.dtype)
    scratch, rank = _Scratch(), len(pool.out)
    for there, here in pool.blocks(whole):
        into, seen = y[there], whole[here]
        for axis in range(1, rank + 1):
            taps = pool.taps(seen, axis, into.shape[axis])
            if len(taps) == 1:
                seen = taps[0]
                continue
            seen = into if axis == rank else scratch(axis, taps[0].shape, x.dtype)
            join(taps[0], taps[1], out=seen)
            for tap in taps[2:]:
                join(seen, tap, out=seen)
        if seen is not into:
            into[...] = seen
    return y


# --------------------------------------------------------------------------------------- largest


def _lowest(dtype: np.dtype) -> Any:
    return -np.inf if dtype.kind not in "iu" else np.iinfo(dtype).min


def _max_pool_gradient(
    needs: tuple[int, ...],
    inputs: np.ndarray,
    pool_size: Ints,
    strides: Ints,
    padding: str,
    data_format: str,
) -> Recorded:
    x = to_last(inputs, data_format)
    pool = _Pool(x.shape[1:-1], pool_size, strides, padding)
    y, places = _max_and_places(x, pool)
    shape = _padded_shape(x, pool.pads)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g = to_last(g, data_format)
        gx = pool.empty_gradient(shape, g.dtype)
        scratch = _Scratch()
        for there, here in pool.blocks(gx):
            _max_pool_backward(places[there], g[there], gx[here], pool, scratch)
        return (from_last(inner(gx, pool.pads), data_format),)

    return from_last(y, data_format), backward


def _max_and_places(x: np.ndarray, pool: _Pool) -> tuple[np.ndarray, np.ndarray]:
    """The maxima, and which position of its window has the first of each: a byte or so each."""
    whole = padded(x, pool.pads, _lowest(x.dtype))
    y = np.empty((x.shape[0], *pool.out, x.shape[-1]), x.dtype)
    places = np.zeros(y.shape, np.min_scalar_type(math.prod(pool.size) - 1))
    scratch = _Scratch()
    for there, here in pool.blocks(whole):
        peak, place, seen = y[there], places[there], whole[here]
        higher = scratch("higher", peak.shape, bool)
        number = scratch("number", peak.shape, places.dtype)
        for index, cut in enumerate(pool.cuts(peak.shape[1])):
            tap = seen[cut]
            if index == 0:
                peak[...] = tap
                continue
            np.greater(tap, peak, out=higher)
            np.maximum(peak, tap, out=peak)
            # Positions come in rising order: where this one is higher, its number is, too.
            np.multiply(higher.view(np.uint8), places.dtype.type(index), out=number)
            np.maximum(place, number, out=place)
    return y, places


def _max_pool_backward(
    places: np.ndarray, g: np.ndarray, gx: np.ndarray, pool: _Pool, scratch: _Scratch
) -> None:
    """Writes (windows apart) or adds (windows that overlap) into `gx`."""
    hit = scratch("hit", g.shape, bool)
    share = None if pool.apart else scratch("share", g.shape, g.dtype)
    for index, cut in enumerate(pool.cuts(g.shape[1])):
        np.equal(places, places.dtype.type(index), out=hit)
        target = gx[cut]
        if share is None:
            np.multiply(g, hit, out=target)
        else:
            np.multiply(g, hit, out=share)
            target += share


@differentiable(_max_pool_gradient, widen=False, composed=_nested.max_pool_nd)
def max_pool_nd(
    inputs: np.ndarray, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> np.ndarray:
    """The largest value of each window; padding never wins."""
    x = to_last(inputs, data_format)
    pool = _Pool(x.shape[1:-1], pool_size, strides, padding)
    return from_last(_folded(x, pool, np.maximum, _lowest(x.dtype)), data_format)


# ------------------------------------------------------------------------------------------ mean


def _counts(pool: _Pool, dtype: Any) -> Any:
    """How many values, not padding, each window holds: (*out, 1), or (1, ..., 1) if all alike."""
    if not any(a or b for a, b in pool.pads):
        return np.full((1,) * (len(pool.out) + 1), math.prod(pool.size), dtype)
    total = np.ones(1, dtype)
    each = zip(pool.sizes, pool.size, pool.strides, pool.pads, pool.out, strict=True)
    for n, k, s, (a, _), m in each:
        start = np.arange(m) * s - a
        inside = np.minimum(start + k, n) - np.maximum(start, 0)
        total = np.multiply.outer(total, inside.astype(dtype))
    return total.reshape(*pool.out, 1)


def _average_pool_gradient(
    needs: tuple[int, ...],
    inputs: np.ndarray,
    pool_size: Ints,
    strides: Ints,
    padding: str,
    data_format: str,
) -> Recorded:
    x = to_last(inputs, data_format)
    pool = _Pool(x.shape[1:-1], pool_size, strides, padding)
    counts = _counts(pool, x.dtype)
    shape = _padded_shape(x, pool.pads)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g = to_last(g, data_format)
        gx = pool.empty_gradient(shape, g.dtype)
        scratch = _Scratch()
        for there, here in pool.blocks(gx):
            share = counts if len(counts) == 1 else counts[there[1]]
            _spread(np.divide(g[there], share), gx[here], pool, scratch)
        return (from_last(inner(gx, pool.pads), data_format),)

    return average_pool_nd.fun(inputs, pool_size, strides, padding, data_format), backward


def _spread(g: np.ndarray, gx: np.ndarray, pool: _Pool, scratch: _Scratch) -> None:
    """Gives `g` to all positions of each window, from the last dimension to the first: writes
    (windows apart) or adds (windows that overlap) into `gx`."""
    for axis in range(len(pool.out), 0, -1):
        wider = gx
        if axis > 1:
            shape = (*g.shape[:axis], *gx.shape[axis:])
            wider = scratch(axis, shape, g.dtype)
            wider[...] = 0
        for target in pool.taps(wider, axis, g.shape[axis]):
            if pool.apart:
                target[...] = g
            else:
                target += g
        g = wider


@differentiable(_average_pool_gradient, composed=_nested.average_pool_nd)
def average_pool_nd(
    inputs: np.ndarray, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> np.ndarray:
    """The mean of each window, over the values in it that are not padding."""
    x = to_last(inputs, data_format)
    pool = _Pool(x.shape[1:-1], pool_size, strides, padding)
    y = _folded(x, pool, np.add, 0)
    y /= _counts(pool, x.dtype)
    return from_last(y, data_format)
