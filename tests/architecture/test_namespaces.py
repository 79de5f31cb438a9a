"""`ops.numpy`, `ops.nn`, `ops.linalg` give other names to the functions of `ops`."""

from __future__ import annotations

import ast
import inspect
from types import ModuleType

import pytest

from multikeras import ops
from multikeras.ops import _declare
from tests.architecture.public_names import bound

ALIASES = {"numpy": ops.numpy, "nn": ops.nn}


@pytest.mark.parametrize("name", [*ALIASES, "linalg"])
def test_the_names_stand_for_what_they_are_in_ops(name: str) -> None:
    module: ModuleType = getattr(ops, name)
    other = {n for n in bound(module) if getattr(ops, n, None) is not getattr(module, n)}
    # Functions declared in the module under a name that is not exported are its own affair.
    assert not other - set(_declare.REGISTRY), other


@pytest.mark.parametrize("name", ALIASES)
def test_nothing_is_declared_under_them(name: str) -> None:
    tree = ast.parse(inspect.getsource(ALIASES[name]))
    kinds = {type(node) for node in tree.body}
    assert kinds <= {ast.Expr, ast.ImportFrom, ast.Assign}
    assert name not in {op.family for op in _declare.REGISTRY.values()}
