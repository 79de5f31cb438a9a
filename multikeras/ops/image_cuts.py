"""Images cut to size, padded, and taken apart into patches.

Refused: sizes that are negative, larger than the image, or given in a way that leaves one open.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from multikeras import config, shapes
from multikeras.backends import windows
from multikeras.ops import core, indexing, rules, shaping
from multikeras.ops._declare import op
from multikeras.ops._images import image_axes
from multikeras.ops.patches import sizes_of, windows_along
from multikeras.symbolic import KerasTensor

Size = int | None


def _amounts(who: str, length: Size, names: tuple[str, str, str], given: tuple) -> tuple:
    """(before, after, target) of one axis, two of which are given; None is not known."""
    sign = -1 if who == "crop_images" else 1
    if sum(value is not None for value in given) != 2:
        listed = ", ".join(f"{n}={v}" for n, v in zip(names, given, strict=True))
        raise ValueError(f"{who}: exactly two of {', '.join(names)} must be given, got {listed}.")
    before: Any
    after: Any
    target: Any
    try:
        before, after, target = (None if v is None else operator.index(v) for v in given)
    except TypeError:
        raise ValueError(f"{who}: {', '.join(names)} must be integers, got {given}.") from None
    if length is not None:
        if target is None:
            target = length + sign * (before + after)
        elif before is None:
            before = sign * (target - length) - after
        else:
            after = sign * (target - length) - before
    for name, value in zip(names, (before, after, target), strict=True):
        if value is not None and value < 0:
            raise ValueError(
                f"{who}: `{name}` would be {value} for an image of size {length}; it must be at "
                "least 0."
            )
    return before, after, target


def _both(who: str, x: Any, settings: tuple) -> list[tuple[int, tuple]]:
    """(axis, (before, after, target)) of height and width."""
    top, left, bottom, right, height, width, data_format = settings
    what = "cropping" if who == "crop_images" else "padding"
    rows, columns, _ = image_axes(who, x, data_format)
    vertical = (f"top_{what}", f"bottom_{what}", "target_height")
    horizontal = (f"left_{what}", f"right_{what}", "target_width")
    return [
        (rows, _amounts(who, x.shape[rows], vertical, (top, bottom, height))),
        (columns, _amounts(who, x.shape[columns], horizontal, (left, right, width))),
    ]


def _sized(who: str) -> Any:
    def spec(_: None, x: KerasTensor, *settings: Any) -> KerasTensor:
        shape = list(x.shape)
        for axis, (_before, _after, target) in _both(who, x, settings):
            shape[axis] = target
        return KerasTensor(shape, x.dtype)

    return spec


@op(rules.custom(_sized("crop_images"), ("images",)))
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Images without some rows and columns at their borders.

    Of `top_cropping`, `bottom_cropping` and `target_height` two must be given, and likewise of
    `left_cropping`, `right_cropping` and `target_width`.

    Args:
        images: one image or a batch.
        top_cropping, bottom_cropping: how many rows to leave out.
        left_cropping, right_cropping: how many columns to leave out.
        target_height, target_width: the size of the result.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Raises:
        ValueError: for more or fewer settings, another rank, or more than there is.

    Example:
        >>> from multikeras import ops
        >>> x = ops.reshape(ops.arange(12), (3, 4, 1))
        >>> ops.convert_to_numpy(ops.image.crop_images(x, 1, 1, 0, 2)).ravel().tolist()
        [5, 9]
    """
    settings = (
        top_cropping,
        left_cropping,
        bottom_cropping,
        right_cropping,
        target_height,
        target_width,
        data_format,
    )
    for axis, (before, after, target) in _both("crop_images", images, settings):
        length = core.shape(images)[axis]
        if before is None:
            before = length - target - after
        end = length - after if target is None else before + target
        images = indexing.get_item(images, (*(slice(None),) * axis, slice(before, end)))
    return images


@op(rules.custom(_sized("pad_images"), ("images",)))
def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Images with rows and columns of zeros around them.

    Of `top_padding`, `bottom_padding` and `target_height` two must be given, and likewise of
    `left_padding`, `right_padding` and `target_width`.

    Args:
        images: one image or a batch.
        top_padding, bottom_padding: how many rows to add.
        left_padding, right_padding: how many columns to add.
        target_height, target_width: the size of the result; the image's own must be known then.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Raises:
        ValueError: for more or fewer settings, another rank, or a target that is too small.

    Example:
        >>> from multikeras import ops
        >>> x = ops.ones((1, 2, 1))
        >>> ops.convert_to_numpy(ops.image.pad_images(x, 0, 1, 1, 0))[..., 0].tolist()
        [[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    """
    settings = (
        top_padding,
        left_padding,
        bottom_padding,
        right_padding,
        target_height,
        target_width,
        data_format,
    )
    widths = [(0, 0)] * len(images.shape)
    for axis, (before, after, _) in _both("pad_images", images, settings):
        if before is None or after is None:
            raise ValueError(
                "pad_images: with a target size, the size of the images must be known, got shape "
                f"{tuple(images.shape)}."
            )
        widths[axis] = (before, after)
    return shaping.pad(images, widths)


# -------------------------------------------------------------------------------------- patches


def _patch_settings(
    who: str, x: Any, size: Any, strides: Any, dilation_rate: Any, padding: Any, data_format: Any
) -> tuple:
    """(axes, sizes, strides, dilation, padding), checked."""
    triple = isinstance(size, (list, tuple)) and len(size) == 3
    rank = 3 if who == "extract_patches_3d" or triple else 2
    if len(x.shape) not in (rank + 1, rank + 2):
        raise ValueError(
            f"{who}: expected inputs of rank {rank + 1} or, a batch, {rank + 2}, got shape "
            f"{tuple(x.shape)}."
        )
    sizes = sizes_of(who, "size", size, rank)
    steps = sizes if strides is None else sizes_of(who, "strides", strides, rank)
    dilation = sizes_of(who, "dilation_rate", dilation_rate, rank)
    padding = padding.lower() if isinstance(padding, str) else padding
    if padding not in ("valid", "same"):
        raise ValueError(f"{who}: `padding` must be 'valid' or 'same', got {padding!r}.")
    first = config.standardize_data_format(data_format) == "channels_first"
    start = len(x.shape) - rank - (0 if first else 1)
    return tuple(range(start, start + rank)), sizes, steps, dilation, padding


def _patches_spec(who: str) -> Any:
    def spec(_: None, x: KerasTensor, *settings: Any) -> KerasTensor:
        axes, sizes, steps, dilation, padding = _patch_settings(who, x, *settings)
        each = zip(axes, sizes, steps, dilation, strict=True)
        counts = [shapes.window_size(x.shape[a], k, s, padding, d) for a, k, s, d in each]
        first = axes[-1] == len(x.shape) - 1
        channels = x.shape[axes[0] - 1 if first else -1]
        for size in sizes:
            channels = None if channels is None else channels * size
        batch = x.shape[: len(x.shape) - len(axes) - 1]
        inner = (channels, *counts) if first else (*counts, channels)
        return KerasTensor((*batch, *inner), x.dtype)

    return spec


def _patches(who: str, x: Any, *settings: Any) -> Any:
    axes, sizes, steps, dilation, padding = _patch_settings(who, x, *settings)
    rank, total = len(axes), len(x.shape)
    first = axes[-1] == total - 1
    if padding == "same":
        lengths = [core.shape(x)[axis] for axis in axes]
        widths = [(0, 0)] * total
        found = windows.pads(lengths, sizes, steps, dilation, "same")
        for axis, width in zip(axes, found, strict=True):
            widths[axis] = width
        x = shaping.pad(x, widths)
    for axis, size, d in zip(axes, sizes, dilation, strict=True):
        shapes.window_size(x.shape[axis], size, 1, "valid", d)  # refuses what does not fit
    for axis, size, step, d in reversed(list(zip(axes, sizes, steps, dilation, strict=True))):
        x = windows_along(x, axis, size, step, d)
    # Now (batch, count, size, count, size, channels), channels before the first count or last.
    start = axes[0]
    counts = [start + 2 * k for k in range(rank)]
    offsets = [c + 1 for c in counts]
    channel = start - 1 if first else start + 2 * rank
    batch = list(range(total - rank - 1))
    inner = [channel, *counts] if first else [*counts, channel]
    where = inner.index(channel)
    order = [*batch, *inner[:where], *offsets, channel, *inner[where + 1 :]]
    x = shaping.transpose(x, order)
    shape = core.shape(x)
    place = len(batch) + where
    depth = shape[place + rank]
    for size in sizes:
        depth = depth * size
    return shaping.reshape(x, (*shape[:place], depth, *shape[place + rank + 1 :]))


@op(rules.custom(_patches_spec("extract_patches"), ("images",)), compiled=True)
def extract_patches(
    images: Any,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The patches that a window sees on its way over an image, each as one long pixel.

    Args:
        images: one image or a batch (with three sizes: volumes, as `extract_patches_3d` takes).
        size: height and width of a patch, or one number for both.
        strides: how far the window moves; default: `size`.
        dilation_rate: distance between the pixels of a patch.
        padding: "valid", or "same" to pad with zeros so that every stride has its patch.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Returns:
        (batch, rows, columns, height * width * channels) in this order within a patch, or
        "channels_first" (batch, the same, rows, columns).

    Raises:
        ValueError: for another rank, settings that do not fit it, or a patch larger than the
            image.

    Example:
        >>> from multikeras import ops
        >>> x = ops.reshape(ops.arange(16), (4, 4, 1))
        >>> ops.convert_to_numpy(ops.image.extract_patches(x, 2)).tolist()
        [[[0, 1, 4, 5], [2, 3, 6, 7]], [[8, 9, 12, 13], [10, 11, 14, 15]]]
    """
    return _patches("extract_patches", images, size, strides, dilation_rate, padding, data_format)


@op(rules.custom(_patches_spec("extract_patches_3d"), ("volumes",)), compiled=True)
def extract_patches_3d(
    volumes: Any,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """`extract_patches` of volumes, which have depth, height and width.

    Args:
        volumes: one volume (depth, height, width, channels) or a batch; "channels_first" has the
            channels before the depth.
        size: depth, height and width of a patch, or one number for all.
        strides, dilation_rate, padding, data_format: as of `extract_patches`.

    Raises:
        ValueError: for another rank, settings that do not fit it, or a patch larger than the
            volume.

    Example:
        >>> from multikeras import ops
        >>> ops.image.extract_patches_3d(ops.ones((1, 4, 4, 2, 3)), 2).shape == (1, 2, 2, 1, 24)
        True
    """
    return _patches(
        "extract_patches_3d", volumes, size, strides, dilation_rate, padding, data_format
    )
