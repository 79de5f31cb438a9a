"""Products of vectors, matrices and tensors. TensorFlow lacks some for small integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from multikeras.backends.contractions import contracted_axes, split_subscripts
from multikeras.backends.tensorflow import core

_NATIVE = (*core.FLOATS, tf.int32, tf.int64, tf.complex64, tf.complex128)


def _computed(product: Callable[..., tf.Tensor], *xs: tf.Tensor) -> tf.Tensor:
    """The product in a dtype that can be multiplied, brought back."""
    dtype = xs[0].dtype
    if dtype in _NATIVE:
        return product(*xs)
    wide = tf.int64 if dtype in (tf.uint32, tf.uint64) else tf.int32
    return tf.cast(product(*(tf.cast(x, wide) for x in xs)), dtype)


def _matmul(x1: tf.Tensor, x2: tf.Tensor) -> tf.Tensor:
    rank1, rank2 = x1.shape.rank, x2.shape.rank
    if rank1 > 1 and rank2 == 2 and rank1 > 2:
        return tf.tensordot(x1, x2, 1)  # one product instead of a broadcast over the batch
    if rank1 == 1 and rank2 == 1:
        return tf.tensordot(x1, x2, 1)
    if rank1 == 1:
        return tf.squeeze(tf.matmul(x1[None, :], x2), -2)
    if rank2 == 1:
        return tf.linalg.matvec(x1, x2)
    return tf.matmul(x1, x2)


def matmul(x1: tf.Tensor, x2: tf.Tensor) -> tf.Tensor:
    return _matmul(x1, x2) if x1.dtype in core.FLOATS else _computed(_matmul, x1, x2)


def tensordot(x1: tf.Tensor, x2: tf.Tensor, axes: Any = 2) -> tf.Tensor:
    one, two = contracted_axes(axes, x1.shape.rank, x2.shape.rank)
    return _computed(lambda a, b: tf.tensordot(a, b, (list(one), list(two))), x1, x2)


def einsum_of(subscripts: str, operands: Any) -> tf.Tensor:
    split_subscripts(subscripts, tuple(x.shape.rank for x in operands))
    return _computed(lambda *xs: tf.einsum(subscripts, *xs), *operands)
