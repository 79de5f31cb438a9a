"""`Dense`: every output is a weighted sum of all inputs."""

from __future__ import annotations

from typing import Any

from multikeras import activations, constraints, initializers, registry, regularizers
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer
from multikeras.ops.neural import FUSED_ACTIVATIONS, dense


@registry.expose("keras.layers")
class Dense(Layer):
    """`activation(inputs @ kernel + bias)` over the last axis.

    Args:
        units: size of the output's last axis.
        activation: a name or a function; None: linear.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: for the weights.
        kernel_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the outputs.
        kernel_constraint, bias_constraint: applied after each update.
        lora_rank, lora_alpha, quantization_config: only None is supported.

    Input: `(batch, ..., features)`. Output: `(batch, ..., units)`.

    Raises:
        ValueError: if `units` is not a positive integer, or the features are unknown.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.Dense(3)(keras.ops.ones((2, 4))).shape == (2, 3)
        True
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not isinstance(units, int) or units <= 0:
            raise ValueError(f"{self._who()}: units must be a positive integer, got {units!r}.")
        if lora_rank is not None or quantization_config is not None:
            raise ValueError(f"{self._who()}: LoRA and quantization are not available.")
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True
        self._fused = _fused_name(self.activation)

    def build(self, input_shape: tuple) -> None:
        """Makes the kernel `(features, units)` and the bias `(units,)`."""
        features = input_shape[-1]
        if features is None:
            raise ValueError(f"{self._who()}: the last dimension must be known, got {input_shape}.")
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: Any) -> Any:
        """The outputs for inputs `(batch, ..., features)`."""
        bias = None if self.bias is None else self.bias.value
        if self._fused is not None:
            return dense(inputs, self.kernel.value, bias, self._fused)
        return self.activation(dense(inputs, self.kernel.value, bias))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """`(batch, ..., units)`."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


def _fused_name(activation: Any) -> str | None:
    """The name under which the kernel applies an activation itself, or None."""
    name = getattr(activation, "__name__", None)
    known = name in FUSED_ACTIVATIONS and getattr(activations, name, None) is activation
    return name if known else None
