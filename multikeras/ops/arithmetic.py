"""Arithmetic, comparison and choice of two tensors, element by element, with broadcasting.

Result dtypes follow the promotion lattice of `multikeras.dtypes`: arithmetic gives the common
dtype, division makes integers `floatx()`, comparisons and tests give bool.
"""

from __future__ import annotations

import math
from typing import Any

from multikeras.ops import rules
from multikeras.ops._declare import op


@op(rules.elementwise())
def add(x1: Any, x2: Any) -> Any:
    """Sum, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.
            Two bool tensors give bool: whether either is true.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.add([1, 2], 0.5)).tolist()
        [1.5, 2.5]
    """


@op(rules.elementwise(rules.to_numeric))
def subtract(x1: Any, x2: Any) -> Any:
    """Difference `x1 - x2`, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.
            Two bool tensors give int32.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.subtract([1, 2], 3)).tolist()
        [-2, -1]
    """


@op(rules.elementwise())
def multiply(x1: Any, x2: Any) -> Any:
    """Product, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.
            Two bool tensors give bool: whether both are true.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.multiply([1, 2], [3, 4])).tolist()
        [3, 8]
    """


@op(rules.elementwise(rules.to_float))
def divide(x1: Any, x2: Any) -> Any:
    """Quotient `x1 / x2`, element by element; integers give `floatx()`.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.divide([1, 2], 2)).tolist()
        [0.5, 1.0]
    """


@op(rules.elementwise(rules.to_float))
def true_divide(x1: Any, x2: Any) -> Any:
    """Quotient `x1 / x2`, element by element; integers give `floatx()`.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.true_divide([1, 2], 2)).tolist()
        [0.5, 1.0]
    """


@op(rules.elementwise(rules.to_float))
def divide_no_nan(x1: Any, x2: Any) -> Any:
    """Quotient `x1 / x2`, and 0 wherever `x2` is 0, in the gradients too.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one float dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.divide_no_nan([1.0, 2.0], [0.0, 4.0])).tolist()
        [0.0, 0.5]
    """
    zero = equal(x2, 0)
    # The denominator is replaced before dividing: no infinity may reach the backward pass.
    return where(zero, 0, divide(x1, where(zero, 1, x2)))


@op(rules.elementwise(rules.to_numeric))
def floor_divide(x1: Any, x2: Any) -> Any:
    """Largest integer not above the quotient `x1 / x2`, in the common dtype.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.
            Two bool tensors give int32.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.floor_divide([7, -7], 2)).tolist()
        [3, -4]
    """


@op(rules.elementwise(rules.to_numeric))
def mod(x1: Any, x2: Any) -> Any:
    """Remainder of the division `x1 / x2`, with the sign of `x2`.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.
            Two bool tensors give int32.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.mod([7, -7], 3)).tolist()
        [1, 2]
    """


@op(rules.elementwise(rules.to_numeric))
def fmod(x1: Any, x2: Any) -> Any:
    """Remainder of the division `x1 / x2`, with the sign of `x1`.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.
            Two bool tensors give int32.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.fmod([7, -7], 3)).tolist()
        [1, -1]
    """


@op(rules.elementwise(rules.to_numeric))
def power(x1: Any, x2: Any) -> Any:
    """`x1` to the power `x2`, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.
            Two bool tensors give int32. An integer to a negative power is undefined.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.power([2.0, 3.0], 2)).tolist()
        [4.0, 9.0]
    """


@op(rules.elementwise(rules.to_float))
def arctan2(x1: Any, x2: Any) -> Any:
    """Angle in (-pi, pi] of the point with ordinate `x1` and abscissa `x2`.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.arctan2(0.0, [1.0, 2.0])).tolist()
        [0.0, 0.0]
    """


@op(rules.elementwise(rules.to_float))
def hypot(x1: Any, x2: Any) -> Any:
    """Length of the hypotenuse, the root of `x1**2 + x2**2`, without overflow.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.hypot(3.0, [4.0])).tolist()
        [5.0]
    """


@op(rules.elementwise())
def maximum(x1: Any, x2: Any) -> Any:
    """The greater of two, element by element; NaN if either is.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.maximum([1, 5], 3)).tolist()
        [3, 5]
    """


@op(rules.elementwise())
def minimum(x1: Any, x2: Any) -> Any:
    """The smaller of two, element by element; NaN if either is.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.minimum([1, 5], 3)).tolist()
        [1, 3]
    """


@op(rules.elementwise())
def fmax(x1: Any, x2: Any) -> Any:
    """The greater of two, element by element; where one is NaN, the other.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.fmax([1.0, float("nan")], 0.5)).tolist()
        [1.0, 0.5]
    """
    return where(isnan(x1), x2, where(isnan(x2), x1, maximum(x1, x2)))


@op(rules.elementwise())
def fmin(x1: Any, x2: Any) -> Any:
    """The smaller of two, element by element; where one is NaN, the other.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.fmin([1.0, float("nan")], 0.5)).tolist()
        [0.5, 0.5]
    """
    return where(isnan(x1), x2, where(isnan(x2), x1, minimum(x1, x2)))


@op(rules.elementwise(rules.to_float))
def logaddexp(x1: Any, x2: Any) -> Any:
    """Log of `exp(x1) + exp(x2)`, without overflow.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.logaddexp([0.0], -1000.0)).tolist()
        [0.0]
    """


@op(rules.elementwise(rules.to_float))
def logaddexp2(x1: Any, x2: Any) -> Any:
    """Base-2 log of `2**x1 + 2**x2`, without overflow.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one float dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.logaddexp2([0.0], 0.0)).tolist()
        [1.0]
    """
    ln2 = math.log(2.0)
    return divide(logaddexp(multiply(x1, ln2), multiply(x2, ln2)), ln2)


@op(rules.elementwise(rules.to_float))
def heaviside(x1: Any, x2: Any) -> Any:
    """The step: 0 where `x1` is negative, `x2` where it is 0, 1 where it is positive.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one float dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.heaviside([-2.0, 0.0, 3.0], 0.5)).tolist()
        [0.0, 0.5, 1.0]
    """
    step = where(less(x1, 0), 0, where(equal(x1, 0), x2, 1))
    return where(isnan(x1), x1, step)


@op(rules.unary(out="bool"))
def isnan(x: Any) -> Any:
    """Whether each element is NaN.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.isnan([1.0, float("nan")])).tolist()
        [False, True]
    """


@op(rules.unary(out="bool"))
def isinf(x: Any) -> Any:
    """Whether each element is infinite, of either sign.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.isinf([1.0, float("-inf")])).tolist()
        [False, True]
    """


@op(rules.unary(out="bool"))
def isfinite(x: Any) -> Any:
    """Whether each element is neither infinite nor NaN.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.isfinite([1.0, float("inf")])).tolist()
        [True, False]
    """


@op(rules.clip_rule())
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """`x` held between bounds.

    Args:
        x: a tensor of any shape; its dtype is the result's (int32 for bool).
        x_min, x_max: bounds, tensors that broadcast against `x`; None: no bound. Numbers that the
            dtype of `x` can't hold stand for the nearest that it can.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.clip([-1.0, 0.5, 3.0], 0, 1)).tolist()
        [0.0, 0.5, 1.0]
    """


@op(rules.elementwise(out="bool"))
def equal(x1: Any, x2: Any) -> Any:
    """Whether `x1 == x2`, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.equal([1, 2, 3], 2)).tolist()
        [False, True, False]
    """


@op(rules.elementwise(out="bool"))
def not_equal(x1: Any, x2: Any) -> Any:
    """Whether `x1 != x2`, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.not_equal([1, 2, 3], 2)).tolist()
        [True, False, True]
    """


@op(rules.elementwise(out="bool"))
def greater(x1: Any, x2: Any) -> Any:
    """Whether `x1 > x2`, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.greater([1, 2, 3], 2)).tolist()
        [False, False, True]
    """


@op(rules.elementwise(out="bool"))
def greater_equal(x1: Any, x2: Any) -> Any:
    """Whether `x1 >= x2`, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.greater_equal([1, 2, 3], 2)).tolist()
        [False, True, True]
    """


@op(rules.elementwise(out="bool"))
def less(x1: Any, x2: Any) -> Any:
    """Whether `x1 < x2`, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.less([1, 2, 3], 2)).tolist()
        [True, False, False]
    """


@op(rules.elementwise(out="bool"))
def less_equal(x1: Any, x2: Any) -> Any:
    """Whether `x1 <= x2`, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.less_equal([1, 2, 3], 2)).tolist()
        [True, True, False]
    """


@op(rules.elementwise(None, "bool"))
def logical_and(x1: Any, x2: Any) -> Any:
    """Whether both are true, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; what is not 0 counts as true.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.logical_and([True, False], True)).tolist()
        [True, False]
    """


@op(rules.elementwise(None, "bool"))
def logical_or(x1: Any, x2: Any) -> Any:
    """Whether either is true, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; what is not 0 counts as true.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.logical_or([True, False], True)).tolist()
        [True, True]
    """


@op(rules.elementwise(None, "bool"))
def logical_xor(x1: Any, x2: Any) -> Any:
    """Whether exactly one is true, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; what is not 0 counts as true.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.logical_xor([True, False], True)).tolist()
        [False, True]
    """


@op(rules.unary(out="bool"))
def logical_not(x: Any) -> Any:
    """Whether each element is false.

    Args:
        x: a tensor of any shape; what is not 0 counts as true.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.logical_not([True, False])).tolist()
        [False, True]
    """


@op(rules.where_rule())
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Elements of `x1` where `condition` holds, of `x2` elsewhere.

    Args:
        condition: a tensor; what is not 0 counts as true.
        x1, x2: tensors that promote to one dtype; all three broadcast. Without both, the result
            is a tuple with the indices, one tensor a dimension, at which `condition` holds.

    Raises:
        ValueError: if only one of `x1` and `x2` is given, or neither with a symbolic condition.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.where([True, False], [1, 2], 0)).tolist()
        [1, 0]
    """


@op(rules.elementwise(out="bool", tensors=("x1", "x2")))
def isclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether `abs(x1 - x2) <= atol + rtol * abs(x2)`, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.
        rtol: tolerance in proportion to `x2`. Defaults to 1e-5.
        atol: absolute tolerance. Defaults to 1e-8.
        equal_nan: whether two NaNs are close. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.isclose([1.0, 2.0], [1.0, 2.1])).tolist()
        [True, False]
    """
