"""Convolution and pooling of the TensorFlow backend.

All kernels are called channels-last, as a CPU has no others; channels-first data is transposed on
its way in and out (the graph optimizer removes pairs of transpositions on a GPU). One-dimensional
data becomes two-dimensional where the framework has no function for it.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from multikeras.backends import windows

Ints = tuple[int, ...]
_CONV = {1: tf.nn.conv1d, 2: tf.nn.conv2d, 3: tf.nn.conv3d}
_MAX = {1: tf.nn.max_pool1d, 2: tf.nn.max_pool2d, 3: tf.nn.max_pool3d}
_AVERAGE = {1: tf.nn.avg_pool1d, 2: tf.nn.avg_pool2d, 3: tf.nn.avg_pool3d}


def _last(x: tf.Tensor, data_format: str) -> tf.Tensor:
    if data_format == "channels_last":
        return x
    return tf.transpose(x, [0, *range(2, x.shape.rank), 1])


def _back(x: tf.Tensor, data_format: str) -> tf.Tensor:
    if data_format == "channels_last":
        return x
    rank = x.shape.rank
    return tf.transpose(x, [0, rank - 1, *range(1, rank - 1)])


def _sizes(x: tf.Tensor) -> list[Any]:
    """Spatial sizes; scalar tensors where tracing leaves them unknown."""
    static = x.shape[1:-1]
    if static.is_fully_defined():
        return list(static)
    dynamic = tf.shape(x)
    return [dynamic[i + 1] if n is None else n for i, n in enumerate(static)]


def _padded(x: tf.Tensor, kernel: Ints, strides: Ints, padding: str, dilation: Ints) -> tf.Tensor:
    """`x` with the padding that makes a 'valid' window of it."""
    if padding == "valid":
        return x
    sizes = _sizes(x)
    if all(isinstance(n, int) for n in sizes):
        pads: list[Any] = list(windows.pads(sizes, kernel, strides, dilation, padding))
    else:
        pads = []
        for n, k, s, d in zip(sizes, kernel, strides, dilation):
            total = tf.maximum((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
            pads.append([total // 2, total - total // 2])
    if padding == "causal":
        pads = [(dilation[0] * (kernel[0] - 1), 0)]
    return tf.pad(x, [(0, 0), *pads, (0, 0)])


def _conv(
    x: tf.Tensor, kernel: tf.Tensor, strides: Ints, padding: str, dilation: Ints
) -> tf.Tensor:
    rank = len(strides)
    if padding == "causal":
        x, padding = _padded(x, kernel.shape[:-2], strides, padding, dilation), "valid"
    if max(dilation) > 1:
        # The kernels for CPUs have no gradient for dilation, with or without strides.
        if max(strides) == 1:
            return tf.nn.convolution(x, kernel, strides, padding.upper(), dilations=dilation)
        kernel = _dilated(kernel, dilation)
    if rank == 3:
        strides = (1, *strides, 1)
    return _CONV[rank](x, kernel, strides[0] if rank == 1 else strides, padding.upper())


def conv_nd(
    inputs: tf.Tensor,
    kernel: tf.Tensor,
    strides: Ints,
    padding: str,
    data_format: str,
    dilation_rate: Ints,
) -> tf.Tensor:
    x = _last(inputs, data_format)
    groups = x.shape[-1] // kernel.shape[-2]
    if groups == 1:
        y = _conv(x, kernel, strides, padding, dilation_rate)
    else:
        # The gradients of grouped convolutions exist on GPUs only.
        parts = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1))
        y = tf.concat([_conv(p, k, strides, padding, dilation_rate) for p, k in parts], -1)
    return _back(y, data_format)


def depthwise_conv_nd(
    inputs: tf.Tensor,
    kernel: tf.Tensor,
    strides: Ints,
    padding: str,
    data_format: str,
    dilation_rate: Ints,
) -> tf.Tensor:
    rank = len(strides)
    x = _last(inputs, data_format)
    if rank == 3:
        channels, multiplier = kernel.shape[-2:]
        flat = tf.reshape(kernel, (*kernel.shape[:-2], 1, channels * multiplier))
        parts = zip(tf.split(x, channels, -1), tf.split(flat, channels, -1))
        y = tf.concat([_conv(p, k, strides, padding, dilation_rate) for p, k in parts], -1)
        return _back(y, data_format)
    if padding == "causal" or len(set(strides)) > 1 or (max(strides) > 1 < max(dilation_rate)):
        x = _padded(x, kernel.shape[:-2], strides, padding, dilation_rate)
        padding = "valid"
    if rank == 1:
        x, kernel = tf.expand_dims(x, 1), tf.expand_dims(kernel, 0)
        strides, dilation_rate = strides * 2, (1, *dilation_rate)
    cut = None
    if len(set(strides)) > 1 or (max(strides) > 1 < max(dilation_rate)):
        # The kernel knows one stride only, and none together with dilation.
        cut, strides = strides, (1, 1)
    y = tf.nn.depthwise_conv2d(
        x, kernel, (1, *strides, 1), padding.upper(), dilations=dilation_rate
    )
    if cut is not None:
        y = y[:, :: cut[0], :: cut[1]]
    return _back(tf.squeeze(y, 1) if rank == 1 else y, data_format)


def _dilated(kernel: tf.Tensor, dilation: Ints) -> tf.Tensor:
    """The kernel with zeros between its elements."""
    for axis, d in enumerate(dilation):
        if d == 1:
            continue
        shape = kernel.shape.as_list()
        pads = [(0, 0)] * (axis + 1) + [(0, d - 1)] + [(0, 0)] * (len(shape) - axis - 1)
        kernel = tf.pad(tf.expand_dims(kernel, axis + 1), pads)
        size = shape[axis]
        shape[axis] = size * d
        kernel = tf.reshape(kernel, shape)
        cut = [slice(None)] * axis + [slice(0, (size - 1) * d + 1)]
        kernel = kernel[tuple(cut)]
    return kernel


def conv_transpose_nd(
    inputs: tf.Tensor,
    kernel: tf.Tensor,
    strides: Ints,
    padding: str,
    output_padding: tuple[int | None, ...],
    data_format: str,
    dilation_rate: Ints,
) -> tf.Tensor:
    rank = len(strides)
    x = _last(inputs, data_format)
    crops = windows.crops(kernel.shape[:-2], strides, padding, output_padding, dilation_rate)
    kernel = _dilated(kernel, dilation_rate)
    extent = kernel.shape[:rank].as_list()
    # What the framework's own 'SAME' cuts off.
    same = [max(k - s, 0) for k, s in zip(extent, strides)]
    whole = all(
        (t // 2, t - t // 2) == tuple(c) and k >= s
        for t, c, k, s in zip(same, crops, extent, strides)
    )
    sizes, static = _sizes(x), x.shape[1:-1]

    def out(lengths: Any) -> list[Any]:
        each = zip(lengths, strides, extent)
        return [None if n is None else n * s if whole else (n - 1) * s + k for n, s, k in each]

    batch = tf.shape(x)[0] if x.shape[0] is None else x.shape[0]
    filters = kernel.shape[-2]
    method = "SAME" if whole else "VALID"
    shape = tf.stack([batch, *out(sizes), filters])
    if rank == 1:
        y = tf.nn.conv1d_transpose(x, kernel, shape, strides[0], method)
    else:
        function = tf.nn.conv2d_transpose if rank == 2 else tf.nn.conv3d_transpose
        y = function(x, kernel, shape, strides, method)
    y.set_shape([x.shape[0], *out(static), filters])
    if not whole:
        pads = [(max(-a, 0), max(-b, 0)) for a, b in crops]
        cut = [slice(max(a, 0), -b if b > 0 else None) for a, b in crops]
        y = y[(slice(None), *cut)]
        if any(a or b for a, b in pads):
            y = tf.pad(y, [(0, 0), *pads, (0, 0)])
    return _back(y, data_format)


def _pool(
    pools: dict[int, Any], inputs: tf.Tensor, size: Ints, strides: Ints, padding: str, form: str
) -> tf.Tensor:
    x = _last(inputs, form)
    if len(strides) == 3 and x.dtype == tf.float64:
        return _back(_pool_by_planes(pools[2], x, size, strides, padding.upper()), form)
    return _back(pools[len(strides)](x, size, strides, padding.upper()), form)


def _pool_by_planes(
    pool: Any, x: tf.Tensor, size: Ints, strides: Ints, padding: str
) -> tf.Tensor:
    """Three-dimensional pooling where its kernels lack the dtype: first planes, then depth.

    Maxima and means over boxes are those over their sides, one after the other; padding counts
    in neither.
    """
    depth, channels = _sizes(x)[0], x.shape[-1]
    planes = tf.reshape(x, tf.stack([-1, *_sizes(x)[1:], channels]))
    planes = pool(planes, size[1:], strides[1:], padding)
    rows = _sizes(planes)
    columns = tf.reshape(planes, tf.stack([-1, depth, rows[0] * rows[1], channels]))
    columns = pool(columns, (size[0], 1), (strides[0], 1), padding)
    return tf.reshape(columns, tf.stack([-1, _sizes(columns)[0], *rows, channels]))


def max_pool_nd(
    inputs: tf.Tensor, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> tf.Tensor:
    return _pool(_MAX, inputs, pool_size, strides, padding, data_format)


def average_pool_nd(
    inputs: tf.Tensor, pool_size: Ints, strides: Ints, padding: str, data_format: str
) -> tf.Tensor:
    return _pool(_AVERAGE, inputs, pool_size, strides, padding, data_format)
