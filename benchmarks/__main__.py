"""`python -m benchmarks [rows...]`: measures rows of the budget table and prints them.

Exit code 1 means that a contender broke, never that a budget was missed: a busy machine misses
budgets too.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from benchmarks import table
from benchmarks.case import BACKENDS, Case
from benchmarks.cases import CASES
from benchmarks.clock import CLOCKS
from benchmarks.run import Result, Settings, measure_all, pin


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    made.add_argument(
        "rows",
        nargs="*",
        metavar="row",
        help=f"rows to measure (default: all but ops): {', '.join(CASES)}",
    )
    made.add_argument("--backend", action="append", choices=BACKENDS, help="only this backend")
    made.add_argument("--quick", action="store_true", help="a third of the repetitions")
    made.add_argument("--tiny", action="store_true", help="sizes that only try the machinery")
    made.add_argument("--clock", choices=CLOCKS, default="real", help="cpu: on a busy machine")
    made.add_argument("--threads", type=int, default=2, help="threads and processors (default: 2)")
    made.add_argument(
        "--markdown",
        type=Path,
        metavar="FILE",
        help="writes the table there too, between the marks of docs/benchmarks.md where it has any",
    )
    made.add_argument("--json", type=Path, metavar="FILE", help="writes all numbers there too")
    made.add_argument(
        "--with",
        dest="earlier",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="takes what is not measured now from what --json wrote (rows: none, if none is named)",
    )
    return made


def selected(names: list[str]) -> list[Case]:
    """The cases of these names, in the table's order; without names all that are listed.

    Raises:
        ValueError: if there is no case of a name.
    """
    unknown = [name for name in names if name not in CASES]
    if unknown:
        raise ValueError(f"no row is called {', '.join(unknown)}; there are {', '.join(CASES)}")
    return [case for name, case in CASES.items() if (name in names if names else case.listed)]


def complete(results: list[Result], earlier: list[Path]) -> list[Result]:
    """The results and, for what is not among them, those of earlier runs, in the table's order."""
    found = {(result.case.name, result.backend): result for result in results}
    for path in earlier:
        report = json.loads(path.read_text(encoding="utf-8"))
        for result in table.from_data(report, CASES):
            found.setdefault((result.case.name, result.backend), result)
    order = list(CASES)
    return sorted(
        found.values(), key=lambda r: (order.index(r.case.name), BACKENDS.index(r.backend))
    )


def write(results: list[Result], options: argparse.Namespace) -> None:
    """Writes the files that were asked for."""
    if options.json:
        report = table.data(results, options.threads, options.clock)
        options.json.write_text(json.dumps(report, indent=1), encoding="utf-8")
    if options.markdown:
        path = options.markdown
        page = path.read_text(encoding="utf-8") if path.exists() else ""
        measured = table.markdown(results, options.threads, options.clock)
        path.write_text(table.renewed(page, measured), encoding="utf-8")


def broken(results: list[Result]) -> list[str]:
    """What went wrong, contender by contender; what isn't installed is no fault."""
    return [
        f"{result.case.name} on {result.backend}, {library}: {note}"
        for result in results
        for library, note in result.notes.items()
        if not note.endswith("is not installed")
    ]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; gives the exit code."""
    made = parser()
    options = made.parse_args(arguments)
    try:
        cases = selected(options.rows) if options.rows or not options.earlier else []
    except ValueError as error:
        made.error(str(error))
    settings = Settings(options.threads, options.quick, options.tiny, options.clock)
    pin(options.threads)
    console, errors = Console(), Console(stderr=True)
    results = []
    for case, backend, result in measure_all(cases, options.backend or list(BACKENDS), settings):
        results.append(result)
        errors.print(f"{case.name} on {backend}: measured", style="dim")
        write(results, options)  # a run that is ended early leaves what it has measured
    results = complete(results, options.earlier)
    write(results, options)
    console.print(table.terminal(results))
    faults = broken(results)
    for fault in faults:
        errors.print(fault, style="red", markup=False, highlight=False)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
