"""Tests that speak to one framework say so with a mark; elsewhere they are left out."""

from __future__ import annotations

import pytest

from multikeras import config

FILES = {  # file -> the backend it is about
    "test_torch.py": "torch",
    "test_tensorflow.py": "tensorflow",
    "test_jax.py": "jax",
}

collect_ignore = [name for name, backend in FILES.items() if backend != config.backend()]


def pytest_report_header() -> str:
    """Says what is left out, and why."""
    left_out = [f"{name} (needs {FILES[name]})" for name in collect_ignore]
    return f"tests/layers without {', '.join(left_out)}"


@pytest.fixture
def x():
    """A batch of 2 samples of 3 features."""
    from multikeras import ops

    return ops.convert_to_tensor([[1.0, -2.0, 3.0], [0.5, 0.25, -1.0]])
