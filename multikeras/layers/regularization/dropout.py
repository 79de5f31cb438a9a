"""`Dropout`: zeroes a random part of the inputs in training."""

from __future__ import annotations

from typing import Any

from multikeras import random, registry
from multikeras.layers.layer import Layer


@registry.expose("keras.layers")
class Dropout(Layer):
    """Zeroes each input with probability `rate` in training and scales the rest by
    `1 / (1 - rate)`; passes everything otherwise (Srivastava et al. 2014).

    Args:
        rate: in [0, 1].
        noise_shape: the shape of the mask that is broadcast to the inputs', None in it for
            the inputs' size.
        seed: an integer; None: drawn from the global seed.

    Raises:
        ValueError: for a rate outside [0, 1].

    Example:
        >>> import multikeras as keras
        >>> keras.layers.Dropout(0.5)(keras.ops.ones((2, 3)), training=True).shape == (2, 3)
        True
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            raise ValueError(f"{self._who()}: rate must be in [0, 1], got {rate!r}.")
        self.rate = rate
        self.seed = seed
        self.noise_shape = noise_shape
        self.supports_masking = True
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        """The inputs, in training with some of them zeroed."""
        if training and self.rate > 0:
            return random.dropout(
                inputs, self.rate, noise_shape=self.noise_shape, seed=self.seed_generator
            )
        return inputs

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }
