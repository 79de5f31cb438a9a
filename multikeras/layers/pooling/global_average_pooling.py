"""`GlobalAveragePooling1D` and `GlobalAveragePooling2D`."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.layers.pooling.base_pooling import BaseGlobalPooling


@registry.expose("keras.layers", aliases=("keras.layers.GlobalAvgPool1D",))
class GlobalAveragePooling1D(BaseGlobalPooling):
    """The mean over time (of the steps that the mask leaves).

    Args:
        data_format: "channels_last" or "channels_first"; default: the global one.
        keepdims: whether the time dimension stays, with size 1.

    Input: `(batch, steps, channels)`. Output: `(batch, channels)`.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.GlobalAveragePooling1D()(keras.ops.ones((2, 8, 3))).shape == (2, 3)
        True
    """

    rank = 1

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The mean over the steps that the mask leaves."""
        axes = self._axes
        if mask is None:
            return ops.mean(inputs, axis=axes, keepdims=self.keepdims)
        weight = ops.expand_dims(
            ops.cast(mask, ops.dtype(inputs)), 2 if self.data_format == "channels_last" else 1
        )
        total = ops.sum(inputs * weight, axis=axes, keepdims=self.keepdims)
        return total / ops.sum(weight, axis=axes, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: the steps are gone."""
        return None


GlobalAvgPool1D = GlobalAveragePooling1D


@registry.expose("keras.layers", aliases=("keras.layers.GlobalAvgPool2D",))
class GlobalAveragePooling2D(BaseGlobalPooling):
    """The mean over height and width.

    Args:
        data_format: "channels_last" or "channels_first"; default: the global one.
        keepdims: whether the spatial dimensions stay, with size 1.

    Input: `(batch, height, width, channels)`. Output: `(batch, channels)`.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.GlobalAveragePooling2D()(keras.ops.ones((2, 4, 4, 3))).shape == (2, 3)
        True
    """

    rank = 2

    def call(self, inputs: Any) -> Any:
        """The mean."""
        return ops.mean(inputs, axis=self._axes, keepdims=self.keepdims)


GlobalAvgPool2D = GlobalAveragePooling2D
