"""`Flatten`."""

from __future__ import annotations

import math
from typing import Any

from multikeras import config, ops, registry
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer


@registry.expose("keras.layers")
class Flatten(Layer):
    """Puts all dimensions but the batch into one.

    Args:
        data_format: "channels_first" moves channels last before; default: the global one.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.Flatten()(keras.ops.ones((2, 3, 4))).shape == (2, 12)
        True
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """`(batch, everything)`."""
        rank = len(inputs.shape)
        if self.data_format == "channels_first" and rank > 1:
            inputs = ops.transpose(inputs, (0, *range(2, rank), 1))
        target = self.compute_output_shape(tuple(inputs.shape))
        return ops.reshape(inputs, (-1 if target[0] is None else target[0], target[1] or -1))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """`(batch, product of the rest)`."""
        rest = tuple(input_shape[1:])
        return (input_shape[0], None if None in rest else math.prod(rest))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"data_format": self.data_format}
