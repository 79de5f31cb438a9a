"""Fourier transforms and frames of signals."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax.scipy.special import i0 as i0

fourier = jnp.fft.fft


def fourier2(x: Any) -> Any:
    return jnp.fft.fft2(x)


def inverse_fourier2(x: Any) -> Any:
    return jnp.fft.ifft2(x)


def fourier_real(x: Any, length: int | None) -> Any:
    return jnp.fft.rfft(x, length)


def inverse_fourier_real(x: Any, length: int | None) -> Any:
    return jnp.fft.irfft(x, length)
