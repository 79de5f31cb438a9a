"""Cases of images."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, f, i


def _weights(size: int, target: int, kernel: Any, antialias: bool) -> np.ndarray:
    """The resampling matrix, written element by element."""
    matrix = np.zeros((target, size))
    stretch = max(size / target, 1.0) if antialias else 1.0
    for row in range(target):
        center = (row + 0.5) * size / target - 0.5
        for column in range(size):
            matrix[row, column] = kernel((column - center) / stretch)
        matrix[row] /= matrix[row].sum()
    return matrix


def _cubic(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def _lanczos(radius: int) -> Any:
    return lambda x: float(np.sinc(x) * np.sinc(x / radius)) if abs(x) < radius else 0.0


_KERNELS = {
    "bilinear": lambda x: max(0.0, 1 - abs(x)),
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


def _resize(
    images: Any,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    data_format: str = "channels_last",
) -> Any:
    axes = (-3, -2) if data_format == "channels_last" else (-2, -1)
    result = images.astype("float64")
    for axis, target in zip(axes, size, strict=True):
        length = images.shape[axis]
        if interpolation == "nearest":
            index = [int((k + 0.5) * length / target) for k in range(target)]
            result = np.take(result, index, axis)
        else:
            matrix = _weights(length, target, _KERNELS[interpolation], antialias)
            result = np.moveaxis(np.tensordot(matrix, result, (1, axis)), 0, axis)
    if images.dtype.kind == "f":
        return result
    limits = np.iinfo(images.dtype)
    return np.clip(np.round(result), limits.min, limits.max).astype(images.dtype)


CASES = [
    *(
        Case(
            "resize",
            (f(2, 4, 5, 3), size, interpolation),
            {"antialias": antialias},
            tol=1e-4,
            reference=_resize,
            name=f"{interpolation}_{size}_{antialias}",
        )
        for interpolation in ("nearest", *_KERNELS)
        for size in ((8, 10), (3, 2), (7, 5))
        for antialias in (False, True)
    ),
    Case("resize", (f(2, 3, 4, 5), (6, 6)), {"data_format": "channels_first"}, reference=_resize),
    Case("resize", (f(4, 5, 3), (6, 6)), reference=_resize, batch=False),
    *(
        Case(
            "resize",
            (i(2, 4, 4, 1, high=255, dtype=dtype), (6, 7), interpolation),
            reference=_resize,
            name=f"{dtype}_{interpolation}",
        )
        for dtype in ("uint8", "int32")
        for interpolation in ("nearest", "bilinear", "bicubic")
    ),
    Case(
        "resize",
        (f(1, 4, 8, 1), (4, 4)),
        {"crop_to_aspect_ratio": True},
        name="cropped",
        reference=lambda x, *_, **__: x[:, :, 2:6],
    ),
    Case(
        "resize",
        (f(1, 2, 4, 1), (4, 4)),
        {"pad_to_aspect_ratio": True, "fill_value": 5.0},
        name="padded",
        tol=1e-4,
        reference=lambda x, *_, **__: np.pad(
            x, ((0, 0), (1, 1), (0, 0), (0, 0)), constant_values=5.0
        ),
    ),
]
