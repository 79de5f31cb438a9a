"""Order: sorting, the largest elements, places in sorted sequences, counts of integers.

Sorting is stable and indices are int32 on every backend. What depends on the values for its
shape (`bincount` without an upper bound) needs them, so it can't be compiled by JAX.
"""

from __future__ import annotations

from typing import Any

from multikeras import dtypes, shapes
from multikeras.ops import rules
from multikeras.ops._compose import composed
from multikeras.ops._declare import op
from multikeras.symbolic import KerasTensor


def _sorted_shape(x: KerasTensor, axis: int | None = -1) -> tuple:
    if axis is None:
        return (shapes.size(x.shape),)
    shapes.normalize_axis(axis, len(x.shape), "sort")
    return x.shape


@op(rules.like(_sorted_shape, tensors=("x",)))
def sort(x: Any, axis: int | None = -1) -> Any:
    """The elements in rising order along `axis`.

    Args:
        x: a tensor.
        axis: default the last; None: all elements in one dimension.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.sort([[3, 1, 2], [1, 3, 2]])).tolist()
        [[1, 2, 3], [1, 2, 3]]
    """


@op(rules.like(_sorted_shape, tensors=("x",), out="int32"))
def argsort(x: Any, axis: int | None = -1) -> Any:
    """The indices (int32) that put the elements in rising order; equal ones keep their order.

    Args:
        x: a tensor.
        axis: default the last; None: all elements in one dimension.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.argsort([3, 1, 2])).tolist()
        [1, 2, 0]
    """


def _top_k_spec(_: str | None, x: KerasTensor, k: int, sorted: bool = True) -> tuple:
    last = x.shape[-1] if x.shape else 0
    if last is not None and k > last:
        raise ValueError(f"`k` is {k}, but the last dimension is {last}.")
    shape = (*x.shape[:-1], k)
    return KerasTensor(shape, x.dtype), KerasTensor(shape, "int32")


@op(rules.custom(_top_k_spec, ("x",)))
def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    """The `k` largest elements along the last axis and their indices (int32).

    Args:
        x: a tensor of rank 1 or more.
        k: how many.
        sorted: kept for compatibility; the largest always comes first, of equal ones the first.

    Returns:
        `(values, indices)`.

    Example:
        >>> from multikeras import ops
        >>> values, indices = ops.top_k([1, 5, 2, 5], 2)
        >>> ops.convert_to_numpy(values).tolist(), ops.convert_to_numpy(indices).tolist()
        ([5, 5], [1, 3])
    """


def _in_top_k_spec(_: str | None, targets: KerasTensor, predictions: Any, k: int) -> KerasTensor:
    if len(predictions.shape) != len(targets.shape) + 1:
        raise ValueError("`predictions` must have one dimension more than `targets`.")
    return KerasTensor(targets.shape, "bool")


@op(rules.custom(_in_top_k_spec, ("targets", "predictions")))
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether the class in `targets` is among the `k` with the highest prediction.

    Args:
        targets: integers (batch,).
        predictions: (batch, classes).
        k: how many.

    Returns:
        Bools (batch,). Classes that tie with the last one count as among them; a class out of
        range or with a prediction that is not finite does not.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.in_top_k([0, 1], [[0.1, 0.9], [0.2, 0.8]], 1)).tolist()
        [False, True]
    """


def _search_spec(_: str | None, sequence: KerasTensor, values: Any, side: str = "left") -> Any:
    if len(sequence.shape) != 1:
        raise ValueError("`sorted_sequence` must be of rank 1.")
    return KerasTensor(values.shape, "int32")


@op(rules.custom(_search_spec, ("sorted_sequence", "values"), rules.common))
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Where `values` would be inserted into a sorted sequence (int32).

    Args:
        sorted_sequence: numbers in rising order, of rank 1.
        values: of any shape.
        side: "left" or "right" of equal elements.

    Raises:
        ValueError: for another side or rank.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.searchsorted([1, 3, 5], [3, 6])).tolist()
        [1, 3]
    """


@composed("x", "bins", promote=rules.common)
def digitize(x: Any, bins: Any) -> Any:
    """The number of the bin (int32) into which each element falls.

    Args:
        x: a tensor.
        bins: the lower ends, in rising order.

    Returns:
        0 below the first end, i from `bins[i - 1]` on.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.digitize([0.5, 1.0, 9.0], [1.0, 2.0])).tolist()
        [0, 1, 2]
    """
    return searchsorted(bins, x, "right")


def _count_spec(
    _: str | None, x: KerasTensor, weights: Any = None, minlength: int = 0, sparse: bool = False
) -> KerasTensor:
    dtype = "int32" if weights is None else dtypes.promote(weights.dtype, "int32")
    return KerasTensor((*x.shape[:-1], None), dtype)


@op(rules.custom(_count_spec, ("x", "weights")))
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each integer occurs.

    Args:
        x: non-negative integers (n,), or (batch, n) to be counted row by row.
        weights: of the same shape, what each counts; default 1.
        minlength: the least length of the result. In code compiled by JAX the length is this,
            and larger integers are not counted.
        sparse: only False is supported.

    Returns:
        (length,) or (batch, length): int32, or with weights their dtype (32 bits at least).

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.bincount([0, 2, 2], minlength=4)).tolist()
        [1, 0, 2, 0]
    """
