"""Importing one backend loads no other framework, and nothing else that is heavy.

NumPy is checked where no framework is installed; all four are where every one is, since only what
is installed can be loaded by mistake.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FRAMEWORKS = ("jax", "torch", "tensorflow")
HEAVY = ("keras", "scipy", "pandas", "matplotlib", "sklearn", "PIL")


def loaded_by(statement: str, backend: str) -> set[str]:
    """The top-level modules that a fresh process has after a statement."""
    code = f"{statement}; import sys; print(' '.join(m for m in sys.modules if '.' not in m))"
    environment = os.environ | {"MULTIKERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


def check(backend: str) -> None:
    """Compares what multikeras loads with what its framework loads by itself."""
    # What a framework itself loads (TensorFlow looks for JAX, JAX needs SciPy) is its own affair.
    own = set() if backend == "numpy" else loaded_by(f"import {backend}", backend)
    loaded = loaded_by("import multikeras", backend)
    assert backend in loaded
    heavy = set(HEAVY) | (set(FRAMEWORKS) - {backend})
    assert not (loaded - own) & heavy, f"multikeras on {backend} loaded {(loaded - own) & heavy}"


def test_import_loads_no_framework():
    check("numpy")


@pytest.mark.all_backends
@pytest.mark.parametrize("backend", ["numpy", *FRAMEWORKS])
def test_import_loads_one_framework(backend):
    check(backend)
