"""Result dtypes of ops, against a stored table of Keras 3.15.1's, and every dtype run once.

`dtype_results.json` holds, for each op, the result's dtype for every dtype of its first argument
(rows) and of its second (columns; the last are Python numbers). It was made by calling Keras from
outside on TensorFlow, which has all dtypes; where that refuses, on PyTorch; where that refuses
too, symbolically. "-" stands where nothing answered.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from multikeras import dtypes, ops
from multikeras.backends import native
from multikeras.ops._declare import REGISTRY
from multikeras.symbolic import KerasTensor
from tests.conformance.gradients import together

core = native.core
TABLE = json.loads((Path(__file__).parent / "dtype_results.json").read_text())
NAMES = {code: name for name, code in TABLE["codes"].items()}
PYTHON = {"pyint": 1, "pyfloat": 1.0, "pybool": True}
# Ops of the table that take settings, with these.
SETTINGS: dict[str, tuple[Any, ...]] = {"clip": (0, 1), "quantile": (0.5,)}


PYTHON_AS_ARRAY = {
    "arctan2", "bitwise_and", "fmod", "gcd", "heaviside", "hypot", "lcm", "left_shift",
    "logaddexp", "logaddexp2", "mod", "nextafter", "right_shift",
}  # fmt: skip
BOOL_TO_INT32 = {
    "floor_divide", "gcd", "lcm", "left_shift", "negative", "power", "ptp", "right_shift",
    "subtract",
}  # fmt: skip
INTEGERS_ONLY = {"bitwise_and", "bitwise_not", "gcd", "lcm", "left_shift", "right_shift"}


def differs(op: str, first: str, second: str | None, theirs: str) -> bool:
    """Where a result is meant to be another than Keras's."""
    both_bool = first == "bool" and second in (None, "bool", "pybool")
    return (
        # A Python number counts as an array there; it is weak here, as for all ops.
        (op in PYTHON_AS_ARRAY and second in PYTHON)
        # Refused there when run; int32 here, where True - True is 0.
        or (op in BOOL_TO_INT32 and both_bool)
        # bool there; a float here, as for all other integers.
        or (op in ("heaviside", "hypot") and both_bool)
        # bool counts as int32 there before the promotion.
        or (op == "lcm" and "bool" in (first, second))
        # 64-bit integers make float64 in some ops there; floatx() here in all.
        or (theirs == "float64" and "float64" not in (first, second))
        # PyTorch answered, which has no arithmetic on these dtypes and takes wider ones.
        or (op == "negative" and first in ("uint16", "uint32"))
        # Refused when run there and here; here when declared, too.
        or (op in INTEGERS_ONLY and any("float" in str(d) for d in (first, second)))
        # An exponent that is no integer is refused when run there; here when declared, too.
        or (op == "ldexp" and "float" in str(second))
        # float64 times a bool is float32 there.
        or (op == "ldexp" and first == "float64" and second in ("bool", "pybool"))
    )


def spec(op: str, *args: Any) -> str:
    return REGISTRY[op].public(*args, *SETTINGS.get(op, ())).dtype


@pytest.mark.parametrize("op", [op for op in TABLE["unary"] if op in REGISTRY])
def test_unary_result(op: str) -> None:
    for dtype, code in zip(TABLE["dtypes"], TABLE["unary"][op].split(), strict=True):
        if code == "-" or differs(op, dtype, None, NAMES[code]):
            continue
        assert spec(op, KerasTensor((2,), dtype)) == NAMES[code], f"{op}({dtype})"


def second_arguments(op: str) -> list[str]:
    return TABLE["seconds"][: len(TABLE["binary"][op][0].split())]


@pytest.mark.parametrize("op", [op for op in TABLE["binary"] if op in REGISTRY])
def test_binary_result(op: str) -> None:
    condition = [KerasTensor((2,), "bool")] if op == "where" else []
    for first, row in zip(TABLE["dtypes"], TABLE["binary"][op], strict=True):
        for second, code in zip(second_arguments(op), row.split(), strict=True):
            if code == "-" or differs(op, first, second, NAMES[code]):
                continue
            other = PYTHON[second] if second in PYTHON else KerasTensor((2,), second)
            actual = spec(op, *condition, KerasTensor((2,), first), other)
            assert actual == NAMES[code], f"{op}({first}, {second})"


RUN = [op for op in (*TABLE["unary"], *TABLE["binary"]) if op in REGISTRY]


@pytest.mark.parametrize("op", RUN)
def test_every_dtype_runs_and_is_as_declared(op: str) -> None:
    count = 1 if op in TABLE["unary"] else 2
    condition = [np.array([True, False])] if op == "where" else []
    settings = SETTINGS.get(op, ())
    integers = op in INTEGERS_ONLY or op == "ldexp"
    found = [d for d in TABLE["dtypes"] if not (integers and dtypes.is_float_dtype(d))]

    def call(dtype: str) -> Any:
        tensors = [ops.convert_to_tensor(np.array([1, 2]), dtype) for _ in range(count)]
        return REGISTRY[op].public(*condition, *tensors, *settings)

    with np.errstate(all="ignore"):
        real = together([functools.partial(call, dtype) for dtype in found])
    for dtype, result in zip(found, real, strict=True):
        declared = spec(op, *condition, *(KerasTensor((2,), dtype) for _ in range(count)))
        wanted = core.dtype_name(core.convert_to_tensor(np.zeros(()), declared))
        assert core.dtype_name(result) == wanted, f"{op}({dtype})"
