"""Padding of sliding windows, the same for all backends. Sizes are checked elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Ints = Sequence[int]
Pads = list[tuple[int, int]]


def pads(sizes: Ints, window: Ints, strides: Ints, dilation: Ints, padding: str) -> Pads:
    """(before, after) of each dimension; with 'same', the odd one goes after."""
    if padding == "valid":
        return [(0, 0)] * len(window)
    reach = [d * (k - 1) for k, d in zip(window, dilation)]
    if padding == "causal":
        return [(r, 0) for r in reach]
    each = []
    for n, r, s in zip(sizes, reach, strides):
        total = max((-(-n // s) - 1) * s + r + 1 - n, 0)
        each.append((total // 2, total - total // 2))
    return each


def out_sizes(sizes: Ints, window: Ints, strides: Ints, padded: Pads) -> list[int]:
    """The number of windows (without dilation) in each dimension."""
    return [(n + a + b - k) // s + 1 for n, k, s, (a, b) in zip(sizes, window, strides, padded)]


def counts(sizes: Ints, window: Ints, strides: Ints, padded: Pads) -> np.ndarray:
    """How many values that are not padding each window holds, in the shape of the windows."""
    total = np.ones((), np.float32)
    for n, k, s, (a, _), m in zip(
        sizes, window, strides, padded, out_sizes(sizes, window, strides, padded)
    ):
        start = np.arange(m) * s - a
        inside = np.minimum(start + k, n) - np.maximum(start, 0)
        total = total[..., None] * inside.astype(np.float32)
    return total


def crops(
    window: Ints,
    strides: Ints,
    padding: str,
    output_padding: Sequence[int | None],
    dilation: Ints,
) -> Pads:
    """What a transposed convolution cuts off its full result, (before, after) each dimension.

    A negative number says how many zeros are added instead.
    """
    found = []
    for k, s, extra, d in zip(window, strides, output_padding, dilation):
        extent = (k - 1) * d + 1
        if padding == "same":
            total = extent - s if extra is None else 2 * (extent // 2) - extra
            before = max(total, 0) // 2
        else:
            total = -(max(s - extent, 0) if extra is None else extra)
            before = 0
        found.append((before, total - before))
    return found
