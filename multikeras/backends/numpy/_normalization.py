"""Fused batch, layer and root-mean-square normalization of the NumPy backend; `nn` shows them.

Sizes are expected to fit; what is checked is nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from multikeras import config
from multikeras.backends.numpy import _nested
from multikeras.backends.numpy._activations import column_sums
from multikeras.backends.numpy._gradients import differentiable

__all__ = [
    "batch_normalization",
    "batch_normalization_train",
    "layer_normalization",
    "moments",
    "rms_normalization",
]

Backward = Callable[..., tuple[Any, ...]]
Recorded = tuple[Any, Backward]

_add = np.add
_BLOCK_BYTES = 1 << 21
_vecdot = getattr(np, "vecdot", functools.partial(np.einsum, "ij,ij->i"))


def _on_axis(vector: np.ndarray, axis: int, ndim: int) -> np.ndarray:
    shape = [1] * ndim
    shape[axis] = -1
    return vector.reshape(shape)


def _other_axes(axis: int, ndim: int) -> tuple[int, ...]:
    axis %= ndim
    return tuple(i for i in range(ndim) if i != axis)


def _sum_over(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Sum over `axes`; over all but the last, through BLAS."""
    if axes == tuple(range(x.ndim - 1)) and x.flags.c_contiguous:
        return column_sums(x.reshape(-1, x.shape[-1]))
    return _add.reduce(x, axis=axes)


def _batch_normalization_gradient(
    needs: tuple[int, ...],
    x: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    axis: int,
    offset: np.ndarray | None = None,
    scale: np.ndarray | None = None,
    epsilon: float = 1e-3,
) -> Recorded:
    inverse = 1 / np.sqrt(variance + epsilon)
    factor = inverse if scale is None else inverse * scale
    y = batch_normalization.fun(x, mean, variance, axis, offset, scale, epsilon)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        axes = _other_axes(axis, x.ndim)
        total = _sum_over(g, axes)
        gx = g * _on_axis(factor, axis, x.ndim) if 0 in needs else None
        moment = None
        if 2 in needs or 5 in needs:
            moment = _sum_over(g * (x - _on_axis(mean, axis, x.ndim)), axes)
        gv = moment * factor * inverse * inverse * -0.5 if 2 in needs else None
        gs = moment * inverse if 5 in needs else None
        return gx, -factor * total, gv, None, total, gs

    return y, backward


@differentiable(_batch_normalization_gradient, composed=_nested.batch_normalization)
def batch_normalization(
    x: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    axis: int,
    offset: np.ndarray | None = None,
    scale: np.ndarray | None = None,
    epsilon: float = 1e-3,
) -> np.ndarray:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset; the vectors lie along `axis`."""
    factor = 1 / np.sqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    y = x - _on_axis(mean, axis, x.ndim)
    y *= _on_axis(factor, axis, x.ndim)
    if offset is not None:
        y += _on_axis(offset, axis, x.ndim)
    return y


def _moments(x: np.ndarray, axes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Mean, variance (both without the axes) and centred x, in two passes."""
    kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
    count = x.size // max(1, int(np.prod(kept)))
    mean = _sum_over(x, axes) / count
    centred = x - mean.reshape(kept)
    variance = _sum_over(centred * centred, axes) / count
    return mean, variance, centred


def _all_moments(x: np.ndarray, axes: Any, keepdims: bool) -> tuple[tuple[Any, Any], Any, int]:
    """(mean, variance), centred x and the number of values averaged."""
    every = range(x.ndim) if axes is None else (axes,) if isinstance(axes, int) else axes
    over = tuple(sorted(a % x.ndim for a in every))
    mean, variance, centred = _moments(x, over)
    kept = [1 if i in over else n for i, n in enumerate(x.shape)]
    shape = kept if keepdims else mean.shape
    count = centred.size // max(1, mean.size)
    return (np.reshape(mean, shape), np.reshape(variance, shape)), (centred, kept), count


def _moments_gradient(
    needs: tuple[int, ...],
    x: np.ndarray,
    axes: Any,
    keepdims: bool = False,
    synchronized: bool = False,
) -> Recorded:
    answer, (centred, kept), count = _all_moments(x, axes, keepdims)

    def backward(g_mean: Any, g_variance: Any) -> tuple[Any, ...]:
        gx = np.zeros_like(centred)
        if g_variance is not None:
            gx += centred * (g_variance.reshape(kept) * (2 / count))
        if g_mean is not None:
            gx += g_mean.reshape(kept) / count
        return (gx,)

    return answer, backward


@differentiable(_moments_gradient, outputs=2, composed=_nested.moments)
def moments(
    x: np.ndarray, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and population variance over `axes`."""
    return _all_moments(x, axes, keepdims)[0]


def _batch_normalization_train_gradient(
    needs: tuple[int, ...],
    x: np.ndarray,
    offset: np.ndarray | None,
    scale: np.ndarray | None,
    axis: tuple[int, ...],
    epsilon: float,
) -> Recorded:
    axes = tuple(sorted(a % x.ndim for a in axis))
    kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
    mean, variance, xhat = _moments(x, axes)
    inverse = 1 / np.sqrt(variance + epsilon)
    xhat *= inverse.reshape(kept)
    y = xhat * scale.reshape(kept) if scale is not None else xhat
    y = y + offset.reshape(kept) if offset is not None else y
    count = x.size // max(1, mean.size)

    def backward(g: np.ndarray, *_: Any) -> tuple[Any, ...]:
        total = _sum_over(g, axes)
        moment = _sum_over(g * xhat, axes)
        gx = None
        if 0 in needs:
            factor = inverse if scale is None else inverse * scale.reshape(-1)
            gx = xhat * (moment / -count).reshape(kept)
            gx += g
            gx -= (total / count).reshape(kept)
            gx *= factor.reshape(kept)
        shape = None if scale is None else scale.shape
        gs = moment if shape is None else moment.reshape(shape)
        return gx, total if offset is None else total.reshape(offset.shape), gs

    return (y, mean, variance), backward


@differentiable(
    _batch_normalization_train_gradient, outputs=1, composed=_nested.batch_normalization_train
)
def batch_normalization_train(
    x: np.ndarray,
    offset: np.ndarray | None,
    scale: np.ndarray | None,
    axis: tuple[int, ...],
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normalizes by the batch's own statistics (Ioffe and Szegedy, 2015, arXiv:1502.03167).

    `axis` are the axes averaged over. Returns (y, mean, variance), the population variance, both
    without `axis`; the gradient of y runs through the statistics, these two are constants to it.
    """
    axes = tuple(sorted(a % x.ndim for a in axis))
    kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
    mean, variance, y = _moments(x, axes)
    factor = 1 / np.sqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale.reshape(factor.shape)
    y *= factor.reshape(kept)
    if offset is not None:
        y += offset.reshape(kept)
    return y, mean, variance


def _trailing(
    x: np.ndarray, axis: Any
) -> tuple[np.ndarray, Callable[..., Any], Callable[..., Any]]:
    """x as (rows, features) with `axis` flattened into features, the way back, the way there."""
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    axes = tuple(sorted(a % x.ndim for a in axes))
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = x if axes == last else np.moveaxis(x, axes, last)
    sizes = moved.shape[x.ndim - len(axes) :]

    def back(rows: np.ndarray) -> np.ndarray:
        y = rows.reshape(moved.shape)
        return y if axes == last else np.moveaxis(y, last, axes)

    def to_rows(g: np.ndarray) -> np.ndarray:
        g = g if axes == last else np.moveaxis(g, axes, last)
        return g.reshape(-1, int(np.prod(sizes)))

    return to_rows(x), back, to_rows


def _row_dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return _vecdot(a, b)[:, None]


def _row_means(x: np.ndarray) -> np.ndarray:
    # A product with a vector is many times quicker than NumPy's sum along short rows.
    width = x.shape[1]
    return np.dot(x, np.full(width, 1 / width, x.dtype))[:, None]


def _norm_gradient(
    centre: bool,
    needs: tuple[int, ...],
    x: np.ndarray,
    gamma: np.ndarray | None,
    beta: np.ndarray | None,
    axis: Any,
    epsilon: float | None,
) -> Recorded:
    rows, back, to_rows = _trailing(x, axis)
    width = rows.shape[1]
    xhat, inverse = _normalized_rows(rows, epsilon, centre)
    y = xhat if gamma is None else xhat * gamma.reshape(-1)
    y = y if beta is None else y + beta.reshape(-1)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g = to_rows(g)
        gx = np.empty_like(xhat) if 0 in needs else None
        gg = np.zeros(width, g.dtype) if 1 in needs else None
        gb = column_sums(g).reshape(beta.shape) if 2 in needs else None  # type: ignore[union-attr]
        flat = None if gamma is None else gamma.reshape(-1)
        for part in _row_blocks(g):
            _norm_backward_rows(g[part], xhat[part], flat, inverse[part], centre, gg, gx, part)
        return (
            None if gx is None else back(gx),
            None if gg is None else gg.reshape(gamma.shape),  # type: ignore[union-attr]
            gb,
        )

    return back(y), backward


def _row_blocks(rows: np.ndarray) -> Iterator[slice]:
    """Slices of rows that stay in the cache through several passes."""
    step = max(1, _BLOCK_BYTES // max(1, rows.shape[1] * rows.itemsize))
    for start in range(0, len(rows), step):
        yield slice(start, start + step)


def _norm_backward_rows(
    g: np.ndarray,
    xhat: np.ndarray,
    gamma: np.ndarray | None,
    inverse: np.ndarray,
    centre: bool,
    gg: np.ndarray | None,
    gx: np.ndarray | None,
    part: slice,
) -> None:
    """One block of rows: adds to `gg`, writes into `gx[part]`."""
    if gg is not None:
        gg += column_sums(g * xhat)
    if gx is None:
        return
    width = g.shape[1]
    scaled = g if gamma is None else g * gamma
    out = np.multiply(xhat, _row_dots(scaled, xhat) / -width, out=gx[part])
    out += scaled
    if centre:
        out -= _row_means(scaled)
    out *= inverse


def _normalized_rows(
    rows: np.ndarray, epsilon: float | None, centre: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(normalized rows, what they were multiplied by)."""
    epsilon = config.epsilon() if epsilon is None else epsilon
    width = rows.shape[1]
    out = np.empty_like(rows)
    inverse = np.empty((len(rows), 1), rows.dtype)
    for part in _row_blocks(rows):
        x, y, scale = rows[part], out[part], inverse[part]
        if centre:
            x = np.subtract(x, _row_means(x), out=y)
        np.divide(_row_dots(x, x), width, out=scale)
        scale += epsilon
        np.sqrt(scale, out=scale)
        np.reciprocal(scale, out=scale)
        np.multiply(x, scale, out=y)
    return out, inverse


def _norm(
    x: np.ndarray, gamma: Any, beta: Any, axis: Any, epsilon: float | None, centre: bool
) -> np.ndarray:
    rows, back, _ = _trailing(x, axis)
    y, _ = _normalized_rows(rows, epsilon, centre)
    if gamma is not None:
        y *= gamma.reshape(-1)
    if beta is not None:
        y += beta.reshape(-1)
    return back(y)


def _layer_normalization_gradient(
    needs: tuple[int, ...],
    x: np.ndarray,
    gamma: np.ndarray | None = None,
    beta: np.ndarray | None = None,
    axis: Any = -1,
    epsilon: float | None = None,
) -> Recorded:
    return _norm_gradient(True, needs, x, gamma, beta, axis, epsilon)


@differentiable(_layer_normalization_gradient, composed=_nested.layer_normalization)
def layer_normalization(
    x: np.ndarray,
    gamma: np.ndarray | None = None,
    beta: np.ndarray | None = None,
    axis: int | tuple[int, ...] = -1,
    epsilon: float | None = None,
) -> np.ndarray:
    """Mean 0 and variance 1 along `axis`, times gamma, plus beta (arXiv:1607.06450).

    gamma and beta have the sizes of `axis`, in its order of position.
    """
    return _norm(x, gamma, beta, axis, epsilon, True)


def _rms_normalization_gradient(
    needs: tuple[int, ...],
    x: np.ndarray,
    scale: np.ndarray | None = None,
    axis: Any = -1,
    epsilon: float | None = None,
) -> Recorded:
    return _norm_gradient(False, needs, x, scale, None, axis, epsilon)


@differentiable(_rms_normalization_gradient, composed=_nested.rms_normalization)
def rms_normalization(
    x: np.ndarray,
    scale: np.ndarray | None = None,
    axis: int | tuple[int, ...] = -1,
    epsilon: float | None = None,
) -> np.ndarray:
    """x over its root mean square along `axis`, times scale (arXiv:1910.07467)."""
    return _norm(x, scale, None, axis, epsilon, False)
