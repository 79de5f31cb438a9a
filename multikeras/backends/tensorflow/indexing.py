"""Reading and writing elements by position; dimensions may be unknown while tracing."""

from __future__ import annotations

import builtins
from typing import Any

import tensorflow as tf

from multikeras import dtypes
from multikeras.backends import arguments
from multikeras.backends.tensorflow import core


def get_item(x: tf.Tensor, key: Any) -> tf.Tensor:
    items = arguments.key_items(key, x.shape.rank)
    if not any(map(arguments.is_advanced, items)):
        return x[tuple(items)]
    items = [part for item in items for part in _written_out(item)]
    place = arguments.wraps_in_place(items)
    # First the slices and new axes; the arrays then gather from what is left.
    x = x[
        tuple(
            i if i is None or isinstance(i, builtins.slice) else builtins.slice(None) for i in items
        )
    ]
    gathered = [
        i for i, item in enumerate(items) if not (item is None or isinstance(item, builtins.slice))
    ]
    sizes = core.dynamic_shape(x)
    indices = [_wrapped(tf.cast(items[i], tf.int32), sizes[i]) for i in gathered]
    if len(indices) == 1:
        return tf.gather(x, indices[0], axis=gathered[0])
    shape: Any = indices[0].shape
    for index in indices[1:]:
        shape = tf.broadcast_static_shape(shape, index.shape)
    if not shape.is_fully_defined():
        shape = tf.shape(sum(tf.zeros_like(index) for index in indices))
    stacked = tf.stack([tf.broadcast_to(index, shape) for index in indices], -1)
    rest = [i for i in range(len(items)) if i not in gathered]
    result = tf.gather_nd(tf.transpose(x, gathered + rest), stacked)
    if place:
        new = stacked.shape.rank - 1
        kept = list(range(new, result.shape.rank))
        result = tf.transpose(result, kept[:place] + list(range(new)) + kept[place:])
    return result


def _written_out(item: Any) -> list[Any]:
    """A mask as the indices of its true elements, one tensor for each dimension."""
    if not arguments.is_advanced(item):
        return [item]
    tensor = tf.convert_to_tensor(item)
    if tensor.dtype is not tf.bool:
        return [tensor]
    return tf.unstack(tf.where(tensor), num=tensor.shape.rank, axis=-1)


def _wrapped(indices: tf.Tensor, size: Any) -> tf.Tensor:
    return tf.where(indices < 0, indices + tf.cast(size, indices.dtype), indices)


def _integers(indices: tf.Tensor) -> tf.Tensor:
    return indices if indices.dtype in (tf.int32, tf.int64) else tf.cast(indices, tf.int32)


def take(x: tf.Tensor, indices: tf.Tensor, axis: int | None = None) -> tf.Tensor:
    if axis is None:
        x, axis = tf.reshape(x, (-1,)), 0
    indices = _wrapped(_integers(indices), core.dynamic_shape(x)[axis])
    return tf.gather(x, indices, axis=axis)


def take_along_axis(x: tf.Tensor, indices: tf.Tensor, axis: int | None = None) -> tf.Tensor:
    if axis is None:
        return take(x, indices)
    rank = x.shape.rank
    axis %= rank
    indices = _wrapped(_integers(indices), core.dynamic_shape(x)[axis])
    order = [i for i in range(rank) if i != axis] + [axis]
    back = sorted(range(rank), key=order.__getitem__)
    x, indices = tf.transpose(x, order), tf.transpose(indices, order)
    leading = tf.broadcast_dynamic_shape(tf.shape(x)[:-1], tf.shape(indices)[:-1])
    x = tf.broadcast_to(x, tf.concat([leading, tf.shape(x)[-1:]], 0))
    indices = tf.broadcast_to(indices, tf.concat([leading, tf.shape(indices)[-1:]], 0))
    return tf.transpose(tf.gather(x, indices, batch_dims=rank - 1), back)


def _places(indices: tf.Tensor, shape: Any) -> tf.Tensor:
    sizes = tf.convert_to_tensor(list(shape)[: indices.shape[-1]])
    return _wrapped(_integers(indices), sizes)


def scatter(indices: tf.Tensor, values: tf.Tensor, shape: Any) -> tf.Tensor:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    indices = _places(indices, shape)
    return tf.scatter_nd(indices, values, tf.cast(tf.convert_to_tensor(shape), indices.dtype))


def _multiplied(inputs: tf.Tensor, indices: tf.Tensor, updates: tf.Tensor) -> tf.Tensor:
    depth = indices.shape[-1]
    dims = core.dynamic_shape(inputs)
    flat = tf.zeros_like(indices[..., 0])
    count: Any = 1
    for i in range(depth):
        flat = flat * tf.cast(dims[i], flat.dtype) + indices[..., i]
        count = count * dims[i]
    factors = tf.math.unsorted_segment_prod(updates, flat, count)
    return inputs * tf.reshape(factors, dims)


_UPDATES = {
    None: tf.tensor_scatter_nd_update,
    "add": tf.tensor_scatter_nd_add,
    "max": tf.tensor_scatter_nd_max,
    "min": tf.tensor_scatter_nd_min,
    "mul": _multiplied,
}


def scatter_update(
    inputs: tf.Tensor, indices: tf.Tensor, updates: tf.Tensor, reduction: str | None = None
) -> tf.Tensor:
    if reduction not in _UPDATES:
        raise ValueError(
            f"scatter_update: `reduction` must be one of {tuple(_UPDATES)}, got {reduction!r}."
        )
    indices = _places(indices, core.dynamic_shape(inputs))
    return _UPDATES[reduction](inputs, indices, tf.cast(updates, inputs.dtype))


def slice(inputs: tf.Tensor, start_indices: Any, shape: Any) -> tf.Tensor:
    starts = [int(s) if not core.is_tensor(s) else s for s in start_indices]
    return tf.slice(inputs, starts, shape)


def slice_update(inputs: tf.Tensor, start_indices: Any, updates: tf.Tensor) -> tf.Tensor:
    starts = tf.stack([tf.cast(s, tf.int32) for s in start_indices])
    return tf.raw_ops.TensorStridedSliceUpdate(
        input=inputs,
        begin=starts,
        end=starts + tf.shape(updates),
        strides=tf.ones_like(starts),
        value=tf.cast(updates, inputs.dtype),
    )


def one_hot(
    x: tf.Tensor, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> tf.Tensor:
    if sparse:
        raise ValueError("one_hot: sparse tensors are not supported.")
    wanted = dtypes.standardize_dtype(dtype)
    if wanted == "bool":
        return tf.one_hot(_integers(x), num_classes, True, False, axis, tf.bool)
    return tf.one_hot(_integers(x), num_classes, axis=axis, dtype=core.native_dtype(wanted))
