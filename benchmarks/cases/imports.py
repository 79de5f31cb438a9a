"""Importing in a fresh process: time, and memory of the whole process after it."""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.case import Budget, Case, Repetition, same_backend

CASE = Case(
    name="imports",
    title="import in a fresh process: seconds, and resident memory of the process after it",
    metrics={"time": "s", "memory": "MB"},
    rivals=same_backend("keras", "bare"),
    budgets={
        ("numpy", "time"): (Budget("value", 0.35),),
        ("numpy", "memory"): (Budget("value", 80e6),),
        **{(b, "time"): (Budget("over_bare", 0.35),) for b in ("jax", "torch", "tensorflow")},
    },
    repetitions=5,
)

SCRIPT = """
import json
from benchmarks import clock, memory
start = clock.now()
import {module}
print(json.dumps(dict(time=clock.now() - start, memory=memory.resident())))
"""


def prepare(library: str, backend: str, tiny: bool) -> Repetition:
    """A repetition is a process."""
    module = backend if library == "bare" else library

    def repeat() -> dict[str, float]:
        command = [sys.executable, "-c", SCRIPT.format(module=module)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode and f"No module named '{module}'" in done.stderr:
            raise ModuleNotFoundError(done.stderr, name=module)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout.splitlines()[-1])

    return repeat
