"""The table of ops that readers get is that of the declarations."""

from __future__ import annotations

from tests.architecture.ops_table import PAGE, page


def test_the_table_is_up_to_date() -> None:
    written, wanted = PAGE.read_text().splitlines(), page().splitlines()
    changed = sorted(set(written) ^ set(wanted))
    assert written == wanted, (
        "docs/ops.md differs from the declarations; write it with "
        f"`python -m tests.architecture.ops_table`. Lines that differ: {changed[:6]}"
    )
