"""Cases of reductions, cumulative functions and positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, b, f, i


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    axis = tuple(axis) if isinstance(axis, list) else axis
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def numpy_of(op: str) -> Any:
    """NumPy's function, which takes no list of axes and gives 64-bit positions."""
    if op == "logsumexp":
        return _logsumexp

    def call(x: Any, axis: Any = None, **kwargs: Any) -> Any:
        return getattr(np, op)(x, axis=tuple(axis) if isinstance(axis, list) else axis, **kwargs)

    return call


x = f(2, 3, 4)
FLOAT_REDUCTIONS = (
    "sum",
    "mean",
    "max",
    "min",
    "amax",
    "amin",
    "prod",
    "var",
    "std",
    "ptp",
    "logsumexp",
)
SETTINGS: list[dict[str, Any]] = [
    {},
    {"axis": 1},
    {"axis": -1, "keepdims": True},
    {"axis": [0, 2]},
    {"axis": (1, 2), "keepdims": True},
    {"keepdims": True},
]


def reduction(op: str, array: np.ndarray, name: str = "", **kwargs: Any) -> Case:
    settings = "_".join(f"{k}{v}" for k, v in kwargs.items())
    return Case(op, (array,), kwargs, reference=numpy_of(op), name=f"{name}{settings}")


zeros_inside = np.float32([[1.5, 0.0, 2.0], [0.0, 0.0, 3.0], [1.0, 2.5, 0.5]])

CASES = [
    *(reduction(op, x, **settings) for op in FLOAT_REDUCTIONS for settings in SETTINGS),
    *(
        reduction(op, i(3, 4), "integers", axis=axis)
        for op in ("sum", "mean", "max", "min", "prod", "var", "std", "ptp", "logsumexp")
        for axis in (None, 0)
    ),
    *(reduction(op, b(3, 4), "bool", axis=0) for op in ("sum", "mean", "max", "min", "prod")),
    *(
        reduction(op, array, "bool" if array.dtype == bool else "integers", **settings)
        for op in ("all", "any")
        for array in (b(2, 3, 4), i(2, 3, 4, high=2))
        for settings in SETTINGS[:4]
    ),
    *(
        reduction(op, x, **settings)
        for op in ("argmax", "argmin")
        for settings in (SETTINGS[0], SETTINGS[1], SETTINGS[2], SETTINGS[5])
    ),
    *(reduction(op, i(4, 5, high=3), "ties", axis=1) for op in ("argmax", "argmin")),
    *(reduction("count_nonzero", i(3, 4, high=2), axis=axis) for axis in (None, 0, (0, 1))),
    Case("sum", (x,), {"axis": ()}, reference=lambda x, axis: x, name="no_axes"),
    Case("max", (f(2, 3),), {"axis": 0, "initial": 0.7}),
    Case("min", (f(2, 3),), {"axis": 0, "initial": -0.7, "keepdims": True}),
    Case(
        "max",
        (np.zeros((0, 3), "float32"),),
        {"axis": 0, "initial": 1.0},
        name="empty",
        batch=False,
    ),
    Case("max", (i(4),), {"initial": 100}, name="integers_initial"),
    Case("prod", (zeros_inside,), {"axis": 1}, name="zeros"),
    Case("prod", (i(2, 3),), {"dtype": "float32"}),
    Case(
        "logsumexp",
        (np.float32([[1000.0, 1000.5], [-1000.0, -1001.0]]),),
        {"axis": 1},
        reference=np.float64([1000.9740770, -999.6867383]),
        name="far",
    ),
    Case(
        "logsumexp",
        (np.float32([-np.inf, -np.inf]),),
        reference=np.float64(-np.inf),
        grad=False,
        name="nothing",
    ),
    Case("cumsum", (x,), {"axis": 1}),
    Case("cumsum", (x,), batch=True, name="flat"),
    Case("cumsum", (i(3, 4),), {"axis": -1, "dtype": "float32"}, name="to_float"),
    Case("cumsum", (b(5),), {"axis": 0}, name="bool"),
    Case("cumprod", (x,), {"axis": 2}),
    Case("cumprod", (x,), name="flat"),
    Case("cumprod", (i(3, 4, low=1, high=4),), {"axis": 0}, name="integers"),
    Case("average", (x,), {"axis": 1}),
    Case("average", (x, 1, f(3, low=0.5)), reference=lambda x, axis, w: np.average(x, axis, w)),
    Case(
        "average",
        (f(2, 3), None, f(2, 3, low=0.5, seed=3)),
        name="full_weights",
        reference=lambda x, axis, w: np.average(x, axis, w),
    ),
    Case(
        "average",
        (i(5), None, i(5, low=1, seed=3)),
        name="integers",
        reference=lambda x, axis, w: np.average(x, axis, w),
    ),
]
