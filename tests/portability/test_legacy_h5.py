"""Legacy HDF5 files go both ways between Keras 3.15.1 and every backend, and between backends.

Keras writes; each backend, in a process of its own, opens these files and those of the backend
before it, and writes its own; Keras opens all of them. Each must give the same outputs, and
(Keras aside) train on as if it had not been interrupted.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BACKENDS = ["numpy", "jax", "torch", "tensorflow"]


def run(library: str, folder: Path, *tasks: str, **environment: str) -> None:
    arguments = [f"{task.split(':')[0]}:{folder / task.split(':')[1]}" for task in tasks]
    report = str(folder / "report")
    done = subprocess.run(
        [sys.executable, "-m", "tests.portability.legacy_h5_worker", library, report, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every library has written its files."""
    folder = tmp_path_factory.mktemp("legacy_h5")
    for name in ("keras", *BACKENDS):
        (folder / name).mkdir()
    run("keras", folder, "write:keras", KERAS_BACKEND="torch")
    return folder


@pytest.mark.parametrize("backend", BACKENDS)
def test_backends_read_and_write(folder: Path, backend: str) -> None:
    before = ["keras", *BACKENDS][BACKENDS.index(backend)]
    tasks = ["read:keras", *([f"read:{before}"] if before != "keras" else []), f"write:{backend}"]
    run("multikeras", folder, *tasks, MULTIKERAS_BACKEND=backend)


def test_keras_reads_what_backends_wrote(folder: Path) -> None:
    written = [name for name in BACKENDS if (folder / name / "functional.npz").exists()]
    assert written, "no backend has written its files"
    run("keras", folder, *(f"read:{name}" for name in written), KERAS_BACKEND="torch")
