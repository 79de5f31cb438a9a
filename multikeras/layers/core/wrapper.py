"""`Wrapper`: a layer around another layer. Refused: anything but a layer inside."""

from __future__ import annotations

from typing import Any

from multikeras import registry
from multikeras.layers.layer import Layer
from multikeras.serialization import deserialize_keras_object, serialize_keras_object


@registry.expose("keras.layers")
class Wrapper(Layer):
    """The base of layers that change what another layer does. Subclasses define `call`.

    Args:
        layer: the layer inside.

    Raises:
        ValueError: if `layer` is no layer.

    Example:
        >>> import multikeras as keras
        >>> class Twice(keras.layers.Wrapper):
        ...     def call(self, inputs):
        ...         return self.layer(self.layer(inputs))
        >>> Twice(keras.layers.Dense(3))(keras.ops.ones((2, 3))).shape == (2, 3)
        True
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ValueError(f"{self._who()}: expected a layer, got {layer!r}.")
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Builds the layer inside."""
        if not self.layer.built:
            self.layer.build(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"layer": serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A wrapper, and the layer inside, from `get_config`'s result."""
        inner = deserialize_keras_object(config["layer"], custom_objects=custom_objects)
        return cls(**(config | {"layer": inner}))
