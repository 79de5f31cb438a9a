"""Cases of images read at other places, place by place."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from multikeras import random
from multikeras.backends import native
from tests.conformance.cases_image import _KERNELS
from tests.conformance.op_cases import Case, f, i

core = native.core


def _element(x: Any, index: Any, mode: str, fill: float) -> float:
    """`x[index]`, also outside."""
    found = []
    for k, n in zip(index, x.shape, strict=True):
        if mode == "constant" and not 0 <= k < n:
            return fill
        line = {
            "constant": list(range(n)),
            "nearest": list(range(n)),
            "wrap": list(range(n)),
            "reflect": [*range(n), *reversed(range(n))],
            "mirror": [*range(n), *reversed(range(1, n - 1))],
        }[mode]
        found.append(min(max(k, 0), n - 1) if mode == "nearest" else line[k % len(line)])
    return x[tuple(found)]


def _read(x: Any, place: Any, order: int, mode: str, fill: float) -> float:
    if order == 0:
        return _element(x, [int(np.floor(p + 0.5)) for p in place], mode, fill)
    low = [int(np.floor(p)) for p in place]
    total = 0.0
    for corner in itertools.product((0, 1), repeat=len(low)):
        shares = [p - k if c else 1 - (p - k) for p, k, c in zip(place, low, corner, strict=True)]
        index = [k + c for k, c in zip(low, corner, strict=True)]
        total += np.prod(shares) * _element(x, index, mode, fill)
    return total


def _like(values: Any, images: Any) -> Any:
    values = np.asarray(values, "float64").reshape(np.shape(values))
    return values if images.dtype.kind == "f" else np.round(values).astype(images.dtype)


def _map(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Any:
    places = coordinates.reshape(len(coordinates), -1).T
    found = [_read(inputs, place, order, fill_mode, fill_value) for place in places]
    return _like(np.reshape(found, coordinates.shape[1:]), inputs)


def _warped(images: Any, matrices: Any, order: int, mode: str, fill: float) -> Any:
    """Of (batch, height, width, channels), by one matrix (3, 3) for each image."""
    out = np.zeros(images.shape)
    for index in np.ndindex(images.shape):
        number, row, column, channel = index
        x, y, depth = matrices[number] @ np.array([column, row, 1.0])
        place = (y / depth, x / depth)
        out[index] = _read(images[number, :, :, channel], place, order, mode, fill)
    return _like(out, images)


def _formats(images: Any, data_format: str, warp: Any) -> Any:
    x = images if images.ndim == 4 else images[None]
    x = np.moveaxis(x, 1, -1) if data_format == "channels_first" else x
    out = warp(x)
    out = np.moveaxis(out, -1, 1) if data_format == "channels_first" else out
    return out if images.ndim == 4 else out[0]


def _affine(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str = "channels_last",
) -> Any:
    rows = np.atleast_2d(transform)

    def warp(x: Any) -> Any:
        full = np.broadcast_to(np.pad(rows, ((0, 0), (0, 1)), constant_values=1), (len(x), 9))
        order = int(interpolation == "bilinear")
        return _warped(x, full.reshape(-1, 3, 3), order, fill_mode, fill_value)

    return _formats(images, data_format, warp)


def _perspective(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str = "channels_last",
) -> Any:
    """The matrix from each set of points to the unit square, by the null space of its lines."""

    def matrix(start: Any, end: Any) -> Any:
        lines = []
        for (u, v), (x, y) in zip(start, end, strict=True):
            lines.append([x, y, 1, 0, 0, 0, -x * u, -y * u, -u])
            lines.append([0, 0, 0, x, y, 1, -x * v, -y * v, -v])
        return np.linalg.svd(np.array(lines))[2][-1].reshape(3, 3)

    starts, ends = start_points.reshape(-1, 4, 2), end_points.reshape(-1, 4, 2)
    found = np.array([matrix(s, e) for s, e in zip(starts, ends, strict=True)])
    order = int(interpolation == "bilinear")

    def warp(x: Any) -> Any:
        return _warped(x, np.broadcast_to(found, (len(x), 3, 3)), order, "constant", fill_value)

    return _formats(images, data_format, warp)


def _elastic(images: Any, alpha: float, sigma: float, seed: int) -> Any:
    batch, height, width, _ = images.shape
    noise = random.normal((batch, height, width, 2), dtype="float64", seed=seed)
    noise = core.convert_to_numpy(noise).astype("float64")
    reach = int(np.ceil(3 * sigma))
    bell = np.exp(-((np.arange(-reach, reach + 1) / sigma) ** 2) / 2)
    bell /= bell.sum()
    field = np.zeros(noise.shape)
    for index in np.ndindex(batch, height, width):
        number, row, column = index
        for y, x in np.ndindex(height, width):
            if max(abs(y - row), abs(x - column)) <= reach:
                weight = bell[y - row + reach] * bell[x - column + reach]
                field[index] += weight * noise[number, y, x]
    out = np.zeros(images.shape)
    for index in np.ndindex(images.shape):
        number, row, column, channel = index
        move = alpha * field[number, row, column]
        place = (row + move[1], column + move[0])
        out[index] = _read(images[number, :, :, channel], place, 1, "reflect", 0.0)
    return out


def _stretched(
    images: Any,
    output_shape: Any,
    scale: Any,
    translation: Any,
    spatial_dims: Any,
    method: str,
    antialias: bool = True,
) -> Any:
    names = {"linear": "bilinear", "cubic": "bicubic"}
    kernel = _KERNELS[names.get(method, method)]
    x = images.astype("float64")
    for axis, s, t in zip(spatial_dims, scale, translation, strict=True):
        size, target = images.shape[axis], output_shape[axis]
        matrix = np.zeros((target, size))
        wide = max(1 / s, 1.0) if antialias else 1.0
        for k in range(target):
            center = (k + 0.5 - t) / s - 0.5
            if -0.5 <= center <= size - 0.5:
                row = np.array([kernel((center - j) / wide) for j in range(size)])
                matrix[k] = row / row.sum()
        x = np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)
    return x


_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
_LINE = f(5)
_PLACES = np.array([[-7.3, -3.1, -1.2, -0.3, 0.4, 1.25, 4.2, 4.9, 6.6, 9.1]], "float32")
_TURN = np.array([0.9, 0.2, -0.83, 0.1, 1.1, 0.47, 0, 0], "float32")
_ASIDE = np.array([[0.9, 0.2, -0.73, 0.1, 1.1, 0.43, 0.02, -0.03], _TURN * 0.93], "float32")
_START = np.array([[[0, 0], [4, 0], [0, 3], [4, 3]]], "float32")
_END = np.array([[[0.4, 0.1], [3.7, 0.3], [0.2, 2.6], [4.3, 3.2]]], "float32")
_FIRST = {"data_format": "channels_first"}
_SCALE = (np.array([1.4, 0.55], "float32"), np.array([0.3, -0.7], "float32"))

CASES = [
    *(
        Case(
            "map_coordinates",
            (_LINE, _PLACES, order),
            {"fill_mode": mode, "fill_value": -9.0},
            reference=_map,
            batch=False,
            tol=1e-4,
        )
        for mode in _MODES
        for order in (0, 1)
    ),
    Case(
        "map_coordinates",
        (f(3, 4, 2), f(3, 5, 2, low=-1, high=4), 1, "reflect"),
        reference=_map,
        batch=False,
        tol=1e-4,
    ),
    Case("map_coordinates", (i(5, high=200), _PLACES, 1), reference=_map, batch=False, tol=1e-4),
    *(
        Case(
            "affine_transform",
            (f(2, 4, 5, 1), _TURN, interpolation, mode, 3.0),
            reference=_affine,
            tol=1e-4,
            name=f"{interpolation}_{mode}",
        )
        for interpolation, mode in (
            *(("bilinear", mode) for mode in _MODES),
            ("nearest", "constant"),
        )
    ),
    Case("affine_transform", (f(2, 4, 5, 2), _ASIDE), reference=_affine, tol=1e-4, batch=False),
    Case("affine_transform", (f(2, 2, 4, 5), _TURN), _FIRST, reference=_affine, tol=1e-4),
    Case("affine_transform", (i(4, 5, 1, high=255), _TURN), reference=_affine, batch=False),
    *(
        Case(
            "perspective_transform",
            (f(*shape), _START, _END, interpolation, 2.0),
            kw,
            reference=_perspective,
            tol=1e-4,
            batch=False,
            grad=interpolation == "bilinear",
            name=f"{interpolation}_{shape}",
        )
        for shape, interpolation, kw in (
            ((2, 4, 5, 1), "bilinear", {}),
            ((1, 4, 5, 2), "nearest", {}),
            ((2, 1, 4, 5), "bilinear", _FIRST),
        )
    ),
    Case(
        "perspective_transform",
        (f(4, 5, 1), _START[0], _END[0]),
        reference=_perspective,
        tol=1e-4,
        batch=False,
    ),
    Case(
        "elastic_transform",
        (f(2, 3, 4, 1), 3.0, 0.7),
        {"seed": 3},
        reference=_elastic,
        tol=1e-4,
    ),
    Case("elastic_transform", (f(2, 6, 7, 2), 0.0), {"seed": 3}, reference=lambda x, *_, **__: x),
    *(
        Case(
            "scale_and_translate",
            (f(2, 4, 6, 1), (2, 6, 4, 1), *_SCALE, (1, 2), method, antialias),
            reference=_stretched,
            batch=False,
            tol=1e-4,
            name=f"{method}_{antialias}",
        )
        for method in ("linear", "cubic", "lanczos3", "lanczos5")
        for antialias in (True, False)
    ),
    Case(
        "scale_and_translate",
        (i(4, 6, high=255), (6, 4), *_SCALE, (0, 1), "linear"),
        reference=_stretched,
        batch=False,
        tol=1e-4,
    ),
]
