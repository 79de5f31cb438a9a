"""Reductions over axes, cumulative sums and products, and where extremes stand.

`axis` is an integer, a sequence of integers or None for all; negative counts from the end. Sums
of small integers are made in 32 bits, means and variances of integers in `floatx()`, positions
are int32. Where several elements share an extreme, its gradient is split evenly among them.
"""

from __future__ import annotations

from typing import Any

from multikeras import dtypes, shapes
from multikeras.ops import rules
from multikeras.ops._compose import composed
from multikeras.ops._declare import op
from multikeras.ops.arithmetic import divide, multiply, not_equal, subtract
from multikeras.ops.core import cast, ndim
from multikeras.ops.core import shape as shape_of
from multikeras.ops.shaping import reshape
from multikeras.symbolic import KerasTensor


def _position_spec(_: str | None, x: KerasTensor, axis: Any, keepdims: bool) -> KerasTensor:
    if axis is not None and not isinstance(axis, int):
        raise ValueError(f"`axis` must be one integer or None, got {axis!r}.")
    return KerasTensor(shapes.reduce(x.shape, axis, keepdims), "int32")


def _cumulative_spec(dtype: str, x: KerasTensor, axis: Any, wanted: Any) -> KerasTensor:
    if axis is None:
        size = shapes.size(x.shape)
        shape: tuple = (size,)
    else:
        shapes.normalize_axis(axis, len(x.shape))
        shape = x.shape
    return KerasTensor(shape, dtypes.standardize_dtype(wanted) if wanted else dtype)


_positions = rules.custom(_position_spec, ("x",))
_cumulative = rules.custom(_cumulative_spec, ("x",), rules.to_numeric)


def _product_spec(
    dtype: str, x: KerasTensor, axis: Any, keepdims: bool, wanted: Any
) -> KerasTensor:
    out = dtypes.standardize_dtype(wanted) if wanted else dtype
    return KerasTensor(shapes.reduce(x.shape, axis, keepdims), out)


_product = rules.custom(_product_spec, ("x",), rules.to_sum)


@op(rules.reduction(rules.to_sum))
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum over axes.

    Args:
        x: a tensor of any shape; bool and small integers add up in 32 bits.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.sum([[1.0, 2.0], [3.0, 4.0]], axis=0)).tolist()
        [4.0, 6.0]
    """


@op(rules.reduction(rules.to_float))
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean over axes.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.mean([[1, 2], [3, 4]], axis=1)).tolist()
        [1.5, 3.5]
    """


@op(rules.reduction())
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Greatest element over axes; NaN if there is one.

    Args:
        x: a tensor of any shape.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.
        initial: a number that takes part too; needed where an axis is empty. Defaults to None.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.max([[1, 5], [3, 4]], axis=1)).tolist()
        [5, 4]
    """


@op(rules.reduction())
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Smallest element over axes; NaN if there is one.

    Args:
        x: a tensor of any shape.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.
        initial: a number that takes part too; needed where an axis is empty. Defaults to None.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.min([[1, 5], [3, 4]], axis=1)).tolist()
        [1, 3]
    """


@op(rules.reduction())
def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Greatest element over axes: `max` without `initial`.

    Args:
        x: a tensor of any shape.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.amax([[1, 5], [3, 4]])).tolist()
        5
    """


@op(rules.reduction())
def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Smallest element over axes: `min` without `initial`.

    Args:
        x: a tensor of any shape.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.amin([[1, 5], [3, 4]])).tolist()
        1
    """


@op(_product)
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Product over axes.

    Args:
        x: a tensor of any shape; bool and small integers in 32 bits.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.
        dtype: dtype of the result. Defaults to that of `x`, as `sum` has it.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.prod([[1.0, 2.0], [3.0, 4.0]], axis=0)).tolist()
        [3.0, 8.0]
    """


@op(rules.reduction(rules.to_float, rules.real_dtype))
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Variance over axes: the mean squared distance from the mean.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.var([1.0, 2.0, 3.0, 6.0])).tolist()
        3.5
    """


@op(rules.reduction(rules.to_float, rules.real_dtype))
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Standard deviation over axes: the square root of `var`.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.std([1.0, 3.0])).tolist()
        1.0
    """


@op(rules.reduction(out="bool"))
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether all elements over axes are true.

    Args:
        x: a tensor of any shape; what is not 0 counts as true.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.all([[True, False], [True, True]], axis=1)).tolist()
        [False, True]
    """


@op(rules.reduction(out="bool"))
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether any element over axes is true.

    Args:
        x: a tensor of any shape; what is not 0 counts as true.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.any([[True, False], [False, False]], axis=1)).tolist()
        [True, False]
    """


@op(rules.reduction(rules.to_float))
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Log of the sum of exponentials over axes, without overflow.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.logsumexp([0.0, -1000.0])).tolist()
        0.0
    """


@op(_positions)
def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Position of the greatest element along an axis, the first of several, as int32.

    Args:
        x: a tensor of any shape.
        axis: one axis; None: the tensor is taken as flat. Defaults to None.
        keepdims: whether the reduced axis stays, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.argmax([[1, 5], [3, 4]], axis=1)).tolist()
        [1, 1]
    """


@op(_positions)
def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Position of the smallest element along an axis, the first of several, as int32.

    Args:
        x: a tensor of any shape.
        axis: one axis; None: the tensor is taken as flat. Defaults to None.
        keepdims: whether the reduced axis stays, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.argmin([[1, 5], [3, 4]], axis=1)).tolist()
        [0, 0]
    """


@op(_cumulative)
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Sums of all elements up to each, along an axis.

    Args:
        x: a tensor of any shape; bool counts as int32.
        axis: the axis to go along; None: the tensor is made flat first. Defaults to None.
        dtype: dtype of the result and the computation. Defaults to that of `x`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.cumsum([1, 2, 3])).tolist()
        [1, 3, 6]
    """


@op(_cumulative)
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Products of all elements up to each, along an axis.

    Args:
        x: a tensor of any shape; bool counts as int32.
        axis: the axis to go along; None: the tensor is made flat first. Defaults to None.
        dtype: dtype of the result and the computation. Defaults to that of `x`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.cumprod([1, 2, 3])).tolist()
        [1, 2, 6]
    """


@composed("x")
def count_nonzero(x: Any, axis: Any = None) -> Any:
    """How many elements over axes are not 0, as int32.

    Args:
        x: a tensor of any shape.
        axis: the axes to reduce; None: all. Defaults to None.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.count_nonzero([[0, 2], [3, 4]], axis=0)).tolist()
        [1, 2]
    """
    return sum(cast(not_equal(x, 0), "int32"), axis)


@composed("x")
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Distance from the smallest to the greatest element over axes.

    Args:
        x: a tensor of any shape.
        axis: the axes to reduce; None: all. Defaults to None.
        keepdims: whether reduced axes stay, with size 1. Defaults to False.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.ptp([[1, 5], [3, 4]], axis=1)).tolist()
        [4, 1]
    """
    return subtract(max(x, axis, keepdims), min(x, axis, keepdims))


@composed("x", "weights", promote=rules.to_float)
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """Mean over axes, weighted.

    Args:
        x: a tensor of any shape; integers are taken as `floatx()`.
        axis: the axes to reduce; None: all. Defaults to None.
        weights: a tensor of the shape of `x`, or of the length of the one axis; None: all
            weigh the same. Defaults to None.

    Raises:
        ValueError: if `weights` has one dimension, `x` more, and `axis` is not an integer.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.average([1.0, 5.0], weights=[3.0, 1.0])).tolist()
        2.0
    """
    if weights is None:
        return mean(x, axis)
    rank = ndim(x)
    if ndim(weights) != rank:
        if not isinstance(axis, int) or ndim(weights) != 1:
            raise ValueError(
                "average: `weights` must have the shape of `x`, or one dimension along an "
                f"integer `axis`; got weights of rank {ndim(weights)}, axis={axis!r}."
            )
        along = shapes.normalize_axis(axis, rank, "average")
        # -1 serves where the length is unknown.
        length = shape_of(weights)[0]
        length = length if isinstance(length, int) else -1
        weights = reshape(weights, (1,) * along + (length,) + (1,) * (rank - along - 1))
    total = sum(multiply(x, weights), axis)
    return divide(total, sum(weights, axis))
