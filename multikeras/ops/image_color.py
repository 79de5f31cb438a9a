"""Colors of images: gray, and hue, saturation and value (A. R. Smith, "Color Gamut Transform
Pairs", SIGGRAPH 1978).

Channels are the last axis, or the first of the image with "channels_first". Refused: images with
another number of channels than three, and integers where values between 0 and 1 are meant.
"""

from __future__ import annotations

from typing import Any

from multikeras import dtypes
from multikeras.ops import arithmetic, core, elementwise, reductions, rules, shaping
from multikeras.ops._declare import op
from multikeras.ops._images import as_float, image_axes
from multikeras.symbolic import KerasTensor

_LUMA = (0.2989, 0.587, 0.114)  # ITU-R BT.601


def _channels(who: str, x: Any, data_format: str | None, allowed: tuple[int, ...] = (3,)) -> int:
    """The axis of the channels."""
    axis = image_axes(who, x, data_format)[2]
    if x.shape[axis] not in (*allowed, None):
        wanted = " or ".join(map(str, allowed))
        raise ValueError(f"{who}: expected {wanted} channels, got shape {tuple(x.shape)}.")
    return axis


def _color_axis(who: str, x: Any, data_format: str | None) -> int:
    if not dtypes.is_float_dtype(core.dtype(x)):
        raise ValueError(
            f"{who}: `images` must hold floats between 0 and 1, got dtype {core.dtype(x)}."
        )
    return _channels(who, x, data_format)


def _gray_spec(_: None, x: KerasTensor, data_format: str | None) -> KerasTensor:
    shape = list(x.shape)
    shape[_channels("rgb_to_grayscale", x, data_format, (3, 1))] = 1
    return KerasTensor(shape, x.dtype)


@op(rules.custom(_gray_spec, ("images",)))
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Any:
    """The brightness of each pixel: 0.2989 red + 0.587 green + 0.114 blue (ITU-R BT.601).

    Args:
        images: one image or a batch, of 3 channels; one of a single channel is returned as it is.
            Of integers, fractions are cut off in the end.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Raises:
        ValueError: for another rank or number of channels.

    Example:
        >>> from multikeras import ops
        >>> float(ops.sum(ops.image.rgb_to_grayscale([[[1.0, 0.0, 1.0]]])))
        0.4129
    """
    axis = _channels("rgb_to_grayscale", images, data_format, (3, 1))
    if images.shape[axis] == 1:
        return images
    red, green, blue = shaping.split(as_float(images), 3, axis)
    gray = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    return core.cast(gray, core.dtype(images))


def _color_spec(who: str) -> Any:
    def spec(_: None, x: KerasTensor, data_format: str | None) -> KerasTensor:
        _color_axis(who, x, data_format)
        return x

    return spec


@op(rules.custom(_color_spec("rgb_to_hsv"), ("images",)), compiled=True)
def rgb_to_hsv(images: Any, data_format: str | None = None) -> Any:
    """Red, green and blue as hue, saturation and value.

    Args:
        images: one image or a batch, floats between 0 and 1.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Returns:
        A tensor of the same shape. The hue runs from 0 (red) over 1/3 (green) and 2/3 (blue) to
        1; it is 0 for gray, and the saturation is 0 for black.

    Raises:
        ValueError: for another rank or number of channels, or integers.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.image.rgb_to_hsv([[[0.0, 0.5, 0.25]]])).ravel().tolist()
        [0.41667, 1.0, 0.5]
    """
    axis = _color_axis("rgb_to_hsv", images, data_format)
    red, green, blue = shaping.split(images, 3, axis)
    value = reductions.max(images, axis, keepdims=True)
    span = value - reductions.min(images, axis, keepdims=True)
    gray = arithmetic.equal(span, 0)
    whole = arithmetic.where(gray, 1.0, span)
    hue = arithmetic.where(
        arithmetic.equal(red, value),
        (green - blue) / whole,
        arithmetic.where(
            arithmetic.equal(green, value),
            (blue - red) / whole + 2.0,
            (red - green) / whole + 4.0,
        ),
    )
    hue = hue / 6.0
    hue = arithmetic.where(arithmetic.less(hue, 0), hue + 1.0, hue)
    hue = arithmetic.where(gray, 0.0, hue)
    saturation = span / arithmetic.where(arithmetic.equal(value, 0), 1.0, value)
    return core.cast(shaping.concatenate([hue, saturation, value], axis), core.dtype(images))


@op(rules.custom(_color_spec("hsv_to_rgb"), ("images",)), compiled=True)
def hsv_to_rgb(images: Any, data_format: str | None = None) -> Any:
    """Hue, saturation and value as red, green and blue: the inverse of `rgb_to_hsv`.

    Args:
        images: one image or a batch, floats between 0 and 1. Hues beyond go round the circle.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Raises:
        ValueError: for another rank or number of channels, or integers.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.image.hsv_to_rgb([[[0.5, 1.0, 0.5]]])).ravel().tolist()
        [0.0, 0.5, 0.5]
    """
    axis = _color_axis("hsv_to_rgb", images, data_format)
    hue, saturation, value = shaping.split(images, 3, axis)
    depth = value * saturation

    def color(turn: float) -> Any:
        place = hue * 6.0 + turn
        place = place - elementwise.floor(place / 6.0) * 6.0
        rest = arithmetic.minimum(place, 4.0 - place)
        return value - depth * arithmetic.clip(rest, 0.0, 1.0)

    colors = shaping.concatenate([color(5.0), color(3.0), color(1.0)], axis)
    return core.cast(colors, core.dtype(images))
