"""Initializers that draw nothing: constants, identity matrices and Fourier kernels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from multikeras import dtypes, registry
from multikeras.initializers.initializer import HostInitializer
from multikeras.ops import convert_to_numpy
from multikeras.serialization import deserialize_keras_object, serialize_keras_object


@registry.expose("keras.initializers", aliases=("keras.initializers.constant",))
class Constant(HostInitializer):
    """Fills with given values.

    Args:
        value: A number, or an array-like that broadcasts to the variable's shape. Defaults to 0.

    Example:
        >>> import multikeras as keras
        >>> keras.ops.convert_to_numpy(keras.initializers.Constant(3.0)((2,))).tolist()
        [3.0, 3.0]
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Return the values as an array of the host; `dtype` is a name."""
        value = self.value
        if not isinstance(value, (bool, int, float, complex)):
            value = convert_to_numpy(value)
        result = np.empty(shape, dtypes.numpy_dtype(dtype))
        try:
            result[...] = value
        except ValueError:
            raise ValueError(
                f"Constant: values of shape {np.shape(value)} don't broadcast to a variable "
                f"of shape {shape}."
            ) from None
        return result

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this initializer anew."""
        return {"value": serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constant:
        """Make an initializer from what `get_config` gave."""
        return cls(deserialize_keras_object(config.get("value", 0.0)))


@registry.expose(
    "keras.initializers", aliases=("keras.initializers.zeros", "keras.initializers.zero")
)
class Zeros(HostInitializer):
    """Fills with zeros.

    Example:
        >>> import multikeras as keras
        >>> keras.ops.convert_to_numpy(keras.initializers.Zeros()((2,))).tolist()
        [0.0, 0.0]
    """

    def host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Return the values as an array of the host; `dtype` is a name."""
        return np.zeros(shape, dtypes.numpy_dtype(dtype))


@registry.expose(
    "keras.initializers", aliases=("keras.initializers.ones", "keras.initializers.one")
)
class Ones(HostInitializer):
    """Fills with ones.

    Example:
        >>> import multikeras as keras
        >>> keras.ops.convert_to_numpy(keras.initializers.Ones()((2,))).tolist()
        [1.0, 1.0]
    """

    def host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Return the values as an array of the host; `dtype` is a name."""
        return np.ones(shape, dtypes.numpy_dtype(dtype))


@registry.expose(
    "keras.initializers",
    aliases=("keras.initializers.identity", "keras.initializers.IdentityInitializer"),
)
class Identity(HostInitializer):
    """Fills a matrix with `gain` on its diagonal and zeros elsewhere.

    Args:
        gain: The value on the diagonal. Defaults to 1.

    Raises:
        ValueError: When called with a shape that isn't of a matrix.

    Example:
        >>> import multikeras as keras
        >>> keras.ops.convert_to_numpy(keras.initializers.Identity(2.0)((2, 2))).tolist()
        [[2.0, 0.0], [0.0, 2.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Return the values as an array of the host; `dtype` is a name."""
        if len(shape) != 2:
            raise ValueError(f"Identity: expected the shape of a matrix, got {shape}.")
        values = np.zeros(shape, dtypes.numpy_dtype(dtype))
        np.fill_diagonal(values, self.gain)
        return values

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this initializer anew."""
        # Keras writes no gain, so a file without one means the default, there and here.
        return {} if self.gain == 1.0 else {"gain": self.gain}


def _cosine_sum(*weights: float) -> Callable[[int, bool], np.ndarray]:
    def window(length: int, periodic: bool) -> np.ndarray:
        # A symmetric window ends on its first value; a periodic one would begin anew there.
        turns = np.arange(length) / max(length - (0 if periodic else 1), 1)
        terms = (w * np.cos(2 * np.pi * k * turns) for k, w in enumerate(weights))
        return np.ones(1) if length == 1 else np.asarray(sum(terms))

    return window


def _triangle(length: int, periodic: bool) -> np.ndarray:
    full = length + 1 if periodic else length
    return np.bartlett(full)[:length] if length > 1 else np.ones(length)


# Windows by their usual names; F. J. Harris, "On the Use of Windows for Harmonic Analysis with
# the Discrete Fourier Transform", Proceedings of the IEEE 66 (1978).
_WINDOWS: dict[str, Callable[[int, bool], np.ndarray]] = {
    "hann": _cosine_sum(0.5, -0.5),
    "hamming": _cosine_sum(0.54, -0.46),
    "blackman": _cosine_sum(0.42, -0.5, 0.08),
    "nuttall": _cosine_sum(0.3635819, -0.4891775, 0.1365995, -0.0106411),
    "blackmanharris": _cosine_sum(0.35875, -0.48829, 0.14128, -0.01168),
    "flattop": _cosine_sum(0.21557895, -0.41663158, 0.277263158, -0.083578947, 0.006947368),
    "bartlett": _triangle,
    "boxcar": _cosine_sum(1.0),
    "rect": _cosine_sum(1.0),
    "rectangular": _cosine_sum(1.0),
    "ones": _cosine_sum(1.0),
}
_SIDES = ("real", "imag")
_SCALINGS = (None, "density", "spectrum")


@registry.expose(
    "keras.initializers",
    aliases=("keras.initializers.stft", "keras.initializers.STFTInitializer"),
)
class STFT(HostInitializer):
    """Fills a 1D convolution kernel so that the layer computes a short-time Fourier transform.

    The kernel's shape is `(frame length, 1, fft length // 2 + 1)`: the value at step `n` of
    channel `k` is the real or imaginary part of `window[n] * exp(-2j * pi * k * n / fft length)`.

    Args:
        side: `"real"` or `"imag"`. Defaults to `"real"`.
        window: Name of a window (`"hann"`, `"hamming"`, `"blackman"`, `"bartlett"`, ...), an
            array of the frame's length, or None for no window. Defaults to `"hann"`.
        scaling: `"density"` divides by the window's root of summed squares, `"spectrum"` by its
            sum, None by nothing. Defaults to `"density"`.
        periodic: Whether the window is periodic instead of symmetric. Defaults to False.

    Raises:
        ValueError: If an argument is none of these, or when called with a shape that doesn't fit.

    Example:
        >>> import multikeras as keras
        >>> keras.initializers.STFT("imag", "hann")((16, 1, 9)).shape[2]
        9
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        if isinstance(window, dict):
            window = deserialize_keras_object(window)
        if side not in _SIDES:
            raise ValueError(f"STFT: `side` must be 'real' or 'imag', got {side!r}.")
        if isinstance(window, str) and window not in _WINDOWS:
            raise ValueError(f"STFT: `window` must be one of {sorted(_WINDOWS)}, got {window!r}.")
        if scaling not in _SCALINGS:
            raise ValueError(
                f"STFT: `scaling` must be 'density', 'spectrum' or None, got {scaling!r}."
            )
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = bool(periodic)

    def host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Return the values as an array of the host; `dtype` is a name."""
        if len(shape) != 3 or shape[2] < 2:
            raise ValueError(
                "STFT: expected the shape (frame length, inputs, fft length // 2 + 1) of a 1D "
                f"convolution kernel, got {shape}."
            )
        length, channels, frequencies = shape
        fft_length = 2 * (frequencies - 1)
        angle = np.outer(np.arange(length), np.arange(frequencies)) * (2 * math.pi / fft_length)
        wave = np.cos(angle) if self.side == "real" else -np.sin(angle)
        if self.window is not None:
            wave *= self._scaled_window(length)[:, None]
        kernel = np.broadcast_to(wave[:, None, :], (length, channels, frequencies))
        return kernel.astype(dtypes.numpy_dtype(dtype))

    def _scaled_window(self, length: int) -> np.ndarray:
        if isinstance(self.window, str):
            window = _WINDOWS[self.window](length, self.periodic)
        else:
            window = np.asarray(convert_to_numpy(self.window), np.float64)
            if window.shape != (length,):
                raise ValueError(
                    f"STFT: the window has shape {window.shape}, the frame {length} steps."
                )
        if self.scaling == "density":
            return window / math.sqrt(float((window**2).sum()))
        if self.scaling == "spectrum":
            return window / abs(float(window.sum()))
        return window

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this initializer anew."""
        window = self.window
        return {
            "side": self.side,
            "window": window if isinstance(window, str) else serialize_keras_object(window),
            "periodic": self.periodic,
            "scaling": self.scaling,
        }
