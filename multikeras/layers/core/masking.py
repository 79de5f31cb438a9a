"""`Masking`: marks the time steps that are padding."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.layers.layer import Layer


@registry.expose("keras.layers")
class Masking(Layer):
    """Masks time steps of which every feature equals a value.

    Args:
        mask_value: the value that stands for padding.

    Input and output: `(batch, time, ..., features)`; masked steps come out as zeros.

    Example:
        >>> import multikeras as keras
        >>> layer = keras.layers.Masking(mask_value=-1.0)
        >>> x = keras.ops.convert_to_tensor([[[1.0, 2.0], [-1.0, -1.0]]])
        >>> keras.ops.convert_to_numpy(layer.compute_mask(x)).tolist()
        [[True, False]]
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """False where all features equal the value."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        """The inputs with masked steps set to zero."""
        kept = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return inputs * ops.cast(kept, ops.dtype(inputs))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"mask_value": self.mask_value}
