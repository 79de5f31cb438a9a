"""Linear algebra of `tf.linalg`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from multikeras.backends import arguments


def _in_single(fn: Callable) -> Callable:
    """Computes 16-bit floats in float32 and rounds the results."""

    @functools.wraps(fn)
    def wide(x: tf.Tensor, *args: Any, **kwargs: Any) -> Any:
        if x.dtype not in (tf.float16, tf.bfloat16):
            return fn(x, *args, **kwargs)
        args = tuple(tf.cast(a, tf.float32) if tf.is_tensor(a) else a for a in args)
        result = fn(tf.cast(x, tf.float32), *args, **kwargs)

        def narrow(part: tf.Tensor) -> tf.Tensor:
            return tf.cast(part, x.dtype) if part.dtype is tf.float32 else part

        return tuple(map(narrow, result)) if isinstance(result, tuple) else narrow(result)

    return wide


@_in_single
def cholesky(x: tf.Tensor, upper: bool = False) -> tf.Tensor:
    factor = tf.linalg.cholesky(x)
    return tf.linalg.matrix_transpose(factor) if upper else factor


@_in_single
def det(x: tf.Tensor) -> tf.Tensor:
    return tf.linalg.det(x)


@_in_single
def slogdet(x: tf.Tensor) -> tuple:
    return tuple(tf.linalg.slogdet(x))


@_in_single
def inv(x: tf.Tensor) -> tf.Tensor:
    return tf.linalg.inv(x)


@_in_single
def solve(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    if b.shape.rank == a.shape.rank - 1:
        return tf.squeeze(tf.linalg.solve(a, b[..., None]), -1)
    return tf.linalg.solve(a, b)


@_in_single
def solve_triangular(a: tf.Tensor, b: tf.Tensor, lower: bool = False) -> tf.Tensor:
    if b.shape.rank == a.shape.rank - 1:
        return tf.squeeze(tf.linalg.triangular_solve(a, b[..., None], lower=lower), -1)
    return tf.linalg.triangular_solve(a, b, lower=lower)


@_in_single
def qr(x: tf.Tensor, mode: str = "reduced") -> tuple:
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: `mode` must be 'reduced' or 'complete', got {mode!r}.")
    return tuple(tf.linalg.qr(x, full_matrices=mode == "complete"))


@_in_single
def svd(x: tf.Tensor, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    if not compute_uv:
        return tf.linalg.svd(x, compute_uv=False)
    s, u, v = tf.linalg.svd(x, full_matrices=full_matrices)
    return u, s, tf.linalg.adjoint(v)


@_in_single
def eigh(x: tf.Tensor) -> tuple:
    return tuple(tf.linalg.eigh(x))


@_in_single
def eig(x: tf.Tensor) -> tuple:
    return tuple(tf.linalg.eig(x))


@_in_single
def pinv(x: tf.Tensor, rcond: float | None = None) -> tf.Tensor:
    if rcond is None:
        eps = 2.0**-52 if x.dtype is tf.float64 else 2.0**-23
        rcond = eps * max(d for d in x.shape[-2:] if d is not None)
    return tf.linalg.pinv(x, rcond)


@_in_single
def lu_factor(x: tf.Tensor) -> tuple:
    lu, permutation = _factored(x)
    return lu, _exchanges(permutation)


@tf.custom_gradient
def _factored(x: tf.Tensor) -> tuple:
    """TensorFlow's LU, which has no gradient of its own.

    The gradient is by de Hoog, Anderssen and Lukas (2011, Math. Comp. 80), transposed: with
    X = P L U, L^-1 dL is the part of L^-1 P^T dX U^-1 below the diagonal and dU U^-1 the rest.
    """
    lu, permutation = tf.linalg.lu(x)

    def gradient(g: tf.Tensor, _: Any) -> tf.Tensor:
        unit = tf.linalg.set_diag(tf.linalg.band_part(lu, -1, 0), tf.ones_like(lu[..., 0]))
        upper = tf.linalg.band_part(lu, 0, -1)
        g_upper = tf.linalg.band_part(g, 0, -1)
        below = tf.matmul(unit, g - g_upper, transpose_a=True)
        below -= tf.linalg.band_part(below, 0, -1)
        rest = tf.linalg.band_part(tf.matmul(g_upper, upper, transpose_b=True), 0, -1)
        left = tf.linalg.triangular_solve(unit, below + rest, lower=True, adjoint=True)
        turned = tf.linalg.triangular_solve(upper, tf.linalg.matrix_transpose(left), lower=False)
        whole = tf.linalg.matrix_transpose(turned)
        return tf.gather(whole, tf.argsort(permutation), axis=-2, batch_dims=x.shape.rank - 2)

    return (lu, permutation), gradient


def _exchanges(permutation: tf.Tensor) -> tf.Tensor:
    """The row exchanges, one after the other, that make up a permutation."""
    size = permutation.shape[-1]
    order = tf.broadcast_to(tf.range(size, dtype=permutation.dtype), tf.shape(permutation))
    pivots = []
    for i in range(size):
        place = tf.argmax(
            tf.cast(order == permutation[..., i : i + 1], tf.int32), -1, output_type=tf.int32
        )
        pivots.append(place)
        here = tf.one_hot(i, size, True, False, dtype=tf.bool)
        there = tf.one_hot(place, size, True, False, dtype=tf.bool)
        moved = order[..., i : i + 1]
        order = tf.where(there, moved, order)
        order = tf.where(here, permutation[..., i : i + 1], order)
    return tf.stack(pivots, -1)


def diagonal(x: tf.Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> tf.Tensor:
    first, second = arguments.axes_of((axis1, axis2), x.shape.rank)
    rest = [i for i in range(x.shape.rank) if i not in (first, second)]
    return _diag_part(tf.transpose(x, [*rest, first, second]), offset)


def _diag_part(x: tf.Tensor, k: int) -> tf.Tensor:
    if x.dtype is tf.bool:
        return tf.cast(tf.linalg.diag_part(tf.cast(x, tf.uint8), k=k), tf.bool)
    return tf.linalg.diag_part(x, k=k)


def diag(x: tf.Tensor, k: int = 0) -> tf.Tensor:
    if x.shape.rank == 2:
        return _diag_part(x, k)
    if x.dtype is tf.bool:
        return tf.cast(tf.linalg.diag(tf.cast(x, tf.uint8), k=k), tf.bool)
    return tf.linalg.diag(x, k=k)
