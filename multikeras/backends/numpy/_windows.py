"""The geometry of windows that slide over channels-last arrays: padding, sizes, positions, blocks.

Shared by convolution and pooling. Sizes, strides and padding are expected to be normalised and
checked by the caller.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

__all__ = [
    "BLOCK_BYTES",
    "Ints",
    "Pads",
    "Plan",
    "cut_blocks",
    "from_last",
    "inner",
    "out_sizes",
    "padded",
    "pads_of",
    "positions",
    "to_last",
]

Ints = Sequence[int]
Pads = list[tuple[int, int]]

# Bytes of columns made at a time: few enough to stay in the last-level cache, many enough for the
# matrix products to be large ones (measured: 1 MB is up to twice slower, 8 MB no faster).
BLOCK_BYTES = 1 << 22


def pads_of(sizes: Ints, kernel: Ints, strides: Ints, dilation: Ints, padding: str) -> Pads:
    """(before, after) in each dimension; with 'same', the odd one goes after."""
    if padding == "valid":
        return [(0, 0)] * len(sizes)
    reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if padding == "causal":
        return [(r, 0) for r in reach]
    pads = []
    for n, r, s in zip(sizes, reach, strides, strict=True):
        total = max((-(-n // s) - 1) * s + r + 1 - n, 0)
        pads.append((total // 2, total - total // 2))
    return pads


def out_sizes(sizes: Ints, kernel: Ints, strides: Ints, dilation: Ints, pads: Pads) -> list[int]:
    """How many windows fit in each dimension."""
    each = zip(sizes, kernel, strides, dilation, pads, strict=True)
    return [max((n + a + b - d * (k - 1) - 1) // s + 1, 0) for n, k, s, d, (a, b) in each]


def to_last(x: np.ndarray, data_format: str) -> np.ndarray:
    """A channels-last view."""
    return np.moveaxis(x, 1, -1) if data_format == "channels_first" else x


def from_last(x: np.ndarray, data_format: str) -> np.ndarray:
    """The view in the caller's format of a channels-last array."""
    return np.moveaxis(x, -1, 1) if data_format == "channels_first" else x


def inner(x: np.ndarray, pads: Pads) -> np.ndarray:
    """The part of a padded array that is not padding."""
    if not any(a or b for a, b in pads):
        return x
    spatial = zip(x.shape[1:], pads, strict=False)
    return x[(slice(None), *(slice(a, n - b) for n, (a, b) in spatial))]


def padded(x: np.ndarray, pads: Pads, fill: float = 0.0) -> np.ndarray:
    """`x` with its padding; itself where there is none."""
    if not any(a or b for a, b in pads):
        return x
    spatial = [n + a + b for n, (a, b) in zip(x.shape[1:], pads, strict=False)]
    shape = (x.shape[0], *spatial, x.shape[-1])
    out = np.zeros(shape, x.dtype) if fill == 0 else np.full(shape, fill, x.dtype)
    inner(out, pads)[...] = x
    return out


def positions(
    kernel: Ints, strides: Ints, dilation: Ints, out: Ints
) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Each kernel position with the slice of the padded input that it meets."""
    for at in itertools.product(*(range(k) for k in kernel)):
        each = zip(at, strides, dilation, out, strict=True)
        cut = (slice(p * d, p * d + s * (n - 1) + 1, s) for p, s, d, n in each)
        yield at, (slice(None), *cut)


def cut_blocks(samples: int, rows: int, row_bytes: int, limit: int) -> Iterator[tuple[slice, ...]]:
    """Cuts an array (samples, rows, ...) into blocks of about `limit` bytes: whole samples, or
    some rows of one sample."""
    if samples * rows == 0:
        return
    whole = limit // max(1, rows * row_bytes)
    if whole >= 1:
        for start in range(0, samples, whole):
            yield slice(start, min(start + whole, samples)), slice(0, rows)
        return
    some = min(rows, max(1, limit // row_bytes))
    for sample in range(samples):
        for start in range(0, rows, some):
            yield slice(sample, sample + 1), slice(start, min(start + some, rows))


class Plan:
    """The geometry of one convolution, channels-last."""

    __slots__ = ("dilation", "kernel", "out", "pads", "pointwise", "strides")

    def __init__(
        self, sizes: Ints, kernel: Ints, strides: Ints, dilation: Ints, padding: str
    ) -> None:
        self.kernel, self.strides, self.dilation = kernel, strides, dilation
        self.pads = pads_of(sizes, kernel, strides, dilation, padding)
        self.out = out_sizes(sizes, kernel, strides, dilation, self.pads)
        self.pointwise = all(k == 1 for k in kernel)

    def subsampled(self, x: np.ndarray) -> np.ndarray:
        """What a 1x1 kernel sees, as a view."""
        return x[(slice(None), *(slice(None, None, s) for s in self.strides))]

    def windows(self, x: np.ndarray, last: bool) -> np.ndarray:
        """All windows of padded `x` as a view: (n, *out, *kernel, c), or kernel and c first."""
        st = x.strides
        moves = [s * b for s, b in zip(self.strides, st[1:], strict=False)]
        taps = [d * b for d, b in zip(self.dilation, st[1:], strict=False)]
        outer_shape, outer = (x.shape[0], *self.out), (st[0], *moves)
        tap_shape, tap = (*self.kernel, x.shape[-1]), (*taps, st[-1])
        shape = outer_shape + tap_shape if last else tap_shape + outer_shape
        return as_strided(x, shape, outer + tap if last else tap + outer, writeable=False)

    def blocks(self, x: np.ndarray) -> Iterator[tuple[tuple[slice, ...], np.ndarray, bool]]:
        """Columns of a few samples, or of some rows of the output of one, at a time.

        Gives (samples and rows, columns, whether rows of the columns are windows). The array of
        columns is used again for the next block.
        """
        depth = int(np.prod(self.kernel)) * x.shape[-1]
        row = int(np.prod(self.out[1:]))
        # Copying goes along the innermost axis: along kernel rows and channels where these are
        # long runs of memory, else along the output's.
        run = x.shape[-1] * (self.kernel[-1] if self.dilation[-1] == 1 else 1)
        last = run >= 16
        lead = (slice(None),) * (len(self.kernel) + 2)  # taps, channels and samples
        held: Any = None
        spare: Any = None
        seen = None
        for cut in cut_blocks(x.shape[0], self.out[0], row * depth * x.itemsize, BLOCK_BYTES):
            samples, rows = cut
            if samples != seen:
                seen = samples
                part = x[samples]
                if any(a or b for a, b in self.pads):
                    if spare is None:
                        spare = padded(part, self.pads)
                    inner(spare, self.pads)[: len(part)] = part
                    part = spare[: len(part)]
                view = self.windows(part, last)
            some = view[:, rows] if last else view[(*lead, rows)]
            count = len(part) * (rows.stop - rows.start) * row
            if held is None:
                held = np.empty(count * depth, x.dtype)
            shape = (count, depth) if last else (depth, count)
            block = held[: count * depth].reshape(shape)
            np.copyto(block.reshape(some.shape), some)
            yield cut, block, last
