"""Reductions over groups of rows, and small functions made of differences and positions.

Rows whose group is out of range are left out. A group without rows gets what changes nothing: 0
for sums, 1 for products, the lowest or highest number for maxima or minima.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from multikeras import dtypes, shapes
from multikeras.ops import arithmetic, core, indexing, reductions, rules, shaping, sorting
from multikeras.ops._compose import composed
from multikeras.ops._declare import op
from multikeras.symbolic import KerasTensor


def _segment_spec(
    _: str | None, data: KerasTensor, segment_ids: KerasTensor, num_segments: Any = None, *__: Any
) -> KerasTensor:
    if len(segment_ids.shape) != 1 or not data.shape:
        raise ValueError("`segment_ids` must be of rank 1, one for each row of `data`.")
    return KerasTensor((num_segments, *data.shape[1:]), data.dtype)


_SEGMENT = rules.custom(_segment_spec, ("data", "segment_ids"))


def _extreme(dtype: str, highest: bool) -> Any:
    if dtypes.is_float_dtype(dtype):
        return np.inf if highest else -np.inf
    limits = np.iinfo(dtype)
    return limits.max if highest else limits.min


def _segments(data: Any, ids: Any, count: int | None, neutral: Any, reduction: str) -> Any:
    if count is None:
        count = int(reductions.max(ids)) + 1 if ids.shape[0] else 0
    ids = core.cast(ids, "int32")
    inside = arithmetic.logical_and(arithmetic.greater_equal(ids, 0), arithmetic.less(ids, count))
    # All rows that are out of range go to one more group, which is cut off.
    ids = arithmetic.where(inside, ids, count)
    dtype = core.dtype(data)
    base = np.full((count + 1, *data.shape[1:]), neutral, dtypes.numpy_dtype(dtype))
    found = indexing.scatter_update(
        core.convert_to_tensor(base, dtype), shaping.expand_dims(ids, -1), data, reduction
    )
    return indexing.get_item(found, slice(None, count))


@op(_SEGMENT)
def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The sum of the rows of each group.

    Args:
        data: (n, ...).
        segment_ids: integers (n,): the group of each row.
        num_segments: how many groups; default: up to the largest of `segment_ids`, which needs
            its values, so not in compiled code.
        sorted: whether `segment_ids` rise; kept for compatibility.

    Returns:
        (num_segments, ...).

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.segment_sum([1.0, 2.0, 4.0], [0, 0, 2], 3)).tolist()
        [3.0, 0.0, 4.0]
    """
    return _segments(data, segment_ids, num_segments, 0, "add")


@op(_SEGMENT)
def segment_prod(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The product of the rows of each group; arguments as in `segment_sum`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.segment_prod([3.0, 2.0, 4.0], [0, 0, 2], 3)).tolist()
        [6.0, 1.0, 4.0]
    """
    return _segments(data, segment_ids, num_segments, 1, "mul")


@op(_SEGMENT)
def segment_max(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The maximum of the rows of each group; arguments as in `segment_sum`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.segment_max([1.0, 2.0, 4.0], [0, 0, 1], 2)).tolist()
        [2.0, 4.0]
    """
    lowest = _extreme(core.dtype(data), False)
    return _segments(data, segment_ids, num_segments, lowest, "max")


@op(_SEGMENT)
def segment_min(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The minimum of the rows of each group; arguments as in `segment_sum`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.segment_min([1.0, 2.0, 4.0], [0, 0, 1], 2)).tolist()
        [1.0, 4.0]
    """
    highest = _extreme(core.dtype(data), True)
    return _segments(data, segment_ids, num_segments, highest, "min")


def _nonzero_spec(_: str | None, x: KerasTensor) -> tuple:
    return tuple(KerasTensor((None,), "int32") for _ in x.shape)


@op(rules.custom(_nonzero_spec, ("x",)))
def nonzero(x: Any) -> Any:
    """Where elements are not zero: a tuple with the indices (int32) in each dimension.

    Their number depends on the values, so this can't be compiled by JAX.

    Example:
        >>> from multikeras import ops
        >>> [ops.convert_to_numpy(i).tolist() for i in ops.nonzero([[0, 1], [1, 0]])]
        [[0, 1], [1, 0]]
    """


@composed("indices")
def unravel_index(indices: Any, shape: Any) -> Any:
    """Row-major positions as a tuple of indices, one for each dimension of `shape`.

    Example:
        >>> from multikeras import ops
        >>> [ops.convert_to_numpy(i).tolist() for i in ops.unravel_index([1, 5], (2, 3))]
        [[0, 1], [1, 2]]
    """
    shape = tuple(shape)
    total = int(np.prod(shape))
    indices = arithmetic.where(arithmetic.less(indices, 0), arithmetic.add(indices, total), indices)
    found = []
    for size in reversed(shape):
        found.append(arithmetic.mod(indices, size))
        indices = arithmetic.floor_divide(indices, size)
    return tuple(found[::-1])


@composed("x")
def argpartition(x: Any, kth: int, axis: int = -1) -> Any:
    """Indices (int32) in an order in which nothing after place `kth` is smaller than what is there.

    Args:
        x: a tensor.
        kth: the place.
        axis: default the last; None: all elements in one dimension.

    Example:
        >>> from multikeras import ops
        >>> int(ops.argpartition([30, 10, 20], 1)[1])
        2
    """
    return sorting.argsort(x, axis)


@composed("a")
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours along an axis, `n` times; of bools: whether they differ.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.diff([1, 4, 9])).tolist()
        [3, 5]
    """
    place = shapes.normalize_axis(axis, len(a.shape), "diff")
    front = (slice(None),) * place
    subtract: Callable = arithmetic.subtract
    if core.dtype(a) == "bool":
        subtract = arithmetic.not_equal
    for _ in range(n):
        later = indexing.get_item(a, (*front, slice(1, None)))
        a = subtract(later, indexing.get_item(a, (*front, slice(None, -1))))
    return a


@composed("y", "x", promote=rules.to_float)
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral along an axis by the trapezoidal rule.

    Args:
        y: values of the function.
        x: the points they belong to; default: `dx` apart.
        dx: the distance of the points.
        axis: default the last.

    Example:
        >>> from multikeras import ops
        >>> float(ops.trapezoid([1.0, 2.0, 3.0]))
        4.0
    """
    place = shapes.normalize_axis(axis, len(y.shape), "trapezoid")
    front = (slice(None),) * place
    width: Any = dx
    if x is not None:
        width = diff(x, axis=-1 if len(x.shape) == 1 else place)
        if len(x.shape) == 1:
            width = shaping.reshape(width, (-1,) + (1,) * (len(y.shape) - 1 - place))
    ends = arithmetic.add(
        indexing.get_item(y, (*front, slice(1, None))),
        indexing.get_item(y, (*front, slice(None, -1))),
    )
    areas = arithmetic.multiply(arithmetic.multiply(ends, 0.5), width)
    return reductions.sum(areas, place)


@composed("x")
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The matrix of powers of the elements of `x`.

    Args:
        x: of rank 1.
        N: the number of columns; default: the length of `x`.
        increasing: from power 0 up, else down to it.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.vander([1, 2, 3], 2)).tolist()
        [[1, 1], [2, 1], [3, 1]]
    """
    count = x.shape[0] if N is None else N
    dtype = core.dtype(x)
    ones = arithmetic.add(arithmetic.multiply(shaping.expand_dims(x, -1), 0), 1)
    columns = [core.cast(ones, dtype)]
    for _ in range(1, count):
        columns.append(arithmetic.multiply(columns[-1], shaping.expand_dims(x, -1)))
    return shaping.concatenate(columns if increasing else columns[::-1], -1)
