"""Functions of one array, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.core import VJPNode
from autograd.tracer import register_notrace

from multikeras.backends.numpy._activations import erf as erf
from multikeras.backends.numpy._error_functions import erfc_array, erfinv_array
from multikeras.backends.numpy._gradients import differentiable

negative = anp.negative
abs = absolute = anp.absolute
signbit = anp.signbit
square = anp.square
sqrt = anp.sqrt
reciprocal = anp.reciprocal
exp = anp.exp
exp2 = anp.exp2
expm1 = anp.expm1
log = anp.log
log1p = anp.log1p
log2 = anp.log2
log10 = anp.log10
sin = anp.sin
cos = anp.cos
tan = anp.tan
sinh = anp.sinh
cosh = anp.cosh
tanh = anp.tanh
arcsin = anp.arcsin
arccos = anp.arccos
arctan = anp.arctan
arcsinh = anp.arcsinh
arccosh = anp.arccosh
arctanh = anp.arctanh
floor = anp.floor
ceil = anp.ceil

register_notrace(VJPNode, signbit)


def _with_slope(
    function: Callable[[Any], Any], slope: Callable[[Any, Any], Any], composed: Any = None
) -> Any:
    """A kernel from a function of one array and its derivative, `slope(answer, x)`."""

    def gradient(needs: tuple, x: Any) -> tuple[Any, Callable]:
        answer = function(x)
        return answer, lambda g: (g * slope(answer, x),)

    return differentiable(gradient, composed=composed)(function)


def _rsqrt(x: Any) -> Any:
    return np.reciprocal(np.sqrt(x))


rsqrt = _with_slope(
    _rsqrt, lambda y, x: y * y * y * np.asarray(-0.5, y.dtype), lambda x: 1 / anp.sqrt(x)
)


def _cube_root(x: Any) -> Any:
    return np.cbrt(x)


cbrt = _with_slope(_cube_root, lambda y, x: 1 / (3 * y * y))

_TWO_OVER_ROOT_PI = 1.1283791670955126
erfc = _with_slope(erfc_array, lambda y, x: -_TWO_OVER_ROOT_PI * np.exp(-x * x))
erfinv = _with_slope(erfinv_array, lambda y, x: np.exp(y * y) / _TWO_OVER_ROOT_PI)


def sign(x: Any) -> Any:
    if x.dtype == bool:
        return x
    return np.sign(x) if type(x) is np.ndarray else anp.sign(x)


def trunc(x: Any) -> Any:
    return anp.trunc(x) if x.dtype.kind not in "biu" else x


def round(x: Any, decimals: int) -> Any:
    if x.dtype == bool:
        return x
    rounded = anp.around(x, decimals)
    return rounded if rounded.dtype == x.dtype else rounded.astype(x.dtype)
