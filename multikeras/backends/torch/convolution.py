"""Convolution and pooling of the PyTorch backend.

Channels-last data goes to the framework's channels-first functions as a view with the strides
that PyTorch calls channels-last, and so do kernels: nothing is copied here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from multikeras.backends import windows

Ints = tuple[int, ...]
_CONV = {1: torch.conv1d, 2: torch.conv2d, 3: torch.conv3d}
_TRANSPOSE = {1: torch.conv_transpose1d, 2: torch.conv_transpose2d, 3: torch.conv_transpose3d}
_MAX = {1: torch.max_pool1d, 2: torch.max_pool2d, 3: torch.max_pool3d}
_AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
_TO_FIRST = {1: (0, 2, 1), 2: (0, 3, 1, 2), 3: (0, 4, 1, 2, 3)}
_TO_LAST = {1: (0, 2, 1), 2: (0, 2, 3, 1), 3: (0, 2, 3, 4, 1)}
# From (*sizes, in, out) to (out, in, *sizes).
_KERNEL = {1: (2, 1, 0), 2: (3, 2, 0, 1), 3: (4, 3, 0, 1, 2)}


def _first(x: torch.Tensor, rank: int, data_format: str) -> torch.Tensor:
    return x if data_format == "channels_first" else x.permute(_TO_FIRST[rank])


def _last(x: torch.Tensor, rank: int, data_format: str) -> torch.Tensor:
    return x if data_format == "channels_first" else x.permute(_TO_LAST[rank])


def _flat(pads: Sequence[tuple[int, int]]) -> list[int]:
    """Pads in the order of `F.pad`: the last dimension first."""
    return [n for pair in reversed(pads) for n in pair]


def _conv(
    x: torch.Tensor,
    weight: torch.Tensor,
    strides: Ints,
    padding: str,
    dilation: Ints,
    groups: int,
) -> torch.Tensor:
    """The convolution of channels-first views."""
    rank = len(strides)
    if padding == "valid":
        return _CONV[rank](x, weight, None, strides, 0, dilation, groups)
    pads = windows.pads(x.shape[2:], weight.shape[2:], strides, dilation, padding)
    before = [a for a, _ in pads]
    if any(a != b for a, b in pads):
        x = F.pad(x, _flat(pads))
        before = [0] * rank
    return _CONV[rank](x, weight, None, strides, before, dilation, groups)


def conv_nd(
    inputs: torch.Tensor,
    kernel: torch.Tensor,
    strides: Ints,
    padding: str,
    data_format: str,
    dilation_rate: Ints,
) -> torch.Tensor:
    rank = len(strides)
    x = _first(inputs, rank, data_format)
    weight = kernel.permute(_KERNEL[rank])
    groups = x.shape[1] // kernel.shape[-2]
    return _last(_conv(x, weight, strides, padding, dilation_rate, groups), rank, data_format)


def depthwise_conv_nd(
    inputs: torch.Tensor,
    kernel: torch.Tensor,
    strides: Ints,
    padding: str,
    data_format: str,
    dilation_rate: Ints,
) -> torch.Tensor:
    rank = len(strides)
    x = _first(inputs, rank, data_format)
    channels, multiplier = kernel.shape[-2:]
    weight = kernel.reshape(*kernel.shape[:-2], 1, channels * multiplier).permute(_KERNEL[rank])
    return _last(_conv(x, weight, strides, padding, dilation_rate, channels), rank, data_format)


def conv_transpose_nd(
    inputs: torch.Tensor,
    kernel: torch.Tensor,
    strides: Ints,
    padding: str,
    output_padding: tuple[int | None, ...],
    data_format: str,
    dilation_rate: Ints,
) -> torch.Tensor:
    rank = len(strides)
    x = _first(inputs, rank, data_format)
    crops = windows.crops(kernel.shape[:-2], strides, padding, output_padding, dilation_rate)
    both = [max(min(crop), 0) for crop in crops]
    y = _TRANSPOSE[rank](
        x, kernel.permute(_KERNEL[rank]), None, strides, both, 0, 1, dilation_rate
    )
    rest = [(n - a, n - b) for n, (a, b) in zip(both, crops)]
    if any(a or b for a, b in rest):
        y = F.pad(y, _flat(rest))
    return _last(y, rank, data_format)


def _symmetric(sizes: Ints, pool: Ints, strides: Ints, pads: Any) -> bool | None:
    """How the framework's own padding can serve: as it is (False), with windows that reach
    over the end (True), or not at all (None)."""
    if all(a == b for a, b in pads):
        return False
    for n, k, s, (a, b) in zip(sizes, pool, strides, pads):
        count = (n + a + b - k) // s + 1
        reached = -(-(n + 2 * a - k) // s) + 1
        if 2 * a > k or reached != count or (count - 1) * s >= n + a:
            return None
    return True


def max_pool_nd(
    inputs: torch.Tensor, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> torch.Tensor:
    rank = len(strides)
    if not inputs.is_floating_point():  # the framework pools floats only
        wide = max_pool_nd(inputs.double(), pool_size, strides, padding, data_format)
        return wide.to(inputs.dtype)
    x = _first(inputs, rank, data_format)
    if padding == "valid":
        return _last(_MAX[rank](x, pool_size, strides), rank, data_format)
    ones = (1,) * rank
    pads = windows.pads(x.shape[2:], pool_size, strides, ones, padding)
    ceil = _symmetric(tuple(x.shape[2:]), pool_size, strides, pads)
    before = [a for a, _ in pads]
    if ceil is None:
        x = F.pad(x, _flat(pads), value=-math.inf)
        before, ceil = [0] * rank, False
    y = _MAX[rank](x, pool_size, strides, before, ones, ceil)
    return _last(y, rank, data_format)


def average_pool_nd(
    inputs: torch.Tensor, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> torch.Tensor:
    rank = len(strides)
    x = _first(inputs, rank, data_format)
    if padding == "valid":
        return _last(_AVERAGE[rank](x, pool_size, strides), rank, data_format)
    sizes = tuple(x.shape[2:])
    pads = windows.pads(sizes, pool_size, strides, (1,) * rank, padding)
    ceil = _symmetric(sizes, pool_size, strides, pads)
    if ceil is not None:
        before = [a for a, _ in pads]
        y = _AVERAGE[rank](x, pool_size, strides, before, ceil, False)
        return _last(y, rank, data_format)
    y = _AVERAGE[rank](F.pad(x, _flat(pads)), pool_size, strides)
    share = math.prod(pool_size) / windows.counts(sizes, pool_size, strides, pads)
    y = y * torch.from_numpy(share).to(device=y.device, dtype=y.dtype)
    return _last(y, rank, data_format)
