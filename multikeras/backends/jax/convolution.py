"""Convolution and pooling of the JAX backend, each one jitted call."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from multikeras.backends import windows

Ints = tuple[int, ...]
_SPATIAL = {1: "W", 2: "HW", 3: "DHW"}
# Windows of up to so many values are compared slice by slice, which XLA fuses; the gradient of
# its windowed maximum is many times slower on a CPU.
_MOST_SLICES = 32


def _call(*settings: str) -> Callable[[Callable], Callable]:
    return partial(jax.jit, static_argnames=settings, inline=True)


def _numbers(rank: int, data_format: str, kernel: str) -> tuple[str, str, str]:
    space = _SPATIAL[rank]
    data = f"NC{space}" if data_format == "channels_first" else f"N{space}C"
    return data, space + kernel, data


def _sizes(x: jax.Array, data_format: str) -> tuple[int, ...]:
    return x.shape[2:] if data_format == "channels_first" else x.shape[1:-1]


_WINDOW = ("strides", "padding", "data_format", "dilation_rate")


@_call(*_WINDOW)
def conv_nd(
    inputs: jax.Array,
    kernel: jax.Array,
    strides: Ints,
    padding: str,
    data_format: str,
    dilation_rate: Ints,
) -> jax.Array:
    channels = inputs.shape[1 if data_format == "channels_first" else -1]
    return _conv(
        inputs, kernel, strides, padding, data_format, dilation_rate, channels // kernel.shape[-2]
    )


def _conv(
    inputs: jax.Array,
    kernel: jax.Array,
    strides: Ints,
    padding: str,
    data_format: str,
    dilation: Ints,
    groups: int,
) -> jax.Array:
    sizes = _sizes(inputs, data_format)
    return lax.conv_general_dilated(
        inputs,
        kernel,
        strides,
        windows.pads(sizes, kernel.shape[:-2], strides, dilation, padding),
        rhs_dilation=dilation,
        dimension_numbers=_numbers(len(strides), data_format, "IO"),
        feature_group_count=groups,
    )


@_call(*_WINDOW)
def depthwise_conv_nd(
    inputs: jax.Array,
    kernel: jax.Array,
    strides: Ints,
    padding: str,
    data_format: str,
    dilation_rate: Ints,
) -> jax.Array:
    channels, multiplier = kernel.shape[-2:]
    flat = kernel.reshape(*kernel.shape[:-2], 1, channels * multiplier)
    return _conv(inputs, flat, strides, padding, data_format, dilation_rate, channels)


@_call("strides", "padding", "output_padding", "data_format", "dilation_rate")
def conv_transpose_nd(
    inputs: jax.Array,
    kernel: jax.Array,
    strides: Ints,
    padding: str,
    output_padding: tuple[int | None, ...],
    data_format: str,
    dilation_rate: Ints,
) -> jax.Array:
    rank = len(strides)
    crops = windows.crops(kernel.shape[:-2], strides, padding, output_padding, dilation_rate)
    reach = [d * (k - 1) for k, d in zip(kernel.shape[:-2], dilation_rate)]
    return lax.conv_general_dilated(
        inputs,
        jnp.flip(kernel, tuple(range(rank))),
        (1,) * rank,
        [(r - a, r - b) for r, (a, b) in zip(reach, crops)],
        lhs_dilation=strides,
        rhs_dilation=dilation_rate,
        dimension_numbers=_numbers(rank, data_format, "OI"),
    )


def _full(x: jax.Array, values: Any, outer: Any, data_format: str) -> tuple:
    """`values` for the spatial dimensions with `outer` for batch and channels."""
    if data_format == "channels_first":
        return (outer, outer, *values)
    return (outer, *values, outer)


def _slices(
    x: jax.Array, pool: Ints, strides: Ints, out: list[int], data_format: str
) -> Iterator[jax.Array]:
    """The values of padded `x` at each place of its windows."""
    steps = _full(x, strides, 1, data_format)
    for at in itertools.product(*(range(k) for k in pool)):
        start = _full(x, at, 0, data_format)
        ends = [a + s * (m - 1) + 1 for a, s, m in zip(at, strides, out)]
        limit = [
            n if full is None else full
            for n, full in zip(x.shape, _full(x, ends, None, data_format))
        ]
        yield lax.slice(x, start, limit, steps)


_POOL = ("pool_size", "strides", "padding", "data_format")


def _padded(
    x: jax.Array, pool: Ints, strides: Ints, padding: str, data_format: str, fill: Any
) -> tuple[jax.Array, list[tuple[int, int]], list[int]]:
    sizes = _sizes(x, data_format)
    pads = windows.pads(sizes, pool, strides, (1,) * len(pool), padding)
    out = windows.out_sizes(sizes, pool, strides, pads)
    if any(a or b for a, b in pads):
        x = jnp.pad(x, _full(x, pads, (0, 0), data_format), constant_values=fill)
    return x, pads, out


@_call(*_POOL)
def max_pool_nd(
    inputs: jax.Array, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> jax.Array:
    floating = jnp.issubdtype(inputs.dtype, jnp.floating)
    lowest = -np.inf if floating else jnp.iinfo(inputs.dtype).min
    x, _, out = _padded(inputs, pool_size, strides, padding, data_format, lowest)
    if math.prod(pool_size) > _MOST_SLICES:
        return lax.reduce_window(
            x,
            np.asarray(lowest, inputs.dtype),
            lax.max,
            _full(x, pool_size, 1, data_format),
            _full(x, strides, 1, data_format),
            "VALID",
        )
    slices = _slices(x, pool_size, strides, out, data_format)
    y = next(slices)
    for other in slices:
        # The first of equal values keeps the gradient; a NaN wins.
        y = jnp.where((other > y) | (other != other), other, y)
    return y


@_call(*_POOL)
def average_pool_nd(
    inputs: jax.Array, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> jax.Array:
    wide = inputs.astype(jnp.float32) if inputs.dtype.itemsize == 2 else inputs
    x, pads, out = _padded(wide, pool_size, strides, padding, data_format, 0)
    if math.prod(pool_size) > _MOST_SLICES:
        window = _full(x, pool_size, 1, data_format)
        steps = _full(x, strides, 1, data_format)
        y = lax.reduce_window(x, np.zeros((), x.dtype), lax.add, window, steps, "VALID")
    else:
        y = sum(_slices(x, pool_size, strides, out, data_format))
    if any(a or b for a, b in pads):
        share = windows.counts(_sizes(inputs, data_format), pool_size, strides, pads)
        share = share if data_format == "channels_first" else share[..., None]
        y = y / share.astype(x.dtype)
    else:
        y = y / math.prod(pool_size)
    return y.astype(inputs.dtype)
