"""Reductions and cumulative functions; each is one node of a gradient trace."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from multikeras import dtypes
from multikeras.backends.numpy import core
from multikeras.backends.numpy._gradients import differentiable

Gradient = tuple[Any, Callable[[Any], tuple[Any, ...]]]


def _axes(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The gradient of a reduction's result with the reduced axes back, of size 1."""
    if keepdims or x.ndim == 0:
        return g
    axis = tuple(range(x.ndim)) if axis is None else axis
    return np.expand_dims(g, axis)


def _count(x: Any, axis: Any) -> int:
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return math.prod(x.shape[a] for a in axes)


def _sum(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.add.reduce(x, axis=_axes(axis), dtype=x.dtype, keepdims=keepdims)


def _sum_gradient(needs: tuple, x: Any, axis: Any, keepdims: bool) -> Gradient:
    axis = _axes(axis)
    return _sum(x, axis, keepdims), lambda g: (
        np.broadcast_to(_spread(g, x, axis, keepdims), x.shape),
    )


@differentiable(_sum_gradient, composed=lambda x, a, k: anp.sum(x, axis=_axes(a), keepdims=k))
def sum(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.add.reduce(x, axis=_axes(axis), dtype=x.dtype, keepdims=keepdims)


def _mean(x: Any, axis: Any, keepdims: bool) -> Any:
    axis = _axes(axis)
    return np.mean(x, axis=axis, dtype=x.dtype, keepdims=keepdims)


def _mean_gradient(needs: tuple, x: Any, axis: Any, keepdims: bool) -> Gradient:
    axis = _axes(axis)
    count = _count(x, axis)

    def backward(g: Any) -> tuple:
        part = _spread(g, x, axis, keepdims) / np.asarray(count, x.dtype)
        return (np.broadcast_to(part, x.shape),)

    return _mean(x, axis, keepdims), backward


@differentiable(_mean_gradient, composed=lambda x, a, k: anp.mean(x, axis=_axes(a), keepdims=k))
def mean(x: Any, axis: Any, keepdims: bool) -> Any:
    return _mean(x, axis, keepdims)


def _extreme(reduce: Callable[..., Any], traced: Callable[..., Any]) -> Callable[..., Any]:
    def gradient(needs: tuple, x: Any, axis: Any, keepdims: bool) -> Gradient:
        axis = _axes(axis)
        peak = reduce(x, axis=axis, keepdims=True)
        answer = peak if keepdims else np.reshape(peak, reduce(x, axis=axis).shape)

        def backward(g: Any) -> tuple:
            reached = (x == peak).astype(x.dtype)
            share = reached.sum(axis=axis, keepdims=True, dtype=x.dtype)
            return (reached * (_spread(g, x, axis, keepdims) / np.maximum(share, 1)),)

        return answer, backward

    @differentiable(
        gradient, widen=False, composed=lambda x, a, k: traced(x, axis=_axes(a), keepdims=k)
    )
    def extreme(x: Any, axis: Any, keepdims: bool) -> Any:
        return reduce(x, axis=_axes(axis), keepdims=keepdims)

    return extreme


amax = _extreme(np.maximum.reduce, anp.max)
amin = _extreme(np.minimum.reduce, anp.min)


def max(x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    if initial is None:
        return amax(x, axis, keepdims)
    initial = core.convert_to_tensor(initial, core.dtype_name(x))
    if 0 in x.shape:
        return np.max(core.convert_to_numpy(x), _axes(axis), keepdims=keepdims, initial=initial)
    return anp.maximum(amax(x, axis, keepdims), initial)


def min(x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    if initial is None:
        return amin(x, axis, keepdims)
    initial = core.convert_to_tensor(initial, core.dtype_name(x))
    if 0 in x.shape:
        return np.min(core.convert_to_numpy(x), _axes(axis), keepdims=keepdims, initial=initial)
    return anp.minimum(amin(x, axis, keepdims), initial)


def _others_product(x: Any) -> Any:
    """Along the last axis, for each element the product of all others, without dividing."""
    ones = np.ones((*x.shape[:-1], 1), x.dtype)
    before = np.cumprod(np.concatenate([ones, x[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([ones, x[..., :0:-1]], -1), -1)[..., ::-1]
    return before * after


def _prod_gradient(needs: tuple, x: Any, axis: Any, keepdims: bool) -> Gradient:
    axis = _axes(axis)

    def backward(g: Any) -> tuple:
        if x.size == 0 or axis == ():
            return (np.broadcast_to(_spread(g, x, axis, keepdims), x.shape),)
        axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        last = tuple(range(x.ndim - len(axes), x.ndim))
        moved = np.moveaxis(x, tuple(axes), last)
        others = _others_product(moved.reshape(*moved.shape[: last[0]], -1) if last else moved)
        others = np.moveaxis(others.reshape(moved.shape), last, tuple(axes))
        return (others * _spread(g, x, axis, keepdims),)

    return np.multiply.reduce(x, axis=axis, dtype=x.dtype, keepdims=keepdims), backward


@differentiable(_prod_gradient, composed=lambda x, a, k: anp.prod(x, axis=_axes(a), keepdims=k))
def _prod(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.multiply.reduce(x, axis=_axes(axis), dtype=x.dtype, keepdims=keepdims)


def prod(x: Any, axis: Any, keepdims: bool, dtype: Any) -> Any:
    if dtype is not None:
        x = core.cast(x, dtypes.standardize_dtype(dtype))
    return _prod(x, axis, keepdims)


def _var_gradient(needs: tuple, x: Any, axis: Any, keepdims: bool) -> Gradient:
    axis = _axes(axis)
    centred = x - _mean(x, axis, True)
    scale = np.asarray(2 / (_count(x, axis) or 1), x.dtype)

    turned = np.conj(centred) if x.dtype.kind == "c" else centred

    def backward(g: Any) -> tuple:
        return (turned * (_spread(g, x, axis, keepdims) * scale),)

    return _mean((centred * turned).real, axis, keepdims), backward


@differentiable(_var_gradient, composed=lambda x, a, k: anp.var(x, axis=_axes(a), keepdims=k))
def var(x: Any, axis: Any, keepdims: bool) -> Any:
    dtype = x.dtype if x.dtype.kind != "c" else None  # that of the parts
    return np.var(x, axis=_axes(axis), dtype=dtype, keepdims=keepdims)


def std(x: Any, axis: Any, keepdims: bool) -> Any:
    return anp.sqrt(var(x, axis, keepdims))


def _logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    axis = _axes(axis)
    peak = np.maximum.reduce(x, axis=axis, keepdims=True)
    shift = np.where(np.isfinite(peak), peak, np.zeros((), x.dtype))
    with np.errstate(divide="ignore"):
        answer = np.log(np.exp(x - shift).sum(axis=axis, keepdims=True, dtype=x.dtype)) + shift
    return answer if keepdims else np.squeeze(answer, axis=axis if axis != () else None)


def _logsumexp_gradient(needs: tuple, x: Any, axis: Any, keepdims: bool) -> Gradient:
    axis = _axes(axis)
    answer = _logsumexp(x, axis, True)
    shift = np.where(np.isfinite(answer), answer, np.zeros((), x.dtype))
    result = answer if keepdims else np.squeeze(answer, axis=axis if axis != () else None)
    return result, lambda g: (np.exp(x - shift) * _spread(g, x, axis, keepdims),)


@differentiable(_logsumexp_gradient)
def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    return _logsumexp(x, axis, keepdims)


def all(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.all(core.convert_to_numpy(x), _axes(axis), keepdims=keepdims)


def any(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.any(core.convert_to_numpy(x), _axes(axis), keepdims=keepdims)


def argmax(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.argmax(core.convert_to_numpy(x), axis, keepdims=keepdims).astype(np.int32)


def argmin(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.argmin(core.convert_to_numpy(x), axis, keepdims=keepdims).astype(np.int32)


def _flat(x: Any, axis: int | None, dtype: Any) -> tuple[Any, int]:
    if dtype is not None:
        x = core.cast(x, dtypes.standardize_dtype(dtype))
    return (x.reshape(-1), 0) if axis is None else (x, axis)


def _reversed_sum(x: Any, axis: int) -> Any:
    return np.flip(np.cumsum(np.flip(x, axis), axis, dtype=x.dtype), axis)


def _cumsum_gradient(needs: tuple, x: Any, axis: int) -> Gradient:
    return np.cumsum(x, axis, dtype=x.dtype), lambda g: (_reversed_sum(g, axis),)


@differentiable(_cumsum_gradient, composed=anp.cumsum)
def _cumsum(x: Any, axis: int) -> Any:
    return np.cumsum(x, axis, dtype=x.dtype)


def cumsum(x: Any, axis: int | None, dtype: Any) -> Any:
    return _cumsum(*_flat(x, axis, dtype))


def _cumprod_gradient(needs: tuple, x: Any, axis: int) -> Gradient:
    answer = np.cumprod(x, axis, dtype=x.dtype)

    def backward(g: Any) -> tuple:
        if np.all(x):
            return (_reversed_sum(g * answer, axis) / x,)
        # With zeros: element j's slope in product i is the product of the others up to i.
        lane, gradient = np.moveaxis(x, axis, -1), np.moveaxis(g, axis, -1)
        total = np.zeros_like(lane)
        for i in range(lane.shape[-1]):
            total[..., : i + 1] += _others_product(lane[..., : i + 1]) * gradient[..., i, None]
        return (np.moveaxis(total, -1, axis),)

    return answer, backward


@differentiable(_cumprod_gradient)
def _cumprod(x: Any, axis: int) -> Any:
    return np.cumprod(x, axis, dtype=x.dtype)


def cumprod(x: Any, axis: int | None, dtype: Any) -> Any:
    return _cumprod(*_flat(x, axis, dtype))
