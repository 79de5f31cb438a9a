"""Tensors cut into blocks and put together again: windows as rows, blocks as channels, bins.

Windows are cut along one dimension after the other, so the work grows with the sum of a window's
sizes, not with their product. Refused: ranks, sizes and formats that do not fit.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from multikeras import config, shapes
from multikeras.ops import arithmetic, core, indexing, products, reductions, rules, shaping
from multikeras.ops._declare import op
from multikeras.symbolic import KerasTensor

Sizes = int | Sequence[int]


def sizes_of(who: str, name: str, value: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """`rank` integers of at least `least`, from one for all or one each.

    Raises:
        ValueError: naming `who`, the argument and what came.
    """
    try:
        each = tuple(value) if isinstance(value, (list, tuple)) else (value,) * rank
        result = tuple(operator.index(v) for v in each)
    except TypeError:
        result = ()
    if len(result) != rank or any(v < least for v in result):
        raise ValueError(
            f"{who}: `{name}` must be an integer of at least {least}, or {rank} of them, "
            f"got {value!r}."
        )
    return result


def _expect_rank(who: str, name: str, x: Any, *ranks: int) -> None:
    if len(x.shape) not in ranks:
        wanted = " or ".join(map(str, ranks))
        raise ValueError(f"{who}: `{name}` must have rank {wanted}, got shape {tuple(x.shape)}.")


# -------------------------------------------------------------------------------------- windows


def windows_along(x: Any, axis: int, size: int, stride: int, dilation: int) -> Any:
    """Windows along one axis, which becomes two: (windows, size)."""
    shape = core.shape(x)
    count = (shape[axis] - dilation * (size - 1) - 1) // stride + 1
    front = (slice(None),) * axis
    if stride == size and dilation == 1:
        whole = indexing.get_item(x, (*front, slice(0, count * size)))
        return shaping.reshape(whole, (*shape[:axis], count, size, *shape[axis + 1 :]))
    reach = (count - 1) * stride + 1
    starts = [k * dilation for k in range(size)]
    parts = [indexing.get_item(x, (*front, slice(k, k + reach, stride))) for k in starts]
    return shaping.stack(parts, axis + 1)


def _overlapped(x: Any, axis: int, length: int, stride: int, dilation: int) -> Any:
    """The opposite: (size, windows) at `axis` and the next become `length`, overlaps added up."""
    shape = core.shape(x)
    size, count = shape[axis], shape[axis + 1]
    front = (slice(None),) * axis
    widths = [(0, 0)] * (len(shape) - 1)
    total = None
    for k in range(size):
        part = indexing.get_item(x, (*front, k))
        if stride > 1:
            part = shaping.expand_dims(part, axis + 1)
            part = shaping.pad(part, [*widths[: axis + 1], (0, stride - 1), *widths[axis + 1 :]])
            part = shaping.reshape(part, (*shape[:axis], count * stride, *shape[axis + 2 :]))
            part = indexing.get_item(part, (*front, slice(0, (count - 1) * stride + 1)))
        start = k * dilation
        widths[axis] = (start, length - start - (count - 1) * stride - 1)
        part = shaping.pad(part, widths)
        widths[axis] = (0, 0)
        total = part if total is None else arithmetic.add(total, part)
    return total


def _unfold_settings(who: str, *settings: Any) -> list[tuple[int, ...]]:
    names = ("kernel_size", "dilation", "padding", "stride")
    return [
        sizes_of(who, name, value, 2, 0 if name == "padding" else 1)
        for name, value in zip(names, settings, strict=True)
    ]


def _unfold_spec(_: None, x: KerasTensor, *settings: Any) -> KerasTensor:
    _expect_rank("unfold", "x", x, 4)
    batch, channels, *spatial = x.shape
    kernel, dilation, padding, stride = _unfold_settings("unfold", *settings)
    each = zip(spatial, kernel, stride, padding, dilation, strict=True)
    counts = [shapes.window_size(n, k, s, (p, p), d) for n, k, s, p, d in each]
    rows = None if channels is None else channels * kernel[0] * kernel[1]
    return KerasTensor((batch, rows, shapes.size(tuple(counts))), x.dtype)


@op(rules.custom(_unfold_spec, ("x",)), compiled=True)
def unfold(
    x: Any, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> Any:
    """Every window of an image as a column (also known as im2col).

    Args:
        x: images (batch, channels, height, width), channels first.
        kernel_size: size of the window; as all that follow an integer or (vertical, horizontal).
        dilation: distance between the elements of a window.
        padding: zeros added on both sides.
        stride: distance between windows.

    Returns:
        (batch, channels * kernel height * kernel width, windows).

    Raises:
        ValueError: for another rank, settings of wrong length, or a window that does not fit.

    Example:
        >>> from multikeras import ops
        >>> x = ops.reshape(ops.arange(6), (1, 1, 2, 3))
        >>> ops.convert_to_numpy(ops.unfold(x, 2)).tolist()
        [[[0, 1], [1, 2], [3, 4], [4, 5]]]
    """
    _expect_rank("unfold", "x", x, 4)
    kernel, dilation, padding, stride = _unfold_settings(
        "unfold", kernel_size, dilation, padding, stride
    )
    if any(padding):
        x = shaping.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    for n, k, d in zip(x.shape[2:], kernel, dilation, strict=True):
        shapes.window_size(n, k, 1, "valid", d)  # refuses what does not fit
    x = windows_along(x, 3, kernel[1], stride[1], dilation[1])
    x = windows_along(x, 2, kernel[0], stride[0], dilation[0])
    x = shaping.transpose(x, (0, 1, 3, 5, 2, 4))
    batch, channels, _, _, rows, columns = core.shape(x)
    return shaping.reshape(x, (batch, channels * kernel[0] * kernel[1], rows * columns))


def _fold_settings(x: Any, output_size: Any, *settings: Any) -> tuple:
    """(sizes, settings, number of windows in both directions), checked."""
    _expect_rank("fold", "x", x, 3)
    sizes = sizes_of("fold", "output_size", output_size, 2)
    kernel, dilation, padding, stride = _unfold_settings("fold", *settings)
    each = zip(sizes, kernel, stride, padding, dilation, strict=True)
    counts: list[Any] = [shapes.window_size(n, k, s, (p, p), d) for n, k, s, p, d in each]
    rows, columns = x.shape[1:]
    if rows is not None and rows % (kernel[0] * kernel[1]):
        raise ValueError(
            f"fold: the second dimension of `x` must be a multiple of the kernel's "
            f"{kernel[0] * kernel[1]} elements, got shape {tuple(x.shape)}."
        )
    if columns is not None and columns != counts[0] * counts[1]:
        raise ValueError(
            f"fold: with `output_size` {sizes} there are {counts[0]} x {counts[1]} windows, "
            f"but `x` of shape {tuple(x.shape)} has {columns}."
        )
    return sizes, kernel, dilation, padding, stride, counts


def _fold_spec(_: None, x: KerasTensor, *settings: Any) -> KerasTensor:
    sizes, kernel, *_rest = _fold_settings(x, *settings)
    rows = x.shape[1]
    channels = None if rows is None else rows // (kernel[0] * kernel[1])
    return KerasTensor((x.shape[0], channels, *sizes), x.dtype)


@op(rules.custom(_fold_spec, ("x",)), compiled=True)
def fold(
    x: Any,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Any:
    """An image put together from the columns that `unfold` makes; overlaps are added up.

    Args:
        x: (batch, channels * kernel height * kernel width, windows).
        output_size: height and width of the image.
        kernel_size, dilation, padding, stride: as given to `unfold`.

    Returns:
        (batch, channels, height, width).

    Raises:
        ValueError: for another rank, settings of wrong length, or another number of windows.

    Example:
        >>> from multikeras import ops
        >>> x = ops.ones((1, 4, 2))
        >>> ops.convert_to_numpy(ops.fold(x, (2, 3), 2)).tolist()
        [[[[1.0, 2.0, 1.0], [1.0, 2.0, 1.0]]]]
    """
    sizes, kernel, dilations, pads, strides, counts = _fold_settings(
        x, output_size, kernel_size, dilation, padding, stride
    )
    batch, rows, _ = core.shape(x)
    x = shaping.reshape(x, (batch, rows // (kernel[0] * kernel[1]), *kernel, *counts))
    x = shaping.transpose(x, (0, 1, 2, 4, 3, 5))
    x = _overlapped(x, 4, sizes[1] + 2 * pads[1], strides[1], dilations[1])
    x = _overlapped(x, 2, sizes[0] + 2 * pads[0], strides[0], dilations[0])
    top, left = pads
    return x[:, :, top : top + sizes[0], left : left + sizes[1]] if top or left else x


# ------------------------------------------------------------------------------ blocks, channels


def _block(who: str, x: Any, block_size: Any, data_format: str | None) -> bool:
    """Whether channels come first; checks the rest."""
    _expect_rank(who, "x", x, 4)
    if isinstance(block_size, bool) or not isinstance(block_size, (int, np.integer)):
        raise ValueError(f"{who}: `block_size` must be an integer, got {block_size!r}.")
    if block_size < 2:
        raise ValueError(f"{who}: `block_size` must be at least 2, got {block_size}.")
    return config.standardize_data_format(data_format) == "channels_first"


def _image_sizes(x: Any, first: bool) -> tuple:
    """Batch, height, width, channels, as far as they are known."""
    batch, *rest = core.shape(x)
    return (batch, *rest[1:], rest[0]) if first else (batch, *rest)


def _divided(who: str, what: str, size: Any, by: int) -> Any:
    if isinstance(size, int) and size % by:
        raise ValueError(f"{who}: {what} must be a multiple of {by}, got {size}.")
    return None if size is None else size // by


def _times(size: Any, by: int) -> Any:
    return None if size is None else size * by


def _image_spec(x: KerasTensor, first: bool, h: Any, w: Any, c: Any) -> KerasTensor:
    return KerasTensor((x.shape[0], c, h, w) if first else (x.shape[0], h, w, c), x.dtype)


def _to_space_spec(_: None, x: KerasTensor, block_size: Any, data_format: Any) -> KerasTensor:
    first = _block("depth_to_space", x, block_size, data_format)
    _, h, w, c = _image_sizes(x, first)
    c = _divided("depth_to_space", "the number of channels", c, block_size**2)
    return _image_spec(x, first, _times(h, block_size), _times(w, block_size), c)


@op(rules.custom(_to_space_spec, ("x",)))
def depth_to_space(x: Any, block_size: int, data_format: str | None = "channels_last") -> Any:
    """Channels laid out as blocks of pixels (arXiv:1609.05158).

    With channels last, those of one place in the block stand together; with channels first,
    those of one channel of the result.

    Args:
        x: images (batch, height, width, channels), or "channels_first" (batch, channels, height,
            width); block_size ** 2 divides the channels.
        block_size: an integer of at least 2.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Returns:
        Images `block_size` times as high and wide, with channels / block_size ** 2 channels.

    Raises:
        ValueError: for another rank, or channels that can't be divided.

    Example:
        >>> from multikeras import ops
        >>> x = ops.reshape(ops.arange(4), (1, 1, 1, 4))
        >>> ops.convert_to_numpy(ops.depth_to_space(x, 2))[0, :, :, 0].tolist()
        [[0, 1], [2, 3]]
    """
    first = _block("depth_to_space", x, block_size, data_format)
    n, b = int(block_size), core.shape(x)[0]
    _, h, w, c = _image_sizes(x, first)
    c = _divided("depth_to_space", "the number of channels", c, n * n)
    if first:
        x = shaping.transpose(shaping.reshape(x, (b, c, n, n, h, w)), (0, 1, 4, 2, 5, 3))
        return shaping.reshape(x, (b, c, h * n, w * n))
    x = shaping.transpose(shaping.reshape(x, (b, h, w, n, n, c)), (0, 1, 3, 2, 4, 5))
    return shaping.reshape(x, (b, h * n, w * n, c))


def _to_depth_spec(_: None, x: KerasTensor, block_size: Any, data_format: Any) -> KerasTensor:
    first = _block("space_to_depth", x, block_size, data_format)
    _, h, w, c = _image_sizes(x, first)
    h = _divided("space_to_depth", "the height", h, block_size)
    w = _divided("space_to_depth", "the width", w, block_size)
    return _image_spec(x, first, h, w, _times(c, block_size**2))


@op(rules.custom(_to_depth_spec, ("x",)))
def space_to_depth(x: Any, block_size: int, data_format: str | None = "channels_last") -> Any:
    """Blocks of pixels laid out as channels: the inverse of `depth_to_space`.

    Args:
        x: images (batch, height, width, channels), or "channels_first" (batch, channels, height,
            width); `block_size` divides height and width.
        block_size: an integer of at least 2.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Raises:
        ValueError: for another rank, or sizes that can't be divided.

    Example:
        >>> from multikeras import ops
        >>> x = ops.reshape(ops.arange(4), (1, 2, 2, 1))
        >>> ops.convert_to_numpy(ops.space_to_depth(x, 2)).ravel().tolist()
        [0, 1, 2, 3]
    """
    first = _block("space_to_depth", x, block_size, data_format)
    n, b = int(block_size), core.shape(x)[0]
    _, h, w, c = _image_sizes(x, first)
    h = _divided("space_to_depth", "the height", h, n)
    w = _divided("space_to_depth", "the width", w, n)
    if first:
        x = shaping.transpose(shaping.reshape(x, (b, c, h, n, w, n)), (0, 1, 3, 5, 2, 4))
        return shaping.reshape(x, (b, n * n * c, h, w))
    x = shaping.transpose(shaping.reshape(x, (b, h, n, w, n, c)), (0, 1, 3, 2, 4, 5))
    return shaping.reshape(x, (b, h, w, n * n * c))


# ----------------------------------------------------------------------------- adaptive pooling


def _bins(who: str, x: Any, output_size: Any, data_format: str | None) -> list[tuple[int, int]]:
    """(axis, bins) of each spatial dimension."""
    _expect_rank(who, "inputs", x, 3, 4, 5)
    rank = len(x.shape) - 2
    sizes = sizes_of(who, "output_size", output_size, rank)
    start = 2 if config.standardize_data_format(data_format) == "channels_first" else 1
    return [(start + k, size) for k, size in enumerate(sizes)]


def _adaptive_spec(dtype: str | None, x: KerasTensor, *settings: Any) -> KerasTensor:
    shape = list(x.shape)
    for axis, size in _bins("adaptive pooling", x, *settings):
        shape[axis] = size
    return KerasTensor(shape, dtype or x.dtype)


def _edges(length: int, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each bin begins and ends; neighbours overlap where `bins` does not divide."""
    place = np.arange(bins)
    return place * length // bins, -(-(place + 1) * length // bins)


def _known(who: str, x: Any, axis: int) -> int:
    length = x.shape[axis]
    if not isinstance(length, int) or length < 1:
        raise ValueError(f"{who}: spatial sizes must be known and not 0, got {tuple(x.shape)}.")
    return length


def _split(x: Any, axis: int, bins: int) -> Any:
    shape = core.shape(x)
    return shaping.reshape(x, (*shape[:axis], bins, shape[axis] // bins, *shape[axis + 1 :]))


def _mixed(x: Any, axis: int, weights: np.ndarray) -> Any:
    """Along an axis, as many sums of its elements as there are rows of `weights`."""
    shape, (bins, length) = core.shape(x), weights.shape
    result = (*shape[:axis], bins, *shape[axis + 1 :])
    dtype = core.dtype(x)
    if axis == len(shape) - 1:
        return products.matmul(x, core.convert_to_tensor(weights.T, dtype))
    # The axes before and after become one each: no transposition.
    x = shaping.reshape(x, (-1, length, math.prod(shape[axis + 1 :])))
    mixed = products.matmul(core.convert_to_tensor(weights, dtype), x)
    return shaping.reshape(mixed, result)


@op(rules.custom(_adaptive_spec, ("inputs",), rules.to_float), compiled=True)
def adaptive_average_pool(inputs: Any, output_size: Sizes, data_format: str | None = None) -> Any:
    """Averages over as many bins as wanted, of sizes as equal as can be.

    Bin i of n over a length L goes from floor(i * L / n) up to ceil((i + 1) * L / n).

    Args:
        inputs: (batch, *spatial, channels) or "channels_first" (batch, channels, *spatial), with
            1 to 3 spatial dimensions of known size.
        output_size: the number of bins, an integer or one for each spatial dimension.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Raises:
        ValueError: for another rank, or an `output_size` that does not fit it.

    Example:
        >>> from multikeras import ops
        >>> x = ops.reshape([1.0, 2.0, 3.0], (1, 3, 1))
        >>> ops.convert_to_numpy(ops.adaptive_average_pool(x, 2)).ravel().tolist()
        [1.5, 2.5]
    """
    for axis, bins in _bins("adaptive_average_pool", inputs, output_size, data_format):
        length = _known("adaptive_average_pool", inputs, axis)
        if length % bins == 0:
            inputs = reductions.mean(_split(inputs, axis, bins), axis + 1)
            continue
        start, end = _edges(length, bins)
        place = np.arange(length)
        inside = (place >= start[:, None]) & (place < end[:, None])
        inputs = _mixed(inputs, axis, inside / (end - start)[:, None])
    return inputs


@op(rules.custom(_adaptive_spec, ("inputs",)), compiled=True)
def adaptive_max_pool(inputs: Any, output_size: Sizes, data_format: str | None = None) -> Any:
    """The largest of as many bins as wanted, of sizes as equal as can be.

    Args:
        inputs: as of `adaptive_average_pool`, with the same bins.
        output_size: the number of bins, an integer or one for each spatial dimension.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Raises:
        ValueError: for another rank, or an `output_size` that does not fit it.

    Example:
        >>> from multikeras import ops
        >>> x = ops.reshape([1.0, 2.0, 3.0], (1, 3, 1))
        >>> ops.convert_to_numpy(ops.adaptive_max_pool(x, 2)).ravel().tolist()
        [2.0, 3.0]
    """
    for axis, bins in _bins("adaptive_max_pool", inputs, output_size, data_format):
        length = _known("adaptive_max_pool", inputs, axis)
        if length % bins == 0:
            inputs = reductions.max(_split(inputs, axis, bins), axis + 1)
            continue
        start, end = _edges(length, bins)
        # Bins shorter than the longest repeat their last element.
        longest = max(-(-(k + 1) * length // bins) - k * length // bins for k in range(bins))
        place = np.minimum(start[:, None] + np.arange(longest), end[:, None] - 1)
        inputs = reductions.max(indexing.take(inputs, place.astype("int32"), axis), axis + 1)
    return inputs
