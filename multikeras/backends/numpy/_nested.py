"""Kernels out of plain `autograd.numpy` calls, for derivatives of derivatives.

The fused kernels have hand-written gradients, which can't be differentiated once more; inside two
traces these forms are called instead. They are slow and say the same. Arguments are those of the
kernels and expected to fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as anp
import ml_dtypes
import numpy as np
from autograd.core import make_vjp
from autograd.extend import defvjp, primitive

from multikeras import config
from multikeras.backends.numpy._special import erf_array
from multikeras.backends.numpy._windows import Ints, Plan, positions

_TWO_OVER_SQRT_PI = 1.1283791670955126
_SQRT_HALF = 0.7071067811865476
_SQRT_TWO_OVER_PI = 0.7978845608028654

# Its slope is made of functions that have slopes themselves.
erf = primitive(erf_array)
defvjp(erf, lambda y, x: lambda g: g * (_TWO_OVER_SQRT_PI * anp.exp(-x * x)))


def gelu(x: Any, approximate: bool = True) -> Any:
    """x times the normal distribution function of x."""
    if approximate:
        return 0.5 * x * (1 + anp.tanh(_SQRT_TWO_OVER_PI * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1 + erf(x * _SQRT_HALF))


def _last(x: Any, data_format: str) -> Any:
    return anp.moveaxis(x, 1, -1) if data_format == "channels_first" else x


def _back(x: Any, data_format: str) -> Any:
    return anp.moveaxis(x, -1, 1) if data_format == "channels_first" else x


def _padded(x: Any, pads: Sequence[tuple[int, int]], fill: float = 0.0) -> Any:
    if not any(a or b for a, b in pads):
        return x
    widths = [(0, 0), *pads, (0, 0)]
    # One multiplication and one constant: autograd pads with zeros only.
    padded = anp.pad(x, widths, "constant")
    if fill == 0:
        return padded
    outside = np.pad(np.zeros(x.shape, x.dtype), widths, constant_values=fill)
    return padded + outside


def _taps(x: Any, plan: Plan, fill: float = 0.0) -> list[tuple[tuple[int, ...], Any]]:
    """What each kernel position sees of `x`: (n, *out, c)."""
    x = _padded(x, plan.pads, fill)
    found = positions(plan.kernel, plan.strides, plan.dilation, plan.out)
    return [(at, x[cut]) for at, cut in found]


def conv_nd(
    inputs: Any, kernel: Any, strides: Ints, padding: str, data_format: str, dilation_rate: Ints
) -> Any:
    """Convolution, one product a kernel position."""
    x = _last(inputs, data_format)
    plan = Plan(x.shape[1:-1], kernel.shape[:-2], strides, dilation_rate, padding)
    return _back(_convolved(x, kernel, plan), data_format)


def _convolved(x: Any, kernel: Any, plan: Plan) -> Any:
    depth, filters = kernel.shape[-2:]
    groups = x.shape[-1] // depth
    size = filters // groups
    total: Any = 0
    for at, seen in _taps(x, plan):
        parts = [
            anp.dot(
                seen[..., i * depth : (i + 1) * depth], kernel[at][:, i * size : (i + 1) * size]
            )
            for i in range(groups)
        ]
        total = total + (parts[0] if groups == 1 else anp.concatenate(parts, -1))
    return total


def conv_transpose(x: Any, kernel: Any, plan: Plan, sizes: Ints) -> Any:
    """The transpose of a convolution as a linear map: the gradient of its input."""
    start = np.zeros((x.shape[0], *sizes, kernel.shape[-2]), x.dtype)
    return make_vjp(lambda u: _convolved(u, kernel, plan), start)[0](x)


def depthwise_conv_nd(
    inputs: Any, kernel: Any, strides: Ints, padding: str, data_format: str, dilation_rate: Ints
) -> Any:
    """Depthwise convolution, one product a kernel position."""
    x = _last(inputs, data_format)
    plan = Plan(x.shape[1:-1], kernel.shape[:-2], strides, dilation_rate, padding)
    total: Any = 0
    for at, seen in _taps(x, plan):
        total = total + seen[..., None] * kernel[at]
    return _back(anp.reshape(total, (*total.shape[:-2], -1)), data_format)


def average_pool_nd(
    inputs: Any, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> Any:
    """The mean of what each window sees, padding left out."""
    x = _last(inputs, data_format)
    plan = Plan(x.shape[1:-1], pool_size, strides, [1] * len(pool_size), padding)
    ones = np.ones((1, *x.shape[1:-1], 1), x.dtype)
    count = sum(seen for _, seen in _taps(ones, plan))
    total: Any = 0
    for _, seen in _taps(x, plan):
        total = total + seen
    return _back(total / count, data_format)


def max_pool_nd(inputs: Any, pool_size: Ints, strides: Ints, padding: str, data_format: str) -> Any:
    """The greatest of what each window sees; the first one where several are."""
    x = _last(inputs, data_format)
    plan = Plan(x.shape[1:-1], pool_size, strides, [1] * len(pool_size), padding)
    peak: Any = None
    for _, seen in _taps(x, plan, float(ml_dtypes.finfo(x.dtype).min)):
        peak = seen if peak is None else anp.where(seen > peak, seen, peak)
    return _back(peak, data_format)


def _mean(x: Any, axes: tuple[int, ...]) -> Any:
    return anp.mean(x, axis=axes, keepdims=True)


def _on(vector: Any, shape: Sequence[int]) -> Any:
    return anp.reshape(vector, shape)


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Any:
    """By given statistics."""
    shape = [1] * x.ndim
    shape[axis] = -1
    factor = (variance + epsilon) ** -0.5
    factor = factor if scale is None else factor * scale
    y = (x - _on(mean, shape)) * _on(factor, shape)
    return y if offset is None else y + _on(offset, shape)


def batch_normalization_train(
    x: Any, offset: Any, scale: Any, axis: tuple[int, ...], epsilon: float
) -> tuple[Any, Any, Any]:
    """By the batch's own statistics, which are handed back."""
    axes = tuple(sorted(a % x.ndim for a in axis))
    kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
    mean = _mean(x, axes)
    centred = x - mean
    variance = _mean(centred * centred, axes)
    y = centred * (variance + epsilon) ** -0.5
    y = y if scale is None else y * _on(scale, kept)
    y = y if offset is None else y + _on(offset, kept)
    sizes = [n for i, n in enumerate(x.shape) if i not in axes]
    return y, anp.reshape(mean, sizes), anp.reshape(variance, sizes)


def moments(
    x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[Any, Any]:
    """Mean and variance."""
    every = range(x.ndim) if axes is None else (axes,) if isinstance(axes, int) else axes
    over = tuple(sorted(a % x.ndim for a in every))
    mean = _mean(x, over)
    variance = _mean((x - mean) * (x - mean), over)
    if keepdims:
        return mean, variance
    sizes = [n for i, n in enumerate(x.shape) if i not in over]
    return anp.reshape(mean, sizes), anp.reshape(variance, sizes)


def _normalized(
    x: Any, gamma: Any, beta: Any, axis: Any, epsilon: float | None, centre: bool
) -> Any:
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    axes = tuple(sorted(a % x.ndim for a in axes))
    kept = [n if i in axes else 1 for i, n in enumerate(x.shape)]
    x = x - _mean(x, axes) if centre else x
    epsilon = config.epsilon() if epsilon is None else epsilon
    y = x * (_mean(x * x, axes) + epsilon) ** -0.5
    y = y if gamma is None else y * _on(gamma, kept)
    return y if beta is None else y + _on(beta, kept)


def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None
) -> Any:
    """Mean 0 and variance 1 along `axis`."""
    return _normalized(x, gamma, beta, axis, epsilon, True)


def rms_normalization(
    x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None
) -> Any:
    """Mean square 1 along `axis`."""
    return _normalized(x, scale, None, axis, epsilon, False)


def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
) -> Any:
    """softmax(query @ key^T * scale + bias) @ value."""
    scale = query.shape[-1] ** -0.5 if scale is None else float(scale)
    groups = query.shape[2] // key.shape[2]
    if groups > 1:
        key, value = anp.repeat(key, groups, axis=2), anp.repeat(value, groups, axis=2)
    scores = anp.einsum("bqhd,bkhd->bhqk", query * scale, key)
    scores = scores if bias is None else scores + bias
    if is_causal:
        causal = np.tri(query.shape[1], key.shape[1], dtype=bool)
        mask = causal if mask is None else np.logical_and(mask, causal)
    if mask is not None:
        scores = anp.where(mask, scores, np.finfo(scores.dtype).max * -0.7)
    scores = scores - anp.max(scores, axis=-1, keepdims=True)
    weights = anp.exp(scores)
    weights = weights / anp.sum(weights, axis=-1, keepdims=True)
    return anp.einsum("bhqk,bkhd->bqhd", weights, value)


# -------------------------------------------------------------------------------------- recurrence


def _sigmoid(z: Any) -> Any:
    return 0.5 * (anp.tanh(0.5 * z) + 1)


def _scan(
    step: Callable[..., tuple[Any, ...]], x: Any, states: tuple, mask: Any, go_backwards: bool
) -> tuple[Any, ...]:
    """(outputs, *states) of `step(x_t, *states) -> states`; the first state is the output."""
    order = range(x.shape[1])
    outputs: list[Any] = []
    blank = 0.0 * states[0]
    for t in reversed(order) if go_backwards else order:
        after = step(x[:, t], *states)
        if mask is None:
            outputs.append(after[0])
        else:
            keep = mask[:, t, None].astype(bool)
            outputs.append(anp.where(keep, after[0], outputs[-1] if outputs else blank))
            after = tuple(anp.where(keep, a, b) for a, b in zip(after, states, strict=True))
        states = after
    return anp.stack(outputs, axis=1), *states


def _added(z: Any, bias: Any) -> Any:
    return z if bias is None else z + bias


def lstm(
    x: Any,
    h: Any,
    c: Any,
    kernel: Any,
    recurrent: Any,
    bias: Any,
    mask: Any = None,
    go_backwards: bool = False,
) -> tuple[Any, ...]:
    """Long short-term memory, step by step."""
    units = kernel.shape[1] // 4

    def step(x_t: Any, h: Any, c: Any) -> tuple[Any, Any]:
        z = _added(anp.dot(x_t, kernel) + anp.dot(h, recurrent), bias)
        i, f, g, o = (z[:, k * units : (k + 1) * units] for k in range(4))
        c = _sigmoid(f) * c + _sigmoid(i) * anp.tanh(g)
        return _sigmoid(o) * anp.tanh(c), c

    return _scan(step, x, (h, c), mask, go_backwards)


def gru(
    x: Any,
    h: Any,
    kernel: Any,
    recurrent: Any,
    bias: Any,
    mask: Any = None,
    go_backwards: bool = False,
    reset_after: bool = True,
) -> tuple[Any, ...]:
    """Gated recurrent unit, step by step."""
    units = kernel.shape[1] // 3
    inner, outer = (
        (None, None) if bias is None else (bias[0], bias[1]) if reset_after else (bias, None)
    )

    def step(x_t: Any, h: Any) -> tuple[Any]:
        given = _added(anp.dot(x_t, kernel), inner)
        met = _added(
            anp.dot(h, recurrent[:, : 2 * units]), None if outer is None else outer[: 2 * units]
        )
        gates = _sigmoid(given[:, : 2 * units] + met)
        z, r = gates[:, :units], gates[:, units:]
        last = recurrent[:, 2 * units :]
        if reset_after:
            part = r * _added(anp.dot(h, last), None if outer is None else outer[2 * units :])
        else:
            part = anp.dot(r * h, last)
        candidate = anp.tanh(given[:, 2 * units :] + part)
        return (z * h + (1 - z) * candidate,)

    return _scan(step, x, (h,), mask, go_backwards)


_RNN_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "tanh": anp.tanh,
    "relu": lambda z: z * anp.greater(z, 0),
    "sigmoid": _sigmoid,
    "linear": lambda z: z,
}


def simple_rnn(
    x: Any,
    h: Any,
    kernel: Any,
    recurrent: Any,
    bias: Any,
    mask: Any = None,
    go_backwards: bool = False,
    activation: str = "tanh",
) -> tuple[Any, ...]:
    """A dense layer of the input and the last output, step by step."""
    bend = _RNN_ACTIVATIONS[activation]

    def step(x_t: Any, h: Any) -> tuple[Any]:
        return (bend(_added(anp.dot(x_t, kernel) + anp.dot(h, recurrent), bias)),)

    return _scan(step, x, (h,), mask, go_backwards)
