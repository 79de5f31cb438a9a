"""Cases of what looks at the bits of numbers, or at the ranges of their dtypes."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from tests.conformance.op_cases import Case, b, f, i

BITS = {"float32": f(2, 4), "int32": i(2, 4), "uint8": i(2, 8, dtype="uint8"), "bool": b(2, 4)}
bits16 = f(3, 4).astype(np.float16)
extreme = np.float32([-np.inf, -3e38, -70000, -300.5, -1.7, 0, 0.5, 1.7, 300, 2.5e9, 1e20, np.inf])
nan = np.float32([np.nan, 1.5])
edges = np.float32([0.0, -0.0, 1.0, -1.0, 1.5, np.inf, 3.4028235e38, np.nan, 1.0, 1e-45])
aims = np.float32([1.0, -1.0, 2.0, 0.0, 1.5, 0.0, np.inf, 1.0, np.nan, 0.0])


def _next(x: Any, y: Any, dtype: Any = np.float32) -> Any:
    return np.nextafter(x.astype(dtype), y.astype(dtype)).astype(float)


def _halves(x: Any, y: Any) -> Any:
    return _next(x, y, np.float16)


def _bounds(dtype: str) -> tuple[float, float]:
    if dtype == "bool":
        return 0, 1
    if "int" in dtype:
        return np.iinfo(dtype).min, np.iinfo(dtype).max
    limits = (ml_dtypes.finfo if dtype == "bfloat16" else np.finfo)(dtype)
    return float(limits.min), float(limits.max)


def _saturate(x: Any, dtype: str) -> Any:
    """One by one, in Python's integers."""
    low, high = _bounds(dtype)

    def one(value: float) -> Any:
        if "int" in dtype:
            value = 0 if math.isnan(value) else value
            return int(min(max(value, low), high))
        return value if math.isnan(value) else min(max(value, low), high)

    flat = [one(v) for v in x.ravel().tolist()]
    kind = getattr(ml_dtypes, dtype, dtype)
    result = np.array(flat, dtype=kind).reshape(x.shape)
    return result.astype(float) if "float" in dtype else result


CASES = [
    *(
        Case(
            name,
            (x, new),
            reference=lambda x, dtype: x.view(dtype),
            grad=False,
            name=f"{old}_{new}",
        )
        for name in ("view", "reinterpret")
        for old, x in BITS.items()
        for new in ("int32", "uint8", "int16", "uint32")
        if old not in ("bool", "float32")
    ),
    *(
        Case(
            "view",
            (x, new),
            reference=lambda x, dtype: x.astype(np.float32).view(dtype),
            grad=False,
            name=f"float32_{new}",
        )
        for x in (f(2, 4), f(4))
        for new in ("int32", "uint8", "int16", "uint32", "float16", "complex64")
    ),
    Case(
        "view", (np.float32(2.5).reshape(()), "int32"), reference=np.int32(0x40200000), grad=False
    ),
    Case(
        "view", (i(2, 4), "float32"), reference=lambda x, d: x.view(d).astype(float), name="floats"
    ),
    Case("view", (b(2, 4), "uint8"), reference=lambda x, d: x.view(d), name="from_bool"),
    Case("view", (i(2, 4, high=2), "bool"), reference=lambda x, d: x.view(d), name="to_bool"),
    Case("view", (f(2, 3),), reference=lambda x: x, name="same"),
    Case("nextafter", (edges, aims), reference=_next, grad=False, tol=0, batch=False),
    Case("nextafter", (f(2, 3), f(3)), reference=_next, grad=False, tol=0),
    Case("nextafter", (i(2, 3), f(2, 3)), reference=_next, grad=False, tol=0, name="integers"),
    Case("nextafter", (bits16, bits16[::-1].copy()), reference=_halves, grad=False, tol=0),
    *(Case("ldexp", (f(2, 3), x), reference=np.ldexp) for x in (i(2, 3), i(3), i(2, 3, low=-9))),
    Case("ldexp", (i(2, 3), i(2, 3)), reference=np.ldexp, name="integers"),
    Case("ldexp", (bits16, i(3, 4)), reference=np.ldexp, name="halves", grad=False),
    Case(
        "ldexp",
        (np.float32([2e-38, 1e38, 1.5, 0.0, np.inf]), np.int32([200, -200, 300, 999, -5])),
        reference=np.float64(
            [
                np.ldexp(np.float64(np.float32(2e-38)), 200),
                np.ldexp(np.float64(np.float32(1e38)), -200),
                np.inf,
                0,
                np.inf,
            ]
        ),
        grad=False,
        name="far",
        tol=1e-7,
    ),
    *(
        Case(
            "saturate_cast",
            (x, new),
            reference=_saturate,
            grad=False,
            tol=0,
            name=f"{x.dtype}_{new}",
        )
        for x in (extreme, np.int32([-70000, -1, 0, 1, 70000]), i(3, dtype="uint8"))
        for new in ("uint8", "int8", "int16", "int32", "uint32", "float16", "bfloat16", "float32")
    ),
    *(
        Case("saturate_cast", (nan, new), reference=_saturate, grad=False, name=f"nan_{new}")
        for new in ("uint8", "int32", "float16")
    ),
    Case("saturate_cast", (extreme, "bool"), reference=extreme > 0, grad=False),
    Case("saturate_cast", (b(3), "uint8"), reference=lambda x, d: x.astype(d), name="bool"),
    Case("saturate_cast", (f(3), "float32"), reference=lambda x, d: x, name="slope"),
    Case("size", (f(2, 3, 4),), reference=lambda x: np.int32(24), grad=False),
    Case("size", (np.float32(1).reshape(()),), reference=np.int32(1), grad=False),
]
