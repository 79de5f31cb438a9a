"""`Case`: one line of a table of op cases, and where all tables are gathered.

A table is a module `cases_<family>.py` with a list `CASES`. Every NumPy array among a case's
arguments (also inside lists and tuples) is a tensor to the op; all else is passed as it is.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from multikeras import dtypes, ops, tree
from multikeras.ops._declare import REGISTRY


@dataclass(frozen=True)
class Case:
    """What to call, and what must come out.

    Attributes:
        op: name of a declared op, or of a function of `multikeras.ops`.
        args, kwargs: its arguments.
        reference: the expected result (arrays), or a function of the same arguments with floats
            as float64 arrays that computes it; default: NumPy's function of the op's name.
            `False`: values are not checked (random or empty ones).
        grad: whether its gradient is checked against finite differences of the reference (of
            the op itself, in float64, where the reference is not a function).
        tol: tolerance of values, relative and absolute.
        grad_tol: the same of gradients.
        batch: whether the op takes an unknown first dimension; it is made unknown in all
            tensors that share the first tensor's rank and first dimension.
        symbolic: whether the op has a symbolic result (not where shapes depend on values).
        compiled: whether the op can be traced.
        through: a function of the op and the arguments that stands in the op's place, for what
            is unique only in part (a sign, a triangle that is not read); or None.
        name: what tells cases of one op apart.
    """

    op: str
    args: tuple = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    reference: Any = None
    grad: bool = True
    tol: float = 1e-5
    grad_tol: float = 1e-4
    batch: bool = True
    symbolic: bool = True
    compiled: bool = True
    through: Callable[..., Any] | None = None
    name: str = ""

    def __str__(self) -> str:
        if self.name:
            return f"{self.op}-{self.name}"
        shapes = "_".join("x".join(map(str, a.shape)) or "scalar" for a in self.arrays())
        settings = "_".join(f"{k}={v}" for k, v in self.kwargs.items() if np.ndim(v) == 0)
        return "-".join(part for part in (self.op, shapes, settings) if part)

    @property
    def function(self) -> Callable:
        """The op as its users call it; within `through` where the case has that."""
        declared = REGISTRY.get(self.op)
        called = declared.public if declared else getattr(ops, self.op)
        return functools.partial(self.through, called) if self.through else called

    def leaves(self) -> list[Any]:
        """All leaves of the arguments, tensors and settings."""
        return tree.flatten((self.args, self.kwargs))

    def arrays(self) -> list[np.ndarray]:
        """The tensors among them."""
        return [leaf for leaf in self.leaves() if isinstance(leaf, np.ndarray)]

    def call(self, tensors: list[Any], function: Callable | None = None) -> Any:
        """The function's (default: the op's) result with these in the places of the arrays."""
        supply = iter(tensors)
        filled = [next(supply) if isinstance(x, np.ndarray) else x for x in self.leaves()]
        args, kwargs = tree.pack_sequence_as((self.args, self.kwargs), filled)
        return (function or self.function)(*args, **kwargs)

    def expected(self, arrays: list[np.ndarray] | None = None) -> Any:
        """The reference's result for the case's arrays, or for others."""
        reference = getattr(np, self.op) if self.reference is None else self.reference
        if not callable(reference):
            return reference
        return self.call([wide(a) for a in arrays or self.arrays()], reference)

    def shares_batch(self) -> list[bool]:
        """For each array whether its first dimension is the batch."""
        arrays = self.arrays()
        first = next((a for a in arrays if a.ndim), None)
        if first is None or not self.batch:
            return [False] * len(arrays)
        return [a.ndim == first.ndim and a.shape[0] == first.shape[0] for a in arrays]


def wide(array: np.ndarray) -> np.ndarray:
    """Floats as float64, other dtypes as they are."""
    return array.astype(np.float64) if is_float(array) else array


def is_float(array: np.ndarray) -> bool:
    """Whether an array holds real floats."""
    return dtypes.is_float_dtype(array.dtype)


def f(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    """Floats in [low, high), away from the integers and halves where functions have kinks."""
    values = np.random.default_rng((seed, *shape)).uniform(low, high, shape)
    return values.astype(np.float32)


def i(*shape: int, low: int = 0, high: int = 10, seed: int = 0, dtype: str = "int32") -> np.ndarray:
    """Integers in [low, high)."""
    return np.random.default_rng((seed, *shape)).integers(low, high, shape).astype(dtype)


def b(*shape: int, seed: int = 0) -> np.ndarray:
    """Booleans."""
    return np.random.default_rng((seed, *shape)).integers(0, 2, shape).astype(bool)


def all_cases() -> list[Case]:
    """The cases of every table in this folder."""
    found: list[Case] = []
    for path in sorted(Path(__file__).parent.glob("cases_*.py")):
        found += importlib.import_module(f"{__package__}.{path.stem}").CASES
    return found
