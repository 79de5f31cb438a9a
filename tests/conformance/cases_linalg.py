"""Cases of linear algebra. What is unique only up to a sign is checked by its product."""

from __future__ import annotations

from typing import Any

import numpy as np

from multikeras import ops
from tests.conformance.op_cases import Case, b, f, i

square = f(2, 3, 3) + 3 * np.eye(3, dtype="float32")
wide = f(2, 3, 4)
tall = f(2, 4, 3)
inf = float("inf")


def _spd(*batch: int) -> np.ndarray:
    a = f(*batch, 3, 3)
    return np.float32(a @ np.swapaxes(a, -1, -2) + np.eye(3))


def _cholesky(x: Any, upper: bool = False) -> Any:
    # As a function of the lower triangle alone, as it is read.
    low = np.tril(x)
    factor = np.linalg.cholesky(low + np.swapaxes(np.tril(x, -1), -1, -2))
    return np.swapaxes(factor, -1, -2) if upper else factor


def _symmetric(x: Any) -> Any:
    return (x + (np if isinstance(x, np.ndarray) else ops).swapaxes(x, -1, -2)) / 2


def _of_symmetric(op: Any, x: Any, **settings: Any) -> Any:
    """The op of `x` made symmetric: which triangle is read is each framework's own choice."""
    return op(_symmetric(x), **settings)


def _projector(op: Any, x: Any) -> Any:
    """Eigenvalues, and the products of eigenvectors that don't change with a vector's sign."""
    values, vectors = op(_symmetric(x))
    return values, vectors[..., :, None, :] * vectors[..., None, :, :]


def _subspaces(op: Any, x: Any, **settings: Any) -> Any:
    """Singular values, and what of the vectors is no matter of sign."""
    u, s, vh = op(x, **settings)
    left = u[..., :, None, :] * ops.swapaxes(vh, -1, -2)[..., None, :, :]
    return s, left


def _positive(op: Any, x: Any, **settings: Any) -> Any:
    """QR with the signs that make the diagonal of R positive."""
    q, r = op(x, **settings)
    signs = ops.stop_gradient(ops.sign(ops.diagonal(r, axis1=-2, axis2=-1)))
    return q * signs[..., None, :], r * signs[..., :, None]


def _solve(a: Any, c: Any) -> Any:
    return (
        np.linalg.solve(a, c[..., None])[..., 0] if c.ndim == a.ndim - 1 else np.linalg.solve(a, c)
    )


def _triangular(a: Any, c: Any, lower: bool = False) -> Any:
    return _solve(np.tril(a) if lower else np.triu(a), c)


def _lu(x: Any) -> Any:
    """Row exchanges by the largest element, as LAPACK does them."""
    lu, pivots = np.array(x), []
    for k in range(len(lu)):
        best = k + int(np.argmax(np.abs(lu[k:, k])))
        pivots.append(best)
        lu[[k, best]] = lu[[best, k]]
        lu[k + 1 :, k] /= lu[k, k]
        lu[k + 1 :, k + 1 :] -= np.outer(lu[k + 1 :, k], lu[k, k + 1 :])
    return lu, np.array(pivots)


def _qr(x: Any, mode: str) -> Any:
    q, r = np.linalg.qr(x, mode)
    signs = np.sign(np.diagonal(r, axis1=-2, axis2=-1))
    return q * signs[..., None, :], r * signs[..., :, None]


def _svd(x: Any, full_matrices: bool) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices)
    return s, u[..., :, None, :] * np.swapaxes(vh, -1, -2)[..., None, :, :]


def _normalize(x: Any, axis: int = -1, order: Any = 2, epsilon: float = 1e-7) -> Any:
    if order == 2:
        return x / np.sqrt(np.maximum((x * x).sum(axis, keepdims=True), epsilon**2))
    return x / np.maximum(np.linalg.norm(x, order, axis, keepdims=True), epsilon)


CASES = [
    *(
        Case("cholesky", (_spd(*batch),), {"upper": upper}, reference=_cholesky, grad=False)
        for batch in ((), (2,))
        for upper in (False, True)
    ),
    *(
        Case(
            "cholesky",
            (_spd(*batch),),
            {"upper": upper},
            reference=lambda x, upper: _cholesky(_symmetric(x), upper),
            through=_of_symmetric,
            name=f"symmetrised_{len(batch)}_{upper}",
        )
        for batch in ((), (2,))
        for upper in (False, True)
    ),
    *(
        Case(
            "cholesky_inverse",
            (np.linalg.cholesky(_spd()) if not up else np.linalg.cholesky(_spd()).T.copy(),),
            {"upper": up},
            tol=1e-4,
            batch=False,
            reference=lambda x, upper: np.linalg.inv(x.T @ x if upper else x @ x.T),
        )
        for up in (False, True)
    ),
    Case("det", (square,), reference=np.linalg.det, tol=1e-4),
    Case("det", (i(2, 2),), reference=np.linalg.det, tol=1e-4, batch=False),
    Case("slogdet", (square,), reference=lambda x: tuple(np.linalg.slogdet(x)), tol=1e-4),
    Case("logdet", (square,), reference=lambda x: np.linalg.slogdet(x)[1], tol=1e-4),
    Case("inv", (square,), reference=np.linalg.inv, tol=1e-4),
    *(
        Case("solve", (square, f(*shape, seed=1)), reference=_solve, tol=1e-4)
        for shape in ((2, 3), (2, 3, 2))
    ),
    Case("solve", (square[0], f(3)), reference=_solve, tol=1e-4, batch=False),
    *(
        Case(
            "solve_triangular",
            (square, f(*shape, seed=1)),
            {"lower": lower},
            reference=_triangular,
            tol=1e-4,
        )
        for shape in ((2, 3), (2, 3, 2))
        for lower in (False, True)
    ),
    *(
        Case("qr", (array,), {"mode": mode}, reference=False, grad=False)
        for array in (square, tall, wide)
        for mode in ("reduced", "complete")
    ),
    *(
        Case("qr", (array,), {"mode": mode}, reference=_qr, through=_positive, name=f"{mode}_{n}")
        for n, array, mode in (
            ("square", square, "reduced"),
            ("square", square, "complete"),
            ("tall", tall, "reduced"),
        )
    ),
    *(
        Case(
            "svd",
            (array,),
            {"full_matrices": False},
            reference=_svd,
            through=_subspaces,
            tol=1e-4,
            name=f"vectors_{array.shape[-2:]}",
        )
        for array in (square, tall, wide)
    ),
    *(
        Case("svd", (array,), {"full_matrices": full}, reference=False, grad=False)
        for array in (square, tall, wide)
        for full in (False, True)
    ),
    *(
        Case(
            "svd",
            (array,),
            {"compute_uv": False},
            tol=1e-4,
            name=f"values{array.shape}",
            reference=lambda x, compute_uv: np.linalg.svd(x, compute_uv=False),
        )
        for array in (square, tall, wide)
    ),
    Case("eigh", (_spd(2),), reference=False, grad=False),
    *(
        Case(
            "eigh",
            (_spd(*batch),),
            reference=lambda x: _projector(np.linalg.eigh, x),
            through=_projector,
            tol=1e-4,
            name=f"symmetrised_{len(batch)}",
        )
        for batch in ((), (2,))
    ),
    Case("eig", (square,), reference=False, grad=False),
    Case(
        "lstsq",
        (tall[0], f(4)),
        reference=lambda a, c: np.linalg.lstsq(a, c)[0],
        tol=1e-4,
        batch=False,
    ),
    Case(
        "lstsq",
        (tall[0], f(4, 2)),
        reference=lambda a, c: np.linalg.lstsq(a, c)[0],
        tol=1e-4,
        batch=False,
    ),
    *(Case("pinv", (array,), reference=np.linalg.pinv, tol=1e-4) for array in (tall, wide)),
    Case(
        "matrix_rank",
        (np.stack([np.eye(3), np.ones((3, 3))]).astype("float32"),),
        reference=np.linalg.matrix_rank,
        grad=False,
    ),
    Case(
        "matrix_rank",
        (np.diag([1.0, 0.01, 2.0]).astype("float32"),),
        {"tol": 0.1},
        reference=lambda x, tol: np.linalg.matrix_rank(x, tol),
        grad=False,
        batch=False,
    ),
    Case("lu_factor", (f(4, 4),), reference=_lu, tol=1e-4, batch=False),
    Case("lu_factor", (f(5, 5, seed=2),), reference=_lu, tol=1e-4, batch=False, name="5x5"),
    Case(
        "lu_factor",
        (square,),
        reference=lambda x: tuple(map(np.stack, zip(*map(_lu, x)))),
        tol=1e-4,
    ),
    *(
        Case(
            "norm",
            (f(2, 3, 4),),
            {"axis": axis, "ord": order, "keepdims": keep},
            reference=np.linalg.norm,
            tol=1e-4,
            name=f"{axis}_{order}_{keep}",
        )
        for axis, orders in (
            (1, (None, 0, 1, 2, 3, inf, -inf)),
            ((1, 2), (None, "fro", "nuc", 1, -1, 2, -2, inf, -inf)),
        )
        for order in orders
        for keep in (False, True)
    ),
    Case("norm", (f(2, 3, 4),), reference=np.linalg.norm),
    Case("norm", (i(3),), reference=np.linalg.norm, batch=False),
    Case("norm", (f(2, 3), 1), reference=np.linalg.norm, name="matrix"),
    *(
        Case("normalize", (f(2, 3, 4),), settings, reference=_normalize)
        for settings in ({}, {"axis": 1}, {"order": 1}, {"order": 3, "axis": 1})
    ),
    Case(
        "normalize",
        (np.float32([[0.0, 1e-5], [3.0, 4.0]]),),
        reference=_normalize,
        name="small",
        tol=1e-4,
        grad=False,
    ),  # too steep for finite differences
    *(
        Case("diagonal", (array,), {"offset": k}, reference=np.diagonal, batch=False)
        for array in (f(3, 4), f(3, 4, 2), i(3, 3), b(3, 3))
        for k in (0, 1, -1)
    ),
    Case("diagonal", (f(2, 3, 4),), {"axis1": 1, "axis2": -1}),
    *(
        Case("diag", (array,), {"k": k}, batch=False)
        for array in (f(3), f(3, 4), i(3), b(3), b(3, 3))
        for k in (0, 1, -2)
    ),
    Case("diagflat", (f(2, 2),), {"k": 1}, batch=False),
    *(
        Case("trace", (array,), {"offset": 1}, batch=False)
        for array in (f(3, 4), f(3, 3, 2), i(3, 3))
    ),
    *(
        Case("cross", (f(*a), f(*c, seed=1)), settings, batch=len(a) > 1 and not settings)
        for a, c, settings in (
            ((3,), (3,), {}),
            ((2, 3), (2, 3), {}),
            ((3, 2), (3, 2), {"axis": 0}),
        )
        if a[-1] == 3 or settings
    ),
    Case(
        "cross",
        (f(4, 2), f(4, 2, seed=1)),
        reference=lambda a, c: a[..., 0] * c[..., 1] - a[..., 1] * c[..., 0],
    ),
    Case("cross", (i(2, 3), i(2, 3, seed=1))),
    *(
        Case("kron", (f(*a), f(*c, seed=1)), batch=False)
        for a, c in (((2,), (3,)), ((2, 3), (3, 2)), ((2,), (2, 3)), ((2, 2, 1), (1, 2, 3)))
    ),
]
