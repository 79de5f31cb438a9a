"""`Reshape`."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry, shapes
from multikeras.layers.layer import Layer


@registry.expose("keras.layers")
class Reshape(Layer):
    """Gives the values of each sample another shape.

    Args:
        target_shape: without the batch dimension; one -1 is inferred.

    Raises:
        ValueError: if the number of values differs.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.Reshape((2, -1))(keras.ops.ones((5, 6))).shape == (5, 2, 3)
        True
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = (
            (target_shape,) if isinstance(target_shape, int) else tuple(target_shape)
        )

    def call(self, inputs: Any) -> Any:
        """`(batch, *target_shape)`."""
        return ops.reshape(inputs, (ops.shape(inputs)[0], *self._resolved(tuple(inputs.shape))))

    def _resolved(self, input_shape: tuple) -> tuple:
        target = self.compute_output_shape(input_shape)[1:]
        return tuple(-1 if dim is None else dim for dim in target)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """`(batch, *target_shape)`."""
        try:
            return (input_shape[0], *shapes.reshape(tuple(input_shape[1:]), self.target_shape))
        except ValueError as error:
            raise ValueError(f"{self._who()} on {tuple(input_shape)}: {error}") from None

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"target_shape": self.target_shape}
