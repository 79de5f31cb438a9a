"""Activation functions of the NumPy backend, each one node of a gradient trace.

Those that other kernels are fused with (`relu`, `sigmoid`, `gelu`, ...) live in `nn`; the rest
are pairs of a formula and its slope.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from multikeras.backends.numpy._gradients import differentiable
from multikeras.backends.numpy.neural import gelu as gelu
from multikeras.backends.numpy.neural import relu as relu
from multikeras.backends.numpy.neural import sigmoid as sigmoid
from multikeras.backends.numpy.neural import silu as silu
from multikeras.backends.numpy.neural import softplus as softplus

_SELU_SCALE = 1.0507009873554805
_SELU_ALPHA = 1.6732632423543772


def _with_slope(slope: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a function of one array its derivative, of the same arguments.

    Second derivatives come from running both formulas on `autograd.numpy`.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def gradient(needs: tuple[int, ...], x: np.ndarray, *settings: Any) -> tuple:
            return function(x, *settings), lambda g: (g * slope(x, *settings),)

        composed = functools.partial(_trace_through, function)
        return differentiable(gradient, composed=composed)(function)

    return decorate


def _trace_through(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


def _middle(x: Any, low: float, high: float) -> Any:
    """1 where low < x < high, of the dtype of x."""
    return anp.where((x > low) & (x < high), anp.ones_like(x), anp.zeros_like(x))


@_with_slope(lambda x: _middle(x, 0, 6))
def relu6(x: Any) -> Any:
    """`x` within [0, 6]."""
    return anp.clip(x, 0, 6)


@_with_slope(lambda x: (1 + anp.abs(x)) ** -2.0)
def softsign(x: Any) -> Any:
    """x / (1 + |x|)."""
    return x / (1 + anp.abs(x))


@_with_slope(
    lambda x, negative_slope=0.2: anp.where(
        x > 0, anp.ones_like(x), anp.full_like(x, negative_slope)
    )
)
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x`, times the slope where negative."""
    return anp.where(x > 0, x, x * negative_slope)


@_with_slope(lambda x, alpha=1.0: anp.where(x > 0, anp.ones_like(x), alpha * anp.exp(_low(x))))
def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x`, or alpha * (exp(x) - 1) where negative."""
    return anp.where(x > 0, x, alpha * anp.expm1(_low(x)))


def _low(x: Any) -> Any:
    return anp.minimum(x, 0)


@_with_slope(
    lambda x: _SELU_SCALE * anp.where(x > 0, anp.ones_like(x), _SELU_ALPHA * anp.exp(_low(x)))
)
def selu(x: Any) -> Any:
    """`elu` with the constants of arXiv:1706.02515."""
    return _SELU_SCALE * anp.where(x > 0, x, _SELU_ALPHA * anp.expm1(_low(x)))


@_with_slope(lambda x, alpha=1.0: anp.exp(_low(x / alpha)))
def celu(x: Any, alpha: float = 1.0) -> Any:
    """max(x, 0) + alpha * (exp(min(x, 0) / alpha) - 1)."""
    return anp.maximum(x, 0) + alpha * anp.expm1(_low(x) / alpha)


def glu(x: Any, axis: int = -1) -> Any:
    first, second = anp.split(x, 2, axis)
    return first * sigmoid(second)


@_with_slope(lambda x: _middle(x, -3, 3) / 6)
def hard_sigmoid(x: Any) -> Any:
    """x / 6 + 1 / 2 within [0, 1]."""
    return anp.clip(x + 3, 0, 6) / 6


@_with_slope(lambda x: anp.clip(x + 3, 0, 6) / 6 + x * _middle(x, -3, 3) / 6)
def hard_silu(x: Any) -> Any:
    """x * hard_sigmoid(x)."""
    return x * (anp.clip(x + 3, 0, 6) / 6)


@_with_slope(lambda x: _middle(x, -1, 1))
def hard_tanh(x: Any) -> Any:
    """`x` within [-1, 1]."""
    return anp.clip(x, -1, 1)


@_with_slope(lambda x, threshold=0.5: 1 - _middle(x, -threshold, threshold))
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` where |x| > threshold, else 0."""
    return anp.where(anp.abs(x) > threshold, x, anp.zeros_like(x))


@_with_slope(lambda x, threshold=0.5: 1 - _middle(x, -threshold, threshold))
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` nearer to 0 by threshold."""
    return x - anp.clip(x, -threshold, threshold)


@_with_slope(lambda x: anp.tanh(x) ** 2)
def tanh_shrink(x: Any) -> Any:
    """x - tanh(x)."""
    return x - anp.tanh(x)


def log_sigmoid(x: Any) -> Any:
    return -softplus(-x)


def mish(x: Any) -> Any:
    return x * anp.tanh(softplus(x))


@_with_slope(lambda x: anp.clip((x + 1) * 0.5, 0, 1))
def sparse_plus(x: Any) -> Any:
    """0 up to -1, `x` from 1, a parabola between."""
    middle = anp.clip(x + 1, 0, 2)
    return anp.where(x >= 1, x, middle * middle * 0.25)


@_with_slope(lambda x: _middle(x, -1, 1) * 0.5)
def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2 within [0, 1]."""
    return anp.clip((x + 1) * 0.5, 0, 1)


def _sparsemax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    z = np.moveaxis(x, axis, -1)
    ordered = np.sort(z, axis=-1)[..., ::-1]
    rank = np.arange(1, z.shape[-1] + 1, dtype=z.dtype)
    excess = np.cumsum(ordered, -1) - 1
    count = np.sum(ordered * rank > excess, -1, keepdims=True)
    level = np.take_along_axis(excess, count - 1, -1) / count.astype(z.dtype)
    return np.moveaxis(np.maximum(z - level, 0), -1, axis)


def _sparsemax_gradient(needs: tuple[int, ...], x: np.ndarray, axis: int = -1) -> tuple:
    y = _sparsemax(x, axis)

    def backward(g: np.ndarray) -> tuple[np.ndarray]:
        support = (y > 0).astype(g.dtype)
        total = np.sum(g * support, axis, keepdims=True) / np.sum(support, axis, keepdims=True)
        return (support * (g - total),)

    return y, backward


@differentiable(_sparsemax_gradient)
def sparsemax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """The projection of `x` onto the simplex along `axis`."""
    return _sparsemax(x, axis)


@_with_slope(lambda x, b=4: 0.5 + 0.5 * x / anp.sqrt(x * x + b))
def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x * x + b)) / 2."""
    return (x + anp.sqrt(x * x + b)) * 0.5


@_with_slope(lambda x, threshold, default_value: (x > threshold) * anp.ones_like(x))
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` where it exceeds the threshold, else the default."""
    return anp.where(x > threshold, x, anp.full_like(x, default_value))
