"""Cases of ops that create tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, f, i

DTYPES = (None, "int32", "float16", "bool")


def triangle(name: str) -> Any:
    return lambda x, k=0: getattr(np, name)(x, k)


CASES = [
    *(Case(op, ((2, 3),), {"dtype": d}) for op in ("zeros", "ones") for d in DTYPES),
    Case("zeros", (3,), name="integer_shape"),
    Case("empty", ((2, 3),), reference=lambda shape: np.zeros(shape)),
    Case("full", ((2, 3), 7), reference=lambda shape, v: np.full(shape, float(v))),
    Case("full", ((2, 3), 7), {"dtype": "int8"}),
    Case("full", ((2, 3), f(3))),
    *(Case(op, (x,)) for op in ("zeros_like", "ones_like") for x in (f(2, 3), i(2, 3))),
    *(Case(op, (f(2, 3),), {"dtype": "int32"}) for op in ("zeros_like", "ones_like")),
    Case("empty_like", (f(2, 3),), reference=lambda x: np.zeros(x.shape)),
    Case("full_like", (f(2, 3), 1.5)),
    Case("full_like", (i(2, 3), 2.5), name="integers"),
    Case("full_like", (i(2, 3), 2.5), {"dtype": "float32"}, name="to_float"),
    Case("copy", (f(2, 3),)),
    Case("arange", (5,)),
    Case("arange", (2, 9, 3), name="step"),
    Case("arange", (5, 0, -2), name="down"),
    Case("arange", (0, 1, 0.25), name="floats"),
    Case("arange", (0, 5), {"dtype": "float16"}),
    Case("arange", (0, 5), {"dtype": "uint8"}),
    Case("linspace", (0, 1)),
    Case("linspace", (0.0, 2.0, 5), {"endpoint": False}),
    Case("linspace", (0, 10, 5), {"dtype": "int32"}),
    Case("linspace", (0, 1, 5), {"retstep": True}),
    Case("linspace", (0, 1, 1), name="one"),
    Case("linspace", (0, 1, 0), name="none"),
    Case("linspace", (f(2, 3), f(3, seed=1), 4)),
    Case("linspace", (f(2, 3), f(2, 3, seed=1), 4), {"axis": -1}),
    Case("logspace", (0, 2, 5), tol=1e-4),
    Case("logspace", (f(3), 2.0, 4), {"base": 2}),
    Case("geomspace", (1, 1000, 4), tol=1e-4),
    Case("geomspace", (f(3, low=0.5), f(3, low=3.0, high=4.0), 5), {"axis": 1}),
    Case("eye", (3,)),
    Case("eye", (2, 4, 1, "int32")),
    Case("eye", (4, 2, -1), name="below"),
    Case("identity", (3,)),
    Case("identity", (3, "bool")),
    Case("tri", (3,)),
    Case("tri", (2, 4, 1, "bool")),
    *(
        Case(op, (x, k), reference=triangle(op), name=f"{x.shape}_{k}_{x.dtype}")
        for op in ("tril", "triu")
        for x in (f(3, 4), f(2, 3, 3), i(3, 3))
        for k in (0, 1, -1)
    ),
    Case("meshgrid", (f(2), i(3)), grad=False, reference=lambda *xs: np.meshgrid(*xs)),
    Case("meshgrid", (f(2), f(3), f(4)), reference=lambda *xs: np.meshgrid(*xs), name="three"),
    Case(
        "meshgrid_of",
        ([f(2), f(3)], "ij"),
        reference=lambda xs, indexing: np.meshgrid(*xs, indexing=indexing),
    ),
]
