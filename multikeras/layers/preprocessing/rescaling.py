"""`Rescaling`."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.layers.layer import Layer


@registry.expose("keras.layers")
class Rescaling(Layer):
    """`inputs * scale + offset`.

    Args:
        scale: a number or one for each channel.
        offset: likewise.

    Example:
        >>> import multikeras as keras
        >>> x = keras.ops.convert_to_tensor([0, 16])
        >>> keras.ops.convert_to_numpy(keras.layers.Rescaling(1 / 16)(x)).tolist()
        [0.0, 1.0]
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The rescaled inputs, in the compute dtype."""
        dtype = self.compute_dtype
        scale = ops.convert_to_tensor(self.scale, dtype)
        offset = ops.convert_to_tensor(self.offset, dtype)
        return ops.cast(inputs, dtype) * scale + offset

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"scale": self.scale, "offset": self.offset}
