"""Cases of colors, filters over neighbours and measures of images, pixel by pixel."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np

from tests.conformance.cases_convolution import back, last
from tests.conformance.op_cases import Case, f, i


def _gray(images: Any, data_format: Any = None) -> Any:
    x = last_of(images, data_format)
    gray = (x @ np.array([0.2989, 0.587, 0.114]))[..., None]
    return back_of(gray if images.dtype.kind == "f" else np.floor(gray), data_format)


def last_of(x: Any, data_format: Any) -> Any:
    return last(x, data_format) if x.ndim == 4 else x


def back_of(x: Any, data_format: Any) -> Any:
    return back(x, data_format) if x.ndim == 4 else x


def _each(convert: Any) -> Any:
    def reference(images: Any, data_format: Any = None) -> Any:
        x = last_of(images, data_format)
        pixels = [convert(*pixel) for pixel in x.reshape(-1, 3)]
        return back_of(np.array(pixels).reshape(x.shape), data_format)

    return reference


def _correlate(x: Any, kernel: Any) -> Any:
    """Of (batch, height, width, channels), without padding."""
    rows, columns = kernel.shape
    shape = (x.shape[0], x.shape[1] - rows + 1, x.shape[2] - columns + 1, x.shape[3])
    out = np.zeros(shape)
    for row, column in np.ndindex(*shape[1:3]):
        part = x[:, row : row + rows, column : column + columns]
        out[:, row, column] = np.einsum("bhwc,hw->bc", part, kernel)
    return out


def _bell(size: int, sigma: float) -> Any:
    weights = [np.exp(-((k - (size - 1) / 2) ** 2) / (2 * sigma**2)) for k in range(size)]
    return np.array(weights) / sum(weights)


def _padded(x: Any, sizes: Any, mode: str = "constant") -> Any:
    return np.pad(x, ((0, 0), *(((n - 1) // 2, n // 2) for n in sizes), (0, 0)), mode)


def _blur(
    images: Any, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: Any = None
) -> Any:
    kernel = np.outer(*(_bell(n, s) for n, s in zip(kernel_size, sigma, strict=True)))
    x = last(images, data_format).astype("float64")
    out = back(_correlate(_padded(x, kernel_size), kernel), data_format)
    return out if images.dtype.kind == "f" else np.round(out).astype(images.dtype)


_SOBEL = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])


def _sobel(images: Any, data_format: Any = None) -> Any:
    x = _padded(last(images, data_format).astype("float64"), (3, 3), "reflect")
    slopes = [back(_correlate(x, kernel), data_format) for kernel in (_SOBEL, _SOBEL.T)]
    return np.stack(slopes, -1)


def _ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: Any = None,
) -> Any:
    """Window by window, with weighted means, variances and covariance."""
    a, b = (last(x, data_format).astype("float64") for x in (image1, image2))
    weights = np.outer(_bell(filter_size, filter_sigma), _bell(filter_size, filter_sigma))
    weights = weights[None, :, :, None]
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    found = []
    for row in range(a.shape[1] - filter_size + 1):
        for column in range(a.shape[2] - filter_size + 1):
            cut = np.s_[:, row : row + filter_size, column : column + filter_size]
            x, y = a[cut], b[cut]
            mx, my = ((v * weights).sum((1, 2), keepdims=True) for v in (x, y))
            vx, vy = (((v - m) ** 2 * weights).sum((1, 2)) for v, m in ((x, mx), (y, my)))
            cov = ((x - mx) * (y - my) * weights).sum((1, 2))
            mx, my = mx[:, 0, 0], my[:, 0, 0]
            first = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
            found.append(first * (2 * cov + c2) / (vx + vy + c2))
    return np.mean(found, (0, 2))


def _psnr(x1: Any, x2: Any, max_val: float) -> Any:
    error = ((x1.astype("float64") - x2) ** 2).mean()
    return 10 * np.log10(max_val**2 / error)


_FIRST = {"data_format": "channels_first"}
_UNIT = f(2, 3, 4, 3, low=0, high=1)
_GRAYS = np.array([[[0, 0, 0], [0.5, 0.5, 0.5], [1, 1, 1], [1, 0, 0], [0, 0, 1]]], "float32")

def _sums(x: Any, axis: int, weights: Any) -> Any:
    windows = np.lib.stride_tricks.sliding_window_view(x, len(weights), axis)
    return windows @ np.asarray(weights)


CASES = [
    *(
        case
        for name, reference in (
            ("rgb_to_grayscale", _gray),
            ("rgb_to_hsv", _each(colorsys.rgb_to_hsv)),
            ("hsv_to_rgb", _each(colorsys.hsv_to_rgb)),
        )
        for case in (
            Case(name, (_UNIT,), reference=reference),
            Case(name, (np.moveaxis(_UNIT, -1, 1),), _FIRST, reference=reference),
            Case(name, (_GRAYS,), reference=reference, grad=False, batch=False, name="edges"),
        )
    ),
    Case("rgb_to_grayscale", (i(2, 3, 3, 3, high=255, dtype="uint8"),), reference=_gray),
    Case("rgb_to_grayscale", (_UNIT[..., :1],), reference=lambda x: x, name="gray_already"),
    *(
        Case("neighbour_sums", (f(4, 5, 3), axis, (0.5, 0.0, -2)), reference=_sums, batch=axis > 0)
        for axis in (0, 1, 2)
    ),
    Case("neighbour_sums", (f(4, 3), 1, (0.0, 3.0)), reference=_sums, name="zero_first"),
    Case("gaussian_blur", (_UNIT,), reference=_blur),
    Case("gaussian_blur", (f(2, 5, 6, 2), (3, 5), (0.7, 2.0)), reference=_blur),
    Case("gaussian_blur", (f(2, 2, 5, 6), (4, 3), (1.0, 2.0)), _FIRST, reference=_blur),
    Case("gaussian_blur", (i(1, 4, 4, 1, high=255, dtype="uint8"),), reference=_blur),
    Case("sobel_edges", (_UNIT,), reference=_sobel),
    Case("sobel_edges", (f(2, 2, 4, 3),), _FIRST, reference=_sobel),
    Case("sobel_edges", (i(1, 4, 4, 1),), reference=_sobel),
    Case("ssim", (f(2, 12, 13, 2), f(2, 12, 13, 2, seed=1)), reference=_ssim, grad=False),
    Case(
        "ssim",
        (f(2, 1, 5, 4), f(2, 1, 5, 4, seed=1), 4.0, 3, 1.0, 0.02, 0.05, "channels_first"),
        reference=_ssim,
    ),
    Case("ssim", (i(1, 4, 4, 1), i(1, 4, 4, 1, seed=1), 10, 3), reference=_ssim),
    Case("psnr", (f(2, 3), f(2, 3, seed=1), 2.0), reference=_psnr),
    Case("psnr", (i(2, 3), i(2, 3, seed=1), 9), reference=_psnr),
]
