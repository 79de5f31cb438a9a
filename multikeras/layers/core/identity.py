"""`Identity`: returns what it is given."""

from __future__ import annotations

from typing import Any

from multikeras import registry
from multikeras.layers.layer import Layer


@registry.expose("keras.layers")
class Identity(Layer):
    """Returns its inputs unchanged; a placeholder where a layer is expected.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.Identity()(keras.ops.ones((2, 3))).shape == (2, 3)
        True
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The inputs."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return input_shape

    def compute_output_spec(self, inputs: Any) -> Any:
        """The inputs' own shapes and dtypes."""
        return inputs
