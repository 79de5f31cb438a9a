"""The same seed gives the same run on every backend, and a file written on one opens on all."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BACKENDS = ("numpy", "jax", "torch", "tensorflow")
HERE = Path(__file__).parent


def run(script: str, *arguments: str, **environment: str) -> None:
    """Runs a script of this folder in a process of its own."""
    result = subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        env=os.environ | {"PYTHONPATH": str(HERE.parents[1])} | environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The folder with what every backend wrote."""
    path = tmp_path_factory.mktemp("runs")
    for backend in BACKENDS:
        run("run_worker.py", str(path), MULTIKERAS_BACKEND=backend)
    return path


@pytest.fixture(scope="module")
def results(folder) -> dict[str, dict[str, np.ndarray]]:
    return {backend: dict(np.load(folder / f"{backend}.npz")) for backend in BACKENDS}


PAIRS = list(itertools.combinations(BACKENDS, 2))


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_equal_to_the_bit(results, first, second):
    a, b = results[first], results[second]
    exact = [name for name in a if name.startswith("exact/")]
    assert exact and set(a) == set(b)
    different = [
        name
        for name in exact
        if a[name].shape != b[name].shape or a[name].tobytes() != b[name].tobytes()
    ]
    assert not different


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_losses_of_50_steps_agree(results, first, second):
    a, b = (results[name]["close/digits/losses"] for name in (first, second))
    assert a.shape == (50,)
    np.testing.assert_allclose(a, b, rtol=1e-4)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_outputs_gradients_and_updates_agree(results, first, second):
    a, b = results[first], results[second]
    for name in a:
        if name.startswith("close/"):
            np.testing.assert_allclose(a[name], b[name], rtol=2e-3, atol=2e-4, err_msg=name)


def test_files_open_everywhere(folder):
    files = [str(folder / f"{backend}.keras") for backend in BACKENDS]
    outputs = {}
    for backend in BACKENDS:
        out = str(folder / f"opened-{backend}.npz")
        run("open_worker.py", out, *files, MULTIKERAS_BACKEND=backend)
        outputs[backend] = list(np.load(out).values())
    out = str(folder / "opened-keras.npz")
    run("open_worker.py", "--keras", out, *files, KERAS_BACKEND="torch")
    outputs["keras"] = list(np.load(out).values())
    for name, predictions in outputs.items():
        for index, prediction in enumerate(predictions):
            np.testing.assert_allclose(
                prediction, outputs["numpy"][index], atol=1e-5, err_msg=f"{files[index]} on {name}"
            )
