"""Python numbers beside tensors: the quick way gives what the general way gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from multikeras import tree
from multikeras.backends import native
from multikeras.ops._declare import REGISTRY

core = native.core
VALUES = np.array([[1.5, -2.0, 0.0], [0.25, 3.0, -0.5]])
X = "x"  # stands for the tensor
MASK = "mask"

CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("add", (X, 1)),
    ("add", (0.5, X)),
    ("power", (X, 2)),
    ("equal", (X, 0.25)),
    ("where", (MASK, X, 0)),
    ("where", (MASK, 1.5, X)),
    ("where", (MASK, X, -1.5)),
    ("clip", (X, -1, 1)),
    ("clip", (X, -0.5, 2)),
    ("clip", (X, None, 0.5)),
    ("clip", (X, -1, None)),
    ("ldexp", (X, 2)),
]
# The exponent of ldexp keeps a dtype of its own.
QUICK = [call for call in CALLS if call[0] != "ldexp"]


def arguments(call: tuple[Any, ...], dtype: str) -> tuple[Any, ...]:
    tensors = {
        X: core.convert_to_tensor(VALUES, dtype),
        MASK: core.convert_to_tensor(VALUES > 0),
    }
    return tuple(tensors[a] if isinstance(a, str) else a for a in call)


def in_full(op: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """All parameters by position."""
    bound = REGISTRY[op].signature.bind(*args)
    bound.apply_defaults()
    return tuple(bound.arguments.values())


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int32", "bool"])
@pytest.mark.parametrize(("op", "call"), CALLS, ids=str)
def test_same_values_and_dtype(op: str, call: tuple[Any, ...], dtype: str) -> None:
    args = arguments(call, dtype)
    results = [
        tree.flatten(f) for f in (REGISTRY[op].public(*args), REGISTRY[op].slow(*in_full(op, args)))
    ]
    for quick, general in zip(*results, strict=True):
        assert core.dtype_name(quick) == core.dtype_name(general)
        np.testing.assert_array_equal(core.convert_to_numpy(quick), core.convert_to_numpy(general))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize(("op", "call"), QUICK, ids=str)
def test_numbers_beside_floats_go_the_quick_way(
    op: str, call: tuple[Any, ...], dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*args: Any) -> None:
        raise AssertionError("the general way")

    args = arguments(call, dtype)
    monkeypatch.setitem(REGISTRY[op].public.__globals__, "_slow", slow)
    REGISTRY[op].public(*args)
