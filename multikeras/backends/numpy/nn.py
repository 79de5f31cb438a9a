"""Fused neural-network kernels of the NumPy backend: dense, activations, losses, normalization,
attention.

Each is a plain function of arrays of one floating dtype and one node of a gradient trace with a
hand-written backward pass. The raw function, free of the check for traced arguments, is `.fun`.
Conversion, promotion and the checking of arguments belong to the op declarations; what is
checked here is only what indexing would get silently wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from multikeras.backends.numpy._gradients import HALVES, differentiable
from multikeras.backends.numpy._special import erf_array

__all__ = [
    "batch_normalization",
    "batch_normalization_train",
    "binary_crossentropy",
    "categorical_crossentropy",
    "dense",
    "dot_product_attention",
    "erf",
    "gelu",
    "layer_normalization",
    "log_softmax",
    "relu",
    "rms_normalization",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "sparse_categorical_crossentropy",
]

# Probabilities are kept this far from 0 and 1 before a logarithm is taken of them.
PROBABILITY_EPSILON = 1e-7
# exp of more than this overflows; past it a sigmoid is 0 to the last representable digit.
_EXP_LIMIT = {2: 11.0, 4: 88.0, 8: 709.0, 16: 11000.0}

_add, _dot, _exp, _maximum, _multiply = np.add, np.dot, np.exp, np.maximum, np.multiply
_ndarray = np.ndarray
# As an array it costs a ufunc half of what a Python number does.
_ZERO = np.zeros((), np.float32)

Backward = Callable[..., tuple[Any, ...]]
Recorded = tuple[Any, Backward]


# ----------------------------------------------------------------------------------- activations


def _sigmoid_into(x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """1 / (1 + exp(-x)), accurate in both tails; `out` may be `x`."""
    out = np.negative(x, out=out) if out is not None else np.asarray(np.negative(x))
    np.minimum(out, _EXP_LIMIT[out.dtype.itemsize], out=out)
    _exp(out, out=out)
    _add(out, 1, out=out)
    return np.reciprocal(out, out=out)


def _tanh_gradient(y: np.ndarray, g: np.ndarray) -> np.ndarray:
    slope = _multiply(y, y)
    return _multiply(g, np.subtract(1, slope))


def _sigmoid_slope(y: np.ndarray, g: np.ndarray) -> np.ndarray:
    return _multiply(g, y - y * y)


# name -> (in-place forward, gradient from the answer and g)
_FUSED_ACTIVATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "relu": (lambda y: _maximum(y, 0, out=y), lambda y, g: _multiply(g, y > 0)),
    "tanh": (lambda y: np.tanh(y, out=y), _tanh_gradient),
    "sigmoid": (lambda y: _sigmoid_into(y, y), _sigmoid_slope),
    "softmax": (
        lambda y: _softmax_into(y, -1, y),
        lambda y, g: _softmax_gradient_of(y, g, -1),
    ),
}
FUSED_ACTIVATIONS = frozenset(_FUSED_ACTIVATIONS) | {"linear"}


def _relu_gradient(needs: tuple[int, ...], x: np.ndarray) -> Recorded:
    y = _maximum(x, 0)
    return y, lambda g: (_multiply(g, y > 0),)


@differentiable(_relu_gradient, widen=False, composed=lambda x: x * (anp.greater(x, 0)))
def relu(x: np.ndarray) -> np.ndarray:
    """The larger of `x` and 0."""
    return _maximum(x, 0)


def _sigmoid_gradient(needs: tuple[int, ...], x: np.ndarray) -> Recorded:
    y = _sigmoid_into(x)
    return y, lambda g: (_sigmoid_slope(y, g),)


@differentiable(_sigmoid_gradient, composed=lambda x: 0.5 * (anp.tanh(0.5 * x) + 1))
def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    return _sigmoid_into(x)


def _softplus_gradient(needs: tuple[int, ...], x: np.ndarray) -> Recorded:
    return softplus.fun(x), lambda g: (_multiply(g, _sigmoid_into(x)),)


@differentiable(_softplus_gradient, composed=lambda x: anp.logaddexp(x, 0.0 * x))
def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)), as max(x, 0) + log1p(exp(-|x|))."""
    y = np.asarray(np.abs(x))
    np.negative(y, out=y)
    _exp(y, out=y)
    np.log1p(y, out=y)
    return _add(y, _maximum(x, 0), out=y)


def _silu_gradient(needs: tuple[int, ...], x: np.ndarray) -> Recorded:
    s = _sigmoid_into(x)
    y = x * s
    return y, lambda g: (g * (s + y * (1 - s)),)


@differentiable(_silu_gradient, composed=lambda x: x * (0.5 * (anp.tanh(0.5 * x) + 1)))
def silu(x: np.ndarray) -> np.ndarray:
    """x * sigmoid(x) (Elfwing et al., 2017, arXiv:1702.03118)."""
    y = _sigmoid_into(x)
    return _multiply(y, x, out=y)


_TWO_OVER_SQRT_PI = 1.1283791670955126
_SQRT_HALF = 0.7071067811865476
_SQRT_TWO_OVER_PI = 0.7978845608028654
_INV_SQRT_TWO_PI = 0.3989422804014327
_GELU_CUBIC = 0.044715


def _erf_gradient(needs: tuple[int, ...], x: np.ndarray) -> Recorded:
    return erf_array(x), lambda g: (g * (_TWO_OVER_SQRT_PI * _exp(-x * x)),)


@differentiable(_erf_gradient)
def erf(x: np.ndarray) -> np.ndarray:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to `x`."""
    return erf_array(x)


def _gelu_gradient(needs: tuple[int, ...], x: np.ndarray, approximate: bool = True) -> Recorded:
    if approximate:
        t = np.tanh(_SQRT_TWO_OVER_PI * (x + _GELU_CUBIC * x * x * x))

        def backward(g: np.ndarray) -> tuple[np.ndarray]:
            inner = _SQRT_TWO_OVER_PI * (1 + 3 * _GELU_CUBIC * x * x)
            return (g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner),)

        return 0.5 * x * (1 + t), backward
    cdf = 0.5 * (1 + erf_array(x * _SQRT_HALF))

    def backward_exact(g: np.ndarray) -> tuple[np.ndarray]:
        return (g * (cdf + x * (_INV_SQRT_TWO_PI * _exp(-0.5 * x * x))),)

    return x * cdf, backward_exact


@differentiable(_gelu_gradient)
def gelu(x: np.ndarray, approximate: bool = True) -> np.ndarray:
    """x times the normal distribution function of x, by tanh if `approximate` (arXiv:1606.08415)."""
    if approximate:
        y = np.asarray(x * x)
        y *= _GELU_CUBIC
        y += 1
        y *= x
        y *= _SQRT_TWO_OVER_PI
        np.tanh(y, out=y)
    else:
        y = np.asarray(erf_array(x * _SQRT_HALF))
    y += 1
    y *= x
    y *= 0.5
    return y


# --------------------------------------------------------------------------------------- softmax


def _softmax_into(x: np.ndarray, axis: Any, out: np.ndarray | None = None) -> np.ndarray:
    y = np.subtract(x, _maximum.reduce(x, axis=axis, keepdims=True), out=out)
    _exp(y, out=y)
    y /= _add.reduce(y, axis=axis, keepdims=True)
    return y


def _softmax_gradient_of(y: np.ndarray, g: np.ndarray, axis: Any) -> np.ndarray:
    gx = g * y
    gx -= y * _add.reduce(gx, axis=axis, keepdims=True)
    return gx


def _softmax_gradient(needs: tuple[int, ...], x: np.ndarray, axis: Any = -1) -> Recorded:
    y = _softmax_into(x, axis)
    return y, lambda g: (_softmax_gradient_of(y, g, axis),)


def _softmax_composed(x: Any, axis: Any = -1) -> Any:
    e = anp.exp(x - anp.max(x, axis=axis, keepdims=True))
    return e / anp.sum(e, axis=axis, keepdims=True)


@differentiable(_softmax_gradient, composed=_softmax_composed)
def softmax(x: np.ndarray, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    """exp(x) over its sum along `axis`, without overflow."""
    return _softmax_into(x, axis)


def _log_softmax_gradient(needs: tuple[int, ...], x: np.ndarray, axis: Any = -1) -> Recorded:
    y = log_softmax.fun(x, axis)
    return y, lambda g: (g - _exp(y) * _add.reduce(g, axis=axis, keepdims=True),)


def _log_softmax_composed(x: Any, axis: Any = -1) -> Any:
    z = x - anp.max(x, axis=axis, keepdims=True)
    return z - anp.log(anp.sum(anp.exp(z), axis=axis, keepdims=True))


@differentiable(_log_softmax_gradient, composed=_log_softmax_composed)
def log_softmax(x: np.ndarray, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    """The logarithm of `softmax(x, axis)`, by log-sum-exp."""
    z = np.subtract(x, _maximum.reduce(x, axis=axis, keepdims=True))
    z -= np.log(_add.reduce(_exp(z), axis=axis, keepdims=True))
    return z


# ----------------------------------------------------------------------------------------- dense


def _dense_plain(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None = None,
    activation: str | None = None,
) -> np.ndarray:
    # np.dot calls BLAS for two dimensions only.
    flat = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
    y = _dot(flat, kernel)
    if bias is not None:
        _add(y, bias, y)
    if activation == "relu":
        _maximum(y, _ZERO, out=y)
    elif activation is not None and activation != "linear":
        _FUSED_ACTIVATIONS[activation][0](y)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], kernel.shape[1])


def _dense_gradient(
    needs: tuple[int, ...],
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None = None,
    activation: str | None = None,
) -> Recorded:
    y = _dense_plain(x, kernel, bias, activation)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        if activation is not None and activation != "linear":
            g = _FUSED_ACTIVATIONS[activation][1](y, g)
        g = g if g.ndim == 2 else g.reshape(-1, g.shape[-1])
        gx = gk = gb = None
        if 0 in needs:
            gx = _dot(g, kernel.T)
            gx = gx if x.ndim == 2 else gx.reshape(x.shape)
        if 1 in needs:
            gk = _dot((x if x.ndim == 2 else x.reshape(-1, x.shape[-1])).T, g)
        if 2 in needs:
            gb = _column_sums(g)
        return gx, gk, gb

    return y, backward


def _column_sums(g: np.ndarray) -> np.ndarray:
    """Sums over the rows; by BLAS where there are enough of them for it to be quicker."""
    if len(g) < 64 or g.dtype.itemsize < 4:
        return _add.reduce(g, axis=0)
    return _dot(np.ones(len(g), g.dtype), g)


def _dense_composed(x: Any, kernel: Any, bias: Any = None, activation: str | None = None) -> Any:
    y = anp.dot(x, kernel)
    y = y if bias is None else y + bias
    table = {"relu": relu, "tanh": anp.tanh, "sigmoid": sigmoid, "softmax": softmax}
    return y if activation in (None, "linear") else table[activation](y)


_dense_kernel = differentiable(_dense_gradient, composed=_dense_composed)(_dense_plain)


def dense(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None = None,
    activation: str | None = None,
) -> np.ndarray:
    """activation(x @ kernel + bias): x (..., in), kernel (in, out), bias (out,).

    `activation` is one of `FUSED_ACTIVATIONS` or None.
    """
    if (
        type(x) is _ndarray
        and type(kernel) is _ndarray
        and (bias is None or type(bias) is _ndarray)
        and x.dtype not in HALVES
    ):
        return _dense_plain(x, kernel, bias, activation)
    return _dense_kernel(x, kernel, bias, activation)


dense.fun = _dense_kernel.fun  # type: ignore[attr-defined]


# ---------------------------------------------------------------------------------------- losses


def _rows(x: np.ndarray, axis: int) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """`x` as (rows, classes) and the way back."""
    moved = x if axis in (-1, x.ndim - 1) else np.moveaxis(x, axis, -1)
    flat = moved.reshape(-1, moved.shape[-1])

    def back(rows: np.ndarray) -> np.ndarray:
        y = rows.reshape(moved.shape)
        return y if moved is x else np.moveaxis(y, -1, axis)

    return flat, back


def _flat_labels(target: np.ndarray, shape: tuple[int, ...], axis: int) -> np.ndarray:
    classes = shape[axis]
    axis %= len(shape)
    expected = shape[:axis] + shape[axis + 1 :]
    if target.ndim == len(shape) and target.shape[axis] == 1:
        target = target.squeeze(axis)
    if target.shape != expected:
        raise ValueError(
            "sparse_categorical_crossentropy: target must have the shape of output without its "
            f"class axis, {expected}; got {target.shape}"
        )
    labels = target.reshape(-1).astype(np.intp, copy=False)
    # Seen as unsigned, a negative label is a huge one: one comparison finds both kinds.
    if labels.size and labels.view(np.uintp).max() >= classes:
        bad = labels[(labels < 0) | (labels >= classes)][0]
        raise ValueError(
            "sparse_categorical_crossentropy: labels must be in "
            f"[0, {classes}), the classes of output; got {bad}"
        )
    return labels


def _sparse_cce_gradient(
    needs: tuple[int, ...],
    target: np.ndarray,
    output: np.ndarray,
    from_logits: bool = False,
    axis: int = -1,
) -> Recorded:
    labels = _flat_labels(target, output.shape, axis)
    rows, back = _rows(output, axis)
    index = np.arange(len(labels)), labels
    shape = np.delete(output.shape, axis)
    if from_logits:
        loss, e, total = _cross_entropy_of_logits(rows, index)

        def backward_logits(g: np.ndarray) -> tuple[Any, ...]:
            g = g.reshape(-1, 1)
            gx = e * (g / total)
            gx[index] -= g[:, 0]
            return None, back(gx)

        return loss.reshape(shape), backward_logits
    loss, chosen, total = _cross_entropy_of_probabilities(rows, index)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        q = chosen / total
        g = g.reshape(-1) * ((q >= PROBABILITY_EPSILON) & (q <= 1 - PROBABILITY_EPSILON))
        gx = np.empty_like(rows)
        gx[...] = (g / total)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            gx[index] -= np.where(g == 0, 0, g / chosen)
        return None, back(gx)

    return loss.reshape(shape), backward


def _cross_entropy_of_logits(rows: np.ndarray, index: tuple) -> tuple[np.ndarray, ...]:
    z = np.subtract(rows, _maximum.reduce(rows, axis=1, keepdims=True))
    chosen = z[index]
    e = _exp(z, out=z)
    total = _add.reduce(e, axis=1, keepdims=True)
    return np.log(total[:, 0]) - chosen, e, total


def _cross_entropy_of_probabilities(rows: np.ndarray, index: tuple) -> tuple[np.ndarray, ...]:
    total = _add.reduce(rows, axis=1)
    chosen = rows[index]
    q = np.clip(chosen / total, PROBABILITY_EPSILON, 1 - PROBABILITY_EPSILON)
    return -np.log(q), chosen, total


def _sparse_cce_composed(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    labels = _flat_labels(target, output.shape, axis).reshape(np.delete(output.shape, axis))
    classes = output.shape[axis]
    one_hot = np.moveaxis(np.eye(classes)[labels], -1, axis).astype(output.dtype)
    return categorical_crossentropy(one_hot, output, from_logits, axis)


@differentiable(_sparse_cce_gradient, composed=_sparse_cce_composed)
def sparse_categorical_crossentropy(
    target: np.ndarray, output: np.ndarray, from_logits: bool = False, axis: int = -1
) -> np.ndarray:
    """-log of the probability of the class `target` in `output`, one number an element."""
    labels = _flat_labels(target, output.shape, axis)
    rows, _ = _rows(output, axis)
    index = np.arange(len(labels)), labels
    f = _cross_entropy_of_logits if from_logits else _cross_entropy_of_probabilities
    return f(rows, index)[0].reshape(np.delete(output.shape, axis))


def _cce_gradient(
    needs: tuple[int, ...],
    target: np.ndarray,
    output: np.ndarray,
    from_logits: bool = False,
    axis: int = -1,
) -> Recorded:
    if from_logits:
        logq = log_softmax.fun(output, axis)

        def backward_logits(g: np.ndarray) -> tuple[Any, ...]:
            g = np.expand_dims(g, axis)
            q = _exp(logq)
            q *= _add.reduce(target, axis=axis, keepdims=True)
            q -= target
            q *= g
            return -g * logq if 0 in needs else None, q

        return -_add.reduce(target * logq, axis=axis), backward_logits
    total = _add.reduce(output, axis=axis, keepdims=True)
    q = output / total
    clipped = np.clip(q, PROBABILITY_EPSILON, 1 - PROBABILITY_EPSILON)
    logq = np.log(clipped)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g = np.expand_dims(g, axis)
        gq = np.where(clipped == q, target / clipped, 0) * -g
        gx = (gq - _add.reduce(gq * q, axis=axis, keepdims=True)) / total
        return -g * logq if 0 in needs else None, gx

    return -_add.reduce(target * logq, axis=axis), backward


def _cce_composed(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    if from_logits:
        logq = _log_softmax_composed(output, axis)
    else:
        q = output / anp.sum(output, axis=axis, keepdims=True)
        logq = anp.log(anp.clip(q, PROBABILITY_EPSILON, 1 - PROBABILITY_EPSILON))
    return -anp.sum(target * logq, axis=axis)


@differentiable(_cce_gradient, composed=_cce_composed)
def categorical_crossentropy(
    target: np.ndarray, output: np.ndarray, from_logits: bool = False, axis: int = -1
) -> np.ndarray:
    """-sum(target * log(output)) along `axis`; probabilities are first divided by their sum."""
    if from_logits:
        return -_add.reduce(target * log_softmax.fun(output, axis), axis=axis)
    q = output / _add.reduce(output, axis=axis, keepdims=True)
    np.clip(q, PROBABILITY_EPSILON, 1 - PROBABILITY_EPSILON, out=q)
    np.log(q, out=q)
    q *= target
    return -_add.reduce(q, axis=axis)


def _bce_gradient(
    needs: tuple[int, ...], target: np.ndarray, output: np.ndarray, from_logits: bool = False
) -> Recorded:
    loss = binary_crossentropy.fun(target, output, from_logits)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        if from_logits:
            return -g * output if 0 in needs else None, g * (_sigmoid_into(output) - target)
        p = np.clip(output, PROBABILITY_EPSILON, 1 - PROBABILITY_EPSILON)
        gx = np.where(p == output, (p - target) / (p * (1 - p)), 0) * g
        return g * (np.log1p(-p) - np.log(p)) if 0 in needs else None, gx

    return loss, backward


def _bce_composed(target: Any, output: Any, from_logits: bool = False) -> Any:
    if from_logits:
        return anp.logaddexp(output, 0.0 * output) - output * target
    p = anp.clip(output, PROBABILITY_EPSILON, 1 - PROBABILITY_EPSILON)
    return -(target * anp.log(p) + (1 - target) * anp.log(1 - p))


@differentiable(_bce_gradient, composed=_bce_composed)
def binary_crossentropy(
    target: np.ndarray, output: np.ndarray, from_logits: bool = False
) -> np.ndarray:
    """-(target * log(output) + (1 - target) * log(1 - output)), element by element."""
    if from_logits:
        return softplus.fun(output) - output * target
    p = np.clip(output, PROBABILITY_EPSILON, 1 - PROBABILITY_EPSILON)
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


# --------------------------------------------------------------------------------- normalization


def _on_axis(vector: np.ndarray, axis: int, ndim: int) -> np.ndarray:
    shape = [1] * ndim
    shape[axis] = -1
    return vector.reshape(shape)


def _other_axes(axis: int, ndim: int) -> tuple[int, ...]:
    axis %= ndim
    return tuple(i for i in range(ndim) if i != axis)


def _sum_over(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Sum over `axes`; over all but the last, through BLAS."""
    if axes == tuple(range(x.ndim - 1)) and x.flags.c_contiguous:
        return _column_sums(x.reshape(-1, x.shape[-1]))
    return _add.reduce(x, axis=axes)


def _batch_normalization_gradient(
    needs: tuple[int, ...],
    x: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    axis: int,
    offset: np.ndarray | None = None,
    scale: np.ndarray | None = None,
    epsilon: float = 1e-3,
) -> Recorded:
    inverse = 1 / np.sqrt(variance + epsilon)
    factor = inverse if scale is None else inverse * scale
    y = batch_normalization.fun(x, mean, variance, axis, offset, scale, epsilon)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        axes = _other_axes(axis, x.ndim)
        total = _sum_over(g, axes)
        gx = g * _on_axis(factor, axis, x.ndim) if 0 in needs else None
        moment = None
        if 2 in needs or 5 in needs:
            moment = _sum_over(g * (x - _on_axis(mean, axis, x.ndim)), axes)
        gv = moment * factor * inverse * inverse * -0.5 if 2 in needs else None
        gs = moment * inverse if 5 in needs else None
        return gx, -factor * total, gv, None, total, gs

    return y, backward


@differentiable(_batch_normalization_gradient)
def batch_normalization(
    x: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    axis: int,
    offset: np.ndarray | None = None,
    scale: np.ndarray | None = None,
    epsilon: float = 1e-3,
) -> np.ndarray:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset; the vectors lie along `axis`."""
    factor = 1 / np.sqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    y = x - _on_axis(mean, axis, x.ndim)
    y *= _on_axis(factor, axis, x.ndim)
    if offset is not None:
        y += _on_axis(offset, axis, x.ndim)
    return y


def _moments(x: np.ndarray, axes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Mean, variance (both without the axes) and centred x, in two passes."""
    kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
    count = x.size // max(1, int(np.prod(kept)))
    mean = _sum_over(x, axes) / count
    centred = x - mean.reshape(kept)
    variance = _sum_over(centred * centred, axes) / count
    return mean, variance, centred


def _batch_normalization_train_gradient(
    needs: tuple[int, ...],
    x: np.ndarray,
    offset: np.ndarray | None,
    scale: np.ndarray | None,
    axis: tuple[int, ...],
    epsilon: float,
) -> Recorded:
    axes = tuple(sorted(a % x.ndim for a in axis))
    kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
    mean, variance, xhat = _moments(x, axes)
    inverse = 1 / np.sqrt(variance + epsilon)
    xhat *= inverse.reshape(kept)
    y = xhat * scale.reshape(kept) if scale is not None else xhat
    y = y + offset.reshape(kept) if offset is not None else y
    count = x.size // max(1, mean.size)

    def backward(g: np.ndarray, *_: Any) -> tuple[Any, ...]:
        total = _sum_over(g, axes)
        moment = _sum_over(g * xhat, axes)
        gx = None
        if 0 in needs:
            factor = inverse if scale is None else inverse * scale.reshape(-1)
            gx = xhat * (moment / -count).reshape(kept)
            gx += g
            gx -= (total / count).reshape(kept)
            gx *= factor.reshape(kept)
        shape = None if scale is None else scale.shape
        gs = moment if shape is None else moment.reshape(shape)
        return gx, total if offset is None else total.reshape(offset.shape), gs

    return (y, mean, variance), backward


@differentiable(_batch_normalization_train_gradient, outputs=1)
def batch_normalization_train(
    x: np.ndarray,
    offset: np.ndarray | None,
    scale: np.ndarray | None,
    axis: tuple[int, ...],
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normalizes by the batch's own statistics (Ioffe and Szegedy, 2015, arXiv:1502.03167).

    `axis` are the axes averaged over. Returns (y, mean, variance), the population variance, both
    without `axis`; the gradient of y runs through the statistics, these two are constants to it.
    """
    axes = tuple(sorted(a % x.ndim for a in axis))
    kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
    mean, variance, y = _moments(x, axes)
    factor = 1 / np.sqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale.reshape(factor.shape)
    y *= factor.reshape(kept)
    if offset is not None:
        y += offset.reshape(kept)
    return y, mean, variance


def _trailing(x: np.ndarray, axis: Any) -> tuple[np.ndarray, tuple[int, ...], Callable[..., Any]]:
    """x as (rows, features) with `axis` flattened into features, its sizes, and the way back."""
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    axes = tuple(sorted(a % x.ndim for a in axes))
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = x if axes == last else np.moveaxis(x, axes, last)
    sizes = moved.shape[x.ndim - len(axes) :]

    def back(rows: np.ndarray) -> np.ndarray:
        y = rows.reshape(moved.shape)
        return y if axes == last else np.moveaxis(y, last, axes)

    def to_rows(g: np.ndarray) -> np.ndarray:
        g = g if axes == last else np.moveaxis(g, axes, last)
        return g.reshape(-1, int(np.prod(sizes)))

    return to_rows(x), sizes, (back, to_rows)  # type: ignore[return-value]


def _row_dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", a, b)[:, None]


def _norm_gradient(
    centre: bool,
    needs: tuple[int, ...],
    x: np.ndarray,
    gamma: np.ndarray | None,
    beta: np.ndarray | None,
    axis: Any,
    epsilon: float,
) -> Recorded:
    rows, _, (back, to_rows) = _trailing(x, axis)  # type: ignore[misc]
    width = rows.shape[1]
    xhat, inverse = _normalized_rows(rows, epsilon, centre)
    y = xhat if gamma is None else xhat * gamma.reshape(-1)
    y = y if beta is None else y + beta.reshape(-1)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g = to_rows(g)
        gx = gg = gb = None
        if 0 in needs:
            scaled = g if gamma is None else g * gamma.reshape(-1)
            gx = xhat * (_row_dots(scaled, xhat) / -width)
            gx += scaled
            if centre:
                gx -= _add.reduce(scaled, axis=1, keepdims=True) / width
            gx *= inverse
            gx = back(gx)
        if 1 in needs:
            gg = _column_sums(g * xhat).reshape(gamma.shape)  # type: ignore[union-attr]
        if 2 in needs:
            gb = _column_sums(g).reshape(beta.shape)  # type: ignore[union-attr]
        return gx, gg, gb

    return back(y), backward


def _normalized_rows(
    rows: np.ndarray, epsilon: float, centre: bool
) -> tuple[np.ndarray, np.ndarray]:
    width = rows.shape[1]
    if centre:
        rows = rows - _add.reduce(rows, axis=1, keepdims=True) / width
    inverse = _row_dots(rows, rows)
    inverse /= width
    inverse += epsilon
    np.sqrt(inverse, out=inverse)
    np.reciprocal(inverse, out=inverse)
    return (_multiply(rows, inverse, out=rows if centre else None)), inverse


def _norm(
    x: np.ndarray, gamma: Any, beta: Any, axis: Any, epsilon: float, centre: bool
) -> np.ndarray:
    rows, _, (back, _) = _trailing(x, axis)  # type: ignore[misc]
    y, _ = _normalized_rows(rows, epsilon, centre)
    if gamma is not None:
        y *= gamma.reshape(-1)
    if beta is not None:
        y += beta.reshape(-1)
    return back(y)


def _layer_normalization_gradient(
    needs: tuple[int, ...],
    x: np.ndarray,
    gamma: np.ndarray | None = None,
    beta: np.ndarray | None = None,
    axis: Any = -1,
    epsilon: float = 1e-3,
) -> Recorded:
    return _norm_gradient(True, needs, x, gamma, beta, axis, epsilon)


@differentiable(_layer_normalization_gradient)
def layer_normalization(
    x: np.ndarray,
    gamma: np.ndarray | None = None,
    beta: np.ndarray | None = None,
    axis: int | tuple[int, ...] = -1,
    epsilon: float = 1e-3,
) -> np.ndarray:
    """Mean 0 and variance 1 along `axis`, times gamma, plus beta (arXiv:1607.06450).

    gamma and beta have the sizes of `axis`, in its order of position.
    """
    return _norm(x, gamma, beta, axis, epsilon, True)


def _rms_normalization_gradient(
    needs: tuple[int, ...],
    x: np.ndarray,
    scale: np.ndarray | None = None,
    axis: Any = -1,
    epsilon: float = 1e-6,
) -> Recorded:
    return _norm_gradient(False, needs, x, scale, None, axis, epsilon)


@differentiable(_rms_normalization_gradient)
def rms_normalization(
    x: np.ndarray,
    scale: np.ndarray | None = None,
    axis: int | tuple[int, ...] = -1,
    epsilon: float = 1e-6,
) -> np.ndarray:
    """x over its root mean square along `axis`, times scale (arXiv:1910.07467)."""
    return _norm(x, scale, None, axis, epsilon, False)


# ------------------------------------------------------------------------------------- attention


def _heads_first(x: np.ndarray, groups: int) -> np.ndarray:
    """(batch, seq, heads, dim) as a view (batch, heads / groups, groups, seq, dim)."""
    batch, seq, heads, dim = x.shape
    return x.reshape(batch, seq, heads // groups, groups, dim).transpose(0, 2, 3, 1, 4)


def _unbroadcast(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    extra = g.ndim - len(shape)
    g = _add.reduce(g, axis=tuple(range(extra))) if extra else g
    axes = tuple(i for i, n in enumerate(shape) if n == 1 != g.shape[i])
    return _add.reduce(g, axis=axes, keepdims=True) if axes else g


def _allowed(mask: np.ndarray | None, is_causal: bool, queries: int, keys: int) -> Any:
    if not is_causal:
        return mask
    causal = np.tri(queries, keys, dtype=bool)
    return causal if mask is None else np.logical_and(mask, causal)


def _attention_weights(
    query: np.ndarray, key: np.ndarray, bias: Any, allowed: Any, scale: float
) -> np.ndarray:
    """Softmax weights (batch, heads, queries, keys)."""
    batch, queries, heads, _ = query.shape
    groups = heads // key.shape[2]
    # Scaling the query is cheaper than scaling the scores.
    q = _heads_first(query * scale, groups)
    scores = np.matmul(q, _heads_first(key, 1).swapaxes(-1, -2))
    scores = scores.reshape(batch, heads, queries, key.shape[1])
    if bias is not None:
        scores += bias
    if allowed is not None:
        # Finite, so that a row without any allowed key is a mean and not a NaN.
        np.copyto(scores, np.finfo(scores.dtype).max * -0.7, where=np.logical_not(allowed))
    return _softmax_into(scores, -1, scores)


def _attended(weights: np.ndarray, value: np.ndarray) -> np.ndarray:
    batch, heads, queries, keys = weights.shape
    kv_heads, dim = value.shape[2:]
    w = weights.reshape(batch, kv_heads, heads // kv_heads, queries, keys)
    y = np.matmul(w, _heads_first(value, 1))
    return y.transpose(0, 3, 1, 2, 4).reshape(batch, queries, heads, dim)


def _attention_gradient(
    needs: tuple[int, ...],
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    bias: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    scale: float | None = None,
    is_causal: bool = False,
) -> Recorded:
    scale = query.shape[-1] ** -0.5 if scale is None else float(scale)
    allowed = _allowed(mask, is_causal, query.shape[1], key.shape[1])
    weights = _attention_weights(query, key, bias, allowed, scale)
    y = _attended(weights, value)
    groups = query.shape[2] // key.shape[2]

    def merged(x: np.ndarray) -> np.ndarray:
        x = x.transpose(0, 3, 1, 2, 4)
        return x.reshape(*x.shape[:2], -1, x.shape[-1])

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g5 = _heads_first(g, groups)
        w5 = weights.reshape(*g5.shape[:-1], key.shape[1])
        gq = gk = gv = gb = None
        if 2 in needs:
            gv = merged(_group_sum(np.matmul(w5.swapaxes(-1, -2), g5)))
        if not {0, 1, 3}.isdisjoint(needs):
            d = np.matmul(g5, _heads_first(value, 1).swapaxes(-1, -2)).reshape(weights.shape)
            # sum(weights * d) along the keys is sum(g * y) along the features.
            d -= np.einsum("bthd,bthd->bht", g, y)[..., None]
            d *= weights
            if allowed is not None:
                d *= allowed
            if 3 in needs:
                gb = _unbroadcast(d, bias.shape)  # type: ignore[union-attr]
            d5 = d.reshape(w5.shape)
            if 0 in needs:
                gq = merged(np.matmul(d5, _heads_first(key, 1)))
                gq *= scale
            if 1 in needs:
                q5 = _heads_first(query, groups)
                gk = merged(_group_sum(np.matmul(d5.swapaxes(-1, -2), q5)))
                gk *= scale
        return gq, gk, gv, gb

    return y, backward


def _group_sum(x: np.ndarray) -> np.ndarray:
    return x if x.shape[2] == 1 else _add.reduce(x, axis=2, keepdims=True)


@differentiable(_attention_gradient)
def dot_product_attention(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    bias: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    scale: float | None = None,
    is_causal: bool = False,
) -> np.ndarray:
    """softmax(query @ key^T * scale + bias) @ value (Vaswani et al., 2017, arXiv:1706.03762).

    query (batch, queries, heads, dim), key and value (batch, keys, kv heads, dim) where kv heads
    divides heads; bias and the bool mask broadcast to (batch, heads, queries, keys). The scale
    is 1 / sqrt(dim) if None.
    """
    scale = query.shape[-1] ** -0.5 if scale is None else float(scale)
    allowed = _allowed(mask, is_causal, query.shape[1], key.shape[1])
    return _attended(_attention_weights(query, key, bias, allowed, scale), value)
