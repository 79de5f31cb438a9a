"""Functions of two tensors, element by element."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

subtract = tf.subtract
divide = true_divide = tf.realdiv
floor_divide = tf.math.floordiv
mod = tf.math.floormod
arctan2 = tf.atan2
equal = tf.equal
not_equal = tf.not_equal


def power(x1: Any, x2: Any) -> Any:
    if x1.dtype.is_unsigned:
        return tf.cast(tf.pow(tf.cast(x1, tf.int64), tf.cast(x2, tf.int64)), x1.dtype)
    return tf.pow(x1, x2)


def fmod(x1: Any, x2: Any) -> Any:
    if x1.dtype.is_unsigned:
        return tf.math.floormod(x1, x2)
    # The remainder of the sizes has the sign of the dividend put back: exact, with a gradient.
    return tf.math.floormod(tf.abs(x1), tf.abs(x2)) * tf.sign(x1)


def hypot(x1: Any, x2: Any) -> Any:
    x1, x2 = tf.abs(x1), tf.abs(x2)
    great, small = tf.maximum(x1, x2), tf.minimum(x1, x2)
    ratio = tf.math.divide_no_nan(small, great)
    length = great * tf.sqrt(1 + tf.square(ratio))
    return tf.where(tf.math.is_inf(great), great, length)


def add(x1: Any, x2: Any) -> Any:
    return tf.add(x1, x2) if x1.dtype is not tf.bool else tf.logical_or(x1, x2)


def multiply(x1: Any, x2: Any) -> Any:
    return tf.multiply(x1, x2) if x1.dtype is not tf.bool else tf.logical_and(x1, x2)


def maximum(x1: Any, x2: Any) -> Any:
    return tf.maximum(x1, x2) if x1.dtype is not tf.bool else tf.logical_or(x1, x2)


def minimum(x1: Any, x2: Any) -> Any:
    return tf.minimum(x1, x2) if x1.dtype is not tf.bool else tf.logical_and(x1, x2)


def greater(x1: Any, x2: Any) -> Any:
    return tf.greater(*_numbers(x1, x2))


def greater_equal(x1: Any, x2: Any) -> Any:
    return tf.greater_equal(*_numbers(x1, x2))


def less(x1: Any, x2: Any) -> Any:
    return tf.less(*_numbers(x1, x2))


def less_equal(x1: Any, x2: Any) -> Any:
    return tf.less_equal(*_numbers(x1, x2))


def logical_and(x1: Any, x2: Any) -> Any:
    return tf.logical_and(_bool(x1), _bool(x2))


def logical_or(x1: Any, x2: Any) -> Any:
    return tf.logical_or(_bool(x1), _bool(x2))


def logical_xor(x1: Any, x2: Any) -> Any:
    return tf.math.logical_xor(_bool(x1), _bool(x2))


def logical_not(x: Any) -> Any:
    return tf.logical_not(_bool(x))


def isnan(x: Any) -> Any:
    if x.dtype.is_complex:
        return tf.math.is_nan(tf.math.real(x)) | tf.math.is_nan(tf.math.imag(x))
    return tf.math.is_nan(x) if _inexact(x) else tf.zeros_like(x, tf.bool)


def isinf(x: Any) -> Any:
    if x.dtype.is_complex:
        return tf.math.is_inf(tf.math.real(x)) | tf.math.is_inf(tf.math.imag(x))
    return tf.math.is_inf(x) if _inexact(x) else tf.zeros_like(x, tf.bool)


def isfinite(x: Any) -> Any:
    if x.dtype.is_complex:
        return tf.math.is_finite(tf.math.real(x)) & tf.math.is_finite(tf.math.imag(x))
    return tf.math.is_finite(x) if _inexact(x) else tf.ones_like(x, tf.bool)


def logaddexp(x1: Any, x2: Any) -> Any:
    peak, distance = tf.maximum(x1, x2), tf.abs(x1 - x2)
    # Of two equal infinities the distance is NaN, though the sum is plainly the infinity.
    return tf.where(x1 == x2, x1 + tf.cast(0.6931471805599453, x1.dtype), peak) + tf.where(
        x1 == x2, tf.zeros_like(peak), tf.math.log1p(tf.exp(-distance))
    )


def where(condition: Any, x1: Any, x2: Any) -> Any:
    condition = _bool(condition)
    if x1 is None:
        return tuple(tf.unstack(tf.cast(tf.where(condition), tf.int32), axis=1))
    return tf.where(condition, x1, x2)


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    x = x if x_min is None else tf.maximum(x, x_min)
    return x if x_max is None else tf.minimum(x, x_max)


def divide_no_nan(x1: Any, x2: Any) -> Any:
    return tf.math.divide_no_nan(x1, x2)


def isclose(x1: Any, x2: Any, rtol: float, atol: float, equal_nan: bool) -> Any:
    if not _inexact(x1):
        x1, x2 = tf.cast(x1, tf.float64), tf.cast(x2, tf.float64)
    real = x1.dtype.real_dtype
    near = tf.abs(x1 - x2) <= tf.cast(atol, real) + tf.cast(rtol, real) * tf.abs(x2)
    close = tf.where(isfinite(x1) & isfinite(x2), near, x1 == x2)
    if equal_nan:
        close = close | (isnan(x1) & isnan(x2))
    return close


def _inexact(x: Any) -> bool:
    return x.dtype.is_floating or x.dtype.is_complex


def _bool(x: Any) -> Any:
    return x if x.dtype is tf.bool else tf.not_equal(x, tf.zeros((), x.dtype))


def _numbers(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Comparable tensors: bool has no order here."""
    if x1.dtype is tf.bool:
        return tf.cast(x1, tf.int8), tf.cast(x2, tf.int8)
    return x1, x2
