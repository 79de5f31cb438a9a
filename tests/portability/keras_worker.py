"""One process of the tests of Keras 3's files: writes models with a library, or reads them.

    python -m tests.portability.keras_worker LIBRARY write FOLDER
    python -m tests.portability.keras_worker LIBRARY read FOLDER REPORT

`write` makes `NAME.keras` and `NAME.npz` (inputs and outputs) for every model of `zoo`, and
`read` opens every such file of a folder, runs the model on the inputs and compares. What goes
wrong is a line of the report, so that one failing model hides no other.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from tests.portability import zoo


def load_library(name: str) -> Any:
    """The library's module, with the submodules that `zoo` uses."""
    library = importlib.import_module(name)
    for part in ("layers", "models", "ops", "activations", "losses", "saving", "tree"):
        importlib.import_module(f"{name}.{part}")
    return library


def run(library: Any, name: str, model: Any, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The outputs of a model, flat."""
    outputs = library.tree.flatten(model(zoo.passed(name, inputs)))
    cast, to_numpy = library.ops.cast, library.ops.convert_to_numpy
    return [np.asarray(to_numpy(cast(output, "float32"))) for output in outputs]


def _short(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})"


def write(library: Any, folder: Path) -> dict[str, str]:
    problems = {}
    for seed, (name, build) in enumerate(zoo.MODELS.items()):
        try:
            model = build(library)
            zoo.set_weights(model, seed)
            inputs = zoo.make_inputs(model, seed)
            outputs = run(library, name, model, inputs)
            path = folder / zoo.file_name(name)
            model.save(f"{path}.keras")
            arrays = {f"in_{key}": value for key, value in inputs.items()}
            np.savez(f"{path}.npz", **arrays, **{f"out_{i}": a for i, a in enumerate(outputs)})
        except Exception as error:
            problems[name] = _short(error)
    return problems


def read(library: Any, folder: Path) -> dict[str, str]:
    problems = {}
    zoo.custom(library)
    for name in zoo.MODELS:
        path = folder / zoo.file_name(name)
        if not path.with_name(path.name + ".npz").exists():
            continue
        try:
            model = library.saving.load_model(f"{path}.keras")
            with np.load(f"{path}.npz") as stored:
                inputs = {key[3:]: stored[key] for key in stored if key.startswith("in_")}
                expected = [stored[key] for key in stored if key.startswith("out_")]
            outputs = run(library, name, model, inputs)
            _compare(outputs, expected, zoo.TOLERANCES.get(name, 1e-5))
        except Exception as error:
            problems[name] = _short(error)
    return problems


def _compare(outputs: list[np.ndarray], expected: list[np.ndarray], tolerance: float) -> None:
    assert len(outputs) == len(expected), f"{len(outputs)} outputs, not {len(expected)}"
    for ours, theirs in zip(outputs, expected):
        assert ours.shape == theirs.shape, f"shape {ours.shape}, not {theirs.shape}"
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def main() -> None:
    name, task, folder, report = sys.argv[1:5]
    library = load_library(name)
    problems = {"write": write, "read": read}[task](library, Path(folder))
    Path(report).write_text(json.dumps(problems, indent=1))


if __name__ == "__main__":
    main()
