"""Functions of integers."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def bitwise_and(x: Any, y: Any) -> Any:
    return tf.logical_and(x, y) if x.dtype is tf.bool else tf.bitwise.bitwise_and(x, y)


def bitwise_or(x: Any, y: Any) -> Any:
    return tf.logical_or(x, y) if x.dtype is tf.bool else tf.bitwise.bitwise_or(x, y)


def bitwise_xor(x: Any, y: Any) -> Any:
    return tf.math.logical_xor(x, y) if x.dtype is tf.bool else tf.bitwise.bitwise_xor(x, y)


def bitwise_not(x: Any) -> Any:
    return tf.logical_not(x) if x.dtype is tf.bool else tf.bitwise.invert(x)


bitwise_invert = bitwise_not
left_shift = bitwise_left_shift = tf.bitwise.left_shift
right_shift = bitwise_right_shift = tf.bitwise.right_shift


def _size(x: Any) -> Any:
    return x if x.dtype.is_unsigned else tf.abs(x)


def gcd(x1: Any, x2: Any) -> Any:
    shape = tf.broadcast_dynamic_shape(tf.shape(x1), tf.shape(x2))
    static = tf.broadcast_static_shape(x1.shape, x2.shape)
    a, b = tf.broadcast_to(_size(x1), shape), tf.broadcast_to(_size(x2), shape)
    one, zero = tf.ones((), a.dtype), tf.zeros((), a.dtype)

    def step(a: Any, b: Any) -> tuple[Any, Any]:
        """Euclid's: each pair until its remainder is 0, where it stays."""
        rest = tf.math.floormod(a, tf.where(b == zero, one, b))
        return tf.where(b == zero, a, b), tf.where(b == zero, zero, rest)

    a, _ = tf.while_loop(lambda a, b: tf.reduce_any(b != zero), step, (a, b))
    a.set_shape(static)
    return a


def lcm(x1: Any, x2: Any) -> Any:
    divisor = gcd(x1, x2)
    one = tf.ones((), divisor.dtype)
    return _size(x1) // tf.where(divisor == 0, one, divisor) * _size(x2)
