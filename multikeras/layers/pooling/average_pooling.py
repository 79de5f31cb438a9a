"""`AveragePooling1D` and `AveragePooling2D`."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.layers.pooling.base_pooling import BasePooling


@registry.expose("keras.layers", aliases=("keras.layers.AvgPool1D",))
class AveragePooling1D(BasePooling):
    """The mean of each window of time.

    Args:
        pool_size: size of the window.
        strides: steps between windows; None: `pool_size`.
        padding: "valid" or "same", where padding does not count.
        data_format: "channels_last" or "channels_first"; default: the global one.
        name: default: a unique one.

    Input: `(batch, steps, channels)`. Output: the same with fewer steps.

    Raises:
        ValueError: for sizes that don't fit.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.AveragePooling1D(2)(keras.ops.ones((2, 8, 3))).shape == (2, 4, 3)
        True
    """

    rank = 1
    pool = staticmethod(ops.average_pool)

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


AvgPool1D = AveragePooling1D


@registry.expose("keras.layers", aliases=("keras.layers.AvgPool2D",))
class AveragePooling2D(BasePooling):
    """The mean of each window of height and width.

    Args:
        pool_size: size of the window.
        strides: steps between windows; None: `pool_size`.
        padding: "valid" or "same", where padding does not count.
        data_format: "channels_last" or "channels_first"; default: the global one.
        name: default: a unique one.

    Input: `(batch, height, width, channels)`. Output: the same with fewer rows and columns.

    Raises:
        ValueError: for sizes that don't fit.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.AveragePooling2D(2)(keras.ops.ones((2, 8, 8, 3))).shape == (2, 4, 4, 3)
        True
    """

    rank = 2
    pool = staticmethod(ops.average_pool)

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


AvgPool2D = AveragePooling2D
