"""Cases of order statistics, reductions without NaN, and functions of integers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, b, f, i

NAN = float("nan")


def quiet(op: str) -> Any:
    """NumPy's function, which warns where there is nothing but NaN."""

    def call(x: Any, *args: Any, axis: Any = None, **kwargs: Any) -> Any:
        axis = tuple(axis) if isinstance(axis, list) else axis
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(np, op)(x, *args, axis=axis, **kwargs)

    return call


def _with_nan(*shape: int) -> np.ndarray:
    x = f(*shape)
    x.reshape(-1)[::5] = NAN
    return x


x, holes = f(2, 5, 3), _with_nan(3, 4)
nothing = np.float32([[NAN, 1.0], [NAN, 2.5]])
SETTINGS: list[dict[str, Any]] = [
    {}, {"axis": 1}, {"axis": (0, -1), "keepdims": True}, {"axis": -1, "keepdims": True}
]  # fmt: skip
METHODS = ("linear", "lower", "higher", "midpoint", "nearest")
LEAVING_OUT = ("nansum", "nanmean", "nanmax", "nanmin", "nanprod", "nanstd", "nanvar", "nanmedian")
BITS = ("bitwise_and", "bitwise_or", "bitwise_xor")
SHIFTS = ("left_shift", "right_shift", "bitwise_left_shift", "bitwise_right_shift")


def reduction(op: str, array: np.ndarray, name: str, **kwargs: Any) -> Case:
    settings = "_".join(f"{k}{v}" for k, v in kwargs.items())
    # NaN has no slope to compare: gradients are taken where the values are whole.
    grad = not np.isnan(array).any()
    return Case(op, (array,), kwargs, quiet(op), grad=grad, name=f"{name}{settings}")


CASES = [
    *(reduction("median", x, "plain", **s) for s in SETTINGS),
    reduction("median", holes, "nan", axis=1),
    reduction("median", i(4, 6), "integers", axis=0),
    *(
        Case(op, (x, q), {"axis": 1, "method": m}, quiet(op), name=f"{m}_{np.ndim(q)}")
        for op, q in (
            ("quantile", 0.3),
            ("quantile", np.float32([0.1, 0.45, 0.9])),
            ("percentile", 37.0),
        )
        for m in METHODS
        if not (m != "linear" and op == "percentile")
    ),
    Case(
        "quantile",
        (x, np.float32([0.25, 0.6])),
        {"axis": (0, 1), "keepdims": True},
        quiet("quantile"),
        grad=False,
        name="axes",
    ),
    Case("quantile", (f(7), 0.0), reference=quiet("quantile"), name="least"),
    Case(
        "nanquantile",
        (holes, np.float32([0.2, 0.7])),
        {"axis": 0},
        quiet("nanquantile"),
        grad=False,
    ),
    Case("nanquantile", (x, 0.4), {"axis": 1}, quiet("nanquantile"), name="plain"),
    Case("nanpercentile", (holes, 40.0), reference=quiet("nanpercentile")),
    *(reduction(op, x, "plain", axis=1) for op in LEAVING_OUT),
    *(reduction(op, holes, "holes", **s) for op in LEAVING_OUT for s in SETTINGS[:2]),
    *(reduction(op, nothing, "nothing", axis=0) for op in LEAVING_OUT),
    *(reduction(op, holes, "holes", axis=1) for op in ("nanargmax", "nanargmin")),
    *(reduction(op, i(3, 4), "integers", axis=1) for op in ("nanmax", "nanmin", "nanargmax")),
    Case("nanargmax", (nothing,), {"axis": 0}, np.array([-1, 1]), name="nothing"),
    Case("nanargmin", (nothing,), {"axis": 0}, np.array([-1, 0]), name="nothing"),
    *(Case(op, (holes,), {"axis": 1}, quiet(op)) for op in ("nancumsum", "nancumprod")),
    *(Case(op, (i(2, 3), i(3, seed=1))) for op in BITS),
    *(Case(op, (b(2, 3), b(3, seed=1)), name="bool") for op in BITS),
    *(Case(op, (i(2, 3, low=-9), i(3, high=5, seed=1))) for op in SHIFTS),
    *(Case(op, (i(2, 3, low=-20, high=20), i(3, low=-9, seed=1))) for op in ("gcd", "lcm")),
    Case("gcd", (i(2, 3, high=20), 6), name="scalar"),
    Case("bitwise_not", (i(2, 3, low=-9),)),
    Case("bitwise_not", (b(4),), name="bool"),
    Case("bitwise_invert", (i(2, 3, low=-9),)),
]
