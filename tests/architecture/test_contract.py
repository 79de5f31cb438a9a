"""Backends hold what the declarations ask for, under the declarations' own signatures."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from multikeras import ops  # noqa: F401  declares the ops
from multikeras.ops._declare import REGISTRY

BACKENDS = Path(__file__).resolve().parents[2] / "multikeras" / "backends"
NAMES = ("numpy", "jax", "torch", "tensorflow")
ENGINE = (
    "value_and_grad",
    "compile_step",
    "compile_steps",
    "fused_update",
    "hold",
    "take",
    "place",
    "to_host",
    "tracing",
)


def definitions(path: Path) -> dict[str, ast.FunctionDef | None]:
    """Names that a module binds at its top: functions with their definition, others None."""
    found: dict[str, ast.FunctionDef | None] = {}
    if not path.exists():
        return found
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                for leaf in ast.walk(target):
                    if isinstance(leaf, ast.Name):
                        found[leaf.id] = None
        elif isinstance(node, (ast.ImportFrom, ast.Import)):
            found.update({(alias.asname or alias.name): None for alias in node.names})
    return found


def unsupported(backend: str) -> dict[str, str]:
    """The backend's `UNSUPPORTED`, read without importing its framework."""
    tree = ast.parse((BACKENDS / backend / "__init__.py").read_text())
    for node in tree.body:
        target = getattr(node, "target", None) or (getattr(node, "targets", None) or [None])[0]
        if getattr(target, "id", None) == "UNSUPPORTED":
            return ast.literal_eval(node.value)
    raise AssertionError(f"{backend} has no UNSUPPORTED")


@pytest.mark.parametrize("backend", NAMES)
def test_every_primitive_is_there_or_excused(backend):
    missing = []
    excused = unsupported(backend)
    for op in REGISTRY.values():
        if not op.primitive or op.name in excused:
            continue
        if op.name not in definitions(BACKENDS / backend / f"{op.family}.py"):
            missing.append(f"{op.family}.{op.name}")
    assert not missing, f"{backend} lacks {missing}"


@pytest.mark.parametrize("backend", NAMES)
def test_excuses_have_reasons_and_are_needed(backend):
    for name, reason in unsupported(backend).items():
        assert name in REGISTRY and len(reason) > 20, (name, reason)
        assert name not in definitions(BACKENDS / backend / f"{REGISTRY[name].family}.py")


@pytest.mark.parametrize("backend", NAMES)
def test_signatures_equal_the_declarations(backend):
    wrong = []
    for op in REGISTRY.values():
        node = definitions(BACKENDS / backend / f"{op.family}.py").get(op.name)
        if node is None:
            continue
        positional = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
        declared = list(op.signature.parameters)
        if positional[: len(declared)] != declared or len(positional) - len(declared) > len(
            node.args.defaults
        ):
            wrong.append(f"{op.family}.{op.name}{tuple(positional)} != {tuple(declared)}")
    assert not wrong, wrong


@pytest.mark.parametrize("backend", NAMES)
def test_engines_are_complete_and_small(backend):
    path = BACKENDS / backend / "engine.py"
    found = definitions(path)
    assert not set(ENGINE) - set(found)
    assert len(path.read_text().splitlines()) <= 170
