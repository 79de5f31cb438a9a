"""`Activation`: an activation function as a layer."""

from __future__ import annotations

from typing import Any

from multikeras import activations, registry
from multikeras.layers.layer import Layer


@registry.expose("keras.layers")
class Activation(Layer):
    """Applies an activation function.

    Args:
        activation: a name or a function.

    Input and output: any shape, the same.

    Example:
        >>> import multikeras as keras
        >>> x = keras.ops.convert_to_tensor([-1.0, 2.0])
        >>> keras.ops.convert_to_numpy(keras.layers.Activation("relu")(x)).tolist()
        [0.0, 2.0]
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The activated inputs."""
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"activation": activations.serialize(self.activation)}
