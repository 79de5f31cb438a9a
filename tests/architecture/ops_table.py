"""The table of all ops for readers, docs/ops.md, from the declarations and the backends' sources.

`python -m tests.architecture.ops_table` writes it anew after ops were added or overridden; a test
compares. Backends are read by their syntax, so that no framework needs to be there. What is called
differentiable is what the conformance tests differentiate.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np

from multikeras import ops, random, tree  # noqa: F401  `random` declares ops too
from multikeras.ops._declare import REGISTRY, Op
from multikeras.symbolic import KerasTensor
from tests.architecture.public_names import public_objects
from tests.architecture.test_contract import BACKENDS, NAMES, definitions, unsupported
from tests.conformance.op_cases import Case, all_cases, is_float

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ops.md"

HEAD = """# Ops

Written by `python -m tests.architecture.ops_table` from the declarations and the sources of the
backends; do not edit.

- **native**: the backend has a function of its own.
- **composed**: made of other ops, by the body of the declaration.
- **no**: the framework can't; the reason follows.
- **Gradient**: `yes` where the tests compare it with finite differences on every backend,
  `unchecked` where none of them does, `-` where no floats come in or none come out.
"""

FUNCTIONS = """
## functions

What takes functions, or chooses among ops. `tests/conformance/test_control_flow.py` and
`test_functional.py` differentiate those that can be; under JAX a `while_loop` has no gradient.
"""

Sources = dict[str, dict[str, dict[str, Any]]]


def sources() -> Sources:
    """What each backend defines, by family."""
    return {
        backend: {
            path.stem: definitions(path) for path in sorted((BACKENDS / backend).glob("*.py"))
        }
        for backend in NAMES
    }


def support(op: Op, backend: str, found: Sources, excused: dict[str, str]) -> str:
    """How a backend comes by an op."""
    if op.name in excused:
        return f"no: {excused[op.name]}"
    # As in the declaration: the backend's `core` holds no overrides.
    if op.name in found[backend].get(op.family, {}) and (op.primitive or op.family != "core"):
        return "native"
    return "composed"


def gives_floats(case: Case) -> bool:
    """Whether floats go in, and come out."""
    if not any(map(is_float, case.arrays())):
        return False
    if case.symbolic:
        results = case.call([KerasTensor(a.shape, str(a.dtype)) for a in case.arrays()])
    else:
        with np.errstate(all="ignore"):
            results = case.call([ops.convert_to_tensor(a) for a in case.arrays()])
    return any("float" in ops.dtype(x) for x in tree.flatten(results) if x is not None)


def gradients() -> dict[str, str]:
    """For each op whether its gradient is checked."""
    found: dict[str, str] = {}
    for case in all_cases():
        before = found.setdefault(case.op, "-")
        if before == "yes" or (before == "unchecked" and not case.grad):
            continue
        if gives_floats(case):
            found[case.op] = "yes" if case.grad else "unchecked"
    return found


def places() -> dict[int, str]:
    """The shortest public name of each function."""
    found: dict[int, str] = {}
    for name, value in sorted(public_objects().items(), key=lambda item: (len(item[0]), item[0])):
        if name.startswith(("multikeras.ops.", "multikeras.random.")):
            found.setdefault(id(value), name.removeprefix("multikeras."))
    return found


def summary(function: Any) -> str:
    """The first sentence of the docstring."""
    text = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
    text = text.split(". ")[0].rstrip(".")
    return text.replace("|", "\\|")


def row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |\n"


def heading() -> str:
    names = ("NumPy", "JAX", "PyTorch", "TensorFlow")
    return row("op", *names, "gradient", "what it is") + row(*["---"] * 7)


def functions(found: Sources, named: dict[int, str]) -> str:
    """The rows of the public functions that are not declared as ops."""
    declared = {id(op.public) for op in REGISTRY.values()}
    lines = row("function", "NumPy", "JAX", "PyTorch", "TensorFlow", "what it is")
    lines += row(*["---"] * 6)
    for name, value in sorted(public_objects().items()):
        if id(value) in declared or not inspect.isfunction(value):
            continue
        if not name.startswith("multikeras.ops.") or named[id(value)] != name[len("multikeras.") :]:
            continue
        family = value.__module__.rsplit(".", 1)[-1]
        homes = {"functional": "control_flow"}  # what `jvp` asks the backends for
        cells = [
            "native"
            if value.__name__ in found[backend].get(homes.get(family, family), {})
            else "composed"
            for backend in NAMES
        ]
        lines += row(f"`{named[id(value)]}`", *cells, summary(value))
    return lines


def page() -> str:
    """The whole page."""
    found, differentiated, named = sources(), gradients(), places()
    excused = {backend: unsupported(backend) for backend in NAMES}
    families: dict[str, list[Op]] = {}
    for declared in REGISTRY.values():
        families.setdefault(declared.family, []).append(declared)
    parts = [HEAD]
    for family in sorted(families):
        parts.append(f"\n## {family}\n\n" + heading())
        for declared in sorted(families[family], key=lambda each: each.name):
            name = named.get(id(declared.public))
            parts.append(
                row(
                    f"`{name or declared.name}`" + ("" if name else " (internal)"),
                    *(support(declared, b, found, excused[b]) for b in NAMES),
                    differentiated.get(declared.name, "-"),
                    summary(declared.body),
                )
            )
    return "".join([*parts, FUNCTIONS, "\n", functions(found, named)])


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page())
    print(f"{PAGE.name}: {len(REGISTRY)} ops")


if __name__ == "__main__":
    main()
