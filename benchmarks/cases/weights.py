"""Saving and loading a model of 67 MB, each in a fresh process: time and highest memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import clock, memory
from benchmarks.case import BACKENDS, Budget, Case, Repetition, same_backend
from benchmarks.worker import library_module

CASE = Case(
    name="weights",
    title=(
        "saving and loading a .keras file of 67 MB: seconds, and the highest memory above that "
        "of the imported library, as a multiple of the model's own state"
    ),
    metrics={"save": "ms", "save memory": "x state", "load": "ms", "load memory": "x state"},
    rivals=same_backend("keras"),
    budgets={
        (backend, metric): (Budget("value", 1.3),)
        for backend in BACKENDS
        for metric in ("save memory", "load memory")
    },
    repetitions=3,
)
LAYERS, UNITS = 16, 1024


def build(keras: Any, units: int) -> Any:
    """A model of 16 dense layers."""
    layers = [keras.layers.Dense(units) for _ in range(LAYERS)]
    return keras.Sequential([keras.Input((units,)), *layers])


def _watched(work: Callable[[], Any], before: int) -> tuple[float, int]:
    """Seconds that `work` takes, and the highest memory during it above `before`."""
    memory.mark()
    start = clock.now()
    kept = work()
    spent = clock.now() - start
    peak = memory.highest() - before
    del kept
    return spent, peak


def run(library: str, action: str, path: str, units: int) -> dict[str, float]:
    """One action in this process, after a small model has brought everything in."""
    keras = library_module(library)
    small = f"{path}.small.keras"
    build(keras, 8).save(small)
    keras.models.load_model(small)
    before = memory.resident()
    if action == "save":
        model = build(keras, units)
        spent, peak = _watched(lambda: model.save(path), before)
    else:
        spent, peak = _watched(lambda: keras.models.load_model(path), before)
    state = 4 * LAYERS * units * (units + 1)
    return {action: spent, f"{action} memory": peak / state}


def prepare(library: str, backend: str, tiny: bool) -> Repetition:
    """A repetition is two processes: one saves, one loads."""
    folder = tempfile.TemporaryDirectory()
    units = 16 if tiny else UNITS

    def repeat() -> dict[str, float]:
        path = str(Path(folder.name) / "model.keras")
        found = {}
        for action in ("save", "load"):
            arguments = json.dumps([library, action, path, units])
            command = [sys.executable, "-m", "benchmarks.cases.weights", arguments]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(done.stderr)
            found.update(json.loads(done.stdout.splitlines()[-1]))
        return found

    return repeat


if __name__ == "__main__":
    print(json.dumps(run(*json.loads(sys.argv[1]))))
