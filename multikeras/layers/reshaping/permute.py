"""`Permute`."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer


@registry.expose("keras.layers")
class Permute(Layer):
    """Reorders the dimensions of each sample.

    Args:
        dims: a permutation of 1, 2, ...; the batch dimension is not counted.

    Raises:
        ValueError: if it is not a permutation.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.Permute((2, 1))(keras.ops.ones((5, 2, 3))).shape == (5, 3, 2)
        True
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"{self._who()}: dims must be a permutation of 1 to {len(self.dims)}, got {dims}."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        """The inputs with dimensions reordered."""
        return ops.transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The reordered shape."""
        return (input_shape[0], *(input_shape[d] for d in self.dims))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"dims": self.dims}
