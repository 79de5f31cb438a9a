"""Tensors of given shapes and values: zeros, ones, ranges, identities, triangles, grids."""

from __future__ import annotations

from typing import Any

from multikeras import dtypes, shapes
from multikeras.ops import rules
from multikeras.ops._compose import composed
from multikeras.ops._declare import op
from multikeras.ops.arithmetic import add, divide, equal, multiply, power, subtract, where
from multikeras.ops.core import cast, convert_to_tensor, ndim
from multikeras.ops.core import shape as shape_of
from multikeras.ops.elementwise import floor
from multikeras.ops.shaping import moveaxis, reshape
from multikeras.symbolic import KerasTensor


def _filled(_: str | None, shape: Any, *rest: Any) -> KerasTensor:
    return KerasTensor(shape, dtypes.standardize_dtype(rest[-1]))


def _like(_: str | None, x: KerasTensor, *rest: Any) -> KerasTensor:
    return KerasTensor(x.shape, dtypes.standardize_dtype(rest[-1]) if rest[-1] else x.dtype)


def _matrix(_: str | None, N: int, M: int | None, k: int, dtype: Any) -> KerasTensor:
    return KerasTensor((N, N if M is None else M), dtypes.standardize_dtype(dtype))


_fill_rule = rules.custom(_filled, ())
_matrix_rule = rules.custom(_matrix, ())


def array(x: Any, dtype: Any = None) -> Any:
    """A tensor of the backend; the same as `convert_to_tensor`.

    Args:
        x: an array-like, a number, a Variable or a tensor.
        dtype: default: that of the value; Python floats give `floatx()`, integers int32.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.array([1, 2])).tolist()
        [1, 2]
    """
    return convert_to_tensor(x, dtype)


@op(_fill_rule)
def zeros(shape: Any, dtype: Any = None) -> Any:
    """A tensor of zeros.

    Args:
        shape: a tuple of integers, or one integer.
        dtype: default: `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.zeros((2,))).tolist()
        [0.0, 0.0]
    """


@op(_fill_rule)
def ones(shape: Any, dtype: Any = None) -> Any:
    """A tensor of ones.

    Args:
        shape: a tuple of integers, or one integer.
        dtype: default: `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.ones((2,))).tolist()
        [1.0, 1.0]
    """


@op(_fill_rule)
def empty(shape: Any, dtype: Any = None) -> Any:
    """A tensor whose values don't matter; here they are zeros.

    Args:
        shape: a tuple of integers, or one integer.
        dtype: default: `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.empty((2,))).tolist()
        [0.0, 0.0]
    """


@op(rules.custom(_filled, ("fill_value",)))
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """A tensor that holds one value everywhere.

    Args:
        shape: a tuple of integers, or one integer.
        fill_value: a number, or a tensor that broadcasts to `shape`.
        dtype: default: `floatx()`, whatever `fill_value` is.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.full((2,), 7)).tolist()
        [7.0, 7.0]
    """


@op(rules.custom(_like, ("x",)))
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape of `x`.

    Args:
        x: a tensor of any shape.
        dtype: default: that of `x`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.zeros_like([5, 6])).tolist()
        [0, 0]
    """


@op(rules.custom(_like, ("x",)))
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape of `x`.

    Args:
        x: a tensor of any shape.
        dtype: default: that of `x`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.ones_like([5, 6])).tolist()
        [1, 1]
    """


@op(rules.custom(_like, ("x",)))
def empty_like(x: Any, dtype: Any = None) -> Any:
    """A tensor in the shape of `x` whose values don't matter; here they are zeros.

    Args:
        x: a tensor of any shape.
        dtype: default: that of `x`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.empty_like([5, 6])).tolist()
        [0, 0]
    """


@op(rules.custom(_like, ("x", "fill_value")))
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One value everywhere, in the shape of `x`.

    Args:
        x: a tensor of any shape.
        fill_value: a number, or a tensor that broadcasts to the shape of `x`.
        dtype: default: that of `x`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.full_like([5, 6], 7)).tolist()
        [7, 7]
    """


@op(rules.unary())
def copy(x: Any) -> Any:
    """The same values in a tensor of their own.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.copy([1, 2])).tolist()
        [1, 2]
    """


def _range_spec(_: str | None, start: Any, stop: Any, step: Any, dtype: Any) -> KerasTensor:
    raise ValueError("the length of the result depends on values that are symbolic.")


@op(rules.custom(_range_spec, ()))
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Numbers from `start` (included) to `stop` (excluded), `step` apart.

    Args:
        start: a number; if it is the only one given, it is the end and the beginning is 0.
        stop: a number. Defaults to None.
        step: a number, not 0; None: 1. Defaults to None.
        dtype: default: int32 if all numbers are integers, else `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.arange(2, 8, 3)).tolist()
        [2, 5]
    """


def _fractions(num: int, endpoint: bool, rank: int, dtype: str) -> tuple[Any, int]:
    """Positions 0, 1, ..., num - 1 along a new first axis, and the steps between the ends."""
    if num < 0:
        raise ValueError(f"expected a number of samples that is not negative, got num={num}.")
    positions = reshape(cast(arange(num), dtype), (num,) + (1,) * rank)
    return positions, num - 1 if endpoint else num


@composed("start", "stop", promote=rules.to_float)
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` numbers from `start` to `stop`, evenly spaced.

    Args:
        start, stop: numbers or tensors of shapes that broadcast.
        num: how many. Defaults to 50.
        endpoint: whether `stop` is the last one. Defaults to True.
        retstep: whether the distance between neighbours is returned too. Defaults to False.
        dtype: default: the common float dtype of `start` and `stop`. Integers are rounded down.
        axis: where the new dimension goes. Defaults to 0.

    Raises:
        ValueError: if `num` is negative.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.linspace(0, 1, 5)).tolist()
        [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    distance = subtract(stop, start)
    kind = dtypes.standardize_dtype(distance.dtype)
    positions, steps = _fractions(num, endpoint, ndim(distance), kind)
    step = divide(distance, steps) if steps > 0 else multiply(distance, float("nan"))
    result = add(start, multiply(positions, step if steps > 0 else 0))
    if endpoint and num > 1:
        result = where(equal(positions, num - 1), stop, result)  # exactly the end
    if dtype is not None:
        dtype = dtypes.standardize_dtype(dtype)
        result = cast(floor(result) if dtypes.is_int_dtype(dtype) else result, dtype)
    if axis != 0:
        result = moveaxis(result, 0, axis)
    return (result, step) if retstep else result


@composed("start", "stop", promote=rules.to_float)
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` powers of `base`, with exponents evenly spaced from `start` to `stop`.

    Args:
        start, stop: exponents, numbers or tensors of shapes that broadcast.
        num: how many. Defaults to 50.
        endpoint: whether `stop` is the last exponent. Defaults to True.
        base: the base of the powers. Defaults to 10.
        dtype: default: the common float dtype of `start` and `stop`.
        axis: where the new dimension goes. Defaults to 0.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.logspace(0, 2, 3, base=2)).tolist()
        [1.0, 2.0, 4.0]
    """
    result = power(base, linspace(start, stop, num, endpoint, axis=axis))
    return result if dtype is None else cast(result, dtype)


@composed("start", "stop", promote=rules.to_float)
def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` numbers from `start` to `stop`, each the same multiple of the one before.

    Args:
        start, stop: numbers or tensors of shapes that broadcast, of the same sign, not 0.
        num: how many. Defaults to 50.
        endpoint: whether `stop` is the last one. Defaults to True.
        dtype: default: the common float dtype of `start` and `stop`.
        axis: where the new dimension goes. Defaults to 0.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.geomspace(1, 4, 3)).tolist()
        [1.0, 2.0, 4.0]
    """
    ratio = divide(stop, start)
    positions, steps = _fractions(num, endpoint, ndim(ratio), dtypes.standardize_dtype(ratio.dtype))
    result = multiply(start, power(ratio, divide(positions, steps or 1)))
    if dtype is not None:
        result = cast(result, dtype)
    return result if axis == 0 else moveaxis(result, 0, axis)


@op(_matrix_rule)
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix with ones on a diagonal and zeros elsewhere.

    Args:
        N: number of rows.
        M: number of columns; None: as many as rows. Defaults to None.
        k: which diagonal: positive above the main one, negative below. Defaults to 0.
        dtype: default: `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.eye(2)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    return cast(equal(*_diagonals(N, M, k)), dtypes.standardize_dtype(dtype))


def _diagonals(rows: Any, columns: Any, k: int) -> tuple[Any, Any]:
    """Column numbers, and for each row the column where diagonal `k` crosses it."""
    columns = rows if columns is None else columns
    return arange(columns), reshape(add(arange(rows), k), (-1, 1))


@op(rules.custom(lambda _, n, dtype: _matrix(_, n, n, 0, dtype), ()))
def identity(n: int, dtype: Any = None) -> Any:
    """The identity matrix.

    Args:
        n: number of rows and of columns.
        dtype: default: `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.identity(2)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    return eye(n, n, 0, dtype)


@op(_matrix_rule)
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix with ones at and below a diagonal and zeros above.

    Args:
        N: number of rows.
        M: number of columns; None: as many as rows. Defaults to None.
        k: which diagonal: positive above the main one, negative below. Defaults to 0.
        dtype: default: `floatx()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.tri(2)).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    columns, diagonal = _diagonals(N, M, k)
    return cast(columns <= diagonal, dtypes.standardize_dtype(dtype))


def _triangle_shape(x: KerasTensor, k: int = 0) -> tuple:
    if len(x.shape) < 2:
        raise ValueError("expected a tensor of rank 2 or more.")
    return x.shape


_triangle = rules.like(_triangle_shape, tensors=("x",))


@op(_triangle)
def tril(x: Any, k: int = 0) -> Any:
    """The lower triangle of (a batch of) matrices; 0 above a diagonal.

    Args:
        x: a tensor of shape (..., rows, columns).
        k: which diagonal: positive above the main one, negative below. Defaults to 0.

    Raises:
        ValueError: if the rank is below 2.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.tril([[1, 2], [3, 4]])).tolist()
        [[1, 0], [3, 4]]
    """
    columns, diagonal = _diagonals(shape_of(x)[-2], shape_of(x)[-1], k)
    return where(columns <= diagonal, x, zeros_like(x))


@op(_triangle)
def triu(x: Any, k: int = 0) -> Any:
    """The upper triangle of (a batch of) matrices; 0 below a diagonal.

    Args:
        x: a tensor of shape (..., rows, columns).
        k: which diagonal: positive above the main one, negative below. Defaults to 0.

    Raises:
        ValueError: if the rank is below 2.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.triu([[1, 2], [3, 4]])).tolist()
        [[1, 2], [0, 4]]
    """
    columns, diagonal = _diagonals(shape_of(x)[-2], shape_of(x)[-1], k)
    return where(columns >= diagonal, x, zeros_like(x))


def _grid_spec(_: str | None, xs: list[KerasTensor], indexing: str) -> list[KerasTensor]:
    sizes = [shapes.size(x.shape) for x in xs]
    if indexing == "xy" and len(sizes) > 1:
        sizes[:2] = sizes[1::-1]
    return [KerasTensor(tuple(sizes), x.dtype) for x in xs]


@op(rules.custom(_grid_spec, ("*xs",)))
def meshgrid_of(xs: Any, indexing: str) -> Any:
    """`meshgrid` of a list of tensors."""


def meshgrid(*x: Any, indexing: str = "xy") -> list[Any]:
    """Grids of coordinates: for each tensor one of the full shape, that varies along one axis.

    Args:
        *x: tensors of rank 0 or 1; each keeps its dtype.
        indexing: "xy" (the first tensor runs along the second axis) or "ij" (along the first).
            Defaults to "xy".

    Returns:
        A list of as many tensors.

    Raises:
        ValueError: for another `indexing`.

    Example:
        >>> from multikeras import ops
        >>> [ops.convert_to_numpy(g).tolist() for g in ops.meshgrid([1, 2], [3])]
        [[[1, 2]], [[3, 3]]]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f'meshgrid: `indexing` must be "xy" or "ij", got {indexing!r}.')
    return list(meshgrid_of(list(x), indexing))
