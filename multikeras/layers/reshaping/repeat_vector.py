"""`RepeatVector`."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer


@registry.expose("keras.layers")
class RepeatVector(Layer):
    """Repeats each sample along a new time axis.

    Args:
        n: how often.

    Input: `(batch, features)`. Output: `(batch, n, features)`.

    Raises:
        TypeError: if `n` is not an integer.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.RepeatVector(3)(keras.ops.ones((5, 2))).shape == (5, 3, 2)
        True
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(n, int):
            raise TypeError(f"{self._who()}: n must be an integer, got {n!r}.")
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """`(batch, n, features)`."""
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """`(batch, n, features)`."""
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"n": self.n}
