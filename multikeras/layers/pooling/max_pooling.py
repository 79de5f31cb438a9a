"""`MaxPooling1D` and `MaxPooling2D`."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.layers.pooling.base_pooling import BasePooling


@registry.expose("keras.layers", aliases=("keras.layers.MaxPool1D",))
class MaxPooling1D(BasePooling):
    """The largest value of each window of time.

    Args:
        pool_size: size of the window.
        strides: steps between windows; None: `pool_size`.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; default: the global one.
        name: default: a unique one.

    Input: `(batch, steps, channels)`. Output: the same with fewer steps.

    Raises:
        ValueError: for sizes that don't fit.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.MaxPooling1D(2)(keras.ops.ones((2, 8, 3))).shape == (2, 4, 3)
        True
    """

    rank = 1
    pool = staticmethod(ops.max_pool)

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


MaxPool1D = MaxPooling1D


@registry.expose("keras.layers", aliases=("keras.layers.MaxPool2D",))
class MaxPooling2D(BasePooling):
    """The largest value of each window of height and width.

    Args:
        pool_size: size of the window.
        strides: steps between windows; None: `pool_size`.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; default: the global one.
        name: default: a unique one.

    Input: `(batch, height, width, channels)`. Output: the same with fewer rows and columns.

    Raises:
        ValueError: for sizes that don't fit.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.MaxPooling2D(2)(keras.ops.ones((2, 8, 8, 3))).shape == (2, 4, 4, 3)
        True
    """

    rank = 2
    pool = staticmethod(ops.max_pool)

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


MaxPool2D = MaxPooling2D
