"""Cases of arithmetic, comparison, choice and functions of one tensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, b, f, i

NAN, INF = float("nan"), float("inf")
special = np.array([1.5, -2.5, 0.0, NAN, INF, -INF], "float32")


def each(function: Any) -> Any:
    """A function of one number as one of arrays."""
    return np.vectorize(function, otypes=[np.float64])


def _erfinv(x: float) -> float:
    low, high = -6.0, 6.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erf(middle) < x else (low, middle)
    return (low + high) / 2


def _no_nan(x1: Any, x2: Any) -> Any:
    x1, x2 = np.broadcast_arrays(np.asarray(x1, float), np.asarray(x2, float))
    return np.divide(x1, x2, out=np.zeros(x1.shape), where=x2 != 0)


def _isclose(x1: Any, x2: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: Any = False) -> Any:
    return np.isclose(x1, x2, rtol, atol, equal_nan)


def _ternary(x: Any, low: Any, high: Any) -> Any:
    return np.clip(x, -np.inf if low is None else low, np.inf if high is None else high)


positive = f(2, 3, low=0.3, high=3.0)
unit = f(2, 3, low=-0.9, high=0.9)
FLOAT_PAIRS = ("add", "subtract", "multiply", "maximum", "minimum", "fmax", "fmin")
POSITIVE_PAIRS = ("divide", "true_divide", "power", "arctan2", "hypot", "logaddexp", "logaddexp2")
INTEGER_PAIRS = ("add", "subtract", "multiply", "maximum", "minimum", "floor_divide", "mod", "fmod")
COMPARISONS = ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal")
LOGIC = ("logical_and", "logical_or", "logical_xor")
TESTS = ("isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit")
# (op, argument, reference or None for NumPy's own)
UNARY: list[tuple[str, np.ndarray, Any]] = [
    ("negative", f(2, 3), None),
    ("abs", f(2, 3), None),
    ("absolute", f(2, 3), None),
    ("fabs", f(2, 3), None),
    ("sign", f(2, 3), None),
    ("square", f(2, 3), None),
    ("sqrt", positive, None),
    ("rsqrt", positive, lambda x: 1 / np.sqrt(x)),
    ("reciprocal", positive, None),
    ("cbrt", positive, None),
    ("exp", f(2, 3), None),
    ("exp2", f(2, 3), None),
    ("expm1", f(2, 3), None),
    ("log", positive, None),
    ("log1p", positive, None),
    ("log2", positive, None),
    ("log10", positive, None),
    ("sin", f(2, 3), None),
    ("cos", f(2, 3), None),
    ("tan", unit, None),
    ("sinh", f(2, 3), None),
    ("cosh", f(2, 3), None),
    ("tanh", f(2, 3), None),
    ("arcsin", unit, None),
    ("arccos", unit, None),
    ("arctan", f(2, 3), None),
    ("arcsinh", f(2, 3), None),
    ("arccosh", f(2, 3, low=1.2, high=3.0), None),
    ("arctanh", unit, None),
    ("deg2rad", f(2, 3), None),
    ("rad2deg", f(2, 3), None),
    ("sinc", f(2, 3), None),
    ("erf", f(2, 3), each(math.erf)),
    ("erfc", f(2, 3), each(math.erfc)),
    ("erfinv", unit, each(_erfinv)),
    ("floor", f(2, 3), None),
    ("ceil", f(2, 3), None),
    ("trunc", f(2, 3), None),
    ("round", f(2, 3), None),
]
INTEGER_UNARY = ("negative", "abs", "sign", "square", "trunc", "round", "floor", "ceil", "sqrt")
no_ties = np.array([[0.25, -1.5, 3.0], [2.0, -0.75, 0.5]], "float32")

CASES = [
    *(Case(op, (f(2, 3), f(2, 3, seed=1))) for op in FLOAT_PAIRS),
    *(Case(op, (f(2, 3), f(3, seed=1)), name="broadcast") for op in FLOAT_PAIRS),
    *(Case(op, (positive, f(2, 3, low=0.3, high=3.0, seed=1))) for op in POSITIVE_PAIRS),
    *(Case(op, (positive, f(2, 1, low=0.3, seed=1)), name="broadcast") for op in POSITIVE_PAIRS),
    *(Case(op, (i(2, 3, low=-9), i(2, 3, low=1, seed=1)), name="integers") for op in INTEGER_PAIRS),
    *(
        Case(op, (no_ties * 3, np.float32([2.1, 0.7, 1.3])), name="floats")
        for op in ("floor_divide", "mod", "fmod")
    ),
    *(
        Case(op, (special, np.float32([1.0, 1.0, NAN, 2.0, NAN, 0.0])), grad=False, name="special")
        for op in ("maximum", "minimum", "fmax", "fmin")
    ),
    *(
        Case(op, (b(6), b(6, seed=1)), name="bool")
        for op in ("add", "multiply", "maximum", "minimum")
    ),
    Case(
        "subtract",
        (b(6), b(6, seed=1)),
        reference=lambda a, c: np.subtract(a, c, dtype="int32"),
        name="bool",
    ),
    Case("add", (f(2, 3), 1.5), name="scalar"),
    Case("multiply", (2, f(2, 3)), name="scalar"),
    Case("power", (f(2, 3), 3), name="scalar"),
    Case("power", (i(2, 3), i(2, 3, high=4)), name="integers"),
    Case(
        "logaddexp",
        (np.float32([-INF, -INF, INF, 800.0]), np.float32([-INF, 1.0, 1.0, 800.0])),
        grad=False,
        name="special",
    ),
    Case("divide_no_nan", (f(4), np.float32([1.5, 0.0, -2.0, 0.0])), reference=_no_nan, grad=False),
    Case("divide_no_nan", (f(2, 3), positive), reference=_no_nan, name="plain"),
    Case("heaviside", (np.float32([-1.5, 0.0, 2.5]), np.float32([0.5, 0.5, 0.5])), grad=False),
    Case("heaviside", (f(2, 3), f(3)), name="steps"),
    Case("heaviside", (np.int32([-1, 0, 2]), f(2, 3)), batch=False, name="at_zero"),
    *(Case(op, (x,), reference=reference) for op, x, reference in UNARY),
    *(Case(op, (i(2, 3, low=0 if op == "sqrt" else -9),), name="integers") for op in INTEGER_UNARY),
    *(Case(op, (b(4),), reference=lambda x: x, name="bool") for op in ("abs", "sign", "round")),
    *(Case(op, (special,), grad=False) for op in TESTS),
    *(Case(op, (i(2, 3, low=-5),), name="integers") for op in TESTS if op != "signbit"),
    Case("sinc", (np.float32([0.0, 1.5]),), grad=False, name="zero"),
    Case(
        "erfc",
        (np.float32([4.5, 9.0, -3.0]),),
        reference=each(math.erfc),
        name="far",
        tol=1e-6,
        grad=False,
    ),
    Case("round", (f(2, 3) * 7,), {"decimals": 1}, tol=1e-4),
    Case("round", (np.float32([0.5, 1.5, 2.5, -0.5]),), grad=False, name="halves"),
    Case("round", (i(5, high=999),), {"decimals": -2}, name="hundreds"),
    Case(
        "nan_to_num", (special,), reference=lambda x: np.nan_to_num(x.astype("float32")), grad=False
    ),
    Case("nan_to_num", (special,), {"nan": 7.0, "posinf": 8.0, "neginf": -9.0}),
    Case("nan_to_num", (i(3),), name="integers"),
    Case("clip", (f(2, 3) * 2, -1.1, 1.3)),
    Case("clip", (i(2, 3), 2, 5), name="integers"),
    Case("clip", (f(2, 3) * 2, None, 0.7), reference=_ternary, name="upper"),
    Case("clip", (f(2, 3) * 2, f(3, low=-1.0, high=-0.5), f(3, low=0.5, high=1.0)), name="tensors"),
    *(Case(op, (i(2, 3, high=3), i(2, 3, high=3, seed=1))) for op in COMPARISONS),
    *(Case(op, (special, 1.5), grad=False, name="scalar") for op in COMPARISONS),
    *(Case(op, (b(6), b(6, seed=1)), name="bool") for op in COMPARISONS),
    *(Case(op, (b(6), b(6, seed=1))) for op in LOGIC),
    *(Case(op, (i(2, 3, high=2), f(3)), grad=False, name="mixed") for op in LOGIC),
    Case("logical_not", (i(2, 3, high=2),)),
    Case("where", (b(2, 3), f(2, 3), f(3, seed=1))),
    Case("where", (i(2, 3, high=2), f(2, 3), 0.0), name="scalar"),
    Case("where", (b(2, 3),), symbolic=False, compiled=False, name="indices"),
    Case(
        "isclose",
        (np.float32([1.0, 2.0, NAN, INF]), np.float32([1.000001, 2.1, NAN, INF])),
        reference=_isclose,
        grad=False,
    ),
    Case(
        "isclose",
        (np.float32([1.0, NAN]), np.float32([1.05, NAN])),
        {"rtol": 0.1, "equal_nan": True},
        reference=_isclose,
        grad=False,
    ),
    Case("isclose", (i(4), i(4, seed=1)), {"atol": 2.0}, reference=_isclose, name="integers"),
]
