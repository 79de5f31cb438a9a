"""`UpSampling1D`, `UpSampling2D` and `UpSampling3D`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from multikeras import config, ops, registry
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer
from multikeras.layers.windows import join_channels, split_channels, standardize_tuple


class _UpSampling(Layer):
    """Enlarges the spatial dimensions by whole factors."""

    rank = 0

    def __init__(self, size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._factors = standardize_tuple(size, self.rank, "size", self._who())
        self.size: Any = self._factors
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._first = 1 if self.data_format == "channels_last" else 2

    def call(self, inputs: Any) -> Any:
        """The inputs with every element repeated."""
        for axis, factor in enumerate(self._factors, self._first):
            if factor > 1:
                inputs = ops.repeat(inputs, factor, axis=axis)
        return inputs

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The enlarged shape."""
        spatial, channels = split_channels(input_shape, self.data_format)
        sizes = tuple(
            None if size is None else size * factor
            for size, factor in zip(spatial, self._factors, strict=True)
        )
        return join_channels(input_shape[0], sizes, channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"size": self.size, "data_format": self.data_format}


@registry.expose("keras.layers")
class UpSampling1D(_UpSampling):
    """Repeats every step of time.

    Args:
        size: how often.

    Input: `(batch, steps, channels)`. Output: `(batch, steps * size, channels)`.

    Raises:
        ValueError: for a size that is not a positive integer.

    Example:
        >>> import multikeras as keras
        >>> y = keras.layers.UpSampling1D(2)(keras.ops.convert_to_tensor([[[1.0], [2.0]]]))
        >>> keras.ops.convert_to_numpy(y)[0, :, 0].tolist()
        [1.0, 1.0, 2.0, 2.0]
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(size, "channels_last", **kwargs)
        self.size = self._factors[0]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config_ = super().get_config()
        del config_["data_format"]
        return config_


@registry.expose("keras.layers")
class UpSampling2D(_UpSampling):
    """Enlarges images by whole factors.

    Args:
        size: the factor, or one for rows and one for columns.
        data_format: "channels_last" or "channels_first"; default: the global one.
        interpolation: "nearest" repeats rows and columns; "bilinear", "bicubic", "lanczos3" and
            "lanczos5" blend neighbours (pixel centres at half integers).

    Input: `(batch, height, width, channels)`. Output: the same, larger. The blending ones need
    a known height and width.

    Raises:
        ValueError: for another interpolation, or a size that is not positive.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.UpSampling2D(2)(keras.ops.ones((1, 2, 3, 1))).shape == (1, 4, 6, 1)
        True
    """

    rank = 2

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        known = ("nearest", *_KERNELS)
        if str(interpolation).lower() not in known:
            raise ValueError(
                f"{self._who()}: interpolation must be one of {known}, got {interpolation!r}."
            )
        self.interpolation = interpolation.lower()

    def call(self, inputs: Any) -> Any:
        """The enlarged inputs."""
        if self.interpolation == "nearest":
            return super().call(inputs)
        for axis, factor in enumerate(self._factors, self._first):
            length = inputs.shape[axis]
            if length is None:
                raise ValueError(
                    f"{self._who()}: interpolation={self.interpolation!r} needs a known height "
                    f"and width, got {tuple(inputs.shape)}."
                )
            weights = _interpolation_weights(self.interpolation, length, factor)
            weights = ops.convert_to_tensor(weights, dtype=ops.dtype(inputs))
            moved = ops.matmul(ops.moveaxis(inputs, axis, -1), weights)
            inputs = ops.moveaxis(moved, -1, axis)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"interpolation": self.interpolation}


@registry.expose("keras.layers")
class UpSampling3D(_UpSampling):
    """Repeats every element along depth, height and width.

    Args:
        size: how often, or how often along each.
        data_format: "channels_last" or "channels_first"; default: the global one.

    Input: `(batch, depth, height, width, channels)`. Output: the same, larger.

    Raises:
        ValueError: for a size that is not positive.

    Example:
        >>> import multikeras as keras
        >>> y = keras.layers.UpSampling3D(2)(keras.ops.ones((1, 2, 3, 1, 1)))
        >>> y.shape == (1, 4, 6, 2, 1)
        True
    """

    rank = 3

    def __init__(
        self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(size, data_format, **kwargs)


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1.0 - x, 0.0)


def _cubic(x: np.ndarray) -> np.ndarray:
    # Keys, "Cubic convolution interpolation for digital image processing" (1981), a = -1/2.
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


def _lanczos(x: np.ndarray, lobes: int) -> np.ndarray:
    return np.where(x < lobes, np.sinc(x) * np.sinc(x / lobes), 0.0)


_KERNELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bilinear": _triangle,
    "bicubic": _cubic,
    "lanczos3": functools.partial(_lanczos, lobes=3),
    "lanczos5": functools.partial(_lanczos, lobes=5),
}


@functools.lru_cache(maxsize=64)
def _interpolation_weights(name: str, length: int, factor: int) -> np.ndarray:
    """The matrix (length, length * factor) that blends along one axis; columns add up to 1."""
    centres = (np.arange(length * factor) + 0.5) / factor - 0.5
    weights = _KERNELS[name](np.abs(centres[None, :] - np.arange(length)[:, None]))
    return weights / weights.sum(axis=0, keepdims=True)
