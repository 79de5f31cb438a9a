"""What layers compute, written out in NumPy with plain loops.

Nothing here knows the library: arrays go in, arrays come out. Shapes are channels-last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def softmax(x: Array, axis: int = -1) -> Array:
    """Exponentials scaled to the sum 1."""
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


# -- windows --------------------------------------------------------------------------------


def spread(value: Any, rank: int) -> tuple[int, ...]:
    """One number for each dimension."""
    return (value,) * rank if isinstance(value, int) else tuple(value)


def windows(
    x: Array,
    size: Sequence[int],
    strides: Sequence[int],
    padding: str,
    dilation: Sequence[int],
    fill: float,
) -> tuple[tuple[int, ...], Callable]:
    """The output's spatial shape, and the window (batch, *size, channels) at each place."""
    pads, counts = [], []
    for n, k, s, d in zip(x.shape[1:-1], size, strides, dilation):
        extent = (k - 1) * d + 1
        if padding == "valid":
            pads.append((0, 0))
            counts.append((n - extent) // s + 1)
        elif padding == "causal":
            pads.append((extent - 1, 0))
            counts.append((n - 1) // s + 1)
        else:
            count = math.ceil(n / s)
            total = max((count - 1) * s + extent - n, 0)
            pads.append((total // 2, total - total // 2))
            counts.append(count)
    padded = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)

    def window(place: tuple[int, ...]) -> Array:
        cut = tuple(
            slice(p * s, p * s + (k - 1) * d + 1, d)
            for p, s, k, d in zip(place, strides, size, dilation)
        )
        return padded[(slice(None), *cut)]

    return tuple(counts), window


def conv(
    x: Array,
    kernel: Array,
    bias: Array | None = None,
    strides: Any = 1,
    padding: str = "valid",
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Convolution; the kernel is (*size, channels / groups, filters)."""
    rank = kernel.ndim - 2
    counts, window = windows(
        x, kernel.shape[:rank], spread(strides, rank), padding, spread(dilation, rank), 0.0
    )
    filters = kernel.shape[-1]
    out = np.zeros((len(x), *counts, filters))
    channels = x.shape[-1] // groups
    for place in np.ndindex(*counts):
        seen = window(place)
        for g in range(groups):
            own = slice(g * filters // groups, (g + 1) * filters // groups)
            part = seen[..., g * channels : (g + 1) * channels]
            out[(slice(None), *place, own)] = np.tensordot(part, kernel[..., own], rank + 1)
    return out if bias is None else out + bias


def depthwise(
    x: Array, kernel: Array, bias: Any = 0.0, strides: Any = 1, padding: str = "valid"
) -> Array:
    """Each channel by itself; the kernel is (*size, channels, multiplier)."""
    parts = [
        conv(x[..., c : c + 1], kernel[..., c : c + 1, :], None, strides, padding)
        for c in range(x.shape[-1])
    ]
    return np.concatenate(parts, -1) + bias


def pool(x: Array, kind: str, size: Any, strides: Any = None, padding: str = "valid") -> Array:
    """The "max" or "mean" of each window, padding left out."""
    rank = x.ndim - 2
    size = spread(size, rank)
    steps = size if strides is None else spread(strides, rank)
    counts, window = windows(x, size, steps, padding, (1,) * rank, np.nan)
    out = np.zeros((len(x), *counts, x.shape[-1]))
    reduce = np.nanmax if kind == "max" else np.nanmean
    for place in np.ndindex(*counts):
        out[(slice(None), *place)] = reduce(window(place), axis=tuple(range(1, rank + 1)))
    return out


def first(function: Callable) -> Callable:
    """The same for channels-first arrays."""
    return lambda w, x: np.moveaxis(function(w, np.moveaxis(x, 1, -1)), -1, 1)


def bilinear(x: Array, factors: tuple[int, int]) -> Array:
    """Images enlarged with pixel centres at halves, edges repeated."""
    for axis, factor in zip((1, 2), factors):
        n = x.shape[axis]
        at = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, n - 1)
        share = (at - low).reshape([-1 if a == axis else 1 for a in range(4)])
        x = x.take(low, axis) * (1 - share) + x.take(high, axis) * share
    return x


# -- normalization --------------------------------------------------------------------------


def normalize(x: Array, axes: Any, epsilon: float, gamma: Any = 1.0, beta: Any = 0.0) -> Array:
    """Mean 0 and variance 1 over the axes, scaled and shifted."""
    centred = x - x.mean(axes, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axes, keepdims=True) + epsilon) * gamma + beta


# -- sequences ------------------------------------------------------------------------------


def simple_step(x: Array, h: Array, w: Sequence[Array]) -> Array:
    """tanh of inputs and state; `w`: kernel, recurrent kernel, bias."""
    return np.tanh(x @ w[0] + h @ w[1] + w[2])


def lstm_step(x: Array, h: Array, c: Array, w: Sequence[Array]) -> tuple[Array, Array]:
    """Gates in the order input, forget, candidate, output; the new (h, c)."""
    i, f, g, o = np.split(x @ w[0] + h @ w[1] + w[2], 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(x: Array, h: Array, w: Sequence[Array], reset_after: bool = True) -> Array:
    """Gates in the order update, reset, candidate."""
    bias = w[2] if reset_after else np.stack([w[2], np.zeros_like(w[2])])
    xz, xr, xh = np.split(x @ w[0] + bias[0], 3, -1)
    kz, kr, kh = np.split(w[1], 3, -1)
    bz, br, bh = np.split(bias[1], 3, -1)
    z = sigmoid(xz + h @ kz + bz)
    r = sigmoid(xr + h @ kr + br)
    inner = r * (h @ kh + bh) if reset_after else (r * h) @ kh
    return z * h + (1 - z) * np.tanh(xh + inner)


def run(
    kind: str,
    w: Sequence[Array],
    x: Array,
    mask: Array | None = None,
    backwards: bool = False,
    start: Sequence[Array] | None = None,
    reset_after: bool = True,
) -> tuple[Array, list[Array]]:
    """All outputs (batch, time, units) and the last states of a recurrent layer."""
    units = w[1].shape[0]
    states = [np.zeros((len(x), units))] * (2 if kind == "lstm" else 1)
    states = list(start) if start is not None else states
    out, last = [], np.zeros((len(x), units))
    for t in reversed(range(x.shape[1])) if backwards else range(x.shape[1]):
        if kind == "lstm":
            new = list(lstm_step(x[:, t], *states, w))
        elif kind == "gru":
            new = [gru_step(x[:, t], states[0], w, reset_after)]
        else:
            new = [simple_step(x[:, t], states[0], w)]
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        states = [np.where(keep, n, o) for n, o in zip(new, states, strict=True)]
        last = np.where(keep, new[0], last)
        out.append(last)
    return np.stack(out, 1), states


def attend(
    q: Array, k: Array, v: Array, allowed: Array | None = None, scale: float = 1.0
) -> tuple[Array, Array]:
    """softmax(q k^T) v over (batch, length, features), and the weights."""
    scores = np.einsum("bqd,bkd->bqk", q, k) * scale
    if allowed is not None:
        scores = np.where(allowed, scores, -1e9)
    weights = softmax(scores)
    return weights @ v, weights


def heads(
    w: Sequence[Array],
    query: Array,
    value: Array,
    key: Array | None = None,
    allowed: Array | None = None,
    order: str = "qkv",
) -> tuple[Array, Array]:
    """Multi-head attention: for each of query, key and value a kernel (features, heads, size)
    and a bias, last those of the output. Fewer heads of keys than of queries are shared."""
    pairs = dict(zip(order, zip(w[::2], w[1::2])))
    key = value if key is None else key

    def project(x: Array, name: str) -> Array:
        kernel, bias = pairs[name]
        return np.einsum("btf,fhd->bthd", x, kernel) + bias

    q, k, v = project(query, "q"), project(key, "k"), project(value, "v")
    share = q.shape[2] // k.shape[2]
    found = [
        attend(q[:, :, h], k[:, :, h // share], v[:, :, h // share], allowed, q.shape[-1] ** -0.5)
        for h in range(q.shape[2])
    ]
    together = np.stack([out for out, _ in found], 2)
    result = np.einsum("bthd,hdf->btf", together, w[-2]) + w[-1]
    return result, np.stack([weights for _, weights in found], 1)
