"""Files go both ways between Keras 3.15.1 and every backend, and between the backends.

One process of Keras writes all models of `zoo`; each backend, in a process of its own, opens
them, opens those of the backend before it, and writes its own; a last process of Keras opens
all of these. Outputs have to agree, and training has to go on as if it had not been interrupted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.portability import zoo

ROOT = Path(__file__).resolve().parents[2]
BACKENDS = ["numpy", "jax", "torch", "tensorflow"]
NAMES = [*zoo.MODELS, *zoo.TRAINED, "refused_lambda"]
Reports = dict[tuple[str, str], dict[str, str]]


def run(library: str, folder: Path, *tasks: str, **environment: str) -> dict[str, dict[str, str]]:
    """The reports of one process, by task."""
    report = folder / f"report_{len(list(folder.glob('report_*')))}.json"
    names = [f"{task.split(':')[0]}:{folder / task.split(':')[1]}" for task in tasks]
    command = [sys.executable, "-m", "tests.portability.keras_worker", library, str(report)]
    done = subprocess.run(
        [*command, *names],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(zip(tasks, json.loads(report.read_text()).values(), strict=True))


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """What went wrong, by (who did it, what was done)."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("keras", *BACKENDS):
        (folder / name).mkdir()
    found: Reports = {}

    def note(who: str, results: dict[str, dict[str, str]]) -> None:
        found.update({(who, task): problems for task, problems in results.items()})

    note("keras", run("keras", folder, "write:keras", KERAS_BACKEND="torch"))
    before = None
    for backend in BACKENDS:
        tasks = ["read:keras", *([f"read:{before}"] if before else []), f"write:{backend}"]
        note(backend, run("multikeras", folder, *tasks, MULTIKERAS_BACKEND=backend))
        before = backend
    note("numpy", run("multikeras", folder, f"read:{before}", MULTIKERAS_BACKEND="numpy"))
    readings = [f"read:{backend}" for backend in BACKENDS]
    note("keras", run("keras", folder, *readings, KERAS_BACKEND="torch"))
    return found


TASKS = [
    ("keras", "write:keras"),
    *((backend, "read:keras") for backend in BACKENDS),
    *((backend, f"write:{backend}") for backend in BACKENDS),
    *(("keras", f"read:{backend}") for backend in BACKENDS),
    *((BACKENDS[i], f"read:{BACKENDS[i - 1]}") for i in range(len(BACKENDS))),
]


@pytest.mark.parametrize(("who", "task"), TASKS, ids=lambda value: value.replace(":", " "))
def test_every_model(reports: Reports, who: str, task: str) -> None:
    problems = reports[who, task]
    assert not problems, "\n".join(f"{name}: {text[:500]}" for name, text in problems.items())


def test_the_zoo_is_whole() -> None:
    files = [zoo.file_name(name) for name in NAMES]
    assert len(set(files)) == len(files)
