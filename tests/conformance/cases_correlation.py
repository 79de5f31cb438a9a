"""Cases of distances and correlations."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.cases_complex_numbers import c
from tests.conformance.op_cases import Case, b, f, i


def _cdist(x: Any, y: Any) -> Any:
    apart = x[..., :, None, :] - y[..., None, :, :]
    return np.linalg.norm(apart, axis=-1)


def _corrcoef(x: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    if x.ndim == 1:
        return np.float64(1.0) + 0 * x.sum()
    lengths = np.sqrt((centred**2).sum(1))
    return centred @ centred.T / np.outer(lengths, lengths)


def _correlate(x: Any, y: Any, mode: str = "valid") -> Any:
    return np.correlate(x.astype(np.result_type(x, 1.0)), y, mode)


CASES = [
    *(
        Case("cdist", pair, reference=_cdist, batch=len(pair[0].shape) == 3)
        for pair in (
            (f(4, 3), f(2, 3, seed=1)),
            (f(2, 4, 3), f(2, 5, 3)),
            (f(2, 1, 4, 3), f(3, 2, 3)),
            (i(3, 2), i(2, 2, seed=1)),
        )
    ),
    Case("cdist", (f(3, 2), f(3, 2)), reference=_cdist, grad=False, batch=False, name="same"),
    Case("corrcoef", (f(3, 5),), reference=_corrcoef),
    Case("corrcoef", (i(2, 6),), reference=_corrcoef),
    Case("corrcoef", (f(5),), reference=_corrcoef, grad_tol=1e-3),
    Case("corrcoef", (1e30 * f(2, 4),), reference=_corrcoef, grad=False, name="large"),
    *(
        Case(
            "correlate",
            pair,
            {"mode": mode},
            reference=_correlate,
            batch=False,
            name=f"{name}_{mode}",
        )
        for mode in ("valid", "same", "full")
        for name, pair in (
            ("longer", (f(6), f(3))),
            ("even", (f(5), f(4))),
            ("shorter", (f(2), f(5))),
            ("shorter_odd", (f(3), f(6))),
            ("equal", (f(4), f(4, seed=1))),
            ("integers", (i(5), i(2))),
            ("mixed", (b(5), f(2))),
            ("complex", (c(5), c(3))),
            ("complex_shorter", (c(2), c(4))),
        )
    ),
    Case("correlate", (f(6).astype(np.float16), f(2).astype(np.float16)), tol=1e-2, grad=False),
]
