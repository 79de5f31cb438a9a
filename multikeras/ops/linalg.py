"""Linear algebra: decompositions, solving, norms, diagonals.

Matrices stand in the last two dimensions, batches before. Integers compute in `floatx()`, 16-bit
floats in float32 and are rounded at the end. What a matrix must be (positive definite,
invertible) is checked by the framework, which raises or answers with NaN.
"""

from __future__ import annotations

import math
from typing import Any

from multikeras import config, dtypes, shapes
from multikeras.backends import arguments
from multikeras.ops import (
    arithmetic,
    core,
    elementwise,
    indexing,
    products,
    reductions,
    rules,
    shaping,
)
from multikeras.ops._compose import composed
from multikeras.ops._declare import op
from multikeras.ops.functional import jvp as jvp
from multikeras.symbolic import KerasTensor


def _square(x: KerasTensor) -> tuple:
    """The shape of a (batch of) square matrices, checked."""
    if len(x.shape) < 2:
        raise ValueError("expected matrices: a tensor of rank 2 or more.")
    rows, columns = x.shape[-2:]
    if rows is not None and columns is not None and rows != columns:
        raise ValueError("expected square matrices.")
    return x.shape


def _square_op(x: KerasTensor, *_: Any) -> tuple:
    return _square(x)


@op(rules.like(_square_op, rules.to_float, tensors=("x",)))
def cholesky(x: Any, upper: bool = False) -> Any:
    """The triangular factor L with `x = L @ transpose(L)`.

    Args:
        x: symmetric positive definite matrices (..., n, n).
        upper: return the transpose of L instead.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.cholesky([[4.0, 2.0], [2.0, 5.0]])).tolist()
        [[2.0, 0.0], [1.0, 2.0]]
    """


@composed("x", promote=rules.to_float)
def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """The inverse of the matrix whose Cholesky factor is `x`.

    Args:
        x: triangular factors (..., n, n).
        upper: whether they are upper triangular.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.cholesky_inverse([[2.0, 0.0], [0.0, 1.0]])).tolist()
        [[0.25, 0.0], [0.0, 1.0]]
    """
    inverse = inv(x)
    other = _flipped(inverse)
    return products.matmul(inverse, other) if upper else products.matmul(other, inverse)


def _flipped(x: Any) -> Any:
    return shaping.swapaxes(x, -1, -2)


@op(rules.like(lambda x: _square(x)[:-2], rules.to_float))
def det(x: Any) -> Any:
    """Determinants of matrices (..., n, n).

    Example:
        >>> from multikeras import ops
        >>> round(float(ops.det([[2.0, 1.0], [0.0, 3.0]])), 4)
        6.0
    """


def _slogdet_spec(dtype: str, x: KerasTensor) -> tuple:
    shape = _square(x)[:-2]
    return KerasTensor(shape, dtype), KerasTensor(shape, dtype)


@op(rules.custom(_slogdet_spec, ("x",), rules.to_float))
def slogdet(x: Any) -> Any:
    """`(sign, logarithm)` of the determinants of matrices (..., n, n), safe from overflow.

    Example:
        >>> from multikeras import ops
        >>> sign, log = ops.slogdet([[-1.0, 0.0], [0.0, 1.0]])
        >>> float(sign), abs(round(float(log), 4))
        (-1.0, 0.0)
    """


@composed("x", promote=rules.to_float)
def logdet(x: Any) -> Any:
    """The logarithm of the absolute determinant of matrices (..., n, n).

    Example:
        >>> from multikeras import ops
        >>> round(float(ops.logdet([[2.0, 0.0], [0.0, 3.0]])), 4)
        1.7918
    """
    return slogdet(x)[1]


@op(rules.like(_square_op, rules.to_float))
def inv(x: Any) -> Any:
    """Inverses of matrices (..., n, n).

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.inv([[2.0, 0.0], [0.0, 4.0]])).tolist()
        [[0.5, 0.0], [0.0, 0.25]]
    """


def _solved(a: KerasTensor, b: KerasTensor, *_: Any) -> tuple:
    shape = _square(a)
    rows = b.shape[-1] if len(b.shape) == len(shape) - 1 else b.shape[-2]
    if rows is not None and shape[-1] is not None and rows != shape[-1]:
        raise ValueError("the rows of `b` do not match the matrices.")
    return b.shape


@op(rules.like(_solved, rules.to_float))
def solve(a: Any, b: Any) -> Any:
    """The x with `a @ x = b`.

    Args:
        a: matrices (..., n, n).
        b: (..., n) or (..., n, k).

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 8.0])).tolist()
        [1.0, 2.0]
    """


@op(rules.like(_solved, rules.to_float))
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """The x with `a @ x = b` for triangular matrices; the other triangle is not read.

    Args:
        a: triangular matrices (..., n, n).
        b: (..., n) or (..., n, k).
        lower: whether the lower triangle counts.

    Example:
        >>> from multikeras import ops
        >>> x = ops.solve_triangular([[1.0, 1.0], [9.0, 2.0]], [3.0, 4.0])
        >>> ops.convert_to_numpy(x).tolist()
        [1.0, 2.0]
    """


def _qr_spec(dtype: str, x: KerasTensor, mode: str = "reduced") -> tuple:
    if mode not in ("reduced", "complete"):
        raise ValueError(f"`mode` must be 'reduced' or 'complete', got {mode!r}.")
    *batch, m, n = x.shape
    k = None if m is None or n is None else min(m, n)
    inside = k if mode == "reduced" else m
    return KerasTensor((*batch, m, inside), dtype), KerasTensor((*batch, inside, n), dtype)


@op(rules.custom(_qr_spec, ("x",), rules.to_float))
def qr(x: Any, mode: str = "reduced") -> Any:
    """`(q, r)`: orthonormal columns and an upper triangle whose product is `x`.

    Args:
        x: matrices (..., m, n).
        mode: "reduced": q is (..., m, min(m, n)); "complete": (..., m, m).

    Example:
        >>> from multikeras import ops
        >>> q, r = ops.qr([[3.0, 1.0], [4.0, 2.0]])
        >>> ops.convert_to_numpy(ops.matmul(q, r)).round(4).tolist()
        [[3.0, 1.0], [4.0, 2.0]]
    """


def _svd_spec(
    dtype: str, x: KerasTensor, full_matrices: bool = True, compute_uv: bool = True
) -> KerasTensor | tuple[KerasTensor, KerasTensor, KerasTensor]:
    *batch, m, n = x.shape
    k = None if m is None or n is None else min(m, n)
    s = KerasTensor((*batch, k), dtype)
    if not compute_uv:
        return s
    left, right = (m, n) if full_matrices else (k, k)
    return KerasTensor((*batch, m, left), dtype), s, KerasTensor((*batch, right, n), dtype)


@op(rules.custom(_svd_spec, ("x",), rules.to_float))
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular value decomposition: `x = u @ diag(s) @ vh`.

    Args:
        x: matrices (..., m, n).
        full_matrices: u and vh square, else with min(m, n) columns and rows.
        compute_uv: if not, only s is returned.

    Returns:
        `(u, s, vh)`, s in falling order.

    Example:
        >>> from multikeras import ops
        >>> s = ops.svd([[3.0, 0.0], [0.0, 4.0]], compute_uv=False)
        >>> ops.convert_to_numpy(s).tolist()
        [4.0, 3.0]
    """


def _eigh_spec(dtype: str, x: KerasTensor) -> tuple:
    shape = _square(x)
    return KerasTensor(shape[:-1], dtype), KerasTensor(shape, dtype)


@op(rules.custom(_eigh_spec, ("x",), rules.to_float))
def eigh(x: Any) -> Any:
    """Eigenvalues, in rising order, and eigenvectors (in columns) of symmetric matrices.

    Args:
        x: symmetric matrices (..., n, n).

    Returns:
        `(values, vectors)`.

    Example:
        >>> from multikeras import ops
        >>> values, _ = ops.eigh([[2.0, 1.0], [1.0, 2.0]])
        >>> ops.convert_to_numpy(values).round(4).tolist()
        [1.0, 3.0]
    """


def _eig_spec(dtype: str, x: KerasTensor) -> tuple:
    shape = _square(x)
    out = "complex128" if dtype in ("float64", "complex128") else "complex64"
    return KerasTensor(shape[:-1], out), KerasTensor(shape, out)


@op(rules.custom(_eig_spec, ("x",), rules.to_float))
def eig(x: Any) -> Any:
    """Eigenvalues and eigenvectors (in columns) of square matrices, as complex numbers.

    Args:
        x: matrices (..., n, n).

    Returns:
        `(values, vectors)`, in no order that could be relied on.

    Example:
        >>> from multikeras import ops
        >>> values, _ = ops.eig([[0.0, -1.0], [1.0, 0.0]])
        >>> sorted(ops.convert_to_numpy(values).imag.round(4).tolist())
        [-1.0, 1.0]
    """


def _lstsq_shape(a: KerasTensor, b: KerasTensor, *_: Any) -> tuple:
    if len(a.shape) != 2 or len(b.shape) not in (1, 2):
        raise ValueError("expected a matrix `a` and a vector or matrix `b`.")
    return (a.shape[-1], *b.shape[1:])


@composed("a", "b", promote=rules.to_float)
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """The x of least norm that brings `a @ x` nearest to `b`.

    Args:
        a: a matrix (m, n).
        b: (m,) or (m, k).
        rcond: singular values below `rcond` times the largest count as zero; default: the
            dtype's precision times max(m, n).

    Example:
        >>> from multikeras import ops
        >>> x = ops.lstsq([[1.0], [1.0]], [1.0, 3.0])
        >>> ops.convert_to_numpy(x).round(4).tolist()
        [2.0]
    """
    _lstsq_shape(a, b)
    return products.matmul(pinv(a, rcond), b)


def _pinv_shape(x: KerasTensor, *_: Any) -> tuple:
    return (*x.shape[:-2], x.shape[-1], x.shape[-2])


@op(rules.like(_pinv_shape, rules.to_float, tensors=("x",)))
def pinv(x: Any, rcond: float | None = None) -> Any:
    """Pseudo-inverses (Moore and Penrose) of matrices (..., m, n).

    Args:
        x: matrices.
        rcond: singular values below `rcond` times the largest count as zero; default: the
            dtype's precision times max(m, n).

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.pinv([[2.0, 0.0], [0.0, 0.0]])).round(4).tolist()
        [[0.5, 0.0], [0.0, 0.0]]
    """


@composed("x", promote=rules.to_float)
def matrix_rank(x: Any, tol: float | None = None) -> Any:
    """How many singular values of matrices (..., m, n) are above `tol`, as int32.

    Args:
        x: matrices.
        tol: default: the largest singular value times the dtype's precision times max(m, n).

    Example:
        >>> from multikeras import ops
        >>> int(ops.matrix_rank([[1.0, 1.0], [1.0, 1.0]]))
        1
    """
    s = svd(x, compute_uv=False)
    limit = tol
    if tol is None:
        limit = reductions.max(s, -1, keepdims=True) * _precision(x)
    return reductions.sum(core.cast(arithmetic.greater(s, limit), "int32"), -1)


def _precision(x: Any) -> float:
    """The relative size below which singular values of `x` are noise."""
    name = core.dtype(x)
    eps = 2.0**-23 if dtypes.item_bytes(name) <= 4 else 2.0**-52
    return eps * max(d for d in x.shape[-2:] if d is not None)


def _lu_spec(dtype: str, x: KerasTensor) -> tuple:
    *batch, m, n = x.shape
    k = None if m is None or n is None else min(m, n)
    return KerasTensor(x.shape, dtype), KerasTensor((*batch, k), "int32")


@op(rules.custom(_lu_spec, ("x",), rules.to_float))
def lu_factor(x: Any) -> Any:
    """LU decomposition with row exchanges, packed.

    Args:
        x: matrices (..., n, n).

    Returns:
        `(lu, pivots)`: L below the diagonal (its ones left out) and U in one matrix; row i was
        exchanged with row `pivots[i]` (int32).

    Example:
        >>> from multikeras import ops
        >>> lu, pivots = ops.lu_factor([[1.0, 2.0], [2.0, 6.0]])
        >>> ops.convert_to_numpy(lu).tolist(), ops.convert_to_numpy(pivots).tolist()
        ([[2.0, 6.0], [0.5, -1.0]], [1, 1])
    """


def _vector_norm(x: Any, ord: Any, axes: Any, keepdims: bool) -> Any:
    if ord is None or ord == 2:
        return elementwise.sqrt(reductions.sum(arithmetic.multiply(x, x), axes, keepdims))
    size = elementwise.absolute(x)
    if ord == math.inf:
        return reductions.max(size, axes, keepdims)
    if ord == -math.inf:
        return reductions.min(size, axes, keepdims)
    if ord == 0:
        return reductions.sum(core.cast(arithmetic.not_equal(x, 0), core.dtype(x)), axes, keepdims)
    if ord == 1:
        return reductions.sum(size, axes, keepdims)
    if isinstance(ord, str):
        raise ValueError(f"norm: `ord` {ord!r} is for matrices.")
    powers = reductions.sum(arithmetic.power(size, float(ord)), axes, keepdims)
    return arithmetic.power(powers, 1.0 / ord)


_OF_SINGULAR_VALUES = {2: reductions.max, -2: reductions.min, "nuc": reductions.sum}


def _matrix_norm(x: Any, ord: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    row, column = axes
    if ord in (None, "fro"):
        return _vector_norm(x, None, axes, keepdims)
    if ord in _OF_SINGULAR_VALUES:
        s = svd(shaping.moveaxis(x, axes, (-2, -1)), compute_uv=False)
        result = _OF_SINGULAR_VALUES[ord](s, -1)
        return shaping.expand_dims(result, tuple(sorted(axes))) if keepdims else result
    if ord not in (1, -1, math.inf, -math.inf):
        raise ValueError(f"norm: `ord` {ord!r} is unknown for matrices.")
    first, second = (row, column) if abs(ord) == 1 else (column, row)
    sums = reductions.sum(elementwise.absolute(x), first, keepdims=True)
    reduce = reductions.max if ord > 0 else reductions.min
    result = reduce(sums, second, keepdims=True)
    return result if keepdims else shaping.squeeze(result, axes)


@composed("x", promote=rules.to_float, compiled=True)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Norm of vectors or matrices.

    Args:
        x: a tensor.
        ord: of vectors: any number, +-inf or 0 (how many are not zero), default 2; of matrices:
            "fro" (default), "nuc", +-1, +-2, +-inf.
        axis: an int for vectors, a pair for matrices; None: the whole of `x`, which for an `ord`
            must be of rank 1 or 2.
        keepdims: keep the reduced axes with size 1.

    Raises:
        ValueError: for an `ord` that does not go with the rank.

    Example:
        >>> from multikeras import ops
        >>> float(ops.norm([3.0, 4.0]))
        5.0
    """
    rank = len(x.shape)
    if "complex" in core.dtype(x) and ord not in ("nuc", 2, -2):
        x = elementwise.abs(x)
    if axis is None and (ord is None or (ord == "fro" and rank == 2) or (ord == 2 and rank == 1)):
        return _vector_norm(x, None, None, keepdims)
    axes = arguments.axes_of(axis, rank)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ValueError(f"norm: expected one axis or two, got {len(axes)}.")
    return _matrix_norm(x, ord, (axes[0], axes[1]), keepdims)


@composed("x", promote=rules.to_float)
def normalize(x: Any, axis: Any = -1, order: Any = 2, epsilon: float | None = None) -> Any:
    """Divides by the norm along an axis.

    Args:
        x: a tensor.
        axis: default the last.
        order: of the norm; see `norm`.
        epsilon: the least by which is divided; default `config.epsilon()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.normalize([[3.0, 4.0]]) * 10).round(2).tolist()
        [[6.0, 8.0]]
    """
    epsilon = config.epsilon() if epsilon is None else epsilon
    if order == 2:
        dtype = core.dtype(x)
        if dtypes.item_bytes(dtype) == 2:
            x = core.cast(x, "float32")  # squares of small 16-bit numbers vanish
        squares = reductions.sum(arithmetic.multiply(x, x), axis, keepdims=True)
        scale = elementwise.rsqrt(arithmetic.maximum(squares, epsilon**2))
        return core.cast(arithmetic.multiply(x, scale), dtype)
    size = norm(x, order, axis, keepdims=True)
    return arithmetic.divide(x, arithmetic.maximum(size, epsilon))


def _diagonal_length(rows: int | None, columns: int | None, offset: int) -> int | None:
    if rows is None or columns is None:
        return None
    return max(0, min(rows + min(offset, 0), columns - max(offset, 0)))


def _diagonal_shape(x: KerasTensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> tuple:
    first, second = shapes.normalize_axes((axis1, axis2), len(x.shape), "diagonal")
    rest = tuple(d for i, d in enumerate(x.shape) if i not in (first, second))
    return (*rest, _diagonal_length(x.shape[first], x.shape[second], offset))


@op(rules.like(_diagonal_shape, tensors=("x",)))
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of two axes, as a new last axis.

    Args:
        x: a tensor of rank 2 or more.
        offset: above (positive) or below the main diagonal.
        axis1, axis2: the axes of rows and columns.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.diagonal([[1, 2], [3, 4]])).tolist()
        [1, 4]
    """


def _diag_shape(x: KerasTensor, k: int = 0) -> tuple:
    if len(x.shape) == 2:
        return (_diagonal_length(*x.shape, k),)
    if len(x.shape) != 1:
        raise ValueError("expected a tensor of rank 1 or 2.")
    size = x.shape[0]
    return ((None if size is None else size + abs(k)),) * 2


@op(rules.like(_diag_shape, tensors=("x",)))
def diag(x: Any, k: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix with a vector as its diagonal.

    Args:
        x: a tensor of rank 1 or 2.
        k: above (positive) or below the main diagonal.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.diag([1, 2])).tolist()
        [[1, 0], [0, 2]]
    """


@composed("x")
def diagflat(x: Any, k: int = 0) -> Any:
    """The matrix with all elements of `x` as its diagonal.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.diagflat([[1], [2]])).tolist()
        [[1, 0], [0, 2]]
    """
    return diag(shaping.ravel(x), k)


@composed("x")
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum along the diagonal of two axes; see `diagonal`.

    Example:
        >>> from multikeras import ops
        >>> int(ops.trace([[1, 2], [3, 4]]))
        5
    """
    return reductions.sum(diagonal(x, offset, axis1, axis2), -1)


@composed("x1", "x2", promote=rules.common, compiled=True)
def cross(
    x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """Cross products of vectors of 2 or 3 components.

    Args:
        x1, x2: tensors; their other dimensions broadcast.
        axisa, axisb: the axes of the components.
        axisc: the axis of the components in the result; without one if both have 2 components.
        axis: stands for all three.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.cross([1, 0, 0], [0, 1, 0])).tolist()
        [0, 0, 1]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = shaping.moveaxis(x1, axisa, -1), shaping.moveaxis(x2, axisb, -1)
    sizes = (a.shape[-1], b.shape[-1])
    if not set(sizes) <= {2, 3}:
        raise ValueError(f"cross: expected vectors of 2 or 3 components, got {sizes}.")

    def part(x: Any, i: int) -> Any:
        return indexing.get_item(x, (..., i))

    def minor(i: int, j: int) -> Any:
        # The third component of a vector of two is zero.
        terms = [
            arithmetic.multiply(part(a, p), part(b, q)) if p < sizes[0] and q < sizes[1] else None
            for p, q in ((i, j), (j, i))
        ]
        if terms[1] is None:
            return terms[0]
        if terms[0] is None:
            return elementwise.negative(terms[1])
        return arithmetic.subtract(*terms)

    z = minor(0, 1)
    if sizes == (2, 2):
        return z
    return shaping.moveaxis(shaping.stack([minor(1, 2), minor(2, 0), z], -1), -1, axisc)


@composed("x1", "x2", promote=rules.common)
def kron(x1: Any, x2: Any) -> Any:
    """Kronecker product: a copy of `x2` times each element of `x1`, in the place of that element.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.kron([1, 10], [1, 2])).tolist()
        [1, 2, 10, 20]
    """
    rank = max(len(x1.shape), len(x2.shape))
    dims1 = (1,) * (rank - len(x1.shape)) + core.shape(x1)
    dims2 = (1,) * (rank - len(x2.shape)) + core.shape(x2)
    a = shaping.reshape(x1, [n for d in dims1 for n in (d, 1)])
    b = shaping.reshape(x2, [n for d in dims2 for n in (1, d)])
    sizes = [None if p is None or q is None else p * q for p, q in zip(dims1, dims2, strict=True)]
    return shaping.reshape(arithmetic.multiply(a, b), sizes)
