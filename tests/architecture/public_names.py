"""What users may rely on: the names that `multikeras` and its public modules export.

`python -m tests.architecture.public_names` writes the list anew to public_names.txt, after names
were added or removed on purpose; the tests compare the package with it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

LIST = Path(__file__).with_name("public_names.txt")


def bound(module: ModuleType) -> set[str]:
    """Names that the source of a module gives to users: definitions and `import X as Y`.

    Imports without `as` serve the module itself, and so does what begins with an underscore.
    `short = long` at the top, with nothing but a name on the right, gives a second name.
    """
    found: set[str] = set()
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            found.update(alias.asname for alias in node.names if alias.asname)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            found.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return {name for name in found if not name.startswith("_") and hasattr(module, name)}


def exported(module: ModuleType) -> set[str]:
    """What a module exports: its `__all__`, or the names it binds where it has none."""
    return set(getattr(module, "__all__", None) or bound(module))


def public_modules() -> dict[str, ModuleType]:
    """The modules that can be reached through exported names, by the path that leads there."""
    found = {"multikeras": importlib.import_module("multikeras")}
    pending = list(found)
    while pending:
        path = pending.pop()
        for name in sorted(exported(found[path])):
            value = getattr(found[path], name)
            # A module that imports one from elsewhere (`import ... as scopes`) doesn't export it.
            if isinstance(value, ModuleType) and value.__name__ == f"{path}.{name}":
                found[value.__name__] = value
                pending.append(value.__name__)
    return found


def public_objects() -> dict[str, Any]:
    """Every public name with what it stands for."""
    return {
        f"{path}.{name}": getattr(module, name)
        for path, module in public_modules().items()
        for name in exported(module)
        if not (
            isinstance(getattr(module, name), ModuleType)
            and getattr(module, name).__name__ != f"{path}.{name}"
        )
    }


def main() -> None:
    """Writes the list."""
    LIST.write_text("".join(f"{name}\n" for name in sorted(public_objects())))
    print(f"{LIST.name}: {len(public_objects())} names")


if __name__ == "__main__":
    main()
