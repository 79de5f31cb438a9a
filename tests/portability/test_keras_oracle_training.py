"""Losses, metrics, optimizers and schedules give the values of Keras 3.15.1, case by case.

Keras is a black box here: a process of its own runs the cases of `oracle_worker` and writes what
came out. JAX is left out for its time (each eager operation is compiled): its values are held to
the same NumPy references by tests/conformance.
"""

from __future__ import annotations

import os
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pytest

import multikeras
from tests.metrics import cases as metric_cases
from tests.optimizers import rules
from tests.portability import oracle_worker

ROOT = Path(__file__).resolve().parents[2]
BACKENDS = ("numpy", "torch", "tensorflow")
Values = dict[str, np.ndarray]

# Where values are meant to differ, and why. Each entry must differ: one that agrees is an error.
DIFFERENCES = {
    # Keras refuses weights per sample beside labels of a higher rank (after argmax).
    "metrics/IoU-*/weighted": "weights of a lower rank are weights per sample",
    "metrics/MeanIoU-*/weighted": "weights of a lower rank are weights per sample",
    "metrics/OneHot*IoU-*/weighted": "weights of a lower rank are weights per sample",
    # Keras bounds the rate by 1 / sqrt(step) whatever `relative_step` says.
    "optimizers/Adafactor-relative_step=False*": "`relative_step=False` is obeyed",
}


def _is_meant(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in DIFFERENCES)


def _run(library: str, path: Path, **environment: str) -> Values:
    done = subprocess.run(
        [sys.executable, "-m", "tests.portability.oracle_worker", library, str(path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(path) as stored:
        return {key.replace("|", "/"): stored[key] for key in stored}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("oracle")


@pytest.fixture(scope="module")
def oracle(folder: Path) -> Values:
    return _run("keras", folder / "keras.npz", KERAS_BACKEND="numpy")


def _problem(ours: np.ndarray, theirs: np.ndarray) -> str | None:
    """What is wrong with a value, or None."""
    for who, value in (("multikeras", ours), ("Keras", theirs)):
        if value.dtype.kind == "U":
            return f"{who} fails: {value}"
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return f"{ours.shape} of {ours.dtype}, not {theirs.shape} of {theirs.dtype}"
    try:
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)
    except AssertionError as error:
        return str(error)
    return None


@pytest.mark.parametrize("backend", BACKENDS)
def test_values_are_those_of_keras(folder: Path, oracle: Values, backend: str) -> None:
    values = _run("multikeras", folder / f"{backend}.npz", MULTIKERAS_BACKEND=backend)
    assert set(values) == set(oracle)
    problems = {name: _problem(values[name], oracle[name]) for name in values}
    ours_fail = [name for name, value in values.items() if value.dtype.kind == "U"]
    different = {k: text for k, text in problems.items() if text and not _is_meant(k)}
    assert not different, "\n".join(f"{k}: {text[:500]}" for k, text in different.items())
    assert not ours_fail
    agreeing = [name for name, text in problems.items() if text is None and _is_meant(name)]
    assert not agreeing, f"meant to differ, but equal: {agreeing}"


def test_every_difference_is_one_of_a_case(oracle: Values) -> None:
    for pattern in DIFFERENCES:
        assert any(fnmatchcase(name, pattern) for name in oracle), pattern


def test_nothing_is_left_out() -> None:
    for room, covered in (
        ("losses", {name for name, _, _ in oracle_worker.LOSSES}),
        ("metrics", {case.name for case in metric_cases.CASES}),
        ("optimizers", {case.name for case in rules.CASES} | {"LossScaleOptimizer"}),
    ):
        assert covered == {cls.__name__ for cls in getattr(multikeras, room).CLASSES}
    schedules = multikeras.optimizers.schedules
    known = {name for name in schedules.__all__ if name[0].isupper()} - {"LearningRateSchedule"}
    assert {name for name, _, _ in oracle_worker.SCHEDULES} == known
