"""Fourier transforms and frames of signals."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

fourier = tf.signal.fft
fourier2 = tf.signal.fft2d
inverse_fourier2 = tf.signal.ifft2d
frames = tf.signal.frame


def fourier_real(x: Any, length: int | None) -> Any:
    # Cut here: the gradient of `rfft` and `irfft` can't follow when they do.
    return tf.signal.rfft(x) if length is None else tf.signal.rfft(x[..., :length], [length])


def inverse_fourier_real(x: Any, length: int | None) -> Any:
    if length is None:
        return tf.signal.irfft(x)
    return tf.signal.irfft(x[..., : length // 2 + 1], [length])


def i0(x: Any) -> Any:
    if x.dtype.size < 4:
        return tf.cast(tf.math.bessel_i0(tf.cast(x, tf.float32)), x.dtype)
    return tf.math.bessel_i0(x)
