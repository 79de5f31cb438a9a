"""Cases of sorting, the largest elements, searching and counting."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, b, f, i

x = f(3, 4, 5)
ties = np.float32([[0.5, 0.5, 0.1], [0.1, 0.2, 0.9], [0.3, 0.3, 0.3], [np.inf, 0.0, 1.0]])


def _argsort(x: Any, axis: Any = -1) -> Any:
    return np.argsort(x, axis, kind="stable")


def _top_k(x: Any, k: int) -> Any:
    order = np.argsort(-x.astype("float64"), -1, kind="stable")[..., :k]
    return np.take_along_axis(x, order, -1), order


def _counts(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    if x.ndim == 1:
        return np.bincount(x, weights, minlength)
    length = max(minlength, x.max() + 1)
    weights = np.ones(x.shape) if weights is None else weights
    return np.stack([np.bincount(r, w, length) for r, w in zip(x, weights, strict=True)])


CASES = [
    *(
        Case(
            op,
            (array,),
            {"axis": axis},
            reference=ref,
            batch=axis not in (None, 0),
            name=f"{array.dtype}_{axis}",
        )
        for op, ref in (("sort", np.sort), ("argsort", _argsort))
        for array in (x, i(3, 4, 5), b(2, 4))
        for axis in (-1, 0, None)
    ),
    *(
        Case("top_k", (array, k), reference=_top_k, name=f"{array.dtype}_{k}")
        for array in (x, i(3, 6, high=4), b(2, 4), i(2, 5, dtype="uint8"))
        for k in (1, 2, 4)
    ),
    *(
        Case(
            "in_top_k",
            (np.int32([0, 1, 2, 0]), ties, k),
            grad=False,
            name=str(k),
            batch=False,
            reference=np.bool_(expected),
        )
        for k, expected in ((1, [1, 0, 1, 0]), (2, [1, 1, 1, 0]), (3, [1, 1, 1, 0]))
    ),
    Case(
        "in_top_k",
        (np.int32([-1, 5]), ties[:2], 3),
        grad=False,
        batch=False,
        reference=np.bool_([0, 0]),
        name="out_of_range",
    ),
    *(
        Case(
            "searchsorted",
            (np.float32([1, 3, 3, 7]), values),
            {"side": side},
            grad=False,
            batch=False,
        )
        for values in (np.float32([0, 3, 8]), np.float32([[1, 3.5], [7, 2]]))
        for side in ("left", "right")
    ),
    Case("digitize", (f(3, 4), np.float32([-1, 0, 1])), grad=False, batch=False),
    Case("digitize", (i(5), np.int32([2, 4, 8])), grad=False, batch=False),
    *(
        Case("bincount", (array,), settings, reference=_counts, symbolic=False, compiled=False)
        for array in (i(9, high=5), i(2, 6, high=5))
        for settings in ({}, {"minlength": 7})
    ),
    Case(
        "bincount",
        (i(6, high=4), f(6)),
        reference=_counts,
        symbolic=False,
        compiled=False,
    ),
    Case(
        "bincount",
        (i(2, 6, high=4), i(2, 6, seed=1)),
        reference=_counts,
        symbolic=False,
        compiled=False,
    ),
]
