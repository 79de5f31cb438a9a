"""Functions of one tensor, element by element; with `arithmetic`, which it gathers in.

Float-valued functions make integers `floatx()`; the rest keep the dtype.
"""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes

from multikeras import dtypes
from multikeras.ops import rules
from multikeras.ops._declare import op
from multikeras.ops.arithmetic import add as add
from multikeras.ops.arithmetic import arctan2 as arctan2
from multikeras.ops.arithmetic import clip as clip
from multikeras.ops.arithmetic import divide as divide
from multikeras.ops.arithmetic import divide_no_nan as divide_no_nan
from multikeras.ops.arithmetic import equal as equal
from multikeras.ops.arithmetic import floor_divide as floor_divide
from multikeras.ops.arithmetic import fmax as fmax
from multikeras.ops.arithmetic import fmin as fmin
from multikeras.ops.arithmetic import fmod as fmod
from multikeras.ops.arithmetic import greater as greater
from multikeras.ops.arithmetic import greater_equal as greater_equal
from multikeras.ops.arithmetic import heaviside as heaviside
from multikeras.ops.arithmetic import hypot as hypot
from multikeras.ops.arithmetic import isclose as isclose
from multikeras.ops.arithmetic import isfinite as isfinite
from multikeras.ops.arithmetic import isinf as isinf
from multikeras.ops.arithmetic import isnan as isnan
from multikeras.ops.arithmetic import less as less
from multikeras.ops.arithmetic import less_equal as less_equal
from multikeras.ops.arithmetic import logaddexp as logaddexp
from multikeras.ops.arithmetic import logaddexp2 as logaddexp2
from multikeras.ops.arithmetic import logical_and as logical_and
from multikeras.ops.arithmetic import logical_not as logical_not
from multikeras.ops.arithmetic import logical_or as logical_or
from multikeras.ops.arithmetic import logical_xor as logical_xor
from multikeras.ops.arithmetic import maximum as maximum
from multikeras.ops.arithmetic import minimum as minimum
from multikeras.ops.arithmetic import mod as mod
from multikeras.ops.arithmetic import multiply as multiply
from multikeras.ops.arithmetic import not_equal as not_equal
from multikeras.ops.arithmetic import power as power
from multikeras.ops.arithmetic import subtract as subtract
from multikeras.ops.arithmetic import true_divide as true_divide
from multikeras.ops.arithmetic import where as where

_GREATEST = {
    name: float(ml_dtypes.finfo(dtypes.numpy_dtype(name)).max) for name in dtypes.FLOAT_DTYPES
}


@op(rules.unary(rules.to_numeric))
def negative(x: Any) -> Any:
    """`-x`, element by element.

    Args:
        x: a tensor of any shape; bool counts as int32.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.negative([1, -2])).tolist()
        [-1, 2]
    """


@op(rules.unary(out=rules.real_dtype))
def abs(x: Any) -> Any:
    """Absolute value, element by element; its gradient at 0 is 0.

    Args:
        x: a tensor of any shape; complex gives float.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.abs([1, -2])).tolist()
        [1, 2]
    """


@op(rules.unary(out=rules.real_dtype))
def absolute(x: Any) -> Any:
    """Absolute value, element by element; its gradient at 0 is 0.

    Args:
        x: a tensor of any shape; complex gives float.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.absolute([1, -2])).tolist()
        [1, 2]
    """


@op(rules.unary(rules.to_float))
def fabs(x: Any) -> Any:
    """Absolute value as a float, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.fabs([1, -2])).tolist()
        [1.0, 2.0]
    """
    return abs(x)


@op(rules.unary())
def sign(x: Any) -> Any:
    """-1, 0 or 1: the sign of each element.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.sign([-3.0, 0.0, 5.0])).tolist()
        [-1.0, 0.0, 1.0]
    """


@op(rules.unary(out="bool"))
def signbit(x: Any) -> Any:
    """Whether each element is negative; true for -0.0 too.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.signbit([-1.0, -0.0, 0.0])).tolist()
        [True, True, False]
    """


@op(rules.unary(rules.to_numeric))
def square(x: Any) -> Any:
    """`x * x`, element by element.

    Args:
        x: a tensor of any shape; bool counts as int32.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.square([1, -2])).tolist()
        [1, 4]
    """


@op(rules.unary(rules.to_float))
def sqrt(x: Any) -> Any:
    """Square root, element by element; NaN where `x` is negative.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.sqrt([4.0, 9.0])).tolist()
        [2.0, 3.0]
    """


@op(rules.unary(rules.to_float))
def rsqrt(x: Any) -> Any:
    """One over the square root, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.rsqrt([4.0, 0.25])).tolist()
        [0.5, 2.0]
    """


@op(rules.unary(rules.to_float))
def reciprocal(x: Any) -> Any:
    """`1 / x`, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.reciprocal([2.0, 4.0])).tolist()
        [0.5, 0.25]
    """


@op(rules.unary(rules.to_float))
def cbrt(x: Any) -> Any:
    """Real cube root, element by element, of negative numbers too.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.round(ops.cbrt([8.0, -27.0]), 4)).tolist()
        [2.0, -3.0]
    """
    return multiply(sign(x), power(abs(x), 1 / 3))


@op(rules.unary(rules.to_float))
def exp(x: Any) -> Any:
    """The exponential, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.exp([0.0])).tolist()
        [1.0]
    """


@op(rules.unary(rules.to_float))
def exp2(x: Any) -> Any:
    """2 to the power `x`, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.exp2([0.0, 3.0])).tolist()
        [1.0, 8.0]
    """


@op(rules.unary(rules.to_float))
def expm1(x: Any) -> Any:
    """`exp(x) - 1`, exact for small `x`.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.expm1([0.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def log(x: Any) -> Any:
    """Natural logarithm, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.log([1.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def log1p(x: Any) -> Any:
    """`log(1 + x)`, exact for small `x`.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.log1p([0.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def log2(x: Any) -> Any:
    """Logarithm to base 2, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.log2([1.0, 8.0])).tolist()
        [0.0, 3.0]
    """


@op(rules.unary(rules.to_float))
def log10(x: Any) -> Any:
    """Logarithm to base 10, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.log10([1.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def sin(x: Any) -> Any:
    """Sine of `x` radians, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.sin([0.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def cos(x: Any) -> Any:
    """Cosine of `x` radians, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.cos([0.0])).tolist()
        [1.0]
    """


@op(rules.unary(rules.to_float))
def tan(x: Any) -> Any:
    """Tangent of `x` radians, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.tan([0.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def sinh(x: Any) -> Any:
    """Hyperbolic sine, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.sinh([0.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def cosh(x: Any) -> Any:
    """Hyperbolic cosine, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.cosh([0.0])).tolist()
        [1.0]
    """


@op(rules.unary(rules.to_float))
def tanh(x: Any) -> Any:
    """Hyperbolic tangent, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.tanh([0.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def arcsin(x: Any) -> Any:
    """Angle in [-pi/2, pi/2] whose sine is `x`, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.arcsin([0.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def arccos(x: Any) -> Any:
    """Angle in [0, pi] whose cosine is `x`, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.arccos([1.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def arctan(x: Any) -> Any:
    """Angle in (-pi/2, pi/2) whose tangent is `x`, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.arctan([0.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def arcsinh(x: Any) -> Any:
    """Inverse hyperbolic sine, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.arcsinh([0.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def arccosh(x: Any) -> Any:
    """Inverse hyperbolic cosine of `x` >= 1, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.arccosh([1.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def arctanh(x: Any) -> Any:
    """Inverse hyperbolic tangent of `x` in (-1, 1), element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.arctanh([0.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def deg2rad(x: Any) -> Any:
    """Degrees in radians, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.deg2rad([0.0])).tolist()
        [0.0]
    """
    return multiply(x, math.pi / 180)


@op(rules.unary(rules.to_float))
def rad2deg(x: Any) -> Any:
    """Radians in degrees, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.rad2deg([0.0])).tolist()
        [0.0]
    """
    return multiply(x, 180 / math.pi)


@op(rules.unary(rules.to_float))
def sinc(x: Any) -> Any:
    """`sin(pi * x) / (pi * x)`, and 1 where `x` is 0.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.sinc([0.0])).tolist()
        [1.0]
    """
    zero = equal(x, 0)
    angle = multiply(where(zero, 1, x), math.pi)
    return where(zero, 1, divide(sin(angle), angle))


@op(rules.unary(rules.to_float))
def erf(x: Any) -> Any:
    """The error function, element by element.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.erf([0.0])).tolist()
        [0.0]
    """


@op(rules.unary(rules.to_float))
def erfc(x: Any) -> Any:
    """One minus the error function, exact where that is small.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.erfc([0.0])).tolist()
        [1.0]
    """


@op(rules.unary(rules.to_float))
def erfinv(x: Any) -> Any:
    """Inverse of the error function, for `x` in (-1, 1).

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.erfinv([0.0])).tolist()
        [0.0]
    """


@op(rules.unary())
def round(x: Any, decimals: int = 0) -> Any:
    """The nearest number of `decimals` decimals; halves go to the even neighbour.

    Args:
        x: a tensor of any shape; integers and bool stay as they are if `decimals` >= 0.
        decimals: how many decimals stay; negative: rounds to tens, hundreds, ... Defaults to 0.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.round([0.5, 1.5, -2.7])).tolist()
        [0.0, 2.0, -3.0]
    """


@op(rules.unary(rules.to_float))
def floor(x: Any) -> Any:
    """The greatest whole number not above `x`, as a float.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.floor([1.7, -1.2])).tolist()
        [1.0, -2.0]
    """


@op(rules.unary(rules.to_float))
def ceil(x: Any) -> Any:
    """The smallest whole number not below `x`, as a float.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.ceil([1.2, -1.7])).tolist()
        [2.0, -1.0]
    """


@op(rules.unary())
def trunc(x: Any) -> Any:
    """The whole part, toward zero; integers stay as they are.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.trunc([1.7, -1.7])).tolist()
        [1.0, -1.0]
    """


@op(rules.unary(out="bool"))
def isposinf(x: Any) -> Any:
    """Whether each element is plus infinity.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.isposinf([float("inf"), float("-inf")])).tolist()
        [True, False]
    """
    return logical_and(isinf(x), greater(x, 0))


@op(rules.unary(out="bool"))
def isneginf(x: Any) -> Any:
    """Whether each element is minus infinity.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.isneginf([float("inf"), float("-inf")])).tolist()
        [False, True]
    """
    return logical_and(isinf(x), less(x, 0))


@op(rules.unary())
def nan_to_num(
    x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """`x` with finite numbers in place of NaN and the infinities.

    Args:
        x: a tensor of any shape; integers and bool stay as they are.
        nan: what replaces NaN. Defaults to 0.
        posinf, neginf: what replaces the infinities; None: the greatest and the least finite
            number of the dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nan_to_num([1.0, float("nan")])).tolist()
        [1.0, 0.0]
    """
    dtype = dtypes.standardize_dtype(x.dtype)
    if not dtypes.is_float_dtype(dtype):
        return x
    high = _GREATEST[dtype] if posinf is None else posinf
    low = -_GREATEST[dtype] if neginf is None else neginf
    x = where(equal(x, math.inf), high, where(equal(x, -math.inf), low, x))
    return where(isnan(x), nan, x)
