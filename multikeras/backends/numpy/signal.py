"""Fourier transforms and frames of signals.

The gradient that reaches a complex value z is the one with which the loss changes by Re(g dz), as
autograd has it: under that convention a Fourier transform is its own transpose.
"""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, primitive

from multikeras.backends.numpy._gradients import differentiable


@primitive
def fourier(x: Any) -> Any:
    return np.fft.fft(x)


defvjp(fourier, lambda ans, x: fourier)


@primitive
def fourier2(x: Any) -> Any:
    return np.fft.fft2(x)


defvjp(fourier2, lambda ans, x: fourier2)


@primitive
def inverse_fourier2(x: Any) -> Any:
    return np.fft.ifft2(x)


defvjp(inverse_fourier2, lambda ans, x: inverse_fourier2)


def _resized(x: Any, size: int) -> Any:
    """The last axis cut, or filled up with zeros."""
    have = x.shape[-1]
    if have >= size:
        return x[..., :size]
    return anp.pad(x, ((0, 0),) * (x.ndim - 1) + ((0, size - have),), "constant")


@primitive
def fourier_real(x: Any, length: int | None) -> Any:
    return np.fft.rfft(x, length)


def _fourier_real_vjp(ans: Any, x: Any, length: int | None) -> Any:
    def backward(g: Any) -> Any:
        spectrum = fourier(_resized(g, x.shape[-1] if length is None else length))
        return _resized(anp.real(spectrum), x.shape[-1])

    return backward


defvjp(fourier_real, _fourier_real_vjp, argnums=(0,))


@primitive
def inverse_fourier_real(x: Any, length: int | None) -> Any:
    return np.fft.irfft(x, length)


def _inverse_fourier_real_vjp(ans: Any, x: Any, length: int | None) -> Any:
    size = ans.shape[-1]
    # Every term but the first, and the last of an even length, stands for two.
    terms = np.full(size // 2 + 1, 2 / size, ans.dtype)
    terms[0] = 1 / size
    if size % 2 == 0:
        terms[-1] = 1 / size

    def backward(g: Any) -> Any:
        return _resized(anp.conj(fourier_real(g, None)) * terms, x.shape[-1])

    return backward


defvjp(inverse_fourier_real, _inverse_fourier_real_vjp, argnums=(0,))


def _extract(x: np.ndarray, length: int, stride: int) -> np.ndarray:
    if x.shape[-1] < length:
        return np.zeros((*x.shape[:-1], 0, length), x.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(x, length, axis=-1)
    return np.ascontiguousarray(windows[..., ::stride, :])


def _overlap(x: np.ndarray, stride: int, size: int) -> np.ndarray:
    """The sum of the frames where they overlap, `size` long."""
    *batch, count, length = x.shape
    pieces = -(-length // stride)
    total = np.zeros((*batch, count + pieces - 1, stride), x.dtype)
    for p in range(pieces):
        piece = x[..., p * stride : (p + 1) * stride]
        total[..., p : p + count, : piece.shape[-1]] += piece
    flat = total.reshape((*batch, -1))[..., :size]
    return _resized(flat, size)


@primitive
def frames(x: Any, length: int, stride: int) -> Any:
    return _extract(x, length, stride)


@primitive
def _overlap_to(x: Any, stride: int, size: int) -> Any:
    return _overlap(x, stride, size)


def overlap_sequences(x: Any, sequence_stride: int) -> Any:
    return _overlap_to(x, sequence_stride, (x.shape[-2] - 1) * sequence_stride + x.shape[-1])


defvjp(
    frames,
    lambda ans, x, length, stride: lambda g: _overlap_to(g, stride, x.shape[-1]),
    argnums=(0,),
)
defvjp(
    _overlap_to,
    lambda ans, x, stride, size: lambda g: frames(g, x.shape[-1], stride),
    argnums=(0,),
)


def _bessel1(x: np.ndarray) -> np.ndarray:
    """I1: the mean of `cos(t) * exp(x * cos(t))` over a circle, to the last digit by 256 points."""
    cosines = np.cos(np.arange(256) * (np.pi / 128))
    return np.exp(np.multiply.outer(x, cosines)) @ (cosines / 256)


def _i0_gradient(needs: tuple, x: Any) -> Any:
    slope = _bessel1(np.asarray(x, np.float64)).astype(x.dtype)
    return i0.fun(x), lambda g: (g * slope,)


@differentiable(_i0_gradient)
def i0(x: Any) -> Any:
    return np.asarray(np.i0(np.asarray(x, np.float64))).reshape(x.shape).astype(x.dtype)
