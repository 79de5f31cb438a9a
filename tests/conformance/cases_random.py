"""Cases of the random functions that take tensors, where their values are certain.

What they draw is checked in tests/random: the bits, the distributions, seeds, compilation.
"""

from __future__ import annotations

import numpy as np

from multikeras import random  # noqa: F401  declares the ops
from tests.conformance.op_cases import Case, f, i

certain = np.float32([[-np.inf, 0, -np.inf], [3, -np.inf, -np.inf]])

CASES = [
    Case("dropout", (f(2, 3), 0.0), reference=lambda x, _: x),
    Case("dropout", (f(2, 3), 1.0), reference=lambda x, _: 0 * x),
    Case("dropout", (f(4, 5), 0.4), {"seed": 3}, reference=False),
    Case("dropout", (f(4, 5), 0.4), {"seed": 3, "noise_shape": (None, 1)}, reference=False),
    Case("dropout", (i(2, 3), 0.0), reference=lambda x, _: x.astype(float), name="integers"),
    Case("shuffle", (np.full((3, 2), 7, "int32"),), {"seed": 1}, reference=lambda x, seed: x),
    Case("shuffle", (f(3, 1),), {"axis": 1, "seed": 1}, reference=lambda x, axis, seed: x),
    Case("shuffle", (f(5, 2),), {"seed": 1}, reference=False),
    Case(
        "categorical",
        (certain, 4),
        {"seed": 1},
        reference=lambda logits, count, seed: np.array([[1] * count, [0] * count]),
        grad=False,
    ),
    Case("categorical", (certain, 2), {"seed": 1, "dtype": "int16"}, reference=False, grad=False),
]
