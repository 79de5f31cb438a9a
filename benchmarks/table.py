"""Results as a table: rich in a terminal, Markdown, and plain data for JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from rich.table import Table

from benchmarks.case import KINDS, Budget, Case
from benchmarks.run import Result, Sample

# How a cost is shown: (suffix, cost -> number).
UNITS: dict[str, tuple[str, Callable[[float], float]]] = {
    "s": (" s", lambda cost: cost),
    "ms": (" ms", lambda cost: cost * 1e3),
    "us": (" µs", lambda cost: cost * 1e6),
    "MB": (" MB", lambda cost: cost / 1e6),
    "x state": (" x state", lambda cost: cost),
    "samples/s": ("/s", lambda cost: 1 / cost),
}
COLUMNS = ("row", "backend", "multikeras", "Keras 3", "bare", "x Keras", "x bare", "budget")


@dataclass(frozen=True)
class Row:
    """One line of the table: the cells, and whether every budget is met (None: nothing to say)."""

    cells: tuple[str, ...]
    met: bool | None


def number(value: float) -> str:
    """Three significant digits, thousands grouped."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def shown(sample: Sample | None, unit: str) -> str:
    """The median with the half-width of the middle half."""
    if sample is None:
        return "-"
    suffix, convert = UNITS[unit]
    spread = abs(convert(sample.high) - convert(sample.low)) / 2
    return f"{number(convert(sample.median))}{suffix} ±{number(spread)}"


def judge(budget: Budget, medians: dict[str, float]) -> tuple[float, bool] | None:
    """The number that `budget` limits, and whether it is within; None if it can't be known."""
    kind = KINDS[budget.kind]
    own = medians.get("multikeras")
    rival = own if kind.needs is None else medians.get(kind.needs)
    if own is None or rival is None:
        return None
    value = kind.compute(own, rival)
    return value, value >= budget.limit if kind.at_least else value <= budget.limit


def _budget_text(budget: Budget, medians: dict[str, float], unit: str) -> str:
    suffix, convert = UNITS[unit]
    judged = judge(budget, medians)
    mark = "?" if judged is None else "met" if judged[1] else "MISSED"
    if budget.kind.startswith("times"):
        against = "Keras" if budget.kind == "times_keras" else "bare"
        return f"{mark}: >= {budget.limit:g}x {against}"
    limit = f"{number(convert(budget.limit))}{suffix}"
    if budget.kind == "value":
        return f"{mark}: <= {limit}"
    got = "" if judged is None else f" (+{number(convert(judged[0]))})"
    return f"{mark}: <= bare + {limit}{got}"


def rows(result: Result) -> list[Row]:
    """One row for each metric of a result."""
    found = []
    for metric, unit in result.case.metrics.items():
        samples = {lib: s[metric] for lib, s in result.samples.items() if metric in s}
        if not samples and not result.notes:
            continue
        medians = {lib: sample.median for lib, sample in samples.items()}
        budgets = result.case.budgets.get((result.backend, metric), ())
        verdicts = [judged[1] for b in budgets if (judged := judge(b, medians)) is not None]
        ratios = []
        for kind in ("times_keras", "times_bare"):
            judged = judge(Budget(kind, 0.0), medians)
            ratios.append("-" if judged is None else f"{number(judged[0])}x")
        name = result.case.name if len(result.case.metrics) == 1 else f"{result.case.name} {metric}"
        cells = [
            shown(samples[lib], unit) if lib in samples else _absent(result, lib)
            for lib in ("multikeras", "keras", "bare")
        ]
        texts = [_budget_text(b, medians, unit) for b in budgets]
        found.append(
            Row(
                (name, result.backend, *cells, *ratios, "; ".join(texts)),
                all(verdicts) if verdicts else None,
            )
        )
    return found


def _absent(result: Result, library: str) -> str:
    if library not in result.notes:
        return "-"
    return "absent" if result.notes[library].endswith("is not installed") else "failed"


def terminal(results: list[Result]) -> Table:
    """A table for a terminal; missed budgets stand out."""
    table = Table(title="multikeras beside Keras 3 and the bare frameworks (medians)")
    for index, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if 2 <= index <= 6 else "left")
    styles = {True: "green", False: "bold red", None: ""}
    last = None
    for result in results:
        if last not in (None, result.case.name):
            table.add_section()
        last = result.case.name
        for row in rows(result):
            table.add_row(*row.cells, style=styles[row.met])
    return table


def machine() -> dict[str, Any]:
    """Where the numbers come from."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
    }


def markdown(results: list[Result], threads: int, clock: str = "real") -> str:
    """The table in Markdown, with the date, the machine, the versions and what a row measures."""
    host = machine()
    versions: dict[str, str] = {}
    for result in results:
        versions.update(result.versions)
    versions.setdefault("multikeras", "source checkout")
    timed = {"real": "real time", "cpu": "processor time, on a machine busy with other work"}
    lines = [
        f"{date.today().isoformat()}. Medians ± half the interquartile range of {timed[clock]}, "
        f"{threads} thread(s) on {host['processors']} cores ({host['processor']}, "
        f"{host['system']}), Python {host['python']}; "
        + ", ".join(f"{name} {versions[name]}" for name in sorted(versions))
        + ".",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "| " + " | ".join("---:" if 2 <= i <= 6 else "---" for i in range(len(COLUMNS))) + " |",
    ]
    found = [row for result in results for row in rows(result)]
    lines += ["| " + " | ".join(row.cells) + " |" for row in found]
    met, missed = (sum(row.met is verdict for row in found) for verdict in (True, False))
    lines += ["", f"{met} rows meet all their budgets, {missed} miss one."]
    titles = {result.case.name: result.case.title for result in results}
    lines += ["", *(f"- `{name}`: {title}" for name, title in titles.items())]
    return "\n".join(lines) + "\n"


BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def renewed(page: str, measured: str) -> str:
    """A page with what stands between the marks replaced; what was written by hand stays.

    A page without marks is replaced as a whole.
    """
    block = f"{BEGIN}\n\n{measured}\n{END}"
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    return before + block + after if begin and end else block + "\n"


def data(results: list[Result], threads: int, clock: str = "real") -> dict[str, Any]:
    """Everything measured, as plain data: costs in seconds, bytes or factors."""
    return {
        "date": date.today().isoformat(),
        "machine": machine(),
        "threads": threads,
        "clock": clock,
        "results": [
            {
                "case": result.case.name,
                "title": result.case.title,
                "backend": result.backend,
                "contenders": [c.label for c in result.case.contenders(result.backend)],
                "units": dict(result.case.metrics),
                "samples": {
                    library: {metric: asdict(sample) for metric, sample in found.items()}
                    for library, found in result.samples.items()
                },
                "budgets": [
                    {"metric": metric, **asdict(budget), "judged": _judged(result, metric, budget)}
                    for (backend, metric), budgets in result.case.budgets.items()
                    if backend == result.backend
                    for budget in budgets
                ],
                "notes": result.notes,
                "versions": result.versions,
            }
            for result in results
        ],
    }


def from_data(report: dict[str, Any], cases: Mapping[str, Case]) -> list[Result]:
    """The results that `data` wrote; those of cases that are no more are left out."""
    return [
        Result(
            cases[found["case"]],
            found["backend"],
            {
                library: {metric: Sample(**sample) for metric, sample in samples.items()}
                for library, samples in found["samples"].items()
            },
            found["notes"],
            found["versions"],
        )
        for found in report["results"]
        if found["case"] in cases
    ]


def _judged(result: Result, metric: str, budget: Budget) -> dict[str, Any] | None:
    medians = {lib: s[metric].median for lib, s in result.samples.items() if metric in s}
    judged = judge(budget, medians)
    return None if judged is None else {"value": judged[0], "met": judged[1]}
