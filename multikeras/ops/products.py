"""Products of vectors, matrices and tensors.

Two int8 tensors multiply into int32 in `matmul` and `einsum`; else the result has the promoted
dtype. Dimensions may be unknown while a graph is built; those that must agree are checked where
both are known.
"""

from __future__ import annotations

from typing import Any

from multikeras import dtypes, shapes
from multikeras.backends import native
from multikeras.backends.contractions import contracted_axes, split_subscripts
from multikeras.ops import rules, shaping
from multikeras.ops._compose import composed
from multikeras.ops._declare import op
from multikeras.ops.complex_numbers import conjugate
from multikeras.symbolic import KerasTensor


def _wide(found: list[str]) -> str:
    """The common dtype; int8 alone widens to int32."""
    return "int32" if set(found) == {"int8"} else dtypes.promote(*found)


def _matmul_spec(dtype: str, x1: KerasTensor, x2: KerasTensor) -> KerasTensor:
    return KerasTensor(shapes.matmul(x1.shape, x2.shape), dtype)


@op(rules.custom(_matmul_spec, ("x1", "x2"), _wide))
def matmul(x1: Any, x2: Any) -> Any:
    """Matrix product; dimensions before the last two broadcast.

    Args:
        x1: (..., n, k), or (k,) for a row.
        x2: (..., k, m), or (k,) for a column.

    Returns:
        (..., n, m), without the dimension of a vector.

    Raises:
        ValueError: if the inner dimensions differ, or one argument is a scalar.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.matmul([[1, 2], [3, 4]], [1, 1])).tolist()
        [3, 7]
    """


@composed("x1", "x2", promote=rules.common)
def dot(x1: Any, x2: Any) -> Any:
    """The sum over the last axis of `x1` and the second to last (or only) axis of `x2`.

    A scalar argument multiplies.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.dot([1.0, 2.0], [3.0, 4.0])).item()
        11.0
    """
    if not len(x1.shape) or not len(x2.shape):
        return outer_product(x1, x2)
    return tensordot(x1, x2, ((-1,), (-1 if len(x2.shape) == 1 else -2,)))


@composed("x1", "x2", promote=rules.common)
def inner(x1: Any, x2: Any) -> Any:
    """The sum of products over the last axes of both; a scalar argument multiplies.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.inner([[1, 2], [3, 4]], [1, 1])).tolist()
        [3, 7]
    """
    if not len(x1.shape) or not len(x2.shape):
        return outer_product(x1, x2)
    return tensordot(x1, x2, ((-1,), (-1,)))


@composed("x1", "x2", promote=rules.common)
def vdot(x1: Any, x2: Any) -> Any:
    """The sum of products of all elements; the first are conjugated if they are complex.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.vdot([[1, 2], [3, 4]], [[1, 0], [0, 1]])).item()
        5
    """
    return tensordot(conjugate(shaping.ravel(x1)), shaping.ravel(x2), 1)


@composed("x1", "x2", promote=rules.common)
def outer(x1: Any, x2: Any) -> Any:
    """Every element of `x1` times every element of `x2`, as a matrix.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.outer([1, 2], [3, 4])).tolist()
        [[3, 4], [6, 8]]
    """
    return outer_product(shaping.ravel(x1), shaping.ravel(x2))


@composed("x1", "x2", promote=rules.common)
def outer_product(x1: Any, x2: Any) -> Any:
    """Every element of `x1` times every element of `x2`, of shape `x1.shape + x2.shape`."""
    return tensordot(x1, x2, 0)


def _tensordot_spec(dtype: str, x1: KerasTensor, x2: KerasTensor, axes: Any = 2) -> KerasTensor:
    one, two = contracted_axes(axes, len(x1.shape), len(x2.shape))
    for a, b in zip(one, two, strict=True):
        first, second = x1.shape[a], x2.shape[b]
        if first is not None and second is not None and first != second:
            raise ValueError(f"axis {a} of the first and axis {b} of the second tensor differ.")
    rest1 = tuple(d for i, d in enumerate(x1.shape) if i not in one)
    rest2 = tuple(d for i, d in enumerate(x2.shape) if i not in two)
    return KerasTensor(rest1 + rest2, dtype)


@op(rules.custom(_tensordot_spec, ("x1", "x2"), rules.common))
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """The sum of products over some axes of both tensors.

    Args:
        x1, x2: tensors.
        axes: an int n for the last n axes of `x1` and the first n of `x2`, or a pair of (lists
            of) axes.

    Returns:
        A tensor with the other axes of `x1`, then those of `x2`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.tensordot([[1, 2], [3, 4]], [[1, 2], [3, 4]], 2)).item()
        30
    """


def _einsum_spec(dtype: str, subscripts: str, operands: list[KerasTensor]) -> KerasTensor:
    ranks = tuple(len(x.shape) for x in operands)
    terms, result = split_subscripts(subscripts, ranks)
    sizes: dict[str, int | None] = {}
    for term, x in zip(terms, operands, strict=True):
        for label, dim in zip(term, x.shape, strict=True):
            known = sizes.get(label, 1)
            if known is None or known == 1:
                sizes[label] = known if dim == 1 and label in sizes else dim
            elif dim not in (None, 1, known):
                raise ValueError(f"the dimensions of {label!r} differ: {known} and {dim}.")
    return KerasTensor(tuple(sizes[label] for label in result), dtype)


@op(rules.custom(_einsum_spec, ("*operands",), _wide))
def einsum_of(subscripts: str, operands: Any) -> Any:
    """`einsum` with the tensors in a list."""


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Sums of products in Einstein's notation.

    Args:
        subscripts: such as "bij,bjk->bik"; "..." stands for dimensions that broadcast. Without
            an arrow the labels that occur once are kept, in alphabetical order.
        *operands: one tensor for each term.
        **kwargs: `optimize`, kept for compatibility; an order of contraction is always chosen.

    Raises:
        ValueError: if subscripts and tensors do not fit.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.einsum("ij,j->i", [[1, 2], [3, 4]], [1, 1])).tolist()
        [3, 7]
    """
    unknown = set(kwargs) - {"optimize"}
    if unknown:
        raise TypeError(f"einsum: unexpected keyword arguments {sorted(unknown)}.")
    kinds = native.core.TENSOR_TYPES
    first: Any = operands[0] if operands else None
    if (
        type(first) in kinds
        and first.dtype in native.core.FLOATS
        and all(type(x) in kinds and x.dtype is first.dtype for x in operands)
    ):
        return native.products.einsum_of(subscripts, operands)
    return einsum_of(subscripts, operands)
