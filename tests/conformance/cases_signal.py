"""Cases of Fourier transforms, by their sums, and of frames and windows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.conformance.cases_complex_numbers import c
from tests.conformance.op_cases import Case, f, i


def _wave(n: int, m: int, sign: int = -1) -> np.ndarray:
    return np.exp(sign * 2j * math.pi * np.outer(np.arange(n), np.arange(m)) / max(n, 1))


def _split(z: Any) -> tuple:
    return z.real, z.imag


def _dft(z: Any) -> Any:
    return z @ _wave(z.shape[-1], z.shape[-1])


def _dft2(z: Any, sign: int = -1) -> Any:
    m, n = z.shape[-2:]
    return _wave(m, m, sign) @ z @ _wave(n, n, sign) / (1 if sign < 0 else m * n)


def _sized(x: Any, size: int) -> Any:
    x = x[..., :size]
    return np.pad(x, ((0, 0),) * (x.ndim - 1) + ((0, size - x.shape[-1]),))


def _rfft(x: Any, n: int | None = None) -> Any:
    n = x.shape[-1] if n is None else n
    return _sized(x, n) @ _wave(n, n)[:, : n // 2 + 1]


def _irfft(z: Any, n: int | None = None) -> Any:
    n = 2 * (z.shape[-1] - 1) if n is None else n
    z = _sized(z, n // 2 + 1)
    terms = np.full(n // 2 + 1, 2.0)
    terms[0] = 1
    if n % 2 == 0:
        terms[-1] = 1
    return ((z * terms) @ _wave(n, n, 1)[: n // 2 + 1]).real / n


def _frames(x: Any, length: int, stride: int) -> Any:
    count = max((x.shape[-1] - length) // stride + 1, 0)
    rows = [x[..., k * stride : k * stride + length] for k in range(count)]
    return np.stack(rows, -2) if rows else np.zeros((*x.shape[:-1], 0, length))


def _overlap(x: Any, stride: int) -> Any:
    result = np.zeros((*x.shape[:-2], (x.shape[-2] - 1) * stride + x.shape[-1]), x.dtype)
    for k in range(x.shape[-2]):
        result[..., k * stride : k * stride + x.shape[-1]] += x[..., k, :]
    return result


def _weights(window: Any, length: int, size: int) -> Any:
    if window is None:
        return np.ones(size)
    if isinstance(window, str):
        t = np.cos(2 * np.pi * np.arange(length) / length)
        window = {"hann": 0.5 - 0.5 * t, "hamming": 0.54 - 0.46 * t}[window]
    left = (size - length) // 2
    return np.concatenate([np.zeros(left), window, np.zeros(size - length - left)])


def _stft(x: Any, length: int, stride: int, size: int, window: Any = "hann", center: bool = True):
    if center:
        x = np.pad(x, ((0, 0),) * (x.ndim - 1) + ((size // 2,) * 2,), "reflect")
    return _split(_rfft(_frames(x, size, stride) * _weights(window, length, size)))


def _istft(
    x: Any, length: int, stride: int, size: int, out: Any = None, window: Any = "hann", center=True
) -> Any:
    weights = _weights(window, length, size)
    frames = _irfft(x[0] + 1j * x[1], size) * weights
    norm = _overlap(np.tile(weights**2, (frames.shape[-2], 1)), stride)
    signal = _overlap(frames, stride) / np.where(norm > 1e-10, norm, 1)
    if center:
        signal = signal[..., size // 2 :]
    return _sized(signal, signal.shape[-1] - center * (size // 2) if out is None else out)


def _window(name: str) -> Any:
    return getattr(np, name)


pair = (f(3, 5), f(3, 5, seed=1))
pair2 = (f(2, 4, 3), f(2, 4, 3, seed=1))
spectrum = (f(2, 6, 5), f(2, 6, 5, seed=1))
ones = np.linspace(0.5, 1, 6).astype("float32")
around = f(3, 4, low=-6, high=6)

CASES = [
    Case("fft", (pair,), reference=lambda x: _split(_dft(x[0] + 1j * x[1]))),
    Case("fft", ((f(4), f(4, seed=1)),), reference=lambda x: _split(_dft(x[0] + 1j * x[1]))),
    Case("fft", ((i(2, 3), f(2, 3)),), reference=lambda x: _split(_dft(x[0] + 1j * x[1]))),
    Case("fft2", (pair2,), reference=lambda x: _split(_dft2(x[0] + 1j * x[1]))),
    Case("ifft2", (pair2,), reference=lambda x: _split(_dft2(x[0] + 1j * x[1], 1))),
    Case("fourier", (c(2, 4),), reference=_dft),
    Case("fourier2", (c(2, 4, 3),), reference=_dft2),
    Case("inverse_fourier2", (c(2, 4, 3),), reference=lambda z: _dft2(z, 1)),
    Case("fourier_real", (f(3, 4),), reference=_rfft),
    Case("inverse_fourier_real", (c(3, 4),), reference=_irfft),
    *(
        Case(
            "rfft",
            (x,),
            {"fft_length": n},
            reference=lambda x, fft_length: _split(_rfft(x, fft_length)),
        )
        for x in (f(2, 6), f(3, 5), i(2, 4))
        for n in (None, 4, 5, 9)
    ),
    *(
        Case(
            "irfft",
            (x,),
            {"fft_length": n},
            reference=lambda x, fft_length: _irfft(x[0] + 1j * x[1], fft_length),
        )
        for x in (pair, pair2)
        for n in (None, 4, 5, 12)
    ),
    *(
        Case(name, (x, *sizes), reference=_frames)
        for name in ("extract_sequences", "frames")
        for x in (f(2, 9), i(2, 3, 8), f(7))
        for sizes in ((3, 1), (4, 3), (2, 5), (10, 2))
    ),
    *(
        Case("overlap_sequences", (x, stride), reference=_overlap)
        for x in (f(2, 3, 5), f(2, 4))
        for stride in (1, 2, 5, 7)
    ),
    *(
        Case("stft", (f(2, 20), *sizes), settings, reference=_stft, tol=2e-5)
        for sizes in ((6, 3, 8), (5, 2, 7), (8, 4, 8))
        for settings in ({}, {"window": None}, {"window": "hamming", "center": False})
    ),
    Case("stft", (f(20), 6, 3, 8, ones), reference=_stft, name="own_window", batch=False, tol=2e-5),
    *(
        Case(
            "istft",
            (spectrum, 6, 3, 8),
            settings,
            reference=lambda x, a, b, c, length=None, **kw: _istft(x, a, b, c, length, **kw),
            tol=2e-5,
        )
        for settings in (
            {"window": "hamming"},
            {"window": None, "center": False},
            {"window": "hamming", "length": 11},
            {"window": "hamming", "length": 40},
        )
    ),
    Case(
        "istft",
        ((f(6, 5), f(6, 5)), 6, 3, 8, None, ones),
        reference=_istft,
        name="own_window",
        batch=False,
        tol=2e-5,
    ),
    *(
        Case(name, (n,))
        for name in ("bartlett", "blackman", "hamming", "hanning")
        for n in (0, 1, 2, 7)
    ),
    *(Case("kaiser", (n, beta)) for n in (0, 1, 2, 7) for beta in (0.0, 8.6)),
    Case("i0", (around,), tol=1e-5),
    Case("i0", (i(2, 3),), reference=lambda x: np.i0(x.astype(float)), tol=1e-5),
    Case("i0", (f(3).astype(np.float16),), tol=2e-3, grad_tol=1e-2),
]
