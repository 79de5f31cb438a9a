"""Choosing and counting by values: by conditions, by membership, by sameness, by bins.

Made of other ops. Where a result's shape depends on values (`unique` without `size`) there is no
compiled form, except where the framework has tensors of unknown shape.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from multikeras import dtypes, shapes
from multikeras.ops import (
    arithmetic,
    control_flow,
    core,
    creation,
    indexing,
    reductions,
    rules,
    segments,
    shaping,
    sorting,
)
from multikeras.ops._compose import composed
from multikeras.ops._declare import op
from multikeras.symbolic import KerasTensor


@composed("x1", "x2", promote=rules.common)
def allclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether `abs(x1 - x2) <= atol + rtol * abs(x2)` for all elements.

    Args:
        x1, x2: tensors of shapes that broadcast.
        rtol: tolerance in proportion to `x2`. Defaults to 1e-5.
        atol: absolute tolerance. Defaults to 1e-8.
        equal_nan: whether two NaNs are close. Defaults to False.

    Returns:
        A scalar bool tensor.

    Example:
        >>> from multikeras import ops
        >>> bool(ops.allclose([1.0, 2.0], [1.0, 2.1]))
        False
    """
    return reductions.all(arithmetic.isclose(x1, x2, rtol, atol, equal_nan))


@composed("*condlist", "*choicelist")
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Each element from the first choice whose condition is true there.

    Args:
        condlist: a list of bool tensors.
        choicelist: a list of as many tensors. All shapes broadcast.
        default: where no condition is true: a number or a tensor. Defaults to 0.

    Raises:
        ValueError: if the lists are empty or differ in length.

    Example:
        >>> from multikeras import ops
        >>> x = ops.arange(6)
        >>> ops.convert_to_numpy(ops.select([x < 2, x > 3], [x, 10 * x], 7)).tolist()
        [0, 1, 7, 7, 40, 50]
    """
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
            "select: expected as many conditions as choices, and at least one, "
            f"got {len(condlist)} and {len(choicelist)}."
        )
    scalar = isinstance(default, (bool, int, float, complex))
    own = type(default) if scalar and not isinstance(default, bool) else None
    if not scalar:
        default = core.convert_to_tensor(default)
    found = [core.dtype(choice) for choice in choicelist]
    dtype = dtypes.result_type(*found, own or ("bool" if scalar else core.dtype(default)))
    result = core.cast(core.convert_to_tensor(default), dtype)
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = arithmetic.where(core.cast(condition, "bool"), core.cast(choice, dtype), result)
    return result


def _comparable(found: list[str]) -> str:
    """The common dtype; bools are counted as integers."""
    return rules.to_numeric(found)


@composed("x1", "x2", promote=_comparable)
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each element of `x1` is among the elements of `x2`.

    Args:
        x1: a tensor of any shape.
        x2: a tensor of any shape. NaN is in none.
        assume_unique: has no effect here; kept for compatibility.
        invert: whether to ask for the contrary.

    Returns:
        Bools of the shape of `x1`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.isin([1, 2, 3], [3, 1])).tolist()
        [True, False, True]
    """
    pool = sorting.sort(shaping.reshape(x2, (-1,)))
    first = sorting.searchsorted(pool, x1, "left")
    found = arithmetic.less(first, sorting.searchsorted(pool, x1, "right"))
    found = arithmetic.logical_and(found, arithmetic.equal(x1, x1))
    return arithmetic.logical_not(found) if invert else found


# ------------------------------------------------------------------------------ unique elements


def _size(size: Any) -> int | None:
    if size is None:
        return None
    try:
        count = operator.index(size)
    except TypeError:
        raise TypeError(f"unique: expected an integer for `size`, got {size!r}.") from None
    if count < 0:
        raise ValueError(f"unique: `size` must not be negative, got {count}.")
    return count


def _unique_spec(
    _: None,
    x: KerasTensor,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    count = _size(size)
    values: tuple
    if axis is None:
        values, inverse = (count,), x.shape
    else:
        place = shapes.normalize_axis(axis, len(x.shape), "unique")
        values = (*x.shape[:place], count, *x.shape[place + 1 :])
        inverse = (x.shape[place],)
    every = (
        (True, KerasTensor(values, x.dtype)),
        (return_index, KerasTensor((count,), "int32")),
        (return_inverse, KerasTensor(inverse, "int32")),
        (return_counts, KerasTensor((count,), "int32")),
    )
    wanted = tuple(tensor for asked, tensor in every if asked)
    return wanted if len(wanted) > 1 else wanted[0]


def _row_order(rows: Any) -> Any:
    """The stable order of rows (n,) or (n, m), by their first differing column."""
    if len(rows.shape) == 1:
        return sorting.argsort(rows)

    def by_column(order: Any, column: Any) -> tuple[Any, Any]:
        return indexing.take(order, sorting.argsort(indexing.take(column, order))), None

    columns = shaping.transpose(rows)
    start = sorting.argsort(indexing.get_item(columns, -1))
    if rows.shape[1] == 1:
        return start
    rest = indexing.get_item(columns, slice(None, -1))
    return control_flow.scan(by_column, start, rest, reverse=True)[0]


def _groups(rows: Any, order: Any) -> tuple[Any, Any]:
    """Of the rows in order: whether each differs from the one before, and its group's number."""
    ordered = indexing.take(rows, order, axis=0)
    differs = arithmetic.not_equal(
        indexing.get_item(ordered, slice(1, None)), indexing.get_item(ordered, slice(None, -1))
    )
    if len(rows.shape) > 1:
        differs = reductions.any(differs, axis=1)
    begins = shaping.concatenate([core.convert_to_tensor(np.array([True])), differs], 0)
    group = reductions.cumsum(core.cast(begins, "int32"))
    return begins, arithmetic.subtract(group, 1)


def _unique_rows(rows: Any, size: int | None, fill: Any) -> tuple:
    """Unique rows, where each stood first, which of them each row is, and how often it stands."""
    order = _row_order(rows)
    begins, group = _groups(rows, order)
    total = core.shape(order)[0]
    if size is None:
        starts = segments.nonzero(begins)[0]
        last = shaping.reshape(core.convert_to_tensor(total, "int32"), (1,))
        ends = shaping.concatenate([indexing.get_item(starts, slice(1, None)), last], 0)
    else:
        slots = np.arange(size, dtype=np.int32)
        starts = sorting.searchsorted(group, slots, "left")
        ends = sorting.searchsorted(group, slots, "right")
    valid = arithmetic.less(starts, total)
    places = indexing.take(order, arithmetic.minimum(starts, arithmetic.subtract(total, 1)))
    index = arithmetic.where(valid, places, indexing.get_item(order, 0))
    values = indexing.take(rows, index, axis=0)
    if size is not None:
        shown = valid if len(rows.shape) == 1 else shaping.expand_dims(valid, -1)
        values = arithmetic.where(shown, values, core.cast(fill, core.dtype(rows)))
    inverse = indexing.take(group, sorting.argsort(order))
    return values, index, inverse, arithmetic.subtract(ends, starts)


def _no_rows(rows: Any, size: int | None, fill: Any) -> tuple:
    """The same for no rows at all."""
    count = size or 0
    shape = (count, *core.shape(rows)[1:])
    none = creation.zeros((count,), "int32")
    return creation.full(shape, fill, core.dtype(rows)), none, creation.zeros((0,), "int32"), none


@op(rules.custom(_unique_spec, ("x",)))
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The elements without repetition, in rising order.

    Args:
        x: a tensor of real numbers or bools. Every NaN is an element of its own.
        sorted: has no effect here: the elements are sorted in any case.
        return_index: whether to return where each stands first.
        return_inverse: whether to return the place of each element of `x` among them.
        return_counts: whether to return how often each stands.
        axis: None: of the flattened tensor; else the slices along this axis are the elements,
            ordered by the first place in which they differ.
        size: how many to return, so that the result's shape is known, as compiled code needs it.
            The first `size` are kept; what is missing is filled up (with the index of the first
            one, and 0 counts).
        fill_value: what the missing ones are filled up with; None: 0.

    Returns:
        The elements; or a tuple `(elements, index, inverse, counts)` of those asked for, int32
        but for the first. `inverse` has the shape of `x`, or of its `axis`.

    Raises:
        ValueError: if `x` is complex, `axis` is out of range, or `size` is negative.

    Example:
        >>> from multikeras import ops
        >>> values, counts = ops.unique([3, 1, 3], return_counts=True)
        >>> ops.convert_to_numpy(values).tolist(), ops.convert_to_numpy(counts).tolist()
        ([1, 3], [1, 2])
    """
    count = _size(size)
    fill = 0 if fill_value is None else fill_value
    if "complex" in core.dtype(x):
        raise ValueError(f"unique: expected real numbers for `x`, got {core.dtype(x)}.")
    if axis is None:
        rows = shaping.reshape(x, (-1,))
    else:
        axis = shapes.normalize_axis(axis, len(x.shape), "unique")
        moved = shaping.moveaxis(x, axis, 0)
        rest = core.shape(moved)[1:]
        # A vector's elements are rows of one.
        rows = shaping.reshape(moved, (core.shape(moved)[0], -1)) if rest else moved
    find = _no_rows if 0 in rows.shape else _unique_rows
    values, index, inverse, counts = find(rows, count, fill)
    if axis is None:
        inverse = shaping.reshape(inverse, core.shape(x))
    else:
        values = shaping.reshape(values, (core.shape(values)[0], *rest))
        values = shaping.moveaxis(values, 0, axis)
    every = (
        (True, values),
        (return_index, index),
        (return_inverse, inverse),
        (return_counts, counts),
    )
    wanted = tuple(tensor for asked, tensor in every if asked)
    return wanted if len(wanted) > 1 else wanted[0]


# ------------------------------------------------------------------------------------ histogram


def _bins(bins: Any, range: Any) -> int:
    if isinstance(bins, bool) or not isinstance(bins, (int, np.integer)):
        raise TypeError(f"histogram: expected an integer for `bins`, got {bins!r}.")
    if bins < 1:
        raise ValueError(f"histogram: `bins` must be positive, got {bins}.")
    if range is not None:
        if not isinstance(range, (tuple, list)) or len(range) != 2:
            raise ValueError(f"histogram: expected `range` to be (low, high), got {range!r}.")
        if range[0] > range[1]:
            raise ValueError(f"histogram: `range` must rise, got {range!r}.")
    return int(bins)


def _histogram_spec(dtype: str, x: KerasTensor, bins: Any = 10, range: Any = None) -> tuple:
    count = _bins(bins, range)
    return KerasTensor((count,), dtype), KerasTensor((count + 1,), dtype)


@op(rules.custom(_histogram_spec, ("x",), rules.to_float))
def histogram(x: Any, bins: int = 10, range: tuple[float, float] | None = None) -> Any:
    """How many elements fall into each of `bins` intervals of one width.

    Args:
        x: a tensor, taken flat.
        bins: the number of intervals.
        range: `(low, high)`: where the first begins and the last ends; what is outside is not
            counted. Default: the smallest and the largest element. Where both are the same, the
            intervals begin 0.5 before and end 0.5 after.

    Returns:
        `(counts, edges)`, of shapes (bins,) and (bins + 1,), floats. An interval holds its lower
        edge, the last one its upper edge too.

    Raises:
        TypeError: if `bins` is not an integer.
        ValueError: if `bins` is not positive, or `range` is not two rising numbers.

    Example:
        >>> from multikeras import ops
        >>> counts, edges = ops.histogram([0.0, 1.0, 1.5, 4.0], bins=2)
        >>> ops.convert_to_numpy(counts).tolist(), ops.convert_to_numpy(edges).tolist()
        ([3.0, 1.0], [0.0, 2.0, 4.0])
    """
    count, dtype = _bins(bins, range), core.dtype(x)
    work = "float64" if dtype == "float64" else "float32"
    x = core.cast(shaping.reshape(x, (-1,)), work)
    if range is None and 0 in x.shape:
        range = (0.0, 1.0)
    if range is not None:
        low, high = map(float, range)
        if low == high:
            low, high = low - 0.5, high + 0.5
        edges = core.convert_to_tensor(np.linspace(low, high, count + 1), work)
        low, high = indexing.get_item(edges, 0), indexing.get_item(edges, -1)
    else:
        low, high = reductions.min(x), reductions.max(x)
        spread = core.cast(arithmetic.equal(low, high), work)
        low = arithmetic.subtract(low, arithmetic.multiply(spread, 0.5))
        high = arithmetic.add(high, arithmetic.multiply(spread, 0.5))
        edges = creation.linspace(low, high, count + 1)
    inside = arithmetic.logical_and(
        arithmetic.greater_equal(x, low), arithmetic.less_equal(x, high)
    )
    place = arithmetic.subtract(sorting.searchsorted(edges, x, "right"), 1)
    place = arithmetic.clip(place, 0, count - 1)
    counts = segments.segment_sum(core.cast(inside, "int32"), place, count)
    return core.cast(counts, dtype), core.cast(edges, dtype)
