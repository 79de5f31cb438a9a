"""Cases of complex numbers: their parts, and what arithmetic does with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, b, f, i


def c(*shape: int, seed: int = 0) -> np.ndarray:
    """Complex numbers."""
    return (f(*shape, seed=seed) + 1j * f(*shape, seed=seed + 1)).astype(np.complex64)


def double(*shape: int) -> np.ndarray:
    return c(*shape).astype(np.complex128)


def _part(function: Any) -> Any:
    """NumPy's function, with the result's own dtype for what is not complex."""
    return lambda x: np.asarray(function(x))


def _through(x: Any, y: Any) -> Any:
    """Real numbers through complex ones and back: x and y are parts of a number."""
    z = x + 1j * y
    return (np.exp(z * z) * np.conj(z)).real


def _pairs(x: Any) -> Any:
    return x[..., 0] + 1j * x[..., 1]


ANY = (f(2, 3), i(2, 3), b(2, 3), c(2, 3), double(4), f(2, 2).astype(np.float16))
mixed = np.where(np.arange(6).reshape(2, 3) % 2, c(2, 3), f(2, 3)).astype(np.complex64)
signs = np.float32([[1.5, -2.0, 0.0, -0.0, np.inf, -np.inf, np.nan]])

CASES = [
    *(
        Case(name, (x,), reference=_part(getattr(np, name)), name=f"{x.dtype}")
        for name in ("real", "imag", "conjugate")
        for x in ANY
    ),
    *(Case("isreal", (x,), name=f"{x.dtype}") for x in (*ANY[:4], mixed)),
    *(Case("angle", (x,), grad=False, name=f"{x.dtype}") for x in (*ANY[:2], *ANY[3:5], signs)),
    Case("angle", (f(2, 3),), name="slope"),
    *(
        Case("join_complex", (x, f(*x.shape, seed=1)), reference=lambda x, y: x + 1j * y)
        for x in (f(2, 3), f(3))
    ),
    *(
        Case("polar", args, reference=lambda r, a: r * np.exp(1j * a))
        for args in ((f(2, 3), f(2, 3, seed=1)), (f(2, 3), f(3)), (i(4), f(4)))
    ),
    *(Case("view_as_complex", (x,), reference=_pairs) for x in (f(3, 2), f(2, 3, 2), i(3, 2))),
    *(
        Case("view_as_real", (x,), reference=lambda x: np.stack([x.real, x.imag], -1), name=n)
        for n, x in (("complex", c(2, 3)), ("double", double(3)), ("real", f(2, 3)))
    ),
    *(
        Case(name, (c(2, 3), other(2, 3, seed=5)), name=f"complex_{other.__name__}")
        for name in ("add", "subtract", "multiply", "divide", "equal", "not_equal")
        for other in (c, f)
    ),
    *(
        Case(name, (c(2, 3),), name="complex", tol=3e-5)
        for name in "negative abs square sqrt exp log sin cos tanh sum mean prod reciprocal".split()
    ),
    *(
        Case(name, (c(2, 3),), name="complex", batch=True)
        for name in "var std isnan isinf isfinite".split()
    ),
    Case("sign", (c(2, 3),), reference=lambda x: x / np.abs(x), name="complex"),
    Case("isclose", (c(2, 3), c(2, 3)), {"equal_nan": True}, name="complex"),
    Case("norm", (c(2, 3),), reference=lambda x: np.linalg.norm(x), name="complex"),
    Case("norm", (c(2, 3), 1, 1), reference=lambda x, o, a: np.abs(x).sum(1), name="sums"),
    Case("vdot", (c(3), c(3, seed=4)), name="complex", batch=False),
    Case("matmul", (c(2, 3), c(3, 2)), name="complex", batch=False),
    Case("power", (c(2, 3), 2), name="complex", tol=1e-4),
    Case("cast", (f(2, 3), "complex64"), reference=lambda x, _: x.astype(complex), name="complex"),
    Case("cast", (i(3), "complex64"), reference=lambda x, _: x.astype(complex), name="from_int"),
    Case("where", (b(2, 3), c(2, 3), f(2, 3)), name="complex", grad=False),
    Case(
        "concatenate", ([c(2, 3), f(2, 3)],), reference=lambda x: np.concatenate(x), name="complex"
    ),
]
