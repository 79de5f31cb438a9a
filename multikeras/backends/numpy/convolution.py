"""Convolution and pooling of the NumPy backend, in 1 to 3 dimensions, with hand-written gradients.

Convolutions copy their windows into columns, a block of the batch at a time so that the columns
stay in the cache, and multiply them by the kernel in one matrix product; the gradient of the
input is added up one kernel position at a time. Everything runs channels-last: channels-first
input is a transposed view, and so is its answer. Sizes, strides and padding are expected to be
normalised and checked by the caller.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np

from multikeras.backends.numpy import _nested, _windows
from multikeras.backends.numpy._depthwise import depthwise, depthwise_gradients
from multikeras.backends.numpy._gradients import differentiable
from multikeras.backends.numpy._pooling import average_pool_nd, max_pool_nd
from multikeras.backends.numpy._windows import (
    Ints,
    Plan,
    cut_blocks,
    from_last,
    inner,
    positions,
    to_last,
)

__all__ = ["average_pool_nd", "conv_nd", "conv_transpose_nd", "depthwise_conv_nd", "max_pool_nd"]

Recorded = tuple[Any, Callable[..., tuple[Any, ...]]]

# ----------------------------------------------------------------------------------- convolution


def _conv_forward(x: np.ndarray, kernel: np.ndarray, plan: Plan) -> np.ndarray:
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
    x: np.ndarray, g: np.ndarray, kernel: np.ndarray, plan: Plan
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
    shape: tuple[int, ...], g: np.ndarray, kernel: np.ndarray, plan: Plan
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
    transposed = {at: np.ascontiguousarray(kernel[at].T) for at in np.ndindex(*plan.kernel)}
    row = math.prod(plan.out[1:]) * (filters + 2 * channels) * g.itemsize
    scratch: Any = None
    for cut in cut_blocks(shape[0], plan.out[0], row, _windows.BLOCK_BYTES):
        some = g[cut]
        rows = some.reshape(-1, filters)
        if scratch is None:
            scratch = np.empty((len(rows), channels), g.dtype)
        part = padded[cut[0], cut[1].start * plan.strides[0] :]
        for at, seen in positions(plan.kernel, plan.strides, plan.dilation, some.shape[1:-1]):
            add = np.dot(rows, transposed[at], out=scratch[: len(rows)])
            target = part[seen]
            target += add.reshape(target.shape)
    return inner(padded, plan.pads)


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
    x = to_last(inputs, data_format)
    plan = Plan(x.shape[1:-1], kernel.shape[:-2], strides, dilation_rate, padding)
    ins, outs = _conv_groups(x, kernel)
    y = _grouped_forward(x, kernel, plan, ins, outs)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g = to_last(g, data_format)
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
            gx = from_last(gx, data_format)
        return gx, gk

    return from_last(y, data_format), backward


def _grouped_forward(
    x: np.ndarray, kernel: np.ndarray, plan: Plan, ins: list[slice], outs: list[slice]
) -> np.ndarray:
    if len(ins) == 1:
        return _conv_forward(x, kernel, plan)
    parts = [_conv_forward(x[..., i], kernel[..., o], plan) for i, o in zip(ins, outs, strict=True)]
    return np.concatenate(parts, -1)


@differentiable(_conv_gradient, composed=_nested.conv_nd)
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
    x = to_last(inputs, data_format)
    plan = Plan(x.shape[1:-1], kernel.shape[:-2], strides, dilation_rate, padding)
    y = _grouped_forward(x, kernel, plan, *_conv_groups(x, kernel))
    return from_last(y, data_format)


# ------------------------------------------------------------------------------------- depthwise


def _depthwise_gradient(
    needs: tuple[int, ...],
    inputs: np.ndarray,
    kernel: np.ndarray,
    strides: Ints,
    padding: str,
    data_format: str,
    dilation_rate: Ints,
) -> Recorded:
    x = to_last(inputs, data_format)
    plan = Plan(x.shape[1:-1], kernel.shape[:-2], strides, dilation_rate, padding)
    y = depthwise(x, kernel, plan)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g = to_last(g, data_format)
        gx, gk = depthwise_gradients(x, g, kernel, plan, needs)
        if gx is not None:
            gx = from_last(gx, data_format)
        return gx, gk

    return from_last(y, data_format), backward


@differentiable(_depthwise_gradient, composed=_nested.depthwise_conv_nd)
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
    x = to_last(inputs, data_format)
    plan = Plan(x.shape[1:-1], kernel.shape[:-2], strides, dilation_rate, padding)
    return from_last(depthwise(x, kernel, plan), data_format)


# ------------------------------------------------------------------------------------ transposed


def _transposed_plan(
    sizes: Ints,
    kernel: Ints,
    strides: Ints,
    padding: str,
    output_padding: Sequence[int | None] | int | None,
    dilation: Ints,
) -> tuple[Plan, list[int]]:
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
    plan = Plan(out, kernel, strides, dilation, "valid")
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
    x = to_last(inputs, data_format)
    rest = (strides, padding, output_padding, dilation_rate)
    plan, _ = _transposed_plan(x.shape[1:-1], kernel.shape[:-2], *rest)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g = to_last(g, data_format)
        gx = from_last(_conv_forward(g, kernel, plan), data_format) if 0 in needs else None
        return gx, _conv_kernel_gradient(g, x, kernel, plan) if 1 in needs else None

    return conv_transpose_nd.fun(inputs, kernel, *rest[:3], data_format, dilation_rate), backward


def _conv_transpose_composed(
    inputs: Any,
    kernel: Any,
    strides: Ints,
    padding: str,
    output_padding: Any,
    data_format: str,
    dilation_rate: Ints,
) -> Any:
    last = data_format == "channels_last"
    x = inputs if last else anp.moveaxis(inputs, 1, -1)
    rest = (strides, padding, output_padding, dilation_rate)
    plan, out = _transposed_plan(x.shape[1:-1], kernel.shape[:-2], *rest)
    y = _nested.conv_transpose(x, kernel, plan, out)
    return y if last else anp.moveaxis(y, -1, 1)


@differentiable(_conv_transpose_gradient, composed=_conv_transpose_composed)
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
    x = to_last(inputs, data_format)
    rest = (strides, padding, output_padding, dilation_rate)
    plan, out = _transposed_plan(x.shape[1:-1], kernel.shape[:-2], *rest)
    shape = (x.shape[0], *out, kernel.shape[-2])
    return from_last(_conv_input_gradient(shape, x, kernel, plan), data_format)
