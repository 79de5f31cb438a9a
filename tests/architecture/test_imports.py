"""Imports run down the rooms, never up and never in circles, and only at the top of a module."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "multikeras"

# Each row may import from the rows above it and from its own.
ROOMS = [
    ["version", "dtypes", "shapes", "tree", "registry", "dtype_policies", "config"],
    ["scopes"],
    ["backends"],
    ["variables", "symbolic", "serialization", "identifiers"],
    ["ops"],
    ["random"],
    ["initializers"],
    ["activations", "regularizers", "constraints", "losses", "metrics"],
    ["legacy"],
    ["layers"],
    ["optimizers"],
    ["saving"],
    ["data", "callbacks", "training"],
    ["models"],
    ["export"],
    ["utils"],
    ["backend", "datasets", "mixed_precision"],
    ["__init__"],
    ["cli", "__main__"],  # the command line is a user of the package
]
LEVEL = {room: level for level, row in enumerate(ROOMS) for room in row}
FRAMEWORKS = {"jax", "torch", "tensorflow", "autograd"}
# Third-party packages that may be absent, imported where they are used.
OPTIONAL = {
    "matplotlib",
    "pandas",
    "PIL",
    "tensorflow",
    "torch",
    "jax",
    "requests",
    "scipy",
    "h5py",
    "orbax",
}


def modules() -> dict[str, Path]:
    """Dotted name within the package -> file."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = path
    return found


MODULES = modules()


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(path: Path) -> list[tuple[str, bool]]:
    """(dotted name, inside a function) of every import of a file, type checking aside."""
    found: list[tuple[str, bool]] = []

    def visit(node: ast.AST, inside: bool) -> None:
        if is_type_checking(node):
            return
        if isinstance(node, ast.Import):
            found.extend((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                inner = full.removeprefix("multikeras.")
                found.append((full if inner in MODULES else node.module, inside))
        function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            visit(child, inside or function)

    visit(ast.parse(path.read_text()), False)
    return found


def inner_imports(name: str) -> list[str]:
    """Modules of the package that a module imports."""
    found = []
    for dotted, _ in imports(MODULES[name]):
        if dotted == "multikeras":
            found.append("__init__")
        elif dotted.startswith("multikeras."):
            found.append(dotted.removeprefix("multikeras."))
    return found


def room(name: str) -> str:
    return name.split(".")[0]


def test_every_module_stands_in_a_room():
    unknown = sorted({room(name) for name in MODULES} - set(LEVEL))
    assert not unknown, f"give these a row in ROOMS: {unknown}"


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down(name):
    # The package's own __init__ files collect what stands beside and above them.
    if name == "__init__":
        return
    up = [
        other
        for other in inner_imports(name)
        if LEVEL[room(other)] > LEVEL[room(name)]
    ]
    assert not up, f"{name} imports from rooms below it: {up}"


def test_no_cycles():
    graph = {
        name: {m for m in inner_imports(name) if m in MODULES and m != name} for name in MODULES
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"cycle: {' -> '.join([*trail[trail.index(name):], name])}"
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("name", MODULES)
def test_imports_inside_functions_are_of_optional_packages(name):
    inside = [dotted for dotted, function in imports(MODULES[name]) if function]
    strange = [d for d in inside if d.split(".")[0] not in OPTIONAL]
    assert not strange, f"{name} imports inside a function: {strange}"


@pytest.mark.parametrize("name", MODULES)
def test_frameworks_stay_in_their_rooms(name):
    for dotted, inside in imports(MODULES[name]):
        top = dotted.split(".")[0]
        if top not in FRAMEWORKS:
            continue
        allowed = name.startswith(f"backends.{'numpy' if top == 'autograd' else top}")
        # A framework's own data sets and tensors may be recognised where one is installed.
        assert allowed or inside, f"{name} imports {dotted}"


# Data of a framework is recognised by the module of its type, whatever the backend.
FOREIGN_DATA = {"data.iterables", "data.py_dataset"}
NAMES_ALLOWED = ("backends", "config", "cli", "__main__")


@pytest.mark.parametrize(
    "name", [m for m in MODULES if room(m) not in NAMES_ALLOWED and m not in FOREIGN_DATA]
)
def test_no_backend_names_in_shared_code(name):
    tree = ast.parse(MODULES[name].read_text())
    names = {"numpy", "jax", "torch", "tensorflow"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and "backend()" in ast.unparse(node):
            raise AssertionError(f"{name}:{node.lineno}: asks for the backend's name")
        if isinstance(node, ast.Compare):
            literals = {
                leaf.value
                for leaf in ast.walk(node)
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
            }
            assert not literals & names, f"{name}:{node.lineno}: compares with {literals & names}"


@pytest.mark.parametrize("name", MODULES)
def test_files_stay_readable(name):
    lines = MODULES[name].read_text().splitlines()
    assert len(lines) <= 800, f"{name} has {len(lines)} lines"
    tree = ast.parse("\n".join(lines))
    assert ast.get_docstring(tree) or not tree.body, f"{name} says nothing of what it is for"
