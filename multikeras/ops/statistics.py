"""Order statistics, and reductions that leave out NaN."""

from __future__ import annotations

from typing import Any

from multikeras import shapes
from multikeras.dtypes import is_float_dtype
from multikeras.ops import rules
from multikeras.ops._compose import composed
from multikeras.ops.arithmetic import (
    add,
    divide,
    equal,
    isnan,
    logical_not,
    maximum,
    minimum,
    multiply,
    subtract,
    where,
)
from multikeras.ops.core import cast, ndim
from multikeras.ops.core import shape as shape_of
from multikeras.ops.elementwise import ceil, floor, round, sqrt, square
from multikeras.ops.indexing import take_along_axis
from multikeras.ops.reductions import all as all_of
from multikeras.ops.reductions import any as any_of
from multikeras.ops.reductions import argmax, argmin, cumprod, cumsum, max, min, prod, sum
from multikeras.ops.shaping import expand_dims, moveaxis, reshape, squeeze
from multikeras.ops.sorting import sort

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _lanes(x: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """`x` with the reduced axes as one, the last; and those axes."""
    rank = ndim(x)
    axes = shapes.normalize_axes(tuple(axis) if isinstance(axis, list) else axis, rank)
    moved = moveaxis(x, axes, tuple(range(rank - len(axes), rank))) if rank else x
    rest = [d for i, d in enumerate(x.shape) if i not in axes]
    unknown = [i for i, d in enumerate(rest) if d is None]
    reduced = [x.shape[a] for a in axes]
    if not unknown:
        return reshape(moved, (*rest, -1)), axes
    if None in reduced:
        raise ValueError("the size of the reduced axes must be known where others are not.")
    whole = shapes.size(tuple(reduced))
    if len(unknown) == 1:
        return reshape(moved, (*(-1 if d is None else d for d in rest), whole)), axes
    sizes = shape_of(moved)[: len(rest)]
    return reshape(moved, (*sizes, whole)), axes


def _quantile(x: Any, q: Any, axis: Any, method: str, keepdims: bool, skip_nan: bool) -> Any:
    if method not in METHODS:
        raise ValueError(f"quantile: `method` must be one of {METHODS}, got {method!r}.")
    if ndim(q) > 1:
        raise ValueError(f"quantile: `q` must be a number or a vector, got rank {ndim(q)}.")
    rank = ndim(x)
    lanes, axes = _lanes(x, axis)
    missing = isnan(lanes)
    infinity = float("inf")
    ordered = sort(where(missing, infinity, lanes), axis=-1)
    present = sum(cast(logical_not(missing), x.dtype), -1, keepdims=True)  # (..., 1)
    last = subtract(present, 1)
    if not skip_nan:
        last = subtract(add(sum(cast(missing, x.dtype), -1, keepdims=True), present), 1)
    position = multiply(maximum(last, 0), reshape(q, (1,) * (ndim(lanes) - 1) + (-1,)))

    def at(index: Any) -> Any:
        return take_along_axis(ordered, cast(index, "int32"), axis=-1)

    if method == "nearest":
        result = at(round(position))
    elif method == "lower":
        result = at(floor(position))
    elif method == "higher":
        result = at(minimum(ceil(position), maximum(last, 0)))
    else:
        below = floor(position)
        low, high = at(below), at(minimum(ceil(position), maximum(last, 0)))
        share = 0.5 if method == "midpoint" else subtract(position, below)
        # Equal neighbours are met exactly, infinite ones too.
        result = where(equal(low, high), low, add(low, multiply(subtract(high, low), share)))
    lacking = equal(present, 0) if skip_nan else any_of(missing, -1, keepdims=True)
    result = where(lacking, float("nan"), result)
    result = moveaxis(result, -1, 0) if ndim(q) else squeeze(result, -1)
    if not keepdims:
        return result
    offset = ndim(q)
    return expand_dims(result, tuple(a + offset for a in sorted(axes))) if rank else result


@composed("x", "q", promote=rules.to_float, compiled=True)
def quantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Values below which a share `q` of the elements lies; NaN where there is a NaN.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.
        q: a number or a vector, in [0, 1]; a vector adds a first dimension to the result.
        axis: the axes to reduce; None: all. Defaults to None.
        method: what is taken between two elements: "linear", "lower", "higher", "midpoint" or
            "nearest". Defaults to "linear".
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Raises:
        ValueError: for another `method`, or `q` of rank 2 or more.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.quantile([1.0, 2.0, 3.0, 4.0], 0.5)).tolist()
        2.5
    """
    return _quantile(x, q, axis, method, keepdims, False)


@composed("x", "q", promote=rules.to_float, compiled=True)
def percentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Values below which `q` percent of the elements lie; NaN where there is a NaN.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.
        q: a number or a vector, in [0, 100]; a vector adds a first dimension to the result.
        axis: the axes to reduce; None: all. Defaults to None.
        method: what is taken between two elements: "linear", "lower", "higher", "midpoint" or
            "nearest". Defaults to "linear".
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Raises:
        ValueError: for another `method`, or `q` of rank 2 or more.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.percentile([1.0, 2.0, 3.0], 50)).tolist()
        2.0
    """
    return _quantile(x, divide(q, 100), axis, method, keepdims, False)


@composed("x", "q", promote=rules.to_float, compiled=True)
def nanquantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """`quantile` of the elements that are not NaN.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.
        q: a number or a vector, in [0, 1]; a vector adds a first dimension to the result.
        axis: the axes to reduce; None: all. Defaults to None.
        method: what is taken between two elements: "linear", "lower", "higher", "midpoint" or
            "nearest". Defaults to "linear".
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Raises:
        ValueError: for another `method`, or `q` of rank 2 or more.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nanquantile([1.0, float("nan"), 3.0], 0.5)).tolist()
        2.0
    """
    return _quantile(x, q, axis, method, keepdims, True)


@composed("x", "q", promote=rules.to_float, compiled=True)
def nanpercentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """`percentile` of the elements that are not NaN.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.
        q: a number or a vector, in [0, 100]; a vector adds a first dimension to the result.
        axis: the axes to reduce; None: all. Defaults to None.
        method: what is taken between two elements: "linear", "lower", "higher", "midpoint" or
            "nearest". Defaults to "linear".
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Raises:
        ValueError: for another `method`, or `q` of rank 2 or more.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nanpercentile([1.0, float("nan"), 3.0], 50)).tolist()
        2.0
    """
    return _quantile(x, divide(q, 100), axis, method, keepdims, True)


@composed("x", promote=rules.to_float, compiled=True)
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle element over axes, or the mean of the two middle ones; NaN if there is one.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.median([3.0, 1.0, 2.0])).tolist()
        2.0
    """
    return quantile(x, 0.5, axis, keepdims=keepdims)


@composed("x", promote=rules.to_float, compiled=True)
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`median` of the elements that are not NaN.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nanmedian([3.0, float("nan"), 2.0])).tolist()
        2.5
    """
    return nanquantile(x, 0.5, axis, keepdims=keepdims)


@composed("x", promote=rules.to_float)
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean over axes of the elements that are not NaN.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nanmean([1.0, float("nan"), 3.0])).tolist()
        2.0
    """
    present = sum(cast(logical_not(isnan(x)), x.dtype), axis, keepdims)
    return divide(sum(where(isnan(x), 0, x), axis, keepdims), present)


@composed("x", promote=rules.to_float, compiled=True)
def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Variance over axes of the elements that are not NaN.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nanvar([1.0, float("nan"), 3.0])).tolist()
        1.0
    """
    distance = subtract(x, nanmean(x, axis, keepdims=True))
    return nanmean(square(distance), axis, keepdims)


@composed("x", promote=rules.to_float, compiled=True)
def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Standard deviation over axes of the elements that are not NaN.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nanstd([1.0, float("nan"), 3.0])).tolist()
        1.0
    """
    return sqrt(nanvar(x, axis, keepdims))


@composed("x")
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum over axes of the elements that are not NaN.

    Args:
        x: a tensor of any shape.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nansum([1.0, float("nan"), 3.0])).tolist()
        4.0
    """
    return sum(where(isnan(x), 0, x), axis, keepdims)


@composed("x")
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Product over axes of the elements that are not NaN.

    Args:
        x: a tensor of any shape.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nanprod([2.0, float("nan"), 3.0])).tolist()
        6.0
    """
    return prod(where(isnan(x), 1, x), axis, keepdims)


@composed("x")
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Greatest element over axes that is not NaN; NaN if there is none.

    Args:
        x: a tensor of any shape.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nanmax([1.0, float("nan"), 3.0])).tolist()
        3.0
    """
    if not is_float_dtype(x.dtype):
        return max(x, axis, keepdims)
    found = max(where(isnan(x), float("-inf"), x), axis, keepdims)
    return where(all_of(isnan(x), axis, keepdims), float("nan"), found)


@composed("x")
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Smallest element over axes that is not NaN; NaN if there is none.

    Args:
        x: a tensor of any shape.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nanmin([1.0, float("nan"), 3.0])).tolist()
        1.0
    """
    if not is_float_dtype(x.dtype):
        return min(x, axis, keepdims)
    found = min(where(isnan(x), float("inf"), x), axis, keepdims)
    return where(all_of(isnan(x), axis, keepdims), float("nan"), found)


@composed("x")
def nanargmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Position of the greatest element that is not NaN, as int32; -1 if there is none.

    Args:
        x: a tensor of any shape.
        axis: one axis; None: the tensor is taken as flat. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nanargmax([1.0, float("nan"), 3.0])).tolist()
        2
    """
    if not is_float_dtype(x.dtype):
        return argmax(x, axis, keepdims)
    found = argmax(where(isnan(x), float("-inf"), x), axis, keepdims)
    return where(all_of(isnan(x), axis, keepdims), -1, found)


@composed("x")
def nanargmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Position of the smallest element that is not NaN, as int32; -1 if there is none.

    Args:
        x: a tensor of any shape.
        axis: one axis; None: the tensor is taken as flat. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nanargmin([1.0, float("nan"), 3.0])).tolist()
        0
    """
    if not is_float_dtype(x.dtype):
        return argmin(x, axis, keepdims)
    found = argmin(where(isnan(x), float("inf"), x), axis, keepdims)
    return where(all_of(isnan(x), axis, keepdims), -1, found)


@composed("x")
def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """`cumsum` with 0 in place of NaN.

    Args:
        x: a tensor of any shape.
        axis: the axis to go along; None: the tensor is made flat first. Defaults to None.
        dtype: dtype of the result. Defaults to that of `x`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nancumsum([2.0, float("nan"), 3.0])).tolist()
        [2.0, 2.0, 5.0]
    """
    return cumsum(where(isnan(x), 0, x), axis, dtype)


@composed("x")
def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """`cumprod` with 1 in place of NaN.

    Args:
        x: a tensor of any shape.
        axis: the axis to go along; None: the tensor is made flat first. Defaults to None.
        dtype: dtype of the result. Defaults to that of `x`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.nancumprod([2.0, float("nan"), 3.0])).tolist()
        [2.0, 2.0, 6.0]
    """
    return cumprod(where(isnan(x), 1, x), axis, dtype)
