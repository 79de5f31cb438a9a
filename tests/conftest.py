"""Which tests run where.

Tests marked `all_backends`, and all of tests/portability, need every framework in one environment.
They run if MULTIKERAS_TEST_ALL_BACKENDS=1 (the portability session), and are left out, not
skipped, otherwise.
"""

import os
from pathlib import Path

import pytest

ALL_BACKENDS = os.environ.get("MULTIKERAS_TEST_ALL_BACKENDS") == "1"
_PORTABILITY = Path(__file__).parent / "portability"

collect_ignore = [] if ALL_BACKENDS else ["portability"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks what is in tests/portability; leaves out what needs frameworks that are not there."""
    for item in items:
        if _PORTABILITY in item.path.parents:
            item.add_marker("all_backends")
    if ALL_BACKENDS:
        return
    needs_all = [item for item in items if item.get_closest_marker("all_backends")]
    if needs_all:
        config.hook.pytest_deselected(items=needs_all)
        items[:] = [item for item in items if item not in set(needs_all)]
