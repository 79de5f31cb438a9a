"""Convolution and pooling of the NumPy backend, in 1 to 3 dimensions, with hand-written gradients.

Convolutions copy their windows into columns, a block of the batch at a time so that the columns
stay in the cache, and multiply them by the kernel in one matrix product; the gradient of the
input is added up one kernel position at a time. Everything runs channels-last: channels-first
input is a transposed view, and so is its answer. Sizes, strides and padding are expected to be
normalised and checked by the caller.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from multikeras.backends.numpy._gradients import differentiable

__all__ = ["average_pool_nd", "conv_nd", "conv_transpose_nd", "depthwise_conv_nd", "max_pool_nd"]

Ints = Sequence[int]
Pads = list[tuple[int, int]]
Recorded = tuple[Any, Callable[..., tuple[Any, ...]]]

# Bytes of columns made at a time: few enough to stay in the last-level cache, many enough for the
# matrix products to be large ones (measured: 1 MB is up to twice slower, 8 MB no faster).
_BLOCK_BYTES = 1 << 22
# The same for the passes of a pooling gradient, each of which reads all of it.
_POOL_BLOCK_BYTES = 1 << 20


def _pads(sizes: Ints, kernel: Ints, strides: Ints, dilation: Ints, padding: str) -> Pads:
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


def _out_sizes(sizes: Ints, kernel: Ints, strides: Ints, dilation: Ints, pads: Pads) -> list[int]:
    each = zip(sizes, kernel, strides, dilation, pads, strict=True)
    return [max((n + a + b - d * (k - 1) - 1) // s + 1, 0) for n, k, s, d, (a, b) in each]


def _to_last(x: np.ndarray, data_format: str) -> np.ndarray:
    return np.moveaxis(x, 1, -1) if data_format == "channels_first" else x


def _from_last(x: np.ndarray, data_format: str) -> np.ndarray:
    return np.moveaxis(x, -1, 1) if data_format == "channels_first" else x


def _inner(x: np.ndarray, pads: Pads) -> np.ndarray:
    """The part of a padded array that is not padding."""
    if not any(a or b for a, b in pads):
        return x
    spatial = zip(x.shape[1:], pads, strict=False)
    return x[(slice(None), *(slice(a, n - b) for n, (a, b) in spatial))]


def _padded(x: np.ndarray, pads: Pads, fill: float = 0.0) -> np.ndarray:
    if not any(a or b for a, b in pads):
        return x
    spatial = [n + a + b for n, (a, b) in zip(x.shape[1:], pads, strict=False)]
    out = np.full((x.shape[0], *spatial, x.shape[-1]), fill, x.dtype)
    _inner(out, pads)[...] = x
    return out


def _positions(
    kernel: Ints, strides: Ints, dilation: Ints, out: Ints
) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Each kernel position with the slice of the padded input that it meets."""
    for at in itertools.product(*(range(k) for k in kernel)):
        each = zip(at, strides, dilation, out, strict=True)
        cut = (slice(p * d, p * d + s * (n - 1) + 1, s) for p, s, d, n in each)
        yield at, (slice(None), *cut)


# ----------------------------------------------------------------------------------- convolution


class _Plan:
    """The geometry of one convolution, channels-last."""

    __slots__ = ("kernel", "strides", "dilation", "pads", "out", "pointwise")

    def __init__(
        self, sizes: Ints, kernel: Ints, strides: Ints, dilation: Ints, padding: str
    ) -> None:
        self.kernel, self.strides, self.dilation = kernel, strides, dilation
        self.pads = _pads(sizes, kernel, strides, dilation, padding)
        self.out = _out_sizes(sizes, kernel, strides, dilation, self.pads)
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

    def blocks(self, x: np.ndarray) -> Iterator[tuple[slice, np.ndarray, bool]]:
        """Columns of a few samples at a time: (samples, columns, whether rows are windows).

        The array of columns is used again for the next block.
        """
        n, depth = x.shape[0], int(np.prod(self.kernel)) * x.shape[-1]
        windows = int(np.prod(self.out))
        step = max(1, min(n, _BLOCK_BYTES // max(1, windows * depth * x.itemsize)))
        # Copying goes along the innermost axis: along kernel rows and channels where these are
        # long runs of memory, else along the output's.
        run = x.shape[-1] * (self.kernel[-1] if self.dilation[-1] == 1 else 1)
        last = run >= 16
        shape = (step * windows, depth) if last else (depth, step * windows)
        columns = np.empty(shape, x.dtype)
        padded = None
        if any(a or b for a, b in self.pads):
            spatial = [m + a + b for m, (a, b) in zip(x.shape[1:], self.pads, strict=False)]
            padded = np.zeros((step, *spatial, x.shape[-1]), x.dtype)
        for start in range(0, n, step):
            part = x[start : start + step]
            if padded is not None:
                _inner(padded, self.pads)[: len(part)] = part
                part = padded[: len(part)]
            rows = len(part) * windows
            view = self.windows(part, last)
            if last:
                block = columns[:rows]
            elif rows == columns.shape[1]:
                block = columns
            else:
                block = columns.reshape(-1)[: depth * rows].reshape(depth, rows)
            np.copyto(block.reshape(view.shape), view)
            yield slice(start, start + len(part)), block, last


def _conv_forward(x: np.ndarray, kernel: np.ndarray, plan: _Plan) -> np.ndarray:
    filters = kernel.shape[-1]
    flat = kernel.reshape(-1, filters)
    if plan.pointwise:
        seen = plan.subsampled(x)
        return np.dot(seen.reshape(-1, x.shape[-1]), flat).reshape(*seen.shape[:-1], filters)
    y = np.empty((x.shape[0], *plan.out, filters), x.dtype)
    for samples, columns, last in plan.blocks(x):
        out = y[samples].reshape(-1, filters)
        np.dot(columns if last else columns.T, flat, out=out)
    return y


def _conv_kernel_gradient(
    x: np.ndarray, g: np.ndarray, kernel: np.ndarray, plan: _Plan
) -> np.ndarray:
    filters = g.shape[-1]
    if plan.pointwise:
        seen = plan.subsampled(x).reshape(-1, x.shape[-1])
        return np.dot(seen.T, g.reshape(-1, filters)).reshape(kernel.shape)
    total = np.zeros((kernel.size // filters, filters), x.dtype)
    for samples, columns, last in plan.blocks(x):
        rows = g[samples].reshape(-1, filters)
        total += np.dot(columns.T if last else columns, rows)
    return total.reshape(kernel.shape)


def _conv_input_gradient(
    shape: tuple[int, ...], g: np.ndarray, kernel: np.ndarray, plan: _Plan
) -> np.ndarray:
    channels, filters = kernel.shape[-2:]
    if plan.pointwise:
        seen = np.dot(g.reshape(-1, filters), kernel.reshape(channels, filters).T)
        if all(s == 1 for s in plan.strides):
            return seen.reshape(shape)
        gx = np.zeros(shape, g.dtype)
        plan.subsampled(gx)[...] = seen.reshape(*g.shape[:-1], channels)
        return gx
    spatial = [n + a + b for n, (a, b) in zip(shape[1:], plan.pads, strict=False)]
    padded = np.zeros((shape[0], *spatial, channels), g.dtype)
    windows = int(np.prod(plan.out))
    step = max(1, _BLOCK_BYTES // max(1, windows * (filters + 2 * channels) * g.itemsize))
    scratch = np.empty((min(step, shape[0]) * windows, channels), g.dtype)
    positions = list(_positions(plan.kernel, plan.strides, plan.dilation, plan.out))
    transposed = {at: np.ascontiguousarray(kernel[at].T) for at, _ in positions}
    for start in range(0, shape[0], step):
        part = padded[start : start + step]
        rows = g[start : start + step].reshape(-1, filters)
        for at, cut in positions:
            add = np.dot(rows, transposed[at], out=scratch[: len(rows)])
            target = part[cut]
            target += add.reshape(target.shape)
    return _inner(padded, plan.pads)


def _split(groups: int, channels: int) -> list[slice]:
    size = channels // groups
    return [slice(i * size, (i + 1) * size) for i in range(groups)]


def _conv_groups(x: np.ndarray, kernel: np.ndarray) -> tuple[list[slice], list[slice]]:
    channels, (depth, filters) = x.shape[-1], kernel.shape[-2:]
    if depth == 0 or channels % depth or filters % (channels // depth):
        raise ValueError(
            f"conv: a kernel of shape {kernel.shape} needs a multiple of {depth} input channels "
            f"that also divides its {filters} filters into groups; got {channels} channels"
        )
    groups = channels // depth
    return _split(groups, channels), _split(groups, filters)


def _conv_gradient(
    needs: tuple[int, ...],
    inputs: np.ndarray,
    kernel: np.ndarray,
    strides: Ints,
    padding: str,
    data_format: str,
    dilation_rate: Ints,
) -> Recorded:
    x = _to_last(inputs, data_format)
    plan = _Plan(x.shape[1:-1], kernel.shape[:-2], strides, dilation_rate, padding)
    ins, outs = _conv_groups(x, kernel)
    y = _grouped_forward(x, kernel, plan, ins, outs)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g = _to_last(g, data_format)
        gx = gk = None
        if 1 in needs:
            parts = [
                _conv_kernel_gradient(x[..., i], g[..., o], kernel[..., o], plan)
                for i, o in zip(ins, outs, strict=True)
            ]
            gk = parts[0] if len(parts) == 1 else np.concatenate(parts, -1)
        if 0 in needs:
            shape = (*x.shape[:-1], kernel.shape[-2])
            parts = [_conv_input_gradient(shape, g[..., o], kernel[..., o], plan) for o in outs]
            gx = parts[0] if len(parts) == 1 else np.concatenate(parts, -1)
            gx = _from_last(gx, data_format)
        return gx, gk

    return _from_last(y, data_format), backward


def _grouped_forward(
    x: np.ndarray, kernel: np.ndarray, plan: _Plan, ins: list[slice], outs: list[slice]
) -> np.ndarray:
    if len(ins) == 1:
        return _conv_forward(x, kernel, plan)
    parts = [_conv_forward(x[..., i], kernel[..., o], plan) for i, o in zip(ins, outs, strict=True)]
    return np.concatenate(parts, -1)


@differentiable(_conv_gradient)
def conv_nd(
    inputs: np.ndarray,
    kernel: np.ndarray,
    strides: Ints,
    padding: str,
    data_format: str,
    dilation_rate: Ints,
) -> np.ndarray:
    """Cross-correlation of 1 to 3 spatial dimensions.

    kernel: spatial sizes + (input channels / groups, filters); the number of groups follows.
    padding: 'valid', 'same' or, in one dimension, 'causal'.
    """
    x = _to_last(inputs, data_format)
    plan = _Plan(x.shape[1:-1], kernel.shape[:-2], strides, dilation_rate, padding)
    y = _grouped_forward(x, kernel, plan, *_conv_groups(x, kernel))
    return _from_last(y, data_format)


# ------------------------------------------------------------------------------------- depthwise


def _tiled(kernel: np.ndarray, plan: _Plan) -> dict[tuple[int, ...], np.ndarray]:
    """Each position's weights along a whole row of the output: longer inner loops."""
    width = plan.out[-1]
    return {
        at: np.tile(kernel[at], (width, 1, 1)) for at in itertools.product(*map(range, plan.kernel))
    }


def _depthwise_forward(x: np.ndarray, kernel: np.ndarray, plan: _Plan) -> np.ndarray:
    channels, multiplier = kernel.shape[-2:]
    y = np.zeros((x.shape[0], *plan.out, channels, multiplier), x.dtype)
    padded = _padded(x, plan.pads)
    scratch = np.empty((*plan.out, channels, multiplier), x.dtype)
    tiled = _tiled(kernel, plan)
    positions = list(_positions(plan.kernel, plan.strides, plan.dilation, plan.out))
    # A sample at a time: its output stays in the cache through all positions.
    for sample, out in zip(padded, y, strict=True):
        for at, cut in positions:
            np.multiply(sample[cut[1:]][..., None], tiled[at], out=scratch)
            np.add(out, scratch, out=out)
    return y.reshape(*y.shape[:-2], channels * multiplier)


def _depthwise_backward(
    padded: np.ndarray, g: np.ndarray, kernel: np.ndarray, plan: _Plan, needs: tuple[int, ...]
) -> tuple[np.ndarray | None, np.ndarray | None]:
    channels, multiplier = kernel.shape[-2:]
    gx = np.zeros(padded.shape, g.dtype) if 0 in needs else None
    gk = np.zeros((*plan.kernel, channels * multiplier), g.dtype) if 1 in needs else None
    scratch = np.empty(g.shape[1:], g.dtype)
    ones = np.ones(int(np.prod(plan.out)), g.dtype)
    tiled = _tiled(kernel, plan)
    positions = list(_positions(plan.kernel, plan.strides, plan.dilation, plan.out))
    for i, sample in enumerate(g):
        for at, cut in positions:
            if gx is not None:
                np.multiply(sample, tiled[at], out=scratch)
                target = gx[i][cut[1:]]
                target += scratch[..., 0] if multiplier == 1 else np.add.reduce(scratch, axis=-1)
            if gk is not None:
                np.multiply(padded[i][cut[1:]][..., None], sample, out=scratch)
                gk[at] += np.dot(ones, scratch.reshape(len(ones), -1))
    return gx, None if gk is None else gk.reshape(kernel.shape)


def _depthwise_gradient(
    needs: tuple[int, ...],
    inputs: np.ndarray,
    kernel: np.ndarray,
    strides: Ints,
    padding: str,
    data_format: str,
    dilation_rate: Ints,
) -> Recorded:
    x = _to_last(inputs, data_format)
    plan = _Plan(x.shape[1:-1], kernel.shape[:-2], strides, dilation_rate, padding)
    y = _depthwise_forward(x, kernel, plan)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g = _to_last(g, data_format)
        g = g.reshape(*g.shape[:-1], *kernel.shape[-2:])
        gx, gk = _depthwise_backward(_padded(x, plan.pads), g, kernel, plan, needs)
        if gx is not None:
            gx = _from_last(_inner(gx, plan.pads), data_format)
        return gx, gk

    return _from_last(y, data_format), backward


@differentiable(_depthwise_gradient)
def depthwise_conv_nd(
    inputs: np.ndarray,
    kernel: np.ndarray,
    strides: Ints,
    padding: str,
    data_format: str,
    dilation_rate: Ints,
) -> np.ndarray:
    """Each channel convolved by its own filters; kernel: spatial sizes + (channels, multiplier).

    Output channel `c * multiplier + m` is channel `c` under its filter `m`.
    """
    x = _to_last(inputs, data_format)
    plan = _Plan(x.shape[1:-1], kernel.shape[:-2], strides, dilation_rate, padding)
    return _from_last(_depthwise_forward(x, kernel, plan), data_format)


# ------------------------------------------------------------------------------------ transposed


def _transposed_plan(
    sizes: Ints,
    kernel: Ints,
    strides: Ints,
    padding: str,
    output_padding: Sequence[int | None] | int | None,
    dilation: Ints,
) -> tuple[_Plan, list[int]]:
    """The convolution whose input gradient this is, and the sizes of that input."""
    if output_padding is None or isinstance(output_padding, int):
        output_padding = (output_padding,) * len(sizes)
    out, pads = [], []
    for n, k, s, d, extra in zip(sizes, kernel, strides, dilation, output_padding, strict=True):
        reach = d * (k - 1) + 1
        full = (n - 1) * s + reach
        if extra is None:
            size = n * s + (max(reach - s, 0) if padding == "valid" else 0)
        else:
            size = full + extra - (0 if padding == "valid" else reach // 2 * 2)
        before = 0 if padding == "valid" else max(full - size, 0) // 2
        out.append(size)
        pads.append((before, max(full - size - before, 0)))
    plan = _Plan(out, kernel, strides, dilation, "valid")
    plan.pads, plan.out = pads, list(sizes)
    return plan, out


def _conv_transpose_gradient(
    needs: tuple[int, ...],
    inputs: np.ndarray,
    kernel: np.ndarray,
    strides: Ints,
    padding: str,
    output_padding: Any,
    data_format: str,
    dilation_rate: Ints,
) -> Recorded:
    x = _to_last(inputs, data_format)
    rest = (strides, padding, output_padding, dilation_rate)
    plan, _ = _transposed_plan(x.shape[1:-1], kernel.shape[:-2], *rest)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g = _to_last(g, data_format)
        gx = _from_last(_conv_forward(g, kernel, plan), data_format) if 0 in needs else None
        return gx, _conv_kernel_gradient(g, x, kernel, plan) if 1 in needs else None

    return conv_transpose_nd.fun(inputs, kernel, *rest[:3], data_format, dilation_rate), backward


@differentiable(_conv_transpose_gradient)
def conv_transpose_nd(
    inputs: np.ndarray,
    kernel: np.ndarray,
    strides: Ints,
    padding: str,
    output_padding: Sequence[int | None] | int | None,
    data_format: str,
    dilation_rate: Ints,
) -> np.ndarray:
    """The transpose of `conv` as a linear map; kernel: spatial sizes + (filters, channels).

    Without `output_padding` a size n becomes n * stride, with 'valid' as much more as the kernel
    reaches beyond the stride. With it: (n - 1) * stride + reach + output_padding, with 'same'
    less twice the half reach, where reach = dilation * (kernel - 1) + 1.
    """
    x = _to_last(inputs, data_format)
    rest = (strides, padding, output_padding, dilation_rate)
    plan, out = _transposed_plan(x.shape[1:-1], kernel.shape[:-2], *rest)
    shape = (x.shape[0], *out, kernel.shape[-2])
    return _from_last(_conv_input_gradient(shape, x, kernel, plan), data_format)


# --------------------------------------------------------------------------------------- pooling


def _pool_plan(
    inputs: np.ndarray, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> tuple[np.ndarray, Pads, list[int], list[tuple[slice, ...]]]:
    x = _to_last(inputs, data_format)
    ones = (1,) * len(pool_size)
    pads = _pads(x.shape[1:-1], pool_size, strides, ones, padding)
    out = _out_sizes(x.shape[1:-1], pool_size, strides, ones, pads)
    return x, pads, out, [cut for _, cut in _positions(pool_size, strides, ones, out)]


def _lowest(dtype: np.dtype) -> Any:
    return -np.inf if dtype.kind not in "iu" else np.iinfo(dtype).min


def _max_over(padded: np.ndarray, cuts: list[tuple[slice, ...]]) -> np.ndarray:
    y = padded[cuts[0]].copy()
    for cut in cuts[1:]:
        np.maximum(y, padded[cut], out=y)
    return y


def _max_pool_gradient(
    needs: tuple[int, ...],
    inputs: np.ndarray,
    pool_size: Ints,
    strides: Ints,
    padding: str,
    data_format: str,
) -> Recorded:
    x, pads, _, cuts = _pool_plan(inputs, pool_size, strides, padding, data_format)
    padded = _padded(x, pads, _lowest(x.dtype))
    y = _max_over(padded, cuts)
    apart = all(s >= p for s, p in zip(strides, pool_size, strict=True))

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g = _to_last(g, data_format)
        covered = apart and tuple(strides) == tuple(pool_size)
        sizes = zip(padded.shape[1:], pool_size, strict=False)
        covered = covered and all(n % p == 0 for n, p in sizes)
        gx = (np.empty if covered else np.zeros)(padded.shape, g.dtype)
        step = max(1, _POOL_BLOCK_BYTES // max(1, padded[:1].nbytes))
        for start in range(0, len(g), step):
            part = slice(start, start + step)
            _max_pool_backward(padded[part], y[part], g[part], gx[part], cuts, apart)
        return (_from_last(_inner(gx, pads), data_format),)

    return _from_last(y, data_format), backward


def _max_pool_backward(
    padded: np.ndarray,
    y: np.ndarray,
    g: np.ndarray,
    gx: np.ndarray,
    cuts: list[tuple[slice, ...]],
    apart: bool,
) -> None:
    """Writes (windows apart) or adds (windows that overlap) into `gx`."""
    free = np.ones(y.shape, bool)
    hit = np.empty(y.shape, bool)
    scratch = None if apart else np.empty(y.shape, g.dtype)
    for cut in cuts:
        # The first of equal maxima takes the gradient.
        np.equal(padded[cut], y, out=hit)
        hit &= free
        free ^= hit
        target = gx[cut]
        if scratch is None:
            np.multiply(g, hit, out=target)
        else:
            np.multiply(g, hit, out=scratch)
            target += scratch


@differentiable(_max_pool_gradient, widen=False)
def max_pool_nd(
    inputs: np.ndarray, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> np.ndarray:
    """The largest value of each window; padding never wins."""
    x, pads, _, cuts = _pool_plan(inputs, pool_size, strides, padding, data_format)
    return _from_last(_max_over(_padded(x, pads, _lowest(x.dtype)), cuts), data_format)


def _counts(sizes: Ints, pool: Ints, strides: Ints, pads: Pads, out: Ints, dtype: Any) -> Any:
    """How many values, not padding, each window holds: a number or an array (*out, 1)."""
    if not any(a or b for a, b in pads):
        return int(np.prod(pool))
    total = np.ones(1, dtype)
    for n, k, s, (a, _), m in zip(sizes, pool, strides, pads, out, strict=True):
        start = np.arange(m) * s - a
        inside = np.minimum(start + k, n) - np.maximum(start, 0)
        total = np.multiply.outer(total, inside.astype(dtype))
    return total.reshape(*out, 1)


def _average_pool_gradient(
    needs: tuple[int, ...],
    inputs: np.ndarray,
    pool_size: Ints,
    strides: Ints,
    padding: str,
    data_format: str,
) -> Recorded:
    x, pads, out, cuts = _pool_plan(inputs, pool_size, strides, padding, data_format)
    counts = _counts(x.shape[1:-1], pool_size, strides, pads, out, x.dtype)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g = _to_last(g, data_format) / counts
        spatial = [n + a + b for n, (a, b) in zip(x.shape[1:], pads, strict=False)]
        gx = np.zeros((x.shape[0], *spatial, x.shape[-1]), g.dtype)
        for cut in cuts:
            gx[cut] += g
        return (_from_last(_inner(gx, pads), data_format),)

    return average_pool_nd.fun(inputs, pool_size, strides, padding, data_format), backward


@differentiable(_average_pool_gradient)
def average_pool_nd(
    inputs: np.ndarray, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> np.ndarray:
    """The mean of each window, over the values in it that are not padding."""
    x, pads, out, cuts = _pool_plan(inputs, pool_size, strides, padding, data_format)
    padded = _padded(x, pads)
    y = padded[cuts[0]].copy()
    for cut in cuts[1:]:
        y += padded[cut]
    y /= _counts(x.shape[1:-1], pool_size, strides, pads, out, x.dtype)
    return _from_last(y, data_format)
