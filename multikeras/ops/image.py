"""Images: resizing; the other functions on images stand in modules of their own beside.

An image is (height, width, channels) or, "channels_first", (channels, height, width), with or
without a batch before. Interpolation is separable and made of gathers and matrix products, with
weights computed on the host, so results agree on all backends.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from multikeras import dtypes
from multikeras.ops import arithmetic, core, indexing, products, rules, shaping
from multikeras.ops._declare import op
from multikeras.ops._images import back_to, spatial_axes
from multikeras.ops.image_color import hsv_to_rgb as hsv_to_rgb
from multikeras.ops.image_color import rgb_to_grayscale as rgb_to_grayscale
from multikeras.ops.image_color import rgb_to_hsv as rgb_to_hsv
from multikeras.ops.image_cuts import crop_images as crop_images
from multikeras.ops.image_cuts import extract_patches as extract_patches
from multikeras.ops.image_cuts import extract_patches_3d as extract_patches_3d
from multikeras.ops.image_cuts import pad_images as pad_images
from multikeras.ops.image_filters import gaussian_blur as gaussian_blur
from multikeras.ops.image_filters import sobel_edges as sobel_edges
from multikeras.ops.image_filters import ssim as ssim
from multikeras.ops.image_warping import affine_transform as affine_transform
from multikeras.ops.image_warping import elastic_transform as elastic_transform
from multikeras.ops.image_warping import map_coordinates as map_coordinates
from multikeras.ops.image_warping import perspective_transform as perspective_transform
from multikeras.ops.image_warping import scale_and_translate as scale_and_translate
from multikeras.symbolic import KerasTensor, SymbolicScope

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
_FILL_MODES = ("constant",)


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(0.0, 1.0 - np.abs(x))


def _cubic(x: np.ndarray) -> np.ndarray:
    """The kernel of Keys (1981) with a = -1/2."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _lanczos(radius: int) -> Any:
    return lambda x: np.where(np.abs(x) < radius, np.sinc(x) * np.sinc(x / radius), 0.0)


_KERNELS = {
    "bilinear": _triangle,
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


def _resize_weights(size: int, target: int, interpolation: str, antialias: bool) -> np.ndarray:
    """The matrix (target, size) that resizes one axis; pixels are areas with centres at 0.5."""
    scale = size / target
    stretch = max(scale, 1.0) if antialias else 1.0
    centers = (np.arange(target) + 0.5) * scale - 0.5
    weights = _KERNELS[interpolation]((np.arange(size) - centers[:, None]) / stretch)
    return weights / weights.sum(1, keepdims=True)


def _nearest(x: Any, axis: int, size: int, target: int) -> Any:
    index = np.floor((np.arange(target) + 0.5) * size / target).astype("int32")
    return indexing.take(x, np.minimum(index, size - 1), axis)


def _linear(x: Any, axis: int, size: int, target: int) -> Any:
    """Two gathers instead of a matrix that is nearly all zeros."""
    place = np.clip((np.arange(target) + 0.5) * size / target - 0.5, 0, size - 1)
    low = np.floor(place).astype("int32")
    share = (place - low).reshape((-1,) + (1,) * (len(x.shape) - 1 - axis))
    share = core.convert_to_tensor(share, core.dtype(x))
    first = indexing.take(x, low, axis)
    second = indexing.take(x, np.minimum(low + 1, size - 1), axis)
    return arithmetic.add(first, arithmetic.multiply(arithmetic.subtract(second, first), share))


def _weighted(x: Any, axis: int, weights: np.ndarray) -> Any:
    matrix = core.convert_to_tensor(weights.T, core.dtype(x))
    return shaping.moveaxis(products.tensordot(x, matrix, ((axis,), (0,))), -1, axis)


def _resized(x: Any, axis: int, target: int, interpolation: str, antialias: bool) -> Any:
    size = x.shape[axis]
    if size is None:
        raise ValueError("resize: height and width must be known.")
    if size == target:
        return x
    if interpolation == "nearest":
        return _nearest(x, axis, size, target)
    if interpolation == "bilinear" and not (antialias and target < size):
        return _linear(x, axis, size, target)
    return _weighted(x, axis, _resize_weights(size, target, interpolation, antialias))


def _resize(
    images: Any,
    size: Any,
    interpolation: str,
    antialias: bool,
    crop: bool,
    pad: bool,
    fill_mode: str,
    fill_value: float,
    data_format: str | None,
) -> Any:
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"resize: `interpolation` must be one of {INTERPOLATIONS}, got {interpolation!r}."
        )
    if not isinstance(size, (list, tuple)) or len(size) != 2:
        raise ValueError(f"resize: `size` must be (height, width), got {size!r}.")
    if crop and pad:
        raise ValueError("resize: only one of crop and pad to the aspect ratio can be true.")
    if fill_mode not in _FILL_MODES:
        raise ValueError(f"resize: `fill_mode` must be 'constant', got {fill_mode!r}.")
    axes = spatial_axes(len(images.shape), data_format)
    target = (int(size[0]), int(size[1]))
    dtype = core.dtype(images)
    x = images
    if crop or pad:
        x = _fitted(x, axes, target, pad, fill_value)
    if interpolation != "nearest" and not dtypes.is_float_dtype(dtype):
        x = core.cast(x, dtypes.floatx())
    for axis, length in zip(axes, target, strict=True):
        x = _resized(x, axis, length, interpolation, antialias)
    return x if interpolation == "nearest" else back_to(x, dtype)


def _fitted(x: Any, axes: tuple[int, int], target: tuple[int, int], pad: bool, value: float) -> Any:
    """Cuts (or pads) evenly on both sides to the proportions of `target`."""
    height, width = (x.shape[axis] for axis in axes)
    if height is None or width is None:
        raise ValueError("resize: height and width must be known.")
    wanted = (int(width * target[0] / target[1]), int(height * target[1] / target[0]))
    for axis, have, want in zip(axes, (height, width), wanted, strict=True):
        if pad and want > have:
            widths = [(0, 0)] * len(x.shape)
            widths[axis] = ((want - have) // 2,) * 2  # even on both sides, if one short
            x = shaping.pad(x, widths, constant_values=value)
        elif not pad and want < have:
            start = (have - want) // 2
            key = (slice(None),) * axis + (slice(start, start + max(1, want)),)
            x = indexing.get_item(x, key)
    return x


def _resize_shape(x: KerasTensor, size: Any, *settings: Any) -> tuple:
    axes = spatial_axes(len(x.shape), settings[-1])
    known = list(x.shape)
    for axis in axes:
        known[axis] = known[axis] or 1
    with SymbolicScope():
        _resize(KerasTensor(known, x.dtype), size, *settings)  # checks the settings
    shape = list(x.shape)
    shape[axes[0]], shape[axes[1]] = int(size[0]), int(size[1])
    return tuple(shape)


@op(rules.like(_resize_shape, tensors=("images",)))
def resize(
    images: Any,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """Images of another height and width.

    Args:
        images: one image or a batch; integers are rounded in the end.
        size: (height, width).
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        antialias: widen the kernel when making smaller, so that no pixel is passed over.
        crop_to_aspect_ratio: cut off the sides first, so that nothing is distorted.
        pad_to_aspect_ratio: pad the sides first, so that nothing is distorted.
        fill_mode, fill_value: "constant" and the value to pad with.
        data_format: default `config.image_data_format()`.

    Raises:
        ValueError: for unknown settings, another rank, or unknown height or width.

    Example:
        >>> from multikeras import ops
        >>> x = ops.reshape([0.0, 1.0], (1, 2, 1))
        >>> ops.convert_to_numpy(ops.image.resize(x, (1, 4))).ravel().tolist()
        [0.0, 0.25, 0.75, 1.0]
    """
    return _resize(
        images,
        size,
        interpolation,
        antialias,
        crop_to_aspect_ratio,
        pad_to_aspect_ratio,
        fill_mode,
        fill_value,
        data_format,
    )
