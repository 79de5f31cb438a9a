"""Functions of one tensor, element by element."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

square = tf.square
sqrt = tf.sqrt
rsqrt = tf.math.rsqrt
reciprocal = tf.math.reciprocal
exp = tf.exp
expm1 = tf.math.expm1
log = tf.math.log
log1p = tf.math.log1p
sin = tf.sin
cos = tf.cos
tan = tf.tan
sinh = tf.sinh
cosh = tf.cosh
tanh = tf.tanh
arcsin = tf.asin
arccos = tf.acos
arctan = tf.atan
arcsinh = tf.asinh
arccosh = tf.acosh
arctanh = tf.atanh
erf = tf.math.erf
erfc = tf.math.erfc
floor = tf.floor
ceil = tf.math.ceil


def negative(x: Any) -> Any:
    return tf.zeros_like(x) - x if x.dtype.is_unsigned else tf.negative(x)


def abs(x: Any) -> Any:
    return x if x.dtype is tf.bool or x.dtype.is_unsigned else tf.abs(x)


absolute = abs


def sign(x: Any) -> Any:
    if x.dtype is tf.bool:
        return x
    if x.dtype.is_unsigned:
        return tf.cast(x != 0, x.dtype)
    return tf.sign(x)


def signbit(x: Any) -> Any:
    if not x.dtype.is_floating:
        return tf.zeros_like(x, tf.bool) if x.dtype is tf.bool or x.dtype.is_unsigned else x < 0
    # -0.0 is not below 0: only its bits or its reciprocal tell it from 0.
    return (x < 0) | ((x == 0) & (tf.math.reciprocal(x) < 0))


def exp2(x: Any) -> Any:
    return tf.pow(tf.cast(2, x.dtype), x)


def erfinv(x: Any) -> Any:
    if x.dtype.size < 4:
        return tf.cast(tf.math.erfinv(tf.cast(x, tf.float32)), x.dtype)
    return tf.math.erfinv(x)


def log2(x: Any) -> Any:
    return tf.math.log(x) / tf.cast(0.6931471805599453, x.dtype)


def log10(x: Any) -> Any:
    return tf.math.log(x) / tf.cast(2.302585092994046, x.dtype)


def round(x: Any, decimals: int) -> Any:
    if not x.dtype.is_floating:
        if decimals >= 0:
            return x
        return tf.cast(round(tf.cast(x, tf.float64), decimals), x.dtype)
    if not decimals:
        return tf.round(x)
    scale = tf.cast(10.0**decimals, x.dtype)
    return tf.round(x * scale) / scale


def trunc(x: Any) -> Any:
    return tf.where(x < 0, tf.math.ceil(x), tf.floor(x)) if x.dtype.is_floating else x
