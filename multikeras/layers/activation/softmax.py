"""`Softmax` with a mask."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.layers.layer import Layer


@registry.expose("keras.layers")
class Softmax(Layer):
    """Exponentials that sum to one along an axis.

    Args:
        axis: an axis or several.

    Call arguments:
        inputs: any shape.
        mask: bool of the inputs' shape; False entries get the probability zero.

    Example:
        >>> import multikeras as keras
        >>> x = keras.ops.convert_to_tensor([0.0, 0.0])
        >>> keras.ops.convert_to_numpy(keras.layers.Softmax()(x)).tolist()
        [0.5, 0.5]
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The probabilities."""
        if mask is not None:
            lowest = -3.0e4 if ops.dtype(inputs) == "float16" else -1.0e9
            inputs = ops.where(mask, inputs, lowest)
        return ops.softmax(inputs, axis=self.axis)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"axis": self.axis}
