"""`ops.add` on small tensors, eagerly: what a call costs beyond the framework's own."""

from __future__ import annotations

from benchmarks.case import BACKENDS, Budget, Case, Repetition, same_backend
from benchmarks.cases import ops

CASE = Case(
    name="add",
    title="one eager ops.add of two 8 x 8 float32 tensors",
    metrics={"add": "us"},
    rivals=same_backend("keras", "bare"),
    budgets={(backend, "add"): (Budget("over_bare", 1.5e-6),) for backend in BACKENDS},
    repetitions=15,
)


def prepare(library: str, backend: str, tiny: bool) -> Repetition:
    """A repetition is a few thousand calls."""
    return ops.prepare(library, backend, tiny, ops=("add",), number=5000, budget=1.0)
