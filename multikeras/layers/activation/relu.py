"""`ReLU` and `LeakyReLU`."""

from __future__ import annotations

from typing import Any

from multikeras import activations, registry
from multikeras.layers.layer import Layer


@registry.expose("keras.layers")
class ReLU(Layer):
    """`x` above the threshold, cut at a maximum, with a slope below.

    Args:
        max_value: the largest output; None: unbounded.
        negative_slope: the slope below the threshold.
        threshold: where the line begins.

    Raises:
        ValueError: for a negative or missing argument.

    Example:
        >>> import multikeras as keras
        >>> x = keras.ops.convert_to_tensor([-1.0, 2.0, 9.0])
        >>> keras.ops.convert_to_numpy(keras.layers.ReLU(max_value=6.0)(x)).tolist()
        [0.0, 2.0, 6.0]
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, value in (
            ("max_value", 0.0 if max_value is None else max_value),
            ("negative_slope", negative_slope),
            ("threshold", threshold),
        ):
            if value is None or value < 0:
                raise ValueError(f"{self._who()}: {name} must not be negative, got {value!r}.")
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The activated inputs."""
        return activations.relu(
            inputs,
            negative_slope=self.negative_slope,
            max_value=self.max_value,
            threshold=self.threshold,
        )

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


@registry.expose("keras.layers")
class LeakyReLU(Layer):
    """`x` where positive, `negative_slope * x` elsewhere.

    Args:
        negative_slope: the slope below zero; `alpha` is an older name.

    Raises:
        ValueError: for None or a negative slope.

    Example:
        >>> import multikeras as keras
        >>> x = keras.ops.convert_to_tensor([-2.0, 2.0])
        >>> keras.ops.convert_to_numpy(keras.layers.LeakyReLU(0.5)(x)).tolist()
        [-1.0, 2.0]
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ValueError(
                f"{self._who()}: negative_slope must not be negative, got {negative_slope!r}."
            )
        self.negative_slope = negative_slope
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The activated inputs."""
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"negative_slope": self.negative_slope}
