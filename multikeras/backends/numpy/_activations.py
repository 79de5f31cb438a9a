"""Activations of the NumPy backend and their in-place forms for other kernels; `nn` shows them.

Every function takes one floating-point array; sigmoids and exponentials do not overflow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from multikeras.backends.numpy import _nested
from multikeras.backends.numpy._gradients import differentiable
from multikeras.backends.numpy._special import erf_array, in_blocks

__all__ = [
    "erf",
    "gelu",
    "log_softmax",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
]

Backward = Callable[..., tuple[Any, ...]]
Recorded = tuple[Any, Backward]

# exp of more than this overflows; past it a sigmoid is 0 to the last representable digit.
_EXP_LIMIT = {2: 11.0, 4: 88.0, 8: 709.0, 16: 11000.0}

_add, _exp, _maximum, _multiply = np.add, np.exp, np.maximum, np.multiply


def column_sums(g: np.ndarray) -> np.ndarray:
    """Sums over the rows; by BLAS where there are enough of them for it to be quicker."""
    if len(g) < 64 or g.dtype.itemsize < 4:
        return _add.reduce(g, axis=0)
    return np.dot(np.ones(len(g), g.dtype), g)


def sigmoid_into(x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """1 / (1 + exp(-x)), accurate in both tails; `out` may be `x`."""
    out = np.negative(x, out=out) if out is not None else np.asarray(np.negative(x))
    np.minimum(out, _EXP_LIMIT[out.dtype.itemsize], out=out)
    _exp(out, out=out)
    _add(out, 1, out=out)
    return np.reciprocal(out, out=out)


def tanh_slope(y: np.ndarray, g: np.ndarray) -> np.ndarray:
    slope = _multiply(y, y)
    return _multiply(g, np.subtract(1, slope))


def sigmoid_slope(y: np.ndarray, g: np.ndarray) -> np.ndarray:
    return _multiply(g, y - y * y)


def _relu_gradient(needs: tuple[int, ...], x: np.ndarray) -> Recorded:
    y = _maximum(x, 0)
    return y, lambda g: (_multiply(g, y > 0),)


@differentiable(_relu_gradient, widen=False, composed=lambda x: x * (anp.greater(x, 0)))
def relu(x: np.ndarray) -> np.ndarray:
    """The larger of `x` and 0."""
    return _maximum(x, 0)


def _sigmoid_gradient(needs: tuple[int, ...], x: np.ndarray) -> Recorded:
    y = sigmoid_into(x)
    return y, lambda g: (sigmoid_slope(y, g),)


@differentiable(_sigmoid_gradient, composed=lambda x: 0.5 * (anp.tanh(0.5 * x) + 1))
def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    return sigmoid_into(x)


def _softplus_gradient(needs: tuple[int, ...], x: np.ndarray) -> Recorded:
    return softplus.fun(x), lambda g: (_multiply(g, sigmoid_into(x)),)


@differentiable(_softplus_gradient, composed=lambda x: anp.logaddexp(x, 0.0 * x))
def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)), as max(x, 0) + log1p(exp(-|x|))."""
    y = np.asarray(np.abs(x))
    np.negative(y, out=y)
    _exp(y, out=y)
    np.log1p(y, out=y)
    return _add(y, _maximum(x, 0), out=y)


def _silu_gradient(needs: tuple[int, ...], x: np.ndarray) -> Recorded:
    s = sigmoid_into(x)
    y = x * s
    return y, lambda g: (g * (s + y * (1 - s)),)


@differentiable(_silu_gradient, composed=lambda x: x * (0.5 * (anp.tanh(0.5 * x) + 1)))
def silu(x: np.ndarray) -> np.ndarray:
    """x * sigmoid(x) (Elfwing et al., 2017, arXiv:1702.03118)."""
    y = sigmoid_into(x)
    return _multiply(y, x, out=y)


_TWO_OVER_SQRT_PI = 1.1283791670955126
_SQRT_HALF = 0.7071067811865476
_SQRT_TWO_OVER_PI = 0.7978845608028654
_INV_SQRT_TWO_PI = 0.3989422804014327
_GELU_CUBIC = 0.044715


def _erf_gradient(needs: tuple[int, ...], x: np.ndarray) -> Recorded:
    return erf_array(x), lambda g: (g * (_TWO_OVER_SQRT_PI * _exp(-x * x)),)


@differentiable(_erf_gradient, composed=_nested.erf)
def erf(x: np.ndarray) -> np.ndarray:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to `x`."""
    return erf_array(x)


def _gelu_tanh(x: np.ndarray) -> np.ndarray:
    """The tanh of the approximate formula."""
    y = np.asarray(x * x)
    y *= _GELU_CUBIC
    y += 1
    y *= x
    y *= _SQRT_TWO_OVER_PI
    return np.tanh(y, out=y)


def _gelu_tanh_slope(g: np.ndarray, x: np.ndarray, t: np.ndarray) -> np.ndarray:
    slope = np.asarray(x * x)
    slope *= 3 * _GELU_CUBIC * _SQRT_TWO_OVER_PI
    slope += _SQRT_TWO_OVER_PI
    slope *= x
    slope *= 1 - t * t
    slope += t
    slope += 1
    slope *= g
    slope *= 0.5
    return slope


def _gelu_erf(x: np.ndarray) -> np.ndarray:
    return erf_array(x * _SQRT_HALF)


def _gelu_erf_slope(g: np.ndarray, x: np.ndarray, e: np.ndarray) -> np.ndarray:
    slope = np.asarray(x * x)
    slope *= -0.5
    _exp(slope, out=slope)
    slope *= x
    slope *= 2 * _INV_SQRT_TWO_PI
    slope += e
    slope += 1
    slope *= g
    slope *= 0.5
    return slope


def _gelu_of(x: np.ndarray, bent: np.ndarray) -> np.ndarray:
    y = np.asarray(bent + 1)
    y *= x
    y *= 0.5
    return y


def _gelu_gradient(needs: tuple[int, ...], x: np.ndarray, approximate: bool = True) -> Recorded:
    bend, slope = (_gelu_tanh, _gelu_tanh_slope) if approximate else (_gelu_erf, _gelu_erf_slope)
    bent = in_blocks(bend, x)
    return in_blocks(_gelu_of, x, bent), lambda g: (in_blocks(slope, g, x, bent),)


@differentiable(_gelu_gradient, composed=_nested.gelu)
def gelu(x: np.ndarray, approximate: bool = True) -> np.ndarray:
    """x times the normal distribution function of x, by tanh if asked (arXiv:1606.08415)."""
    bend = _gelu_tanh if approximate else _gelu_erf
    return in_blocks(lambda part: _gelu_of(part, bend(part)), x)


# --------------------------------------------------------------------------------------- softmax


def _over(axis: Any) -> Any:
    """An axis as NumPy takes it: several of them as a tuple."""
    return tuple(axis) if type(axis) is list else axis


def softmax_into(x: np.ndarray, axis: Any, out: np.ndarray | None = None) -> np.ndarray:
    y = np.subtract(x, _maximum.reduce(x, axis=_over(axis), keepdims=True), out=out)
    _exp(y, out=y)
    y /= _add.reduce(y, axis=_over(axis), keepdims=True)
    return y


def softmax_gradient_of(y: np.ndarray, g: np.ndarray, axis: Any) -> np.ndarray:
    gx = g * y
    gx -= y * _add.reduce(gx, axis=_over(axis), keepdims=True)
    return gx


def _softmax_gradient(needs: tuple[int, ...], x: np.ndarray, axis: Any = -1) -> Recorded:
    y = softmax_into(x, axis)
    return y, lambda g: (softmax_gradient_of(y, g, axis),)


def _softmax_composed(x: Any, axis: Any = -1) -> Any:
    e = anp.exp(x - anp.max(x, axis=_over(axis), keepdims=True))
    return e / anp.sum(e, axis=_over(axis), keepdims=True)


@differentiable(_softmax_gradient, composed=_softmax_composed)
def softmax(x: np.ndarray, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    """exp(x) over its sum along `axis`, without overflow."""
    return softmax_into(x, axis)


def _log_softmax_gradient(needs: tuple[int, ...], x: np.ndarray, axis: Any = -1) -> Recorded:
    y = log_softmax.fun(x, axis)
    return y, lambda g: (g - _exp(y) * _add.reduce(g, axis=_over(axis), keepdims=True),)


def _log_softmax_composed(x: Any, axis: Any = -1) -> Any:
    z = x - anp.max(x, axis=_over(axis), keepdims=True)
    return z - anp.log(anp.sum(anp.exp(z), axis=_over(axis), keepdims=True))


@differentiable(_log_softmax_gradient, composed=_log_softmax_composed)
def log_softmax(x: np.ndarray, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    """The logarithm of `softmax(x, axis)`, by log-sum-exp."""
    z = np.subtract(x, _maximum.reduce(x, axis=_over(axis), keepdims=True))
    z -= np.log(_add.reduce(_exp(z), axis=_over(axis), keepdims=True))
    return z
