"""`DepthwiseConv2D`."""

from __future__ import annotations

from typing import Any

from multikeras import (
    activations,
    config,
    constraints,
    initializers,
    ops,
    registry,
    regularizers,
    shapes,
)
from multikeras.layers.convolution.base_conv import add_bias
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer
from multikeras.layers.windows import (
    join_channels,
    split_channels,
    standardize_padding,
    standardize_tuple,
)


@registry.expose("keras.layers", aliases=("keras.layers.DepthwiseConvolution2D",))
class DepthwiseConv2D(Layer):
    """A convolution of each channel by itself.

    Args:
        kernel_size: size of the window, an integer or one for each dimension.
        strides: steps between windows.
        padding: "valid" or "same".
        depth_multiplier: output channels for each input channel.
        data_format: "channels_last" or "channels_first"; default: the global one.
        dilation_rate: steps between the elements of a window.
        activation: a name or a function; None: linear.
        use_bias: whether there is a bias.
        depthwise_initializer, bias_initializer: for the weights.
        depthwise_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the outputs.
        depthwise_constraint, bias_constraint: applied after each update.

    Input: `(batch, height, width, channels)`. Output: the same with
    `channels * depth_multiplier` channels.

    Raises:
        ValueError: for sizes that don't fit.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.DepthwiseConv2D(3)(keras.ops.ones((2, 8, 8, 3))).shape == (2, 6, 6, 3)
        True
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        who = self._who()
        if not isinstance(depth_multiplier, int) or depth_multiplier <= 0:
            raise ValueError(
                f"{who}: depth_multiplier must be a positive integer, got {depth_multiplier!r}."
            )
        self.depth_multiplier = depth_multiplier
        self.kernel_size = standardize_tuple(kernel_size, 2, "kernel_size", who)
        self.strides = standardize_tuple(strides, 2, "strides", who)
        self.dilation_rate = standardize_tuple(dilation_rate, 2, "dilation_rate", who)
        self.padding = standardize_padding(padding, who)
        self.data_format = config.standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=4)

    def build(self, input_shape: tuple) -> None:
        """Makes the kernel `(*kernel_size, channels, depth_multiplier)` and the bias."""
        _, channels = split_channels(input_shape, self.data_format)
        if channels is None:
            raise ValueError(f"{self._who()}: the channels must be known, got {input_shape}.")
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(channels * self.depth_multiplier,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        axis = -1 if self.data_format == "channels_last" else 1
        self.input_spec = InputSpec(ndim=4, axes={axis: channels})

    def call(self, inputs: Any) -> Any:
        """The outputs."""
        outputs = ops.depthwise_conv(
            inputs,
            self.kernel.value,
            self.strides,
            self.padding,
            self.data_format,
            self.dilation_rate,
        )
        return self.activation(add_bias(outputs, self.bias, self.data_format))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape that the windows leave."""
        spatial, channels = split_channels(input_shape, self.data_format)
        sizes = tuple(
            shapes.window_size(size, window, stride, self.padding, dilation)
            for size, window, stride, dilation in zip(
                spatial, self.kernel_size, self.strides, self.dilation_rate, strict=True
            )
        )
        channels = None if channels is None else channels * self.depth_multiplier
        return join_channels(input_shape[0], sizes, channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "depth_multiplier": self.depth_multiplier,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "depthwise_constraint": constraints.serialize(self.depthwise_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


DepthwiseConvolution2D = DepthwiseConv2D
