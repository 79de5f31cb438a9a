"""Convolutions and pooling over 1 to 3 spatial dimensions, in both data formats.

The public functions take settings in every spelling and turn them into tuples, once and for all
backends; the functions whose names end in `_nd` are what backends supply. Kernels are laid out as
in Keras files (spatial sizes first), 'same' pads as TensorFlow does: the odd one at the end.
Refused: unknown padding, settings of the wrong length or below 1, channels that do not fit.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

from multikeras import config, shapes
from multikeras.backends import windows
from multikeras.ops import rules
from multikeras.ops._declare import op
from multikeras.symbolic import KerasTensor

Sizes = int | Sequence[int]
Ints = tuple[int, ...]
_PADDINGS = ("valid", "same")


# -------------------------------------------------------------------------------------- settings


def _tuple(who: str, name: str, value: Sizes, rank: int) -> Ints:
    try:
        sizes = (operator.index(value),) * rank  # type: ignore[arg-type]
    except TypeError:
        try:
            sizes = tuple(operator.index(v) for v in value)  # type: ignore[union-attr]
        except TypeError:
            sizes = ()
    if len(sizes) != rank or any(s < 1 for s in sizes):
        raise ValueError(
            f"{who}: `{name}` must be a positive integer or {rank} of them, got {value!r}."
        )
    return sizes


@functools.lru_cache(maxsize=4096)
def _hashed_settings(
    who: str, ndim: int, padding: str, data_format: str, causal: bool, *sizes: tuple[str, Any]
) -> tuple:
    rank = ndim - 2
    if rank not in (1, 2, 3):
        raise ValueError(
            f"{who}: expected inputs of rank 3 to 5 (batch, 1 to 3 spatial dimensions, channels), "
            f"got rank {ndim}."
        )
    allowed = (*_PADDINGS, "causal") if causal and rank == 1 else _PADDINGS
    lower = padding.lower() if isinstance(padding, str) else padding
    if lower not in allowed:
        raise ValueError(f"{who}: `padding` must be one of {allowed}, got {padding!r}.")
    return (lower, *(_tuple(who, name, value, rank) for name, value in sizes))


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _settings(
    who: str, x: Any, padding: str, data_format: str | None, causal: bool, **sizes: Any
) -> tuple:
    """(data format, padding, *sizes as tuples), checked."""
    if data_format not in ("channels_last", "channels_first"):
        data_format = config.standardize_data_format(data_format)
    pairs = ((name, _plain(value)) for name, value in sizes.items())
    return data_format, *_hashed_settings(
        who, len(x.shape), padding, data_format, causal, *pairs
    )


def _spatial(shape: Sequence[int | None], data_format: str) -> tuple[tuple, int | None]:
    """(spatial sizes, channels)."""
    if data_format == "channels_first":
        return tuple(shape[2:]), shape[1]
    return tuple(shape[1:-1]), shape[-1]


def _shape(batch: Any, spatial: Sequence[Any], channels: Any, data_format: str) -> tuple:
    if data_format == "channels_first":
        return (batch, channels, *spatial)
    return (batch, *spatial, channels)


def _kernel_rank(who: str, inputs: Any, kernel: Any) -> None:
    if len(kernel.shape) != len(inputs.shape):
        raise ValueError(
            f"{who}: the kernel must have the rank of the inputs (spatial sizes and two of "
            f"channels), got shapes {tuple(kernel.shape)} and {tuple(inputs.shape)}."
        )


def _check_channels(who: str, inputs: Any, kernel: Any, data_format: str, grouped: bool) -> None:
    _kernel_rank(who, inputs, kernel)
    channels = inputs.shape[1 if data_format == "channels_first" else -1]
    depth, filters = kernel.shape[-2:]
    if channels is None or depth is None or channels == depth:
        return
    if not grouped or channels % depth or filters % (channels // depth):
        need = f"a multiple of {depth} input channels, in groups that divide {filters} filters"
        raise ValueError(
            f"{who}: a kernel of shape {tuple(kernel.shape)} needs "
            f"{need if grouped else f'{depth} input channels'}, got {channels}."
        )


# ---------------------------------------------------------------------------------- convolution


def _windows(
    spatial: Sequence[Any], sizes: Sequence[Any], strides: Ints, padding: str, dilation: Ints
) -> tuple:
    each = zip(spatial, sizes, strides, dilation)
    return tuple(shapes.window_size(n, k, s, padding, d) for n, k, s, d in each)


def _conv_nd_spec(
    dtype: str,
    inputs: KerasTensor,
    kernel: KerasTensor,
    strides: Ints,
    padding: str,
    data_format: str,
    dilation_rate: Ints,
) -> KerasTensor:
    spatial, _ = _spatial(inputs.shape, data_format)
    out = _windows(spatial, kernel.shape[:-2], strides, padding, dilation_rate)
    return KerasTensor(_shape(inputs.shape[0], out, kernel.shape[-1], data_format), dtype)


def _depthwise_nd_spec(dtype: str, inputs: KerasTensor, kernel: Any, *settings: Any) -> KerasTensor:
    plain = KerasTensor((*kernel.shape[:-2], 1, kernel.shape[-2] * kernel.shape[-1]), dtype)
    return _conv_nd_spec(dtype, inputs, plain, *settings)


def _conv_settings(
    who: str, inputs: Any, kernel: Any, strides: Any, padding: str, data_format: Any, dilation: Any
) -> tuple:
    data_format, padding, strides, dilation = _settings(
        who, inputs, padding, data_format, True, strides=strides, dilation_rate=dilation
    )
    _check_channels(who, inputs, kernel, data_format, who == "conv")
    return strides, padding, data_format, dilation


def _conv_spec(
    dtype: str,
    inputs: KerasTensor,
    kernel: KerasTensor,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> KerasTensor:
    settings = (inputs, kernel, strides, padding, data_format, dilation_rate)
    return _conv_nd_spec(dtype, inputs, kernel, *_conv_settings("conv", *settings))


def _depthwise_spec(
    dtype: str,
    inputs: KerasTensor,
    kernel: KerasTensor,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> KerasTensor:
    settings = (inputs, kernel, strides, padding, data_format, dilation_rate)
    settings = _conv_settings("depthwise_conv", *settings)
    return _depthwise_nd_spec(dtype, inputs, kernel, *settings)


_TWO = ("inputs", "kernel")


@op(rules.custom(_conv_nd_spec, _TWO, rules.common))
def conv_nd(
    inputs: Any, kernel: Any, strides: Ints, padding: str, data_format: str, dilation_rate: Ints
) -> Any:
    """`conv` with its settings as tuples and lower-case names; 'causal' in one dimension too.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.convolution import conv_nd
        >>> x, kernel = [[[1.0], [2.0], [3.0]]], [[[1.0]], [[1.0]]]
        >>> y = conv_nd(x, kernel, (1,), "causal", "channels_last", (1,))
        >>> ops.convert_to_numpy(y).tolist()
        [[[1.0], [3.0], [5.0]]]
    """


@op(rules.custom(_conv_spec, _TWO, rules.common))
def conv(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """Convolution (cross-correlation, as everywhere in deep learning) in 1 to 3 dimensions.

    Args:
        inputs: (batch, *spatial, channels), or with the channels second.
        kernel: (*sizes, channels / groups, filters); the number of groups follows from it.
        strides: one integer or one a dimension.
        padding: "valid", "same" or, in one dimension, "causal".
        data_format: "channels_last" or "channels_first"; default: that of the configuration.
        dilation_rate: distance between the kernel's elements, as `strides`.

    Returns:
        A tensor laid out as the inputs, with one channel a filter.

    Raises:
        ValueError: for a setting or a shape that does not fit.

    Example:
        >>> from multikeras import ops
        >>> x, kernel = [[[1.0], [2.0], [3.0]]], [[[1.0]], [[1.0]]]
        >>> ops.convert_to_numpy(ops.conv(x, kernel)).tolist()
        [[[3.0], [5.0]]]
    """
    settings = (inputs, kernel, strides, padding, data_format, dilation_rate)
    return conv_nd(inputs, kernel, *_conv_settings("conv", *settings))


@op(rules.custom(_depthwise_nd_spec, _TWO, rules.common))
def depthwise_conv_nd(
    inputs: Any, kernel: Any, strides: Ints, padding: str, data_format: str, dilation_rate: Ints
) -> Any:
    """`depthwise_conv` with its settings as tuples and lower-case names.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.convolution import depthwise_conv_nd
        >>> x, kernel = [[[1.0, 2.0]]], [[[1.0], [10.0]]]
        >>> y = depthwise_conv_nd(x, kernel, (1,), "valid", "channels_last", (1,))
        >>> ops.convert_to_numpy(y).tolist()
        [[[1.0, 20.0]]]
    """


@op(rules.custom(_depthwise_spec, _TWO, rules.common))
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """Convolves each channel with filters of its own.

    Args:
        inputs: (batch, *spatial, channels), or with the channels second.
        kernel: (*sizes, channels, multiplier).
        strides, padding, data_format, dilation_rate: as in `conv`.

    Returns:
        A tensor with channels * multiplier channels; the multiplier counts fastest.

    Raises:
        ValueError: for a setting or a shape that does not fit.

    Example:
        >>> from multikeras import ops
        >>> x, kernel = [[[1.0, 2.0]]], [[[1.0, 3.0], [10.0, 20.0]]]
        >>> ops.convert_to_numpy(ops.depthwise_conv(x, kernel)).tolist()
        [[[1.0, 3.0, 20.0, 40.0]]]
    """
    settings = (inputs, kernel, strides, padding, data_format, dilation_rate)
    return depthwise_conv_nd(inputs, kernel, *_conv_settings("depthwise_conv", *settings))


def _separable_spec(
    dtype: str, inputs: KerasTensor, depthwise_kernel: Any, pointwise_kernel: Any, *settings: Any
) -> KerasTensor:
    middle = _depthwise_spec(dtype, inputs, depthwise_kernel, *settings)
    data_format = settings[2] if len(settings) > 2 else None
    return _conv_spec(dtype, middle, pointwise_kernel, data_format=data_format)


@op(
    rules.custom(
        _separable_spec, ("inputs", "depthwise_kernel", "pointwise_kernel"), rules.common
    )
)
def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """`depthwise_conv`, then a convolution with a kernel of size 1 that mixes the channels.

    Args:
        inputs: (batch, *spatial, channels), or with the channels second.
        depthwise_kernel: (*sizes, channels, multiplier).
        pointwise_kernel: (*ones, channels * multiplier, filters).
        strides, padding, data_format, dilation_rate: of the depthwise step, as in `conv`.

    Raises:
        ValueError: for a setting or a shape that does not fit.

    Example:
        >>> from multikeras import ops
        >>> x, depthwise, pointwise = [[[1.0, 2.0]]], [[[1.0], [10.0]]], [[[1.0], [1.0]]]
        >>> ops.convert_to_numpy(ops.separable_conv(x, depthwise, pointwise)).tolist()
        [[[21.0]]]
    """
    settings = (strides, padding, data_format, dilation_rate)
    middle = depthwise_conv(inputs, depthwise_kernel, *settings)
    return conv(middle, pointwise_kernel, 1, "valid", data_format, 1)


# -------------------------------------------------------------------------- transposed convolution


def _transpose_settings(
    inputs: Any,
    kernel: Any,
    strides: Any,
    padding: str,
    output_padding: Any,
    data_format: Any,
    dilation_rate: Any,
) -> tuple:
    who = "conv_transpose"
    data_format, padding, strides, dilation = _settings(
        who, inputs, padding, data_format, False, strides=strides, dilation_rate=dilation_rate
    )
    _kernel_rank(who, inputs, kernel)
    channels = _spatial(inputs.shape, data_format)[1]
    if channels is not None and kernel.shape[-1] not in (None, channels):
        raise ValueError(
            f"{who}: a kernel of shape {tuple(kernel.shape)} (the last is of the inputs) needs "
            f"{kernel.shape[-1]} input channels, got {channels}."
        )
    rank = len(strides)
    extra = output_padding
    if not isinstance(extra, (list, tuple)):
        extra = (extra,) * rank
    if len(extra) != rank:
        raise ValueError(
            f"{who}: `output_padding` must be None, an integer or {rank} of them, got {extra!r}."
        )
    return strides, padding, tuple(extra), data_format, dilation


def _conv_transpose_nd_spec(
    dtype: str,
    inputs: KerasTensor,
    kernel: KerasTensor,
    strides: Ints,
    padding: str,
    output_padding: tuple[int | None, ...],
    data_format: str,
    dilation_rate: Ints,
) -> KerasTensor:
    spatial, _ = _spatial(inputs.shape, data_format)
    sizes: Any = kernel.shape[:-2]
    crops = windows.crops(sizes, strides, padding, output_padding, dilation_rate)
    each = zip(spatial, sizes, strides, crops, dilation_rate)
    out = [
        None if n is None else (n - 1) * s + (k - 1) * d + 1 - sum(cut)
        for n, k, s, cut, d in each
    ]
    return KerasTensor(_shape(inputs.shape[0], out, kernel.shape[-2], data_format), dtype)


def _conv_transpose_spec(
    dtype: str,
    inputs: KerasTensor,
    kernel: KerasTensor,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> KerasTensor:
    settings = _transpose_settings(
        inputs, kernel, strides, padding, output_padding, data_format, dilation_rate
    )
    return _conv_transpose_nd_spec(dtype, inputs, kernel, *settings)


@op(rules.custom(_conv_transpose_nd_spec, _TWO, rules.common))
def conv_transpose_nd(
    inputs: Any,
    kernel: Any,
    strides: Ints,
    padding: str,
    output_padding: tuple[int | None, ...],
    data_format: str,
    dilation_rate: Ints,
) -> Any:
    """`conv_transpose` with its settings as tuples and lower-case names.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.convolution import conv_transpose_nd
        >>> x, kernel = [[[1.0], [2.0]]], [[[1.0]], [[10.0]]]
        >>> y = conv_transpose_nd(x, kernel, (1,), "same", (None,), "channels_last", (1,))
        >>> ops.convert_to_numpy(y).tolist()
        [[[1.0], [12.0]]]
    """


@op(rules.custom(_conv_transpose_spec, _TWO, rules.common))
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """The gradient of a convolution with respect to its inputs, also called deconvolution.

    Args:
        inputs: (batch, *spatial, channels), or with the channels second.
        kernel: (*sizes, filters, channels).
        strides: one integer or one a dimension; the output is that many times larger.
        padding: "valid" or "same".
        output_padding: how much larger the output is than the smallest possible one; default:
            exactly `strides` times the input with "same".
        data_format, dilation_rate: as in `conv`.

    Raises:
        ValueError: for a setting or a shape that does not fit.

    Example:
        >>> from multikeras import ops
        >>> x, kernel = [[[1.0], [2.0]]], [[[1.0]], [[10.0]]]
        >>> ops.convert_to_numpy(ops.conv_transpose(x, kernel, strides=2)).tolist()
        [[[1.0], [10.0], [2.0], [20.0]]]
    """
    settings = _transpose_settings(
        inputs, kernel, strides, padding, output_padding, data_format, dilation_rate
    )
    return conv_transpose_nd(inputs, kernel, *settings)


# --------------------------------------------------------------------------------------- pooling


def _pool_nd_spec(
    dtype: None, inputs: KerasTensor, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> KerasTensor:
    spatial, channels = _spatial(inputs.shape, data_format)
    out = _windows(spatial, pool_size, strides, padding, (1,) * len(strides))
    return KerasTensor(_shape(inputs.shape[0], out, channels, data_format), inputs.dtype)


def _pool_settings(
    who: str, inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: Any
) -> tuple:
    strides = pool_size if strides is None else strides
    data_format, padding, pool_size, strides = _settings(
        who, inputs, padding, data_format, False, pool_size=pool_size, strides=strides
    )
    return pool_size, strides, padding, data_format


def _max_pool_spec(
    dtype: None,
    inputs: KerasTensor,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> KerasTensor:
    settings = _pool_settings("pool", inputs, pool_size, strides, padding, data_format)
    return _pool_nd_spec(dtype, inputs, *settings)


@op(rules.custom(_pool_nd_spec, ("inputs",)))
def max_pool_nd(
    inputs: Any, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> Any:
    """`max_pool` with its settings as tuples and lower-case names.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.convolution import max_pool_nd
        >>> y = max_pool_nd([[[1.0], [3.0]]], (2,), (2,), "valid", "channels_last")
        >>> ops.convert_to_numpy(y).tolist()
        [[[3.0]]]
    """


@op(rules.custom(_max_pool_spec, ("inputs",)))
def max_pool(
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The largest value of each window; the first of equal ones takes the gradient.

    Args:
        inputs: (batch, *spatial, channels), or with the channels second.
        pool_size: one integer or one a dimension.
        strides: default: `pool_size`.
        padding: "valid" or "same"; padding never wins.
        data_format: "channels_last" or "channels_first"; default: that of the configuration.

    Raises:
        ValueError: for a setting that does not fit.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.max_pool([[[1.0], [3.0], [2.0]]], 2, 1)).tolist()
        [[[3.0], [3.0]]]
    """
    settings = _pool_settings("max_pool", inputs, pool_size, strides, padding, data_format)
    return max_pool_nd(inputs, *settings)


@op(rules.custom(_pool_nd_spec, ("inputs",)))
def average_pool_nd(
    inputs: Any, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> Any:
    """`average_pool` with its settings as tuples and lower-case names.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.convolution import average_pool_nd
        >>> y = average_pool_nd([[[1.0], [3.0]]], (2,), (2,), "valid", "channels_last")
        >>> ops.convert_to_numpy(y).tolist()
        [[[2.0]]]
    """


@op(rules.custom(_max_pool_spec, ("inputs",)))
def average_pool(
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The mean of each window, over the values in it that are not padding.

    Args:
        inputs: a float tensor (batch, *spatial, channels), or with the channels second.
        pool_size, strides, padding, data_format: as in `max_pool`.

    Raises:
        ValueError: for a setting that does not fit.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.average_pool([[[1.0], [3.0], [5.0]]], 2, 2, "same")).tolist()
        [[[2.0], [5.0]]]
    """
    settings = _pool_settings("average_pool", inputs, pool_size, strides, padding, data_format)
    return average_pool_nd(inputs, *settings)
