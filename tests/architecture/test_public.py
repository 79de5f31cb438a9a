"""Public names stay, are documented, annotated and shown by an example; texts stay portable."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from multikeras import variables
from multikeras.ops import operators
from tests.architecture.public_names import LIST, bound, exported, public_modules, public_objects

ROOT = Path(__file__).resolve().parents[2]
OBJECTS = public_objects()
MODULES = public_modules()
# Rooms whose public functions and classes are shown by an example (`>>>`) each.
SHOWN = (
    "activations", "callbacks", "constraints", "initializers", "layers", "losses", "metrics",
    "ops", "optimizers", "regularizers",
)  # fmt: skip
# Names that still lack an example. A name that has one must leave the table.
WITHOUT_EXAMPLE: set[str] = set()


def own(value: Any) -> bool:
    """Whether something is a function or class of this package."""
    kinds = inspect.isfunction(value) or inspect.isclass(value)
    return kinds and (value.__module__ or "").startswith("multikeras")


def public_callables() -> dict[str, Any]:
    """Public functions, classes, and the public methods that the classes define, by name.

    Each stands under one of its names only.
    """
    found: dict[int, tuple[str, Any]] = {}
    for name in sorted(OBJECTS, key=lambda n: (n.count("."), n)):
        value = OBJECTS[name]
        if not own(value):
            continue
        found.setdefault(id(value), (name, value))
        if inspect.isclass(value):
            for attribute, method in vars(value).items():
                function = method.fget if isinstance(method, property) else method
                function = getattr(function, "__func__", function)
                if not attribute.startswith("_") and inspect.isfunction(function):
                    found.setdefault(id(function), (f"{name}.{attribute}", function))
    return dict(found.values())


CALLABLES = public_callables()


def documented(name: str, value: Any) -> bool:
    """Whether there is a docstring; that of an overridden method counts for the override."""
    if value.__doc__:
        return True
    owner = OBJECTS.get(name.rpartition(".")[0])
    return inspect.isclass(owner) and bool(inspect.getdoc(getattr(owner, name.rpartition(".")[2])))


def unannotated(value: Any) -> list[str]:
    """The parameters without an annotation, `return` among them."""
    function = value.__init__ if inspect.isclass(value) else value
    if not inspect.isfunction(function):
        return []  # the class defines no constructor of its own
    signature = inspect.signature(function)
    names = [
        parameter.name
        for index, parameter in enumerate(signature.parameters.values())
        if parameter.annotation is inspect.Parameter.empty
        and not (index == 0 and parameter.name in ("self", "cls"))
    ]
    return names + (["return"] if signature.return_annotation is inspect.Signature.empty else [])


def test_public_names_are_those_of_the_list():
    listed = LIST.read_text().split()
    gone = sorted(set(listed) - set(OBJECTS))
    new = sorted(set(OBJECTS) - set(listed))
    assert not gone and not new, (
        f"public names that are gone: {gone}; that are new: {new}. If that is meant, run "
        f"`python -m tests.architecture.public_names` and commit {LIST.name}."
    )
    assert listed == sorted(set(listed)), f"{LIST.name} must be sorted, each name once"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_all_is_what_the_module_exports(name):
    module = MODULES[name]
    if not hasattr(module, "__all__"):
        return  # it exports what it binds
    assert len(module.__all__) == len(set(module.__all__)), f"{name}.__all__ names one twice"
    assert not [n for n in module.__all__ if not hasattr(module, n)], f"{name}.__all__"
    packed = Path(module.__file__).name == "__init__.py"
    forgotten = sorted(bound(module) - exported(module)) if packed else []
    assert not forgotten, f"{name} exports {forgotten}, which its __all__ doesn't name"


def test_everything_public_has_a_docstring():
    lacking = sorted(name for name, value in CALLABLES.items() if not documented(name, value))
    assert not lacking, f"no docstring: {lacking}"


def test_everything_public_is_annotated():
    lacking = {n: missing for n, v in sorted(CALLABLES.items()) if (missing := unannotated(v))}
    assert not lacking, f"not annotated: {lacking}"


def test_public_functions_and_classes_have_examples():
    lacking = {
        name
        for name, value in CALLABLES.items()
        if name.split(".")[1] in SHOWN
        and name in OBJECTS
        and ">>>" not in (value.__doc__ or "")
    }
    assert not lacking - WITHOUT_EXAMPLE, f"no example: {sorted(lacking - WITHOUT_EXAMPLE)}"
    assert not WITHOUT_EXAMPLE - lacking, (
        f"take these out of WITHOUT_EXAMPLE: {sorted(WITHOUT_EXAMPLE - lacking)}"
    )


def test_type_checkers_know_the_operators():
    binary, special = operators._BINARY, {n for n in operators._BOTH if n != "__array_priority__"}
    installed = {f"__{name}__" for name in (*binary, *operators._COMPARISONS, *operators._UNARY)}
    installed |= {f"__r{name}__" for name in binary} | special | {"__pos__"}
    for node in ast.walk(ast.parse(inspect.getsource(variables))):
        if isinstance(node, ast.ClassDef) and node.name == "Operators":
            declared = {method.name for method in node.body if isinstance(method, ast.FunctionDef)}
            assert declared == installed - {"__ne__"}  # every object has that one
            return
    raise AssertionError("variables.Operators is gone")


# Written in pieces, so that this file does not match.
_FOREIGN = re.compile(
    "|".join(
        (
            r"(?<![\w.])/(?:wo" + r"rk|opt|ro" + r"ot|ho" + r"me|Us" + r"ers)/\w",
            r"/tmp/(?:ve" + r"nv|ba" + r"sh_jobs)",
            r"pypi\.o" + r"rg|pythonho" + r"sted|(?:extra-)?index-u" + r"rl",
        )
    )
)


def tracked_files() -> list[Path]:
    """The files under version control; where there is none, those of the source tree."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode == 0:
        return [ROOT / name for name in listing.stdout.split("\0") if name]
    return [path for path in ROOT.rglob("*") if path.suffix in (".py", ".md", ".toml", ".txt")]


def test_texts_name_no_place_of_one_machine():
    found = []
    for path in tracked_files():
        try:
            text = path.read_text()
        except (UnicodeDecodeError, OSError):
            continue  # data, or deleted meanwhile
        found += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
            for number, line in enumerate(text.splitlines(), 1)
            if _FOREIGN.search(line)
        ]
    assert not found, f"paths of a machine, or hosts of a registry: {found}"
