"""`Conv1D`."""

from __future__ import annotations

from typing import Any

from multikeras import registry
from multikeras.layers.convolution.base_conv import BaseConv


@registry.expose("keras.layers", aliases=("keras.layers.Convolution1D",))
class Conv1D(BaseConv):
    """A convolution over 1 spatial dimension(s) (cross-correlation, as is usual).

    Args:
        filters: channels of the output.
        kernel_size: size of the window, an integer or one for each dimension.
        strides: steps between windows.
        padding: "valid" (no padding), "same" (as many steps as the input has over the
            stride) or "causal" (a step sees no later ones).
        data_format: "channels_last" or "channels_first"; default: the global one.
        dilation_rate: steps between the elements of a window.
        groups: into how many groups the channels are split.
        activation: a name or a function; None: linear.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: for the weights.
        kernel_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the outputs.
        kernel_constraint, bias_constraint: applied after each update.

    Input: `(batch, steps, channels)`. Output: the same with `filters` channels.

    Raises:
        ValueError: for sizes that don't fit.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.Conv1D(4, 3)(keras.ops.ones((2, 8, 3))).shape == (2, 6, 4)
        True
    """

    rank = 1
    causal = True

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
        arguments = dict(locals())
        for name in ("self", "kwargs", "__class__"):
            arguments.pop(name)
        super().__init__(**arguments, **kwargs)


Convolution1D = Conv1D
