"""The table of tf.keras 2's API for readers, docs/api.md: each name, its tests, the backends.

`python -m tests.architecture.api_table` writes it anew; a test compares. Tests say what they show
by `@pytest.mark.page("Model.fit", ...)` on a function, a class or, as `pytestmark`, a module. They
are read by their syntax, so that no framework needs to be there; what limits a test to some of
the backends is the marker's `backends=`, or a decorator `needs("jax")`.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.api_names import LIMITS, NAMES

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "api.md"
BACKENDS = {"numpy": "NumPy", "jax": "JAX", "torch": "PyTorch", "tensorflow": "TensorFlow"}
SHOWN = 4  # tests named beside a name; the rest is counted

HEAD = """# The API of tf.keras 2

Written by `python -m tests.architecture.api_table` from the tests; do not edit.

Every attribute and method that tf.keras 2 documents for `Model`, `Sequential` and `Layer`, what
shows that it works, and on which backends these tests run. A model is a layer: what `Layer` has,
`Model` has too, and `Sequential` what `Model` has; names that `Sequential` takes over unchanged
name the tests of `Model`.

"""


@dataclasses.dataclass(frozen=True)
class Shown:
    """One test, a name that it shows, and the backends where it runs."""

    name: str
    file: str
    test: str
    backends: tuple[str, ...]
    why: str = ""


def _is_page(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "page"
        and ast.unparse(node.func).endswith("mark.page")
    )


def _marks(nodes: list[ast.expr]) -> list[ast.Call]:
    """The page marks among decorators, or in the value of a `pytestmark`."""
    found = []
    for node in nodes:
        parts = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
        found.extend(part for part in parts if _is_page(part))
    return found


def _limits(decorators: list[ast.expr]) -> tuple[str, ...] | None:
    """The backends of `@needs("jax")`; None without one."""
    for node in decorators:
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "needs":
            return tuple(ast.literal_eval(arg) for arg in node.args)
    return None


class _Constants(dict[str, object]):
    """What a module assigns at its top, worked out when it is asked for; of dicts, the keys."""

    def __init__(self, body: list[ast.stmt]) -> None:
        self.assigned = {
            ast.unparse(node.targets[0]): node.value
            for node in body
            if isinstance(node, ast.Assign)
        }

    def __missing__(self, name: str) -> object:
        value = self.assigned[name]
        if isinstance(value, ast.Dict):
            return {ast.literal_eval(key): None for key in value.keys if key is not None}
        return self.value(value)

    def value(self, node: ast.expr) -> object:
        return eval(ast.unparse(node), {"__builtins__": {}}, self)  # these tests' own source


def _names(mark: ast.Call, constants: _Constants) -> list[str]:
    found: list[str] = []
    for name in mark.args:
        if isinstance(name, ast.Starred):
            found.extend(constants.value(name.value))  # type: ignore[call-overload]
        else:
            found.append(ast.literal_eval(name))
    return found


def _read(
    marks: list[ast.Call],
    file: str,
    test: str,
    limits: tuple[str, ...] | None,
    constants: _Constants,
) -> Iterator[Shown]:
    for mark in marks:
        options = {word.arg: ast.literal_eval(word.value) for word in mark.keywords}
        backends = options.get("backends", limits or tuple(BACKENDS))
        for name in _names(mark, constants):
            yield Shown(name, file, test, backends, options.get("why", ""))


def _of_body(
    body: list[ast.stmt],
    file: str,
    constants: _Constants,
    outer: list[ast.Call],
    prefix: str = "",
) -> Iterator[Shown]:
    outer = outer + [
        mark
        for node in body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
        for mark in _marks([node.value])
    ]
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            marks = outer + _marks(node.decorator_list)
            yield from _of_body(node.body, file, constants, marks, f"{prefix}{node.name}::")
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            limits = _limits(node.decorator_list)
            marks = outer + _marks(node.decorator_list)
            yield from _read(marks, file, prefix + node.name, limits, constants)


@functools.cache
def collect() -> dict[str, list[Shown]]:
    """The tests of each name."""
    found: dict[str, list[Shown]] = {name: [] for name in NAMES}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        source = path.read_text()
        if "mark.page(" not in source or path.parent.name == "architecture":
            continue
        file = path.relative_to(ROOT / "tests").as_posix()
        body = ast.parse(source).body
        for shown in _of_body(body, file, _Constants(body), []):
            found.setdefault(shown.name, []).append(shown)
    return found


def shown_by(name: str, found: dict[str, list[Shown]]) -> list[Shown]:
    """The tests of a name; those of Model where Sequential only takes over."""
    if not found[name] and name.startswith("Sequential."):
        return found.get(name.replace("Sequential", "Model"), [])
    return found[name]


def _row(name: str, shown: list[Shown]) -> str:
    wide = [each for each in shown if len(each.backends) == len(BACKENDS)]
    first = sorted(wide or shown, key=lambda each: not each.file.startswith("pages/"))
    listed = list(dict.fromkeys(f"`{each.file}::{each.test}`" for each in first))
    tests = "<br>".join(listed[:SHOWN]) + (
        f"<br>and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    )
    cells = [
        "yes" if any(backend in each.backends for each in shown) else "-" for backend in BACKENDS
    ]
    remarks = [LIMITS[name]] if name in LIMITS else []
    if not wide:
        remarks += sorted({each.why for each in shown if each.why})
    signature = NAMES[name]
    title = f"`{name}`" if signature is None else f"`{name}({signature})`"
    return "| " + " | ".join([title, *cells, tests, " ".join(remarks)]) + " |\n"


def page() -> str:
    """The whole page."""
    found = collect()
    parts = [HEAD]
    for owner in ("Model", "Sequential", "Layer"):
        parts.append(
            f"## {owner}\n\n| name | {' | '.join(BACKENDS.values())} | shown by, in tests/ | "
            f"remarks |\n{'| --- ' * (len(BACKENDS) + 3)}|\n"
        )
        for name in NAMES:
            if name.startswith(f"{owner}."):
                parts.append(_row(name, shown_by(name, found)))
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page())
    without = [name for name, shown in collect().items() if not shown]
    print(f"{PAGE.name}: {len(NAMES)} names, without tests of their own: {without}")


if __name__ == "__main__":
    main()
