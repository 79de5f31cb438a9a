"""Cases of reductions over groups of rows, and of differences and positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, b, f, i

ids = np.int32([0, 2, 0, -1, 3, 9])


def _segments(ufunc: Any, neutral: Any) -> Any:
    def reference(data: Any, segment_ids: Any, num_segments: Any) -> Any:
        result = np.full((num_segments, *data.shape[1:]), neutral(data.dtype), data.dtype)
        for row, group in zip(data, segment_ids, strict=True):
            if 0 <= group < num_segments:
                result[group] = ufunc(result[group], row)
        return result

    return reference


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _highest(dtype: Any) -> Any:
    return np.inf if dtype.kind == "f" else np.iinfo(dtype).max


SEGMENTS = {
    "segment_sum": _segments(np.add, lambda _: 0),
    "segment_prod": _segments(np.multiply, lambda _: 1),
    "segment_max": _segments(np.maximum, _lowest),
    "segment_min": _segments(np.minimum, _highest),
}

CASES = [
    *(
        Case(
            op,
            (data, ids, 4 if data.dtype.kind == "i" else 5),
            reference=reference,
            # Empty groups are infinite, which finite differences can't see.
            grad=op in ("segment_sum", "segment_prod"),
        )
        for op, reference in SEGMENTS.items()
        for data in (f(6), f(6, 2), i(6, 3))
    ),
    *(
        Case(op, (f(4), np.int32([0, 1, 0, 1]), 2), reference=reference, name="full", batch=False)
        for op, reference in SEGMENTS.items()
    ),
    *(
        Case("nonzero", (array,), symbolic=False, compiled=False)
        for array in (i(2, 3, high=2), b(4))
    ),
    Case(
        "unravel_index",
        (np.int32([0, 5, 23, -1]), (2, 3, 4)),
        batch=True,
        reference=lambda index, shape: np.unravel_index(index % 24, shape),
    ),
    Case("argpartition", (f(2, 5), 2), reference=lambda x, _: np.argsort(x)),
    *(
        Case("diff", (f(3, 4),), {"n": n, "axis": axis}, batch=axis == 1)
        for n, axis in ((1, 1), (2, 1), (1, 0))
    ),
    Case("diff", (b(2, 5),)),
    Case("trapezoid", (f(2, 5),), {"dx": 0.5}),
    Case("trapezoid", (f(2, 5), np.float32([0, 1, 3, 4, 6])), batch=True),
    Case("trapezoid", (f(4, 2), f(4)), {"axis": 0}, batch=False),
    *(
        Case("vander", (array, n), {"increasing": up}, batch=False, name=f"{array.dtype}_{n}_{up}")
        for array in (f(3), i(3))
        for n in (None, 2)
        for up in (False, True)
    ),
]
