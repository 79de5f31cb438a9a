"""Cases of the activation functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, f, i

erf = np.vectorize(math.erf, otypes=[np.float64])


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def elu(x: Any, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def gelu(x: Any, approximate: bool = True) -> Any:
    if approximate:
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def glu(x: Any, axis: int = -1) -> Any:
    first, second = np.split(x, 2, axis)
    return first * sigmoid(second)


def hard_sigmoid(x: Any) -> Any:
    return np.clip(x / 6 + 0.5, 0, 1)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    return np.sign(x) * np.maximum(np.abs(x) - threshold, 0)


def sparsemax(x: Any, axis: int = -1) -> Any:
    """By bisection of the level that makes the result add up to 1."""
    low, high = x.min(axis, keepdims=True) - 1, x.max(axis, keepdims=True)
    for _ in range(100):
        middle = (low + high) / 2
        above = np.maximum(x - middle, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(x - low, 0)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    return np.where(x > threshold, x, default_value)


SELU = (1.0507009873554805, 1.6732632423543772)
REFERENCES = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "softplus": lambda x: np.logaddexp(x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "leaky_relu": lambda x, negative_slope=0.2: np.where(x > 0, x, x * negative_slope),
    "elu": elu,
    "selu": lambda x: SELU[0] * elu(x, SELU[1]),
    "celu": lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x / alpha)),
    "gelu": gelu,
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": lambda x: x * hard_sigmoid(x),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_shrink": lambda x, threshold=0.5: np.where(np.abs(x) > threshold, x, 0),
    "soft_shrink": soft_shrink,
    "tanh_shrink": lambda x: x - np.tanh(x),
    "log_sigmoid": lambda x: -np.logaddexp(-x, 0),
    "mish": lambda x: x * np.tanh(np.logaddexp(x, 0)),
    "sparse_plus": lambda x: np.where(x >= 1, x, np.clip(x + 1, 0, 2) ** 2 / 4),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "squareplus": lambda x, b=4: (x + np.sqrt(x * x + b)) / 2,
}
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("leaky_relu", {"negative_slope": 0.5}),
    ("elu", {"alpha": 0.5}),
    ("celu", {"alpha": 2.0}),
    ("gelu", {"approximate": False}),
    ("hard_shrink", {"threshold": 1.25}),
    ("soft_shrink", {"threshold": 1.25}),
    ("squareplus", {"b": 0.5}),
]
# The tails, where naive formulas overflow or lose everything.
tails = np.array([-1e4, -150.0, -30.0, -8.0, 8.0, 30.0, 150.0, 1e4], "float32")
KEEP_INTEGERS = ("relu", "relu6", "hard_tanh")

CASES = [
    *(Case(op, (f(3, 4, low=-4, high=8),), reference=r) for op, r in REFERENCES.items()),
    *(
        Case(op, (tails,), reference=r, grad=False, name="tails")
        for op, r in REFERENCES.items()
        if op != "squareplus"  # differences of nearly equal numbers, by its formula
    ),
    *(Case(op, (f(),), reference=r, batch=False) for op, r in REFERENCES.items()),
    *(
        Case(op, (i(3, low=-3, high=9),), reference=lambda x, r=r: r(x), name="int")
        for op, r in REFERENCES.items()
    ),
    *(Case(op, (f(3, 4),), settings, REFERENCES[op]) for op, settings in SETTINGS),
    Case("glu", (f(2, 6),), reference=glu),
    Case("glu", (f(3, 4, 2),), {"axis": 1}, glu),
    Case("sparsemax", (f(3, 5),), reference=sparsemax),
    Case("sparsemax", (f(2, 5, 3, low=-0.3, high=0.3),), {"axis": 1}, sparsemax),
    Case("threshold", (f(3, 4), 0.3, -7.0), reference=threshold),
    Case("threshold", (i(5), 4, -7), reference=threshold, name="int"),
]
