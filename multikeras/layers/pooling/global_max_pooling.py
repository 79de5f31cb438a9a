"""`GlobalMaxPooling1D` and `GlobalMaxPooling2D`."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.layers.pooling.base_pooling import BaseGlobalPooling


@registry.expose("keras.layers", aliases=("keras.layers.GlobalMaxPool1D",))
class GlobalMaxPooling1D(BaseGlobalPooling):
    """The largest value over time.

    Args:
        data_format: "channels_last" or "channels_first"; default: the global one.
        keepdims: whether the time dimension stays, with size 1.

    Input: `(batch, steps, channels)`. Output: `(batch, channels)`.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.GlobalMaxPooling1D()(keras.ops.ones((2, 8, 3))).shape == (2, 3)
        True
    """

    rank = 1

    def call(self, inputs: Any) -> Any:
        """The largest values."""
        return ops.max(inputs, axis=self._axes, keepdims=self.keepdims)


GlobalMaxPool1D = GlobalMaxPooling1D


@registry.expose("keras.layers", aliases=("keras.layers.GlobalMaxPool2D",))
class GlobalMaxPooling2D(BaseGlobalPooling):
    """The largest value over height and width.

    Args:
        data_format: "channels_last" or "channels_first"; default: the global one.
        keepdims: whether the spatial dimensions stay, with size 1.

    Input: `(batch, height, width, channels)`. Output: `(batch, channels)`.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.GlobalMaxPooling2D()(keras.ops.ones((2, 4, 4, 3))).shape == (2, 3)
        True
    """

    rank = 2

    def call(self, inputs: Any) -> Any:
        """The largest value."""
        return ops.max(inputs, axis=self._axes, keepdims=self.keepdims)


GlobalMaxPool2D = GlobalMaxPooling2D
