"""Filters over the neighbours of pixels, and measures of how much two images differ.

Filters work along one axis after the other, on shifted copies of the image. Refused: other ranks
than those of an image or a batch of them, filters larger than the image where it isn't padded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from multikeras import dtypes
from multikeras.backends.checks import fits
from multikeras.ops import arithmetic, core, elementwise, indexing, reductions, rules, shaping
from multikeras.ops._declare import op
from multikeras.ops._images import as_float, back_to, image_axes
from multikeras.ops.patches import sizes_of
from multikeras.symbolic import KerasTensor


def _sums_spec(_: None, x: KerasTensor, axis: int, weights: Sequence[float]) -> KerasTensor:
    length = x.shape[axis]
    count = None if length is None else length - len(weights) + 1
    return KerasTensor((*x.shape[:axis], count, *x.shape[axis + 1 :]), x.dtype)


@op(rules.custom(_sums_spec, ("x",)))
def neighbour_sums(x: Any, axis: int, weights: Sequence[float]) -> Any:
    """The sum of as many neighbours along an axis, weighted; none is padded. Not exported.

    Args:
        x: floats of any shape.
        axis: which, from the front.
        weights: numbers, of which one is not 0.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.image_filters import neighbour_sums
        >>> ops.convert_to_numpy(neighbour_sums([1.0, 2.0, 4.0], 0, (1.0, 10.0))).tolist()
        [21.0, 42.0]
    """
    count = core.shape(x)[axis] - len(weights) + 1
    front = (slice(None),) * axis
    total = None
    for k, weight in enumerate(weights):
        if weight:
            part = indexing.get_item(x, (*front, slice(k, k + count))) * float(weight)
            total = part if total is None else arithmetic.add(total, part)
    return total


def _padded(x: Any, axes: Sequence[int], sizes: Sequence[int], mode: str = "constant") -> Any:
    """Padded so that filters of `sizes` keep the shape; the odd one goes after."""
    widths = [(0, 0)] * len(x.shape)
    for axis, size in zip(axes, sizes, strict=True):
        widths[axis] = ((size - 1) // 2, size // 2)
    return shaping.pad(x, widths, mode)


def _bell(size: int, sigma: float) -> list[float]:
    """Weights of a normal distribution, of sum 1."""
    weights = [math.exp(-0.5 * ((k - (size - 1) / 2) / sigma) ** 2) for k in range(size)]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def _sigmas(sigma: Any) -> tuple[float, float]:
    each = tuple(sigma) if isinstance(sigma, (list, tuple)) else (sigma, sigma)
    numbers = [s for s in each if isinstance(s, (int, float)) and s > 0]
    if len(each) != 2 or len(numbers) != 2:
        raise ValueError(
            "gaussian_blur: `sigma` must be a positive number, or two of them for height and "
            f"width, got {sigma!r}."
        )
    return float(each[0]), float(each[1])


def _blur_spec(
    _: None, x: KerasTensor, kernel_size: Any, sigma: Any, data_format: str | None
) -> KerasTensor:
    image_axes("gaussian_blur", x, data_format)
    sizes_of("gaussian_blur", "kernel_size", kernel_size, 2)
    _sigmas(sigma)
    return x


@op(rules.custom(_blur_spec, ("images",)), compiled=True)
def gaussian_blur(
    images: Any,
    kernel_size: int | Sequence[int] = (3, 3),
    sigma: float | Sequence[float] = (1.0, 1.0),
    data_format: str | None = None,
) -> Any:
    """Each pixel as the mean of its neighbours, weighted by a normal distribution.

    Beyond the border everything is 0.

    Args:
        images: one image or a batch; integers are rounded in the end.
        kernel_size: how many neighbours, (vertically, horizontally) or one number for both.
        sigma: standard deviations in pixels, likewise.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Raises:
        ValueError: for another rank, or settings that are not positive.

    Example:
        >>> from multikeras import ops
        >>> x = ops.reshape([0.0, 1.0, 0.0], (1, 3, 1))
        >>> ops.convert_to_numpy(ops.image.gaussian_blur(x, (1, 3))).ravel().tolist()
        [0.27407, 0.45186, 0.27407]
    """
    height, width, _ = image_axes("gaussian_blur", images, data_format)
    sizes = sizes_of("gaussian_blur", "kernel_size", kernel_size, 2)
    x = _padded(as_float(images), (height, width), sizes)
    for axis, size, spread in zip((height, width), sizes, _sigmas(sigma), strict=True):
        x = neighbour_sums(x, axis, _bell(size, spread))
    return back_to(x, core.dtype(images))


def _edges_spec(_: None, x: KerasTensor, data_format: str | None) -> KerasTensor:
    image_axes("sobel_edges", x, data_format)
    return KerasTensor((*x.shape, 2), dtypes.to_float(x.dtype))


@op(rules.custom(_edges_spec, ("images",)), compiled=True)
def sobel_edges(images: Any, data_format: str | None = None) -> Any:
    """How steeply each channel rises downwards and to the right, by Sobel's operators.

    Borders are reflected without repeating the outermost pixel.

    Args:
        images: one image or a batch, at least 2 pixels high and wide; integers become floats.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Returns:
        The shape of `images` with a last axis of 2: vertical and horizontal slope.

    Raises:
        ValueError: for another rank.

    Example:
        >>> from multikeras import ops
        >>> x = ops.reshape(ops.arange(9.0), (3, 3, 1))
        >>> ops.convert_to_numpy(ops.image.sobel_edges(x))[1, 1, 0].tolist()
        [24.0, 8.0]
    """
    height, width, _ = image_axes("sobel_edges", images, data_format)
    dtype = dtypes.to_float(core.dtype(images))
    x = _padded(core.cast(images, dtype), (height, width), (3, 3), "reflect")
    smooth, slope = (1.0, 2.0, 1.0), (-1.0, 0.0, 1.0)
    down = neighbour_sums(neighbour_sums(x, width, smooth), height, slope)
    right = neighbour_sums(neighbour_sums(x, height, smooth), width, slope)
    return core.cast(shaping.stack([down, right], -1), dtype)


# -------------------------------------------------------------------------------------- measures


def _same_shape(who: str, first: str, a: Any, second: str, b: Any) -> None:
    if not fits(tuple(a.shape), tuple(b.shape)):
        raise ValueError(
            f"{who}: `{first}` and `{second}` must have the same shape, got {tuple(a.shape)} and "
            f"{tuple(b.shape)}."
        )


def _psnr_spec(dtype: str, x1: KerasTensor, x2: KerasTensor, max_val: Any) -> KerasTensor:
    _same_shape("psnr", "x1", x1, "x2", x2)
    return KerasTensor((), dtype)


@op(rules.custom(_psnr_spec, ("x1", "x2"), rules.to_float))
def psnr(x1: Any, x2: Any, max_val: float) -> Any:
    """Peak signal-to-noise ratio in decibel: 10 log10(max_val ** 2 / mean squared error).

    Args:
        x1, x2: tensors of the same shape.
        max_val: the largest value that the signal can have.

    Returns:
        A scalar; infinity for equal tensors.

    Raises:
        ValueError: for different shapes.

    Example:
        >>> from multikeras import ops
        >>> float(ops.psnr([0.0, 10.0], [10.0, 0.0], 100.0))
        20.0
    """
    _same_shape("psnr", "x1", x1, "x2", x2)
    error = reductions.mean(elementwise.square(x1 - x2))
    ratio = (math.log(max_val) - 0.5 * elementwise.log(error)) * (20 / math.log(10))
    return core.cast(ratio, core.dtype(x1))


def _check_ssim(
    image1: Any, image2: Any, filter_size: int, data_format: str | None
) -> tuple[int, int, int]:
    _same_shape("ssim", "image1", image1, "image2", image2)
    axes = image_axes("ssim", image1, data_format)
    (size,) = sizes_of("ssim", "filter_size", filter_size, 1)
    for axis in axes[:2]:
        length = image1.shape[axis]
        if isinstance(length, int) and length < size:
            raise ValueError(
                f"ssim: a filter of {size} pixels does not fit into images of shape "
                f"{tuple(image1.shape)}; use a smaller `filter_size`."
            )
    return axes


def _ssim_spec(
    dtype: str,
    image1: KerasTensor,
    image2: KerasTensor,
    max_val: float,
    filter_size: int,
    filter_sigma: float,
    k1: float,
    k2: float,
    data_format: str | None,
) -> KerasTensor:
    _check_ssim(image1, image2, filter_size, data_format)
    return KerasTensor(image1.shape[:-3], dtype)


@op(rules.custom(_ssim_spec, ("image1", "image2"), rules.to_float), compiled=True)
def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Any:
    """Structural similarity (Wang et al., "Image Quality Assessment: From Error Visibility to
    Structural Similarity", IEEE Transactions on Image Processing 13, 2004).

    Args:
        image1, image2: one image each, or batches; of the same shape.
        max_val: the largest value that a pixel can have.
        filter_size: height and width of the windows compared.
        filter_sigma: standard deviation of the normal distribution that weights a window.
        k1, k2: keep the ratios of means and of variances finite.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Returns:
        The mean over all windows and channels, 1 for equal images: a scalar, or (batch,).

    Raises:
        ValueError: for different shapes, another rank, or a filter that does not fit.

    Example:
        >>> from multikeras import ops
        >>> x = ops.reshape(ops.arange(144.0), (12, 12, 1)) / 144
        >>> float(ops.image.ssim(x, x))
        1.0
    """
    height, width, _ = _check_ssim(image1, image2, filter_size, data_format)
    weights = _bell(filter_size, filter_sigma)

    def local(x: Any) -> Any:
        return neighbour_sums(neighbour_sums(x, height, weights), width, weights)

    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mean1, mean2 = local(image1), local(image2)
    both = mean1 * mean2
    squares = mean1 * mean1 + mean2 * mean2
    covariance = local(image1 * image2) - both
    variances = local(image1 * image1 + image2 * image2) - squares
    luminance = (2.0 * both + c1) / (squares + c1)
    contrast = (2.0 * covariance + c2) / (variances + c2)
    return core.cast(reductions.mean(luminance * contrast, (-3, -2, -1)), core.dtype(image1))
