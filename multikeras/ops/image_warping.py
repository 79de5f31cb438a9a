"""Images read at other places than their pixels: shifted, turned, stretched, seen from aside.

Everything is made of gathers and weighted sums, so gradients reach both the pixels and the
places. Refused: other interpolations than the nearest pixel and the linear one, unknown ways to
fill what lies outside, transforms of other shapes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from multikeras import dtypes, shapes
from multikeras.ops import (
    arithmetic,
    core,
    creation,
    elementwise,
    indexing,
    linalg,
    products,
    reductions,
    rules,
    shaping,
)
from multikeras.ops._declare import Rule, op
from multikeras.ops._drawing import draw
from multikeras.ops._images import back_to, image_axes
from multikeras.ops.image_filters import gaussian_blur
from multikeras.symbolic import KerasTensor

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
_ORDERS = {"nearest": 0, "bilinear": 1}


def _check_fill(who: str, fill_mode: str) -> None:
    if fill_mode not in FILL_MODES:
        raise ValueError(f"{who}: `fill_mode` must be one of {FILL_MODES}, got {fill_mode!r}.")


def _order(who: str, interpolation: str) -> int:
    if interpolation not in _ORDERS:
        raise ValueError(
            f"{who}: `interpolation` must be one of {tuple(_ORDERS)}, got {interpolation!r}."
        )
    return _ORDERS[interpolation]


# ------------------------------------------------------------------------------------- sampling


def _brought_in(index: Any, size: Any, fill_mode: str) -> Any:
    """Indices within [0, size) for those that may lie outside."""
    if fill_mode == "wrap":
        return arithmetic.mod(index, size)
    if fill_mode == "reflect":  # the outermost pixel is repeated
        index = arithmetic.mod(index, 2 * size)
        return arithmetic.minimum(index, 2 * size - 1 - index)
    if fill_mode == "mirror":  # it is not
        period = arithmetic.maximum(2 * size - 2, 1)
        index = arithmetic.mod(index, period)
        return arithmetic.minimum(index, period - index)
    return arithmetic.minimum(arithmetic.maximum(index, 0), size - 1)


def _corners(place: Any, size: Any, order: int, fill_mode: str) -> list[tuple]:
    """(index, weight or None, whether it lies inside or None) of the pixels next to a place."""
    if order == 0:
        found = [(elementwise.floor(place + 0.5), None)]
    else:
        low = elementwise.floor(place)
        share = place - core.stop_gradient(low)
        found = [(low, 1.0 - share), (low + 1.0, share)]
    result = []
    for where, weight in found:
        # Farther away than any image reaches, places count as one that integers can hold.
        index = core.cast(arithmetic.clip(where, -(2.0**30), 2.0**30), "int32")
        inside = None
        if fill_mode == "constant":
            inside = arithmetic.logical_and(
                arithmetic.greater_equal(index, 0), arithmetic.less(index, size)
            )
        result.append((_brought_in(index, size, fill_mode), weight, inside))
    return result


def _sampled(
    rows: Any,
    sizes: Sequence[Any],
    places: Sequence[Any],
    order: int,
    fill_mode: str,
    fill_value: float,
    offset: Any = 0,
) -> Any:
    """Values at places, one tensor of coordinates for each dimension of `sizes`.

    `rows` is (pixels, channels), with the pixel of index i, j at `offset + i * sizes[1] + j`.
    """
    each = [
        _corners(place, size, order, fill_mode) for place, size in zip(places, sizes, strict=True)
    ]
    total = None
    for corner in itertools.product(*each):
        flat, weight, inside = offset, None, None
        stride: Any = 1
        for (index, share, within), size in zip(reversed(corner), reversed(sizes), strict=True):
            flat = index * stride + flat
            stride = stride * size
            weight = share if weight is None else (weight if share is None else weight * share)
            inside = within if inside is None else arithmetic.logical_and(inside, within)
        value = indexing.take(rows, flat, 0)
        if inside is not None:
            value = arithmetic.where(shaping.expand_dims(inside, -1), value, fill_value)
        if weight is not None:
            value = value * shaping.expand_dims(weight, -1)
        total = value if total is None else total + value
    return total


def _wide(x: Any) -> str:
    """A float dtype of at least 32 bits for a tensor: places in an image need them."""
    dtype = core.dtype(x)
    return dtype if dtypes.is_float_dtype(dtype) and dtypes.item_bytes(dtype) > 2 else "float32"


def _check_map(inputs: Any, coordinates: Any, order: int, fill_mode: str) -> None:
    rank = len(inputs.shape)
    if rank == 0 or not coordinates.shape or coordinates.shape[0] not in (rank, None):
        raise ValueError(
            "map_coordinates: the first dimension of `coordinates` must be the rank of `inputs`, "
            f"got shapes {tuple(coordinates.shape)} and {tuple(inputs.shape)}."
        )
    if order not in (0, 1):
        raise ValueError(f"map_coordinates: `order` must be 0 or 1, got {order!r}.")
    _check_fill("map_coordinates", fill_mode)


def _map_spec(
    _: None, inputs: KerasTensor, coordinates: Any, order: int, fill_mode: str, fill_value: Any
) -> KerasTensor:
    _check_map(inputs, coordinates, order, fill_mode)
    return KerasTensor(coordinates.shape[1:], inputs.dtype)


@op(rules.custom(_map_spec, ("inputs", "coordinates")), compiled=True)
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Any:
    """The values of a tensor at any places, between its elements too.

    Args:
        inputs: a tensor of any rank; integers are rounded in the end.
        coordinates: the places, (rank of inputs, *shape): along the first dimension one
            coordinate for each dimension of `inputs`.
        order: 0 takes the nearest element, 1 interpolates linearly.
        fill_mode: what stands outside: "constant" `fill_value`, "nearest" the outermost element,
            "wrap" the opposite side, "mirror" and "reflect" the elements backwards, without and
            with the outermost repeated.
        fill_value: the constant.

    Returns:
        A tensor of shape `coordinates.shape[1:]`.

    Raises:
        ValueError: for coordinates of another first dimension, or unknown settings.

    Example:
        >>> from multikeras import ops
        >>> x = ops.convert_to_tensor([0.0, 10.0, 20.0])
        >>> ops.convert_to_numpy(ops.image.map_coordinates(x, [[0.5, 1.75]], 1)).tolist()
        [5.0, 17.5]
    """
    _check_map(inputs, coordinates, order, fill_mode)
    values = core.cast(inputs, _wide(inputs))
    places = core.cast(coordinates, _wide(inputs))
    sizes = core.shape(inputs)
    rows = shaping.reshape(values, (-1, 1))
    parts = [places[k] for k in range(len(sizes))]
    found = _sampled(rows, sizes, parts, order, fill_mode, fill_value)
    return back_to(found[..., 0], core.dtype(inputs))


# ----------------------------------------------------------------------------------- transforms


def _warped(
    images: Any, where: Any, order: int, fill_mode: str, fill_value: Any, data_format: str | None
) -> Any:
    """Images read at places: `where(x, y)` gives the horizontal and vertical place for each
    pixel of the result, (height, width) or (batch, height, width)."""
    first = image_axes("image", images, data_format)[2] != len(images.shape) - 1
    single = len(images.shape) == 3
    x = shaping.expand_dims(images, 0) if single else images
    if first:
        x = shaping.moveaxis(x, 1, -1)
    values = core.cast(x, _wide(images))
    batch, height, width, channels = core.shape(x)
    columns = core.cast(creation.arange(width), core.dtype(values))
    rows = shaping.expand_dims(core.cast(creation.arange(height), core.dtype(values)), -1)
    horizontal, vertical = where(columns, rows)
    offset = shaping.reshape(creation.arange(batch) * (height * width), (-1, 1, 1))
    flat = shaping.reshape(values, (-1, channels))
    places = (vertical, horizontal)
    found = _sampled(flat, (height, width), places, order, fill_mode, fill_value, offset)
    found = back_to(found, core.dtype(images))
    if first:
        found = shaping.moveaxis(found, -1, 1)
    return found[0] if single else found


def _projection(transform: Any) -> Any:
    """The function of (columns, rows) for transforms (batch, 8)."""
    a0, a1, a2, b0, b1, b2, c0, c1 = (
        shaping.reshape(transform[:, k], (-1, 1, 1)) for k in range(8)
    )

    def where(x: Any, y: Any) -> tuple[Any, Any]:
        depth = c0 * x + c1 * y + 1.0
        return (a0 * x + a1 * y + a2) / depth, (b0 * x + b1 * y + b2) / depth

    return where


def _check_transform(who: str, images: Any, name: str, x: Any, dims: tuple[int, ...]) -> None:
    batched = len(x.shape) == len(dims) + 1
    if (not batched and len(x.shape) != len(dims)) or not _ends_with(x.shape, dims):
        raise ValueError(
            f"{who}: `{name}` must have shape {dims} or (batch, {', '.join(map(str, dims))}), got "
            f"{tuple(x.shape)}."
        )
    if batched and x.shape[0] not in (1, None):
        count = 1 if len(images.shape) == 3 else images.shape[0]
        if count not in (x.shape[0], None):
            raise ValueError(
                f"{who}: `{name}` of shape {tuple(x.shape)} is for {x.shape[0]} images, got "
                f"images of shape {tuple(images.shape)}."
            )


def _ends_with(shape: Any, dims: tuple[int, ...]) -> bool:
    """Whether a shape ends with these dimensions, as far as it is known."""
    tail = tuple(shape)[len(shape) - len(dims) :]
    return all(have in (want, None) for have, want in zip(tail, dims, strict=True))


def _affine_check(images: Any, transform: Any, settings: tuple) -> int:
    interpolation, fill_mode, _, data_format = settings
    image_axes("affine_transform", images, data_format)
    _check_transform("affine_transform", images, "transform", transform, (8,))
    _check_fill("affine_transform", fill_mode)
    return _order("affine_transform", interpolation)


def _affine_spec(_: None, images: KerasTensor, transform: Any, *settings: Any) -> KerasTensor:
    _affine_check(images, transform, settings)
    return images


@op(rules.custom(_affine_spec, ("images", "transform")), compiled=True)
def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Any:
    """Images turned, sheared, stretched and shifted.

    Args:
        images: one image or a batch; integers are rounded in the end.
        transform: (8,), or (batch, 8) with one for each image: a0, a1, a2, b0, b1, b2, c0, c1.
            The pixel (x, y) of the result is read at ((a0 x + a1 y + a2) / k,
            (b0 x + b1 y + b2) / k) with k = c0 x + c1 y + 1; x counts columns, y rows.
        interpolation: "bilinear" or "nearest".
        fill_mode, fill_value: what stands outside, as in `map_coordinates`.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Raises:
        ValueError: for other ranks or shapes, or unknown settings.

    Example:
        >>> from multikeras import ops
        >>> x = ops.reshape([1.0, 2.0, 3.0], (1, 3, 1))
        >>> right = ops.image.affine_transform(x, [1.0, 0, -1.0, 0, 1.0, 0, 0, 0])
        >>> ops.convert_to_numpy(right).ravel().tolist()
        [0.0, 1.0, 2.0]
    """
    settings = (interpolation, fill_mode, fill_value, data_format)
    order = _affine_check(images, transform, settings)
    where = _projection(shaping.reshape(core.cast(transform, _wide(images)), (-1, 8)))
    return _warped(images, where, order, fill_mode, fill_value, data_format)


def _perspective_check(images: Any, start: Any, end: Any, settings: tuple) -> int:
    interpolation, _, data_format = settings
    image_axes("perspective_transform", images, data_format)
    for name, points in (("start_points", start), ("end_points", end)):
        _check_transform("perspective_transform", images, name, points, (4, 2))
    return _order("perspective_transform", interpolation)


def _perspective_spec(
    _: None, images: KerasTensor, start_points: Any, end_points: Any, *settings: Any
) -> KerasTensor:
    _perspective_check(images, start_points, end_points, settings)
    return images


def _from_points(start: Any, end: Any) -> Any:
    """The transforms (batch, 8) that read, for the points `end`, at the points `start`."""
    x, y = end[..., 0], end[..., 1]
    u, v = start[..., 0], start[..., 1]
    one, zero = creation.ones_like(x), creation.zeros_like(x)
    upper = shaping.stack([x, y, one, zero, zero, zero, -x * u, -y * u], -1)
    lower = shaping.stack([zero, zero, zero, x, y, one, -x * v, -y * v], -1)
    matrix = shaping.concatenate([upper, lower], -2)
    return linalg.solve(matrix, shaping.concatenate([u, v], -1)[..., None])[..., 0]


@op(rules.custom(_perspective_spec, ("images", "start_points", "end_points")), compiled=True)
def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Any:
    """Images in perspective: four points are moved to four others, straight lines stay straight.

    Args:
        images: one image or a batch; integers are rounded in the end.
        start_points: four points (x, y) of the image, (4, 2) or (batch, 4, 2); no three of them
            on a line.
        end_points: where they go, of the same shape.
        interpolation: "bilinear" or "nearest".
        fill_value: what stands outside.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Raises:
        ValueError: for other ranks or shapes, or unknown settings.

    Example:
        >>> from multikeras import ops
        >>> x = ops.reshape(ops.arange(4.0), (2, 2, 1))
        >>> corners = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
        >>> swapped = [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
        >>> y = ops.image.perspective_transform(x, corners, swapped, "nearest")
        >>> ops.convert_to_numpy(y).ravel().tolist()
        [1.0, 0.0, 3.0, 2.0]
    """
    settings = (interpolation, fill_value, data_format)
    order = _perspective_check(images, start_points, end_points, settings)
    points = [core.cast(p, _wide(images)) for p in (start_points, end_points)]
    where = _projection(_from_points(*(shaping.reshape(p, (-1, 4, 2)) for p in points)))
    return _warped(images, where, order, "constant", fill_value, data_format)


def _elastic_check(images: Any, settings: tuple) -> int:
    _, sigma, interpolation, fill_mode, _, _, data_format = settings
    image_axes("elastic_transform", images, data_format)
    if not isinstance(sigma, (int, float)) or sigma <= 0:
        raise ValueError(f"elastic_transform: `sigma` must be a positive number, got {sigma!r}.")
    _check_fill("elastic_transform", fill_mode)
    return _order("elastic_transform", interpolation)


def _elastic_spec(_: None, images: KerasTensor, *settings: Any) -> KerasTensor:
    _elastic_check(images, settings)
    return images


@op(rules.custom(_elastic_spec, ("images",)))
def elastic_transform(
    images: Any,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Any:
    """Images with each pixel moved by a smooth random field (Simard et al., "Best Practices for
    Convolutional Neural Networks Applied to Visual Document Analysis", ICDAR 2003).

    Args:
        images: one image or a batch, each of which gets a field of its own.
        alpha: how far pixels move: the factor of the smoothed field.
        sigma: how smooth it is: standard deviation, in pixels, of the blur of normal numbers.
        interpolation: "bilinear" or "nearest".
        fill_mode, fill_value: what stands outside, as in `map_coordinates`.
        seed: an integer, a `SeedGenerator`, or None for the global generator.
        data_format: "channels_last" or "channels_first"; None: `config.image_data_format()`.

    Raises:
        ValueError: for another rank, or unknown settings.

    Example:
        >>> from multikeras import ops
        >>> x = ops.reshape(ops.arange(16.0), (4, 4, 1))
        >>> y = ops.image.elastic_transform(x, alpha=0.0, seed=1)
        >>> bool(ops.all(x == y))
        True
    """
    settings = (alpha, sigma, interpolation, fill_mode, fill_value, seed, data_format)
    order = _elastic_check(images, settings)
    height, width, _ = image_axes("elastic_transform", images, data_format)
    shape = core.shape(images)
    batch = shape[0] if len(shape) == 4 else 1
    size = 2 * math.ceil(3 * sigma) + 1
    noise = draw("normal", (batch, shape[height], shape[width], 2), _wide(images), seed)
    field = gaussian_blur(noise, (size, size), (sigma, sigma), "channels_last") * alpha

    def where(x: Any, y: Any) -> tuple[Any, Any]:
        return x + field[..., 0], y + field[..., 1]

    return _warped(images, where, order, fill_mode, fill_value, data_format)


# ---------------------------------------------------------------------------------- resampling


def _cubic(x: Any) -> Any:
    """The kernel of Keys (1981) with a = -1/2, of distances that are not negative."""
    near = ((1.5 * x - 2.5) * x) * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    far = arithmetic.where(arithmetic.less(x, 2.0), far, 0.0)
    return arithmetic.where(arithmetic.less(x, 1.0), near, far)


def _lanczos(radius: int) -> Any:
    def kernel(x: Any) -> Any:
        value = elementwise.sinc(x) * elementwise.sinc(x / radius)
        return arithmetic.where(arithmetic.less(x, radius), value, 0.0)

    return kernel


def _triangle(x: Any) -> Any:
    return arithmetic.maximum(1.0 - x, 0.0)


_METHODS = {
    **dict.fromkeys(("linear", "bilinear", "trilinear"), _triangle),
    **dict.fromkeys(("cubic", "bicubic", "tricubic"), _cubic),
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


def _resampling(
    size: Any, target: int, scale: Any, shift: Any, method: str, antialias: bool
) -> Any:
    """The matrix (size, target) that stretches one axis by `scale` and moves it by `shift`."""
    inverse = 1.0 / scale
    dtype = core.dtype(inverse)
    stretch = arithmetic.maximum(inverse, 1.0) if antialias else 1.0
    columns = core.cast(creation.arange(target), dtype)
    centers = (columns + 0.5) * inverse - shift * inverse - 0.5
    rows = shaping.expand_dims(core.cast(creation.arange(size), dtype), -1)
    weights = _METHODS[method](elementwise.abs(centers - rows) / stretch)
    total = reductions.sum(weights, 0, keepdims=True)
    counts = arithmetic.greater(elementwise.abs(total), 1e-4)
    weights = weights / arithmetic.where(counts, total, 1.0)
    seen = arithmetic.logical_and(
        arithmetic.greater_equal(centers, -0.5), arithmetic.less_equal(centers, size - 0.5)
    )
    return arithmetic.where(arithmetic.logical_and(counts, seen), weights, 0.0)


def _scale_check(
    images: Any, output_shape: Any, spatial_dims: Any, method: str
) -> tuple[tuple, tuple[int, ...]]:
    who = "scale_and_translate"
    rank = len(images.shape)
    if len(output_shape) != rank:
        raise ValueError(
            f"{who}: `output_shape` must have the rank of `images`, got {tuple(output_shape)} for "
            f"shape {tuple(images.shape)}."
        )
    if method not in _METHODS:
        raise ValueError(f"{who}: `method` must be one of {tuple(_METHODS)}, got {method!r}.")
    axes = shapes.normalize_axes(tuple(spatial_dims), rank, who)
    for axis, (have, want) in enumerate(zip(images.shape, output_shape, strict=True)):
        if axis not in axes and have is not None and want is not None and have != want:
            raise ValueError(
                f"{who}: dimension {axis} is not among `spatial_dims` {tuple(spatial_dims)}, so "
                f"`output_shape` must keep its size {have}, got {want}."
            )
    return tuple(output_shape), axes


def _scale_spec(
    dtype: str,
    images: KerasTensor,
    output_shape: Any,
    scale: Any,
    translation: Any,
    spatial_dims: Any,
    method: str,
    antialias: bool,
) -> KerasTensor:
    shape, axes = _scale_check(images, output_shape, spatial_dims, method)
    known = [shape[k] if k in axes else dim for k, dim in enumerate(images.shape)]
    return KerasTensor(known, dtype)


@op(
    Rule(
        _scale_spec,
        lambda found: dtypes.to_float(found[0]),
        ("images", "scale", "translation"),
        "float",
    ),
    compiled=True,
)
def scale_and_translate(
    images: Any,
    output_shape: Sequence[int],
    scale: Any,
    translation: Any,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Any:
    """A tensor stretched and moved along some of its dimensions.

    Pixels are areas with centres at 0.5: an element at i + 0.5 goes to
    `(i + 0.5) * scale + translation`. Where nothing goes, the result is 0.

    Args:
        images: a tensor of any rank.
        output_shape: the shape of the result, equal outside of `spatial_dims`.
        scale: factors, one for each of `spatial_dims`.
        translation: distances in elements of the result, likewise.
        spatial_dims: the dimensions to resample.
        method: "linear", "cubic" (also with the prefixes "bi" and "tri"), "lanczos3" or
            "lanczos5".
        antialias: widen the kernel where `scale` is below 1, so that no element is passed over.

    Raises:
        ValueError: for an unknown method, or shapes that do not fit.

    Example:
        >>> from multikeras import ops
        >>> x = ops.convert_to_tensor([1.0, 2.0, 3.0])
        >>> y = ops.image.scale_and_translate(x, (3,), [1.0], [1.0], (0,), "linear")
        >>> ops.convert_to_numpy(y).tolist()
        [0.0, 1.0, 2.0]
    """
    shape, axes = _scale_check(images, output_shape, spatial_dims, method)
    dtype = core.dtype(images)
    for number, axis in enumerate(axes):
        size = core.shape(images)[axis]
        matrix = _resampling(
            size, shape[axis], scale[number], translation[number], method, antialias
        )
        images = shaping.moveaxis(products.tensordot(images, matrix, ((axis,), (0,))), -1, axis)
    return core.cast(images, dtype)
