"""Complex tensors: their parts, and how they are made."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

join_complex = tf.complex


def real(x: Any) -> Any:
    return tf.math.real(x) if x.dtype.is_complex else x


def imag(x: Any) -> Any:
    return tf.math.imag(x) if x.dtype.is_complex else tf.zeros_like(x)


def conjugate(x: Any) -> Any:
    return tf.math.conj(x) if x.dtype.is_complex else x
