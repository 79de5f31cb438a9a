"""Reading and writing elements by position: brackets, gathers, scatters, one-hot.

Negative indices count from the end everywhere. Indices out of range raise an IndexError or the
framework's own error on NumPy, PyTorch and TensorFlow (CPU); under JAX, which can't raise from
compiled code, such an element of `take` is NaN (of integers: the smallest or largest number), an
update is dropped.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from multikeras import dtypes, shapes
from multikeras.backends import arguments
from multikeras.ops import reductions, rules
from multikeras.ops._compose import composed
from multikeras.ops._declare import op
from multikeras.symbolic import KerasTensor


def _sliced(dim: int | None, item: builtins.slice) -> int | None:
    if item == builtins.slice(None):
        return dim
    bounds = (item.start, item.stop, item.step)
    if not all(b is None or isinstance(b, (int, np.integer)) for b in bounds):
        return None
    if dim is None:
        return None
    return len(range(*item.indices(dim)))


def _array_shape(item: Any) -> tuple:
    """The shape that an array index contributes; a mask gives one unknown dimension."""
    if isinstance(item, int):
        return ()
    if not arguments.is_mask(item):
        return tuple(item.shape)
    return (int(item.sum()),) if isinstance(item, np.ndarray) else (None,)


def _item_shape(x: KerasTensor, key: Any) -> tuple:
    items = arguments.key_items(key, len(x.shape))
    place = arguments.wraps_in_place(items)
    dims = iter(x.shape)
    kept: list[int | None] = []
    gathered: list[tuple] = []
    insert = 0
    for i, item in enumerate(items):
        if i == place:
            insert = len(kept)
        if item is None:
            kept.append(1)
        elif isinstance(item, builtins.slice):
            kept.append(_sliced(next(dims), item))
        else:
            shape = _array_shape(item)
            for _ in range(item.ndim if arguments.is_mask(item) else 1):
                dim = next(dims, None)
            if isinstance(item, int) and dim is not None and not -dim <= item < dim:
                raise ValueError(f"index {item} is out of range for a dimension of size {dim}.")
            gathered.append(shape)
    return (*kept[:insert], *shapes.broadcast(*gathered), *kept[insert:])


@op(rules.like(_item_shape, tensors=("x",)))
def get_item(x: Any, key: Any) -> Any:
    """`x[key]`, with NumPy's meaning on every backend.

    Args:
        x: a tensor.
        key: an int, a slice (negative steps too), None, Ellipsis, a tensor, array or list of
            integers or bools, or a tuple of these.

    Raises:
        IndexError: for more indices than dimensions.

    Example:
        >>> import numpy as np
        >>> from multikeras import ops
        >>> x = ops.convert_to_tensor([[1, 2, 3], [4, 5, 6]])
        >>> ops.convert_to_numpy(ops.get_item(x, np.s_[:, ::-1])).tolist()
        [[3, 2, 1], [6, 5, 4]]
    """


def _taken(_: str | None, x: KerasTensor, indices: Any, axis: int | None = None) -> KerasTensor:
    if axis is None:
        return KerasTensor(indices.shape, x.dtype)
    place = shapes.normalize_axis(axis, len(x.shape), "take")
    return KerasTensor((*x.shape[:place], *indices.shape, *x.shape[place + 1 :]), x.dtype)


@op(rules.custom(_taken, ("x", "indices")))
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The slices of `x` at `indices` along `axis`.

    Args:
        x: a tensor.
        indices: integers of any shape, which takes the place of the axis.
        axis: default: `x` is taken as one dimension.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.take([[1, 2], [3, 4]], [1, 0, -1], axis=0)).tolist()
        [[3, 4], [1, 2], [3, 4]]
    """


def _taken_along(_: str | None, x: KerasTensor, indices: Any, axis: Any = None) -> KerasTensor:
    if axis is None:
        if len(indices.shape) != 1:
            raise ValueError("without an axis, the indices must be of rank 1.")
        return KerasTensor(indices.shape, x.dtype)
    place = shapes.normalize_axis(axis, len(x.shape), "take_along_axis")
    if len(indices.shape) != len(x.shape):
        raise ValueError("`indices` must have the rank of `x`.")
    shape = list(
        shapes.broadcast(
            (*x.shape[:place], 1, *x.shape[place + 1 :]),
            (*indices.shape[:place], 1, *indices.shape[place + 1 :]),
        )
    )
    shape[place] = indices.shape[place]
    return KerasTensor(shape, x.dtype)


@op(rules.custom(_taken_along, ("x", "indices")))
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Takes along one axis with indices of its own for each row of the others.

    Args:
        x: a tensor.
        indices: integers of the rank of `x`; the other dimensions broadcast.
        axis: default: `x` is taken as one dimension.

    Example:
        >>> from multikeras import ops
        >>> x = [[10, 30, 20], [60, 40, 50]]
        >>> order = ops.convert_to_tensor([[0, 2, 1], [1, 2, 0]])
        >>> ops.convert_to_numpy(ops.take_along_axis(x, order, axis=1)).tolist()
        [[10, 20, 30], [40, 50, 60]]
    """


def _as_dims(shape: Any) -> tuple:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    return tuple(d if isinstance(d, int) else None for d in shape)


@op(
    rules.custom(
        lambda _, i, v, shape: KerasTensor(_as_dims(shape), v.dtype), ("indices", "values")
    )
)
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Zeros of `shape`, to which `values` are added at `indices`; repeated ones add up.

    Args:
        indices: integers (n, k): each row says a place in the first k dimensions.
        values: (n, *shape[k:]).
        shape: of the result.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.scatter([[0], [2], [0]], [1.0, 2.0, 3.0], (3,))).tolist()
        [4.0, 0.0, 2.0]
    """


def _updated(_: str | None, inputs: KerasTensor, *rest: Any) -> KerasTensor:
    return KerasTensor(inputs.shape, inputs.dtype)


@op(rules.custom(_updated, ("inputs", "indices", "updates")))
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """`inputs` with `updates` written at `indices`.

    Args:
        inputs: a tensor.
        indices: integers (n, k): each row says a place in the first k dimensions.
        updates: (n, *inputs.shape[k:]); brought to the dtype of `inputs`.
        reduction: None to overwrite (which of several at one place remains is not defined), or
            "add", "mul", "max", "min" with what is there.

    Raises:
        ValueError: for another `reduction`.

    Example:
        >>> from multikeras import ops
        >>> x = ops.convert_to_tensor([1.0, 1.0, 1.0])
        >>> ops.convert_to_numpy(ops.scatter_update(x, [[0], [2]], [5.0, 7.0])).tolist()
        [5.0, 1.0, 7.0]
    """


def _cut(x: KerasTensor, start_indices: Any, shape: Any) -> tuple:
    dims = _as_dims(shape)
    if len(dims) != len(x.shape):
        raise ValueError(f"`shape` {dims} must have one size for each dimension.")
    known = isinstance(start_indices, (list, tuple)) and all(
        isinstance(s, int) for s in start_indices
    )
    if -1 in dims and not known:
        return tuple(None if d == -1 else d for d in dims)
    starts = list(start_indices) if known else [0] * len(dims)
    return tuple(
        (None if full is None else full - s) if d == -1 else d
        for d, full, s in zip(dims, x.shape, starts, strict=True)
    )


@op(rules.like(_cut, tensors=("inputs",)))
def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """The block of `inputs` of a given shape at a given corner.

    Args:
        inputs: a tensor.
        start_indices: the corner: one int (or scalar tensor) for each dimension.
        shape: the block's size in each dimension; -1 means all that follows.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, 2))).tolist()
        [[2, 3], [5, 6]]
    """


@op(rules.custom(_updated, ("inputs", "updates")))
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """`inputs` with a block overwritten.

    Args:
        inputs: a tensor.
        start_indices: the corner of the block: one int (or scalar tensor) for each dimension.
        updates: the block, of the same rank; brought to the dtype of `inputs`.

    Example:
        >>> from multikeras import ops
        >>> x = ops.convert_to_tensor([[1, 2], [3, 4]])
        >>> ops.convert_to_numpy(ops.slice_update(x, (0, 1), [[7], [8]])).tolist()
        [[1, 7], [3, 8]]
    """


def _one_hot(
    _: str | None, x: Any, num_classes: int, axis: int = -1, dtype: Any = None, *__: Any
) -> KerasTensor:
    place = shapes.normalize_axis(axis, len(x.shape) + 1, "one_hot")
    shape = (*x.shape[:place], num_classes, *x.shape[place:])
    return KerasTensor(shape, dtypes.standardize_dtype(dtype))


@op(rules.custom(_one_hot, ("x",)))
def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """A vector with a one at the place of each integer.

    Args:
        x: integers of any shape; one outside of [0, num_classes) gives zeros alone.
        num_classes: the length of the new axis.
        axis: where it stands in the result.
        dtype: default `floatx()`.
        sparse: only False is supported.

    Raises:
        ValueError: if `sparse`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.one_hot([0, 2], 3)).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """


@composed("inputs")
def multi_hot(
    inputs: Any,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
) -> Any:
    """A vector with ones at the places of several integers.

    Args:
        inputs: integers (n,) or (batch, n, ...); those outside of [0, num_classes) are left out.
        num_classes: the length of the result's class axis.
        axis: where the class axis is put before the ones are brought together along the second
            axis (the first of a vector).
        dtype: default `floatx()`.
        sparse: only False is supported.

    Raises:
        ValueError: without `num_classes`, or if `sparse`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.multi_hot([[0, 2], [1, 1]], 3)).tolist()
        [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    if num_classes is None:
        raise ValueError("multi_hot: `num_classes` must be given.")
    hot = one_hot(inputs, num_classes, axis, dtype, sparse)
    place = 1 if len(inputs.shape) > 1 else 0
    if dtypes.standardize_dtype(dtype) == "bool":
        return reductions.any(hot, place)
    return reductions.max(hot, place)
