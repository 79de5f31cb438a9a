"""A run that was killed on one backend is continued on another, to the same end within rounding.

Each leg is a process that ends itself by SIGKILL at a step; the next backend goes on with the
folder that it leaves.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.training import resume_worker as worker

BACKENDS = ("numpy", "jax", "torch", "tensorflow")
# (backend, event at which it is killed): within an epoch, in a validation, at the end of one.
ROUTES = {
    "round": [("numpy", 9), ("jax", 9), ("torch", 12), ("tensorflow", 0)],
    "back": [("tensorflow", 13), ("torch", 9), ("jax", 12), ("numpy", 0)],
}


def leg(folder: Path, backend: str, at: int) -> None:
    """Trains on a backend until an event, or to the end."""
    end = ["SIGKILL", str(at)] if at else []
    result = subprocess.run(
        [sys.executable, worker.__file__, str(folder), "2", *end],
        env=os.environ
        | {"PYTHONPATH": str(Path(__file__).parents[2]), "MULTIKERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=300,
    )
    expected = -signal.SIGKILL if at else 0
    assert result.returncode == expected, result.stderr[-3000:]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    leg(folder, "numpy", 0)
    return worker.read(folder)


@pytest.mark.parametrize("route", ROUTES)
def test_a_run_wanders(tmp_path, expected, route):
    for backend, at in ROUTES[route]:
        leg(tmp_path, backend, at)
    found = worker.read(tmp_path)
    assert found["epochs"] == expected["epochs"] and found["left"] == []
    assert found["history"].keys() == expected["history"].keys()
    for name, values in expected["history"].items():
        np.testing.assert_allclose(found["history"][name], values, rtol=1e-4, err_msg=name)
    for name, array in expected["arrays"].items():
        np.testing.assert_allclose(found["arrays"][name], array, rtol=1e-3, atol=1e-4, err_msg=name)
    assert [len(line.split(",")) for line in found["csv"].splitlines()] == [
        len(line.split(",")) for line in expected["csv"].splitlines()
    ]
