"""`BaseConv`: what convolutions of all ranks share."""

from __future__ import annotations

from typing import Any

from multikeras import (
    activations,
    config,
    constraints,
    initializers,
    ops,
    regularizers,
    shapes,
)
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer
from multikeras.layers.windows import (
    join_channels,
    split_channels,
    standardize_padding,
    standardize_tuple,
)


class BaseConv(Layer):
    """A convolution over `rank` spatial dimensions with bias and activation.

    Raises:
        ValueError: for sizes that are not positive, channels that `groups` does not divide, or
            strides together with dilation.
    """

    rank = 0
    causal = False

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        who, rank = self._who(), self.rank
        for name, value in (("filters", filters), ("groups", groups)):
            if not isinstance(value, int) or value <= 0:
                raise ValueError(f"{who}: {name} must be a positive integer, got {value!r}.")
        if filters % groups:
            raise ValueError(f"{who}: groups={groups} does not divide filters={filters}.")
        self.filters = filters
        self.groups = groups
        self.kernel_size = standardize_tuple(kernel_size, rank, "kernel_size", who)
        self.strides = standardize_tuple(strides, rank, "strides", who)
        self.dilation_rate = standardize_tuple(dilation_rate, rank, "dilation_rate", who)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{who}: strides {self.strides} can't be combined with dilation_rate "
                f"{self.dilation_rate}."
            )
        self.padding = standardize_padding(padding, who, self.causal)
        self.data_format = config.standardize_data_format(data_format)
        if self.padding == "causal" and self.data_format != "channels_last":
            raise ValueError(f"{who}: causal padding needs data_format='channels_last'.")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=rank + 2)
        self._linear = self.activation is activations.linear

    def build(self, input_shape: tuple) -> None:
        """Makes the kernel `(*kernel_size, channels / groups, filters)` and the bias."""
        _, channels = split_channels(input_shape, self.data_format)
        if channels is None:
            raise ValueError(f"{self._who()}: the channels must be known, got {input_shape}.")
        if channels % self.groups:
            raise ValueError(
                f"{self._who()}: groups={self.groups} does not divide the {channels} channels of "
                f"the input {input_shape}."
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        axis = -1 if self.data_format == "channels_last" else 1
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        """The outputs."""
        padding = self.padding
        if padding == "causal":
            before = (self.kernel_size[0] - 1) * self.dilation_rate[0]
            inputs, padding = ops.pad(inputs, ((0, 0), (before, 0), (0, 0))), "valid"
        outputs = ops.conv(
            inputs,
            self.kernel.value,
            self.strides,
            padding,
            self.data_format,
            self.dilation_rate,
        )
        outputs = add_bias(outputs, self.bias, self.data_format)
        return outputs if self._linear else self.activation(outputs)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape that the windows leave."""
        spatial, _ = split_channels(input_shape, self.data_format)
        try:
            sizes = tuple(
                shapes.window_size(size, window, stride, self.padding, dilation)
                for size, window, stride, dilation in zip(
                    spatial, self.kernel_size, self.strides, self.dilation_rate, strict=True
                )
            )
        except ValueError as error:
            raise ValueError(f"{self._who()} on {tuple(input_shape)}: {error}") from None
        return join_channels(input_shape[0], sizes, self.filters, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


def add_bias(outputs: Any, bias: Any, data_format: str) -> Any:
    """Outputs plus a bias for each channel, if there is one."""
    if bias is None:
        return outputs
    value = bias.value
    if data_format == "channels_first":
        value = ops.reshape(value, (1, -1) + (1,) * (len(outputs.shape) - 2))
    return ops.add(outputs, value)
