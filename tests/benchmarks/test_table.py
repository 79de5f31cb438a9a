"""The benchmarks' tables: budgets judged, pages renewed, results that go to JSON and back."""

from __future__ import annotations

import json

from benchmarks import table
from benchmarks.__main__ import complete, selected
from benchmarks.case import Budget
from benchmarks.cases import CASES
from benchmarks.run import Result, Sample


def result(own: float, keras: float, bare: float) -> Result:
    costs = {"multikeras": own, "keras": keras, "bare": bare}
    return Result(
        CASES["fit_mlp"],
        "torch",
        {library: {"fit": Sample.of([cost] * 3)} for library, cost in costs.items()},
    )


def test_budgets_compare_medians():
    medians = {"multikeras": 1.0, "keras": 3.0, "bare": 0.5}
    assert table.judge(Budget("times_keras", 3.0), medians) == (3.0, True)
    assert table.judge(Budget("times_bare", 0.8), medians) == (0.5, False)
    assert table.judge(Budget("over_bare", 0.4), medians) == (0.5, False)
    assert table.judge(Budget("value", 1.0), medians) == (1.0, True)
    assert table.judge(Budget("times_keras", 3.0), {"multikeras": 1.0}) is None


def test_a_row_meets_its_budgets_or_not():
    assert [row.met for row in table.rows(result(1.0, 4.0, 1.0))] == [True]
    assert [row.met for row in table.rows(result(1.0, 4.0, 0.5))] == [False]


def test_a_page_keeps_what_was_written_by_hand():
    page = f"# Speed\n\n{table.BEGIN}\nold\n{table.END}\n\n## Remarks\n"
    renewed = table.renewed(page, "new\n")
    assert renewed.startswith("# Speed\n") and renewed.endswith("\n\n## Remarks\n")
    assert "new" in renewed and "old" not in renewed
    assert table.renewed(renewed, "new\n") == renewed


def test_results_return_from_json(tmp_path):
    measured = result(1.0, 4.0, 1.0)
    path = tmp_path / "run.json"
    path.write_text(json.dumps(table.data([measured], 2)))
    assert complete([], [path]) == [measured]
    newer = result(2.0, 4.0, 1.0)
    assert complete([newer], [path]) == [newer]


def test_every_row_of_the_budget_table_is_listed():
    names = {case.name for case in selected([])}
    assert names == {
        "imports", "add", "mlp_call", "fit_mlp", "fit_cnn", "fit_lstm", "fit_transformer",
        "build", "weights",
    }  # fmt: skip
