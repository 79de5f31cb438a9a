"""Reshaping, joining, cutting and padding; dimensions may be unknown while tracing."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from multikeras.backends import arguments
from multikeras.backends.tensorflow import core


def reshape(x: tf.Tensor, newshape: Any) -> tf.Tensor:
    if core.is_tensor(newshape):
        return tf.reshape(x, newshape)
    return tf.reshape(x, arguments.target_shape(newshape))


def ravel(x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x, (-1,))


def transpose(x: tf.Tensor, axes: Any = None) -> tf.Tensor:
    if axes is not None:
        axes = arguments.axes_of(axes, x.shape.rank)
    return tf.transpose(x, axes)


def expand_dims(x: tf.Tensor, axis: Any) -> tf.Tensor:
    if isinstance(axis, int):
        return tf.expand_dims(x, axis)
    for place in sorted(arguments.axes_of(axis, x.shape.rank + len(axis))):
        x = tf.expand_dims(x, place)
    return x


def squeeze(x: tf.Tensor, axis: Any = None) -> tf.Tensor:
    axes = arguments.squeezed_axes(tuple(x.shape), axis)
    return tf.squeeze(x, axes) if axes else tf.identity(x)


def concatenate(xs: list, axis: int = 0) -> tf.Tensor:
    return tf.concat(xs, axis)


def stack(x: list, axis: int = 0) -> tf.Tensor:
    return tf.stack(x, axis)


def split(x: tf.Tensor, indices_or_sections: Any, axis: int = 0) -> list:
    if isinstance(indices_or_sections, int):
        size = x.shape[axis]
        if size is not None:
            arguments.split_points(size, indices_or_sections)
        return tf.split(x, indices_or_sections, axis)
    (place,) = arguments.axes_of(axis, x.shape.rank)
    points = [int(i) for i in indices_or_sections]
    front = (slice(None),) * place
    bounds = zip([0, *points], [*points, None], strict=True)
    return [x[(*front, slice(a, b))] for a, b in bounds]


def unstack(x: tf.Tensor, num: int | None = None, axis: int = 0) -> list:
    return tf.unstack(x, num, axis)


def tile(x: tf.Tensor, repeats: Any) -> tf.Tensor:
    full, added = arguments.tile_repeats(repeats, x.shape.rank)
    if added:
        x = tf.reshape(x, (1,) * added + core.dynamic_shape(x))
    return tf.tile(x, full)


def repeat(x: tf.Tensor, repeats: Any, axis: int | None = None) -> tf.Tensor:
    return tf.repeat(x, repeats, axis)


def broadcast_to(x: tf.Tensor, shape: Any) -> tf.Tensor:
    return tf.broadcast_to(x, shape)


def pad(x: tf.Tensor, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    pairs = arguments.pad_pairs(pad_width, x.shape.rank)
    if arguments.pad_mode(mode, constant_values) == "constant":
        return tf.pad(x, pairs, constant_values=constant_values or 0)
    for axis, (before, after) in enumerate(pairs):
        if not (before or after):
            continue
        size = x.shape[axis]
        if size is None:
            if mode not in ("reflect", "symmetric"):
                raise ValueError(f"pad: mode {mode!r} needs axis {axis} to be of known size.")
            widths = [(before, after) if i == axis else (0, 0) for i in range(x.shape.rank)]
            x = tf.pad(x, widths, mode)
        else:
            x = tf.gather(x, arguments.pad_index(size, before, after, mode), axis=axis)
    return x


def flip(x: tf.Tensor, axis: Any = None) -> tf.Tensor:
    return tf.reverse(x, arguments.axes_of(axis, x.shape.rank))


def roll(x: tf.Tensor, shift: Any, axis: Any = None) -> tf.Tensor:
    if axis is None:
        return tf.reshape(tf.roll(tf.reshape(x, (-1,)), shift, 0), core.dynamic_shape(x))
    if isinstance(axis, tuple) and isinstance(shift, int):
        shift = (shift,) * len(axis)
    elif isinstance(shift, tuple) and isinstance(axis, int):
        axis = (axis,) * len(shift)
    return tf.roll(x, shift, axis)
