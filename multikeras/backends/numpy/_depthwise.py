"""Depthwise convolution of the NumPy backend and its gradients, channels-last.

Each of the three (answer, gradient of the input, gradient of the kernel) is a sum of products of
a sliding window with weights that stay, which `np.einsum` runs in one fused loop: no columns, no
products kept. Where windows move by one, a whole row of the output, all its channels, is one run
of memory; the weights are then laid out along such a row, too. A multiplier repeats channels.
"""

from __future__ import annotations

import itertools
import math
import string
from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from multikeras.backends.numpy._windows import Ints, Plan, inner, padded

__all__ = ["depthwise", "depthwise_gradients"]

# One dimension of a phase of the input: see `_phase`.
Phase = tuple[list[int], int, int, int]

# Bytes of a block of samples: with its padded copy and its answer it stays in the cache.
_BLOCK_BYTES = 1 << 20
# Longer rows of weights than this no longer do.
_ROW_BYTES = 1 << 18


def _labels(rank: int) -> tuple[str, str]:
    return string.ascii_lowercase[:rank], string.ascii_lowercase[rank : 2 * rank]


def _sliding(x: np.ndarray, kernel: Ints, strides: Ints, dilation: Ints, out: Ints) -> np.ndarray:
    """Windows of contiguous `x` as a view: (n, *out, *kernel, c)."""
    st = x.strides
    moves = [s * b for s, b in zip(strides, st[1:], strict=False)]
    taps = [d * b for d, b in zip(dilation, st[1:], strict=False)]
    shape = (x.shape[0], *out, *kernel, x.shape[-1])
    return as_strided(x, shape, (st[0], *moves, *taps, st[-1]), writeable=False)


def _joined(windows: np.ndarray, rank: int) -> np.ndarray:
    """The same with the output's last axis and the channels as one: (n, *out[:-1], *kernel, x)."""
    shape, st = windows.shape, windows.strides
    merged = (*shape[:rank], *shape[rank + 1 : -1], shape[rank] * shape[-1])
    return as_strided(windows, merged, (*st[:rank], *st[rank + 1 :]), writeable=False)


def _joins(kernel: Ints, strides: Ints, width: int, channels: int, itemsize: int) -> bool:
    row = math.prod(kernel) * width * channels * itemsize
    return strides[-1] == 1 and row <= _ROW_BYTES


def _laid_out(kernel: np.ndarray, width: int) -> np.ndarray:
    """Weights (*kernel, c) along a row of the output: (*kernel, width * c)."""
    return np.tile(kernel, width)


def _correlate(
    x: np.ndarray, weights: np.ndarray, strides: Ints, dilation: Ints, out: np.ndarray, joins: bool
) -> None:
    """Writes into `out` (n, *out, c); `weights` are laid out if `joins`."""
    rank = weights.ndim - 1
    windows = _sliding(x, weights.shape[:-1], strides, dilation, out.shape[1:-1])
    o, k = _labels(rank)
    if joins:
        joined, o = _joined(windows, rank), o[:-1]
        # `out` may be a slice of a larger array whose rows are apart: the last two axes are not.
        flat = out.reshape(*out.shape[:-2], -1)
        np.einsum(f"z{o}{k}x,{k}x->z{o}x", joined, weights, out=flat)
    else:
        np.einsum(f"z{o}{k}x,{k}x->z{o}x", windows, weights, out=out)


def _blocks(x: np.ndarray) -> Iterator[slice]:
    """Slices of whole samples."""
    step = max(1, _BLOCK_BYTES // max(1, x[:1].nbytes))
    return (slice(start, start + step) for start in range(0, len(x), step))


def _ready(x: np.ndarray, plan: Plan, multiplier: int) -> np.ndarray:
    """Some samples, padded and contiguous, each channel as often as it has filters."""
    if multiplier > 1:
        x = np.repeat(x, multiplier, axis=-1)
    return np.ascontiguousarray(padded(x, plan.pads))


def depthwise(x: np.ndarray, kernel: np.ndarray, plan: Plan) -> np.ndarray:
    """x: (n, *sizes, c), kernel: (*kernel, c, multiplier); gives (n, *out, c * multiplier)."""
    channels, multiplier = kernel.shape[-2:]
    filters = channels * multiplier
    flat = kernel.reshape(*plan.kernel, filters)
    y = np.empty((x.shape[0], *plan.out, filters), x.dtype)
    joins = _joins(plan.kernel, plan.strides, plan.out[-1], filters, x.itemsize)
    weights = _laid_out(flat, plan.out[-1]) if joins else flat
    for part in _blocks(x):
        ready = _ready(x[part], plan, multiplier)
        _correlate(ready, weights, plan.strides, plan.dilation, y[part], joins)
    return y


def depthwise_gradients(
    x: np.ndarray, g: np.ndarray, kernel: np.ndarray, plan: Plan, needs: tuple[int, ...]
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The gradients of input and kernel for the gradient `g` of the answer, None if not needed."""
    gx = _input_gradient(x.shape, g, kernel, plan) if 0 in needs else None
    gk = _kernel_gradient(x, g, kernel.shape, plan) if 1 in needs else None
    return gx, gk


def _kernel_gradient(
    x: np.ndarray, g: np.ndarray, shape: tuple[int, ...], plan: Plan
) -> np.ndarray:
    multiplier, filters, rank = shape[-1], g.shape[-1], len(plan.kernel)
    joins = _joins(plan.kernel, plan.strides, plan.out[-1], filters, x.itemsize)
    total = np.zeros((*plan.kernel, (plan.out[-1] if joins else 1) * filters), g.dtype)
    o, k = _labels(rank)
    for part in _blocks(x):
        ready = _ready(x[part], plan, multiplier)
        windows = _sliding(ready, plan.kernel, plan.strides, plan.dilation, plan.out)
        rows = np.ascontiguousarray(g[part])
        if joins:
            windows, rows = _joined(windows, rank), rows.reshape(*rows.shape[:-2], -1)
        o_joined = o[:-1] if joins else o
        total += np.einsum(f"z{o_joined}{k}x,z{o_joined}x->{k}x", windows, rows)
    if joins:
        total = total.reshape(*plan.kernel, plan.out[-1], filters).sum(-2)
    return total.reshape(shape)


def _phase(residue: int, size: int, kernel: int, stride: int, dilation: int) -> Phase | None:
    """One dimension of the inputs at `residue`, `residue + stride`, ...

    Input number q of these meets output q - u under tap t wherever t * dilation is
    u * stride + residue. Gives the taps from the last to the first, so that they are a window
    that slides over the outputs; the step between their outputs; the first and the last u.
    """
    taps = [t for t in range(kernel) if t * dilation % stride == residue]
    if not taps or residue >= size:
        return None
    moves = [(t * dilation - residue) // stride for t in taps]
    return taps[::-1], moves[1] - moves[0] if len(moves) > 1 else 1, moves[0], moves[-1]


def _input_gradient(
    shape: tuple[int, ...], g: np.ndarray, kernel: np.ndarray, plan: Plan
) -> np.ndarray:
    channels, multiplier = kernel.shape[-2:]
    filters = channels * multiplier
    flat = kernel.reshape(*plan.kernel, filters)
    sizes = [n + a + b for n, (a, b) in zip(shape[1:], plan.pads, strict=False)]
    gx = np.zeros((shape[0], *sizes, channels), g.dtype)
    for residues in itertools.product(*map(range, plan.strides)):
        each = zip(residues, sizes, plan.kernel, plan.strides, plan.dilation, strict=True)
        found = [phase for dimension in each if (phase := _phase(*dimension)) is not None]
        if len(found) < len(residues):
            continue  # nothing meets these inputs
        weights = flat[np.ix_(*(np.array(taps) for taps, *_ in found))]
        cut = tuple(slice(r, None, s) for r, s in zip(residues, plan.strides, strict=True))
        _phase_gradient(gx[(slice(None), *cut)], g, weights, found, multiplier)
    return inner(gx, plan.pads)


def _phase_gradient(
    gx: np.ndarray, g: np.ndarray, weights: np.ndarray, found: list[Phase], multiplier: int
) -> None:
    """Writes one phase of the input's gradient: `g`, padded, under the weights turned round."""
    dilation = [step for _, step, _, _ in found]
    out = gx.shape[1:-1]
    # Windows begin at output q - last and end at q - first, for q from 0 on.
    each = zip(found, out, g.shape[1:-1], strict=True)
    pads = [(last, m - first - n) for (_, _, first, last), m, n in each]
    ones = (1,) * len(out)
    joins = _joins(weights.shape[:-1], ones, out[-1], weights.shape[-1], g.itemsize)
    laid = _laid_out(weights, out[-1]) if joins else weights
    for part in _blocks(g):
        ready = np.ascontiguousarray(padded(g[part], pads))
        whole = gx[part]
        direct = multiplier == 1 and whole.flags.c_contiguous
        into = whole if direct else np.empty((*whole.shape[:-1], weights.shape[-1]), g.dtype)
        _correlate(ready, laid, ones, dilation, into, joins)
        if not direct:
            folded = into.reshape(*whole.shape, multiplier)
            whole[...] = folded[..., 0] if multiplier == 1 else folded.sum(-1)
