"""One process of the tests of Keras 3's files: writes models with a library, or reads them.

    python -m tests.portability.keras_worker LIBRARY REPORT write:FOLDER read:FOLDER ...

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
    for part in (
        "layers",
        "models",
        "ops",
        "activations",
        "losses",
        "optimizers",
        "saving",
        "tree",
    ):
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
    for name in zoo.TRAINED:
        try:
            _write_trained(library, name, folder / name)
        except Exception as error:
            problems[name] = _short(error)
    if library.__name__ == "keras":
        x = library.layers.Input((2,))
        model = library.models.Model(x, library.layers.Lambda(lambda v: v + 1)(x))
        model.save(folder / "refused_lambda.keras")
    return problems


def _write_trained(library: Any, name: str, path: Path) -> None:
    """Trains, saves, trains on; what happened is `NAME.npz`."""
    model = zoo.trained(library, name)
    before = zoo.fit(model)
    model.save(f"{path}.keras")
    model.save_weights(f"{path}.weights.h5")
    # Copies: an optimizer may update its slots in place.
    state = [np.array(library.ops.convert_to_numpy(v)) for v in model.optimizer.variables]
    arrays = {f"state_{i}": value for i, value in enumerate(state)}
    weights = {f"weight_{i}": value for i, value in enumerate(model.get_weights())}
    np.savez(f"{path}.npz", before=before, after=zoo.fit(model), **arrays, **weights)
    if library.__name__ != "keras":
        # In the same process and on the same backend nothing may tell that there was a pause.
        _read_trained(library, name, path, tolerance=1e-6)


def _read_trained(library: Any, name: str, path: Path, tolerance: float) -> None:
    with np.load(f"{path}.npz") as file:
        stored = dict(file)
    state = [stored[f"state_{i}"] for i in range(sum(key.startswith("state") for key in stored))]
    weights = [
        stored[f"weight_{i}"] for i in range(sum(key.startswith("weight") for key in stored))
    ]
    model = library.saving.load_model(f"{path}.keras")
    from_weights = zoo.trained(library, name)
    from_weights.load_weights(f"{path}.weights.h5")
    for loaded in (model, from_weights):
        _compare(loaded.get_weights(), weights, 0)
    own = [np.asarray(library.ops.convert_to_numpy(v)) for v in model.optimizer.variables]
    _compare(own, state, 0)
    np.testing.assert_allclose(zoo.fit(model), stored["after"], rtol=tolerance)


def read(library: Any, folder: Path) -> dict[str, str]:
    problems = {}
    zoo.custom(library)
    for name in zoo.MODELS:
        path = folder / zoo.file_name(name)
        refused = library.__name__ == "keras" and name in zoo.REFUSED_BY_KERAS
        if refused or not path.with_name(path.name + ".npz").exists():
            continue
        try:
            model = library.saving.load_model(
                f"{path}.keras", custom_objects=zoo.unregistered(library)
            )
            with np.load(f"{path}.npz") as stored:
                inputs = {key[3:]: stored[key] for key in stored if key.startswith("in_")}
                expected = [stored[key] for key in stored if key.startswith("out_")]
            outputs = run(library, name, model, inputs)
            _compare(outputs, expected, zoo.TOLERANCES.get(name, 1e-5))
        except Exception as error:
            problems[name] = _short(error)
    for name in zoo.TRAINED:
        if (folder / f"{name}.npz").exists():
            try:
                _read_trained(library, name, folder / name, 2e-3 if "float16" in name else 1e-4)
            except Exception as error:
                problems[name] = _short(error)
    if library.__name__ != "keras" and (folder / "refused_lambda.keras").exists():
        _expect_refusal(library, folder, problems)
    return problems


def _expect_refusal(library: Any, folder: Path, problems: dict[str, str]) -> None:
    for safe_mode in (True, False):
        try:
            library.saving.load_model(folder / "refused_lambda.keras", safe_mode=safe_mode)
            problems["refused_lambda"] = "bytecode was accepted"
        except ValueError as error:
            if "lambda" not in str(error):
                problems["refused_lambda"] = _short(error)


def _compare(outputs: list[np.ndarray], expected: list[np.ndarray], tolerance: float) -> None:
    assert len(outputs) == len(expected), f"{len(outputs)} outputs, not {len(expected)}"
    for ours, theirs in zip(outputs, expected):
        assert ours.shape == theirs.shape, f"shape {ours.shape}, not {theirs.shape}"
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def main() -> None:
    name, report, *tasks = sys.argv[1:]
    library = load_library(name)
    problems = {}
    for task in tasks:
        kind, folder = task.split(":", 1)
        problems[task] = {"write": write, "read": read}[kind](library, Path(folder))
    Path(report).write_text(json.dumps(problems, indent=1))


if __name__ == "__main__":
    main()
