"""Linear algebra of `numpy.linalg`; gradients from `autograd` or written here."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import Box, defvjp, primitive

from multikeras.backends import arguments
from multikeras.backends.numpy import core

_HALVES = ("float16", "bfloat16")


def _in_single(fn: Callable) -> Callable:
    """Computes 16-bit floats in float32 and rounds the results."""

    @functools.wraps(fn)
    def wide(x: Any, *args: Any, **kwargs: Any) -> Any:
        name = core.dtype_name(x)
        if name not in _HALVES:
            return fn(x, *args, **kwargs)
        args = tuple(
            core.cast(a, "float32") if isinstance(a, (np.ndarray, Box)) else a for a in args
        )
        result = fn(core.cast(x, "float32"), *args, **kwargs)

        def narrow(part: Any) -> Any:
            return core.cast(part, name) if part.dtype == np.float32 else part

        return tuple(map(narrow, result)) if isinstance(result, tuple) else narrow(result)

    return wide


def _mt(x: Any) -> Any:
    return anp.swapaxes(x, -1, -2)


@_in_single
def cholesky(x: Any, upper: bool = False) -> Any:
    factor = anp.linalg.cholesky(x)
    return _mt(factor) if upper else factor


@_in_single
def det(x: Any) -> Any:
    return anp.linalg.det(x)


@_in_single
def slogdet(x: Any) -> tuple:
    sign, log = anp.linalg.slogdet(x)
    return sign, log


@_in_single
def inv(x: Any) -> Any:
    return anp.linalg.inv(x)


@_in_single
def solve(a: Any, b: Any) -> Any:
    if b.ndim == a.ndim - 1:
        return anp.linalg.solve(a, b[..., None])[..., 0]
    return anp.linalg.solve(a, b)


@_in_single
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    rows = np.arange(a.shape[-1])
    kept = rows[:, None] >= rows if lower else rows[:, None] <= rows
    return solve(a * kept.astype(a.dtype), b)


@primitive
def _qr(x: Any, mode: str) -> tuple:
    return tuple(np.linalg.qr(x, mode))


def _qr_gradient(ans: tuple, x: Any, mode: str) -> Callable:
    q, r = ans
    m, n = x.shape[-2:]
    if m < n or (mode == "complete" and m != n):
        raise NotImplementedError(
            "qr: the gradient exists for m >= n in mode 'reduced'; "
            f"got shape {x.shape}, mode {mode!r}."
        )

    def vjp(g: tuple) -> Any:
        # Differentiating QR: with M = R gR^T - gQ^T Q, gX = (gQ + Q sym(tril M)) R^-T.
        gq, gr = g
        mixed = anp.matmul(r, _mt(gr)) - anp.matmul(_mt(gq), q)
        lower = anp.tril(mixed) + _mt(anp.tril(mixed, -1))
        left = gq + anp.matmul(q, lower)
        return _mt(anp.linalg.solve(r, _mt(left)))

    return vjp


defvjp(_qr, _qr_gradient, argnums=(0,))


@_in_single
def qr(x: Any, mode: str = "reduced") -> tuple:
    if not isinstance(x, Box):
        return _qr.fun(x, mode)
    pair = _qr(x, mode)
    return pair[0], pair[1]


@_in_single
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    if not isinstance(x, Box):
        found = np.linalg.svd(x, full_matrices, compute_uv)
        return tuple(found) if compute_uv else found
    if not compute_uv:
        # The gradient needs the vectors: ask for them.
        return anp.linalg.svd(x, full_matrices=False)[1]
    u, s, vh = anp.linalg.svd(x, full_matrices=full_matrices)
    return u, s, vh


@_in_single
def eigh(x: Any) -> tuple:
    values, vectors = anp.linalg.eigh(x)
    return values, vectors


@_in_single
def eig(x: Any) -> tuple:
    while isinstance(x, Box):
        x = x._value
    complex_dtype = np.complex128 if x.dtype.itemsize == 8 and x.dtype.kind == "f" else np.complex64
    if x.dtype.kind == "c":
        complex_dtype = x.dtype
    values, vectors = np.linalg.eig(x)
    return values.astype(complex_dtype), vectors.astype(complex_dtype)


@primitive
def _pinv(x: Any, rcond: float) -> np.ndarray:
    return np.linalg.pinv(x, rcond)


def _pinv_gradient(ans: Any, x: Any, rcond: float) -> Callable:
    """Golub and Pereyra (1973), equation 4.12, transposed."""

    def vjp(g: Any) -> Any:
        p, pt, gt = ans, _mt(ans), _mt(g)
        outside = np.eye(x.shape[-2], dtype=x.dtype) - anp.matmul(x, p)
        null = np.eye(x.shape[-1], dtype=x.dtype) - anp.matmul(p, x)
        inner = anp.matmul(anp.matmul(pt, g), pt)
        first = anp.matmul(anp.matmul(outside, gt), anp.matmul(p, pt))
        return first + anp.matmul(anp.matmul(anp.matmul(pt, p), gt), null) - inner

    return vjp


defvjp(_pinv, _pinv_gradient, argnums=(0,))


@_in_single
def pinv(x: Any, rcond: float | None = None) -> Any:
    if rcond is None:
        rcond = float(np.finfo(x.dtype).eps) * max(x.shape[-2:])
    return _pinv(x, rcond)


@primitive
def _factored(x: Any, lu: np.ndarray, order: np.ndarray) -> np.ndarray:
    return lu


def _lu_gradient(ans: Any, x: Any, lu: np.ndarray, order: np.ndarray) -> Callable:
    """De Hoog, Anderssen and Lukas (2011, Math. Comp. 80), transposed: with X = P L U,
    L^-1 dL is the part of L^-1 P^T dX U^-1 below the diagonal and dU U^-1 the rest.
    """
    m, n = x.shape[-2:]
    k = min(m, n)
    exchange = np.swapaxes(np.eye(m, dtype=x.dtype)[order], -1, -2)  # P of X = P L U

    def vjp(g: Any) -> Any:
        square = ans[..., :k, :k]
        lower_t = _mt(anp.tril(square, -1)) + np.eye(k, dtype=x.dtype)
        upper = anp.triu(square)
        g_lower, g_upper = anp.tril(g[..., :k, :k], -1), anp.triu(g[..., :k, :k])
        below = beside = None
        if m > n:  # L continues with X U^-1
            below = _mt(anp.linalg.solve(upper, _mt(g[..., k:, :])))
            g_upper = g_upper - anp.matmul(_mt(ans[..., k:, :]), below)
        if n > m:  # U continues with L^-1 X
            beside = anp.linalg.solve(lower_t, g[..., k:])
            g_lower = g_lower - anp.matmul(beside, _mt(ans[..., k:]))
        inner = anp.tril(anp.matmul(lower_t, g_lower), -1) + anp.triu(
            anp.matmul(g_upper, _mt(upper))
        )
        whole = _mt(anp.linalg.solve(upper, _mt(anp.linalg.solve(lower_t, inner))))
        if below is not None:
            whole = anp.concatenate([whole, below], -2)
        if beside is not None:
            whole = anp.concatenate([whole, beside], -1)
        return anp.matmul(exchange, whole)

    return vjp


defvjp(_factored, _lu_gradient, argnums=(0,))


@_in_single
def lu_factor(x: Any) -> tuple:
    values = x
    while isinstance(values, Box):
        values = values._value
    *batch, m, n = x.shape
    steps = min(m, n)
    lu = np.array(values).reshape(-1, m, n)
    pivots = np.empty((len(lu), steps), np.int32)
    order = np.tile(np.arange(m), (len(lu), 1))
    for matrix, exchanged, rows in zip(lu, pivots, order, strict=True):
        for i in range(steps):
            best = exchanged[i] = i + int(np.argmax(np.abs(matrix[i:, i])))
            matrix[[i, best]] = matrix[[best, i]]
            rows[[i, best]] = rows[[best, i]]
            if matrix[i, i] != 0:
                matrix[i + 1 :, i] /= matrix[i, i]
                matrix[i + 1 :, i + 1 :] -= np.outer(matrix[i + 1 :, i], matrix[i, i + 1 :])
    lu, pivots = lu.reshape(x.shape), pivots.reshape(*batch, steps)
    if isinstance(x, Box):
        lu = _factored(x, lu, order.reshape(*batch, m))
    return lu, pivots


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    if not isinstance(x, Box):
        return np.diagonal(x, offset, axis1, axis2)
    first, second = arguments.axes_of((axis1, axis2), x.ndim)
    rest = [i for i in range(x.ndim) if i not in (first, second)]
    rows, columns = max(0, -offset), max(0, offset)
    length = max(0, min(x.shape[first] - rows, x.shape[second] - columns))
    along = np.arange(length)
    return anp.transpose(x, [*rest, first, second])[..., along + rows, along + columns]


@primitive
def _diag_matrix(x: Any, k: int) -> np.ndarray:
    return np.diag(x, k)


defvjp(_diag_matrix, lambda ans, x, k: lambda g: diagonal(g, k), argnums=(0,))


def diag(x: Any, k: int = 0) -> Any:
    return _diag_matrix(x, k) if x.ndim == 1 else diagonal(x, k)
