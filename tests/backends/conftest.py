"""Tests that need a framework say so with a mark; elsewhere they are left out."""

from __future__ import annotations

from multikeras import config

FILES = {"test_torch_compile.py": "torch"}  # file -> the backend it is about

collect_ignore = [name for name, backend in FILES.items() if backend != config.backend()]


def pytest_report_header() -> str:
    """Says what is left out, and why."""
    left_out = [f"{name} (needs {FILES[name]})" for name in collect_ignore]
    return f"tests/backends without {', '.join(left_out) or 'exception'}"
