"""Functions of two arrays, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from multikeras.backends.numpy._gradients import differentiable

add = anp.add
divide = true_divide = anp.divide
floor_divide = anp.floor_divide
mod = anp.mod
multiply = anp.multiply
power = anp.power
subtract = anp.subtract
arctan2 = anp.arctan2
maximum = anp.maximum
minimum = anp.minimum
fmax = anp.fmax
fmin = anp.fmin
logaddexp = anp.logaddexp
isnan = anp.isnan
isinf = anp.isinf
isfinite = anp.isfinite
equal = anp.equal
not_equal = anp.not_equal
greater = anp.greater
greater_equal = anp.greater_equal
less = anp.less
less_equal = anp.less_equal
logical_and = anp.logical_and
logical_or = anp.logical_or
logical_xor = anp.logical_xor
logical_not = anp.logical_not
isclose = anp.isclose


def unbroadcast(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The gradient of an argument of `shape` from that of the result it was broadcast to."""
    if g.shape == shape:
        return g
    if extra := g.ndim - len(shape):
        g = g.sum(axis=tuple(range(extra)))
    axes = tuple(i for i, dim in enumerate(shape) if dim == 1 != g.shape[i])
    return g.sum(axis=axes, keepdims=True) if axes else g


Backward = Callable[[Any], tuple[Any, ...]]


def _where_gradient(needs: tuple, condition: Any, x1: Any, x2: Any) -> tuple[Any, Backward]:
    if condition.dtype != bool:
        condition = condition != 0

    def backward(g: Any) -> tuple[Any, ...]:
        zero = np.zeros((), g.dtype)
        return (
            None,
            unbroadcast(np.where(condition, g, zero), np.shape(x1)) if 1 in needs else None,
            unbroadcast(np.where(condition, zero, g), np.shape(x2)) if 2 in needs else None,
        )

    return np.where(condition, x1, x2), backward


@differentiable(_where_gradient, widen=False, composed=anp.where)
def _where(condition: Any, x1: Any, x2: Any) -> Any:
    return np.where(condition, x1, x2)


def where(condition: Any, x1: Any, x2: Any) -> Any:
    if x1 is None:
        return tuple(i.astype(np.int32) for i in anp.nonzero(condition))
    return _where(condition, x1, x2)


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    x = x if x_min is None else anp.maximum(x, x_min)
    return x if x_max is None else anp.minimum(x, x_max)


def _no_nan(x1: Any, x2: Any) -> Any:
    zero = x2 == 0
    answer = np.divide(x1, np.where(zero, np.ones((), x2.dtype), x2))
    return np.where(zero, np.zeros((), answer.dtype), answer)


def _no_nan_gradient(needs: tuple, x1: Any, x2: Any) -> tuple[Any, Backward]:
    answer = _no_nan(x1, x2)

    def backward(g: Any) -> tuple[Any, ...]:
        part = _no_nan(g, x2)
        return (
            unbroadcast(part, np.shape(x1)) if 0 in needs else None,
            unbroadcast(-part * answer, np.shape(x2)) if 1 in needs else None,
        )

    return answer, backward


@differentiable(_no_nan_gradient)
def divide_no_nan(x1: Any, x2: Any) -> Any:
    return _no_nan(x1, x2)


def _fmod_gradient(needs: tuple, x1: Any, x2: Any) -> tuple[Any, Backward]:
    def backward(g: Any) -> tuple[Any, ...]:
        return (
            unbroadcast(g, np.shape(x1)) if 0 in needs else None,
            unbroadcast(-g * np.trunc(x1 / x2), np.shape(x2)) if 1 in needs else None,
        )

    return np.fmod(x1, x2), backward


@differentiable(_fmod_gradient)
def fmod(x1: Any, x2: Any) -> Any:
    return np.fmod(x1, x2)


def _hypot_gradient(needs: tuple, x1: Any, x2: Any) -> tuple[Any, Backward]:
    answer = np.hypot(x1, x2)

    def backward(g: Any) -> tuple[Any, ...]:
        part = _no_nan(g, answer)  # 0 at the origin, where there is no slope
        return (
            unbroadcast(part * x1, np.shape(x1)) if 0 in needs else None,
            unbroadcast(part * x2, np.shape(x2)) if 1 in needs else None,
        )

    return answer, backward


@differentiable(_hypot_gradient)
def hypot(x1: Any, x2: Any) -> Any:
    return np.hypot(x1, x2)
