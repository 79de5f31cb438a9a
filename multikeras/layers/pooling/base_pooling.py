"""`BasePooling` and `BaseGlobalPooling`: what poolings of all ranks share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multikeras import config, ops, shapes
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer
from multikeras.layers.windows import (
    join_channels,
    split_channels,
    standardize_padding,
    standardize_tuple,
)


class BasePooling(Layer):
    """Reduces each window to one value.

    Raises:
        ValueError: for sizes that are not positive or don't fit.
    """

    rank = 0
    pool: Callable = staticmethod(ops.max_pool)

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        who = self._who()
        self.pool_size = standardize_tuple(pool_size, self.rank, "pool_size", who)
        strides = self.pool_size if strides is None else strides
        self.strides = standardize_tuple(strides, self.rank, "strides", who)
        self.padding = standardize_padding(padding, who)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """One value a window."""
        return self.pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape that the windows leave."""
        spatial, channels = split_channels(input_shape, self.data_format)
        try:
            sizes = tuple(
                shapes.window_size(size, window, stride, self.padding)
                for size, window, stride in zip(
                    spatial, self.pool_size, self.strides, strict=True
                )
            )
        except ValueError as error:
            raise ValueError(f"{self._who()} on {tuple(input_shape)}: {error}") from None
        return join_channels(input_shape[0], sizes, channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }


class BaseGlobalPooling(Layer):
    """Reduces all spatial dimensions."""

    rank = 0

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _axes(self) -> tuple[int, ...]:
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """`(batch, channels)`, with dimensions of 1 between if they are kept."""
        return shapes.reduce(tuple(input_shape), self._axes, self.keepdims)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "data_format": self.data_format,
            "keepdims": self.keepdims,
        }
