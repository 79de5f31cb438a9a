"""Which objects of a model have variables to store, and under which path.

The paths are those of Keras 3's weight files: `layers/dense_1/vars/0`. A model's layers come
under `layers`, each by the snake case of its class and a running number; other objects under
the name of the attribute that holds them, lists and dicts by the class of what they hold.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from multikeras import registry
from multikeras.symbolic.operation import snake_case

# The classes whose own attributes say nothing about what a user built.
_BASES = ("Layer", "Model", "Sequential", "Functional", "Optimizer")
_GRAPH_MODELS = ("Sequential", "Functional")
# What these two keep to themselves; their layers come under `layers`.
_GRAPH_PARTS = {"layers", "_stack", "_graph_layers"}
_ALWAYS_VISITED = {"layers", "optimizer"}


def walk(root: Any) -> Iterator[tuple[str, Any]]:
    """All objects with variables, each once, at the first path where it is met.

    Args:
        root: A model, layer or optimizer.

    Yields:
        `(path, object)`, the root first with the path `""`.
    """
    yield from _walk(root, "", set())


def is_saveable(value: Any) -> bool:
    """Whether an object stores variables of its own: a layer, a model, an optimizer."""
    cls = type(value)
    return hasattr(cls, "save_own_variables") and hasattr(cls, "load_own_variables")


def is_seed_generator(value: Any) -> bool:
    """Whether an object is a generator of random seeds, whose state is a variable."""
    return registry.home(type(value)) == ("keras.random", "SeedGenerator")


def _walk(value: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if id(value) in seen:
        return
    seen.add(id(value))
    yield path, value
    if not is_saveable(value):
        return  # a seed generator
    for name, child in _children(value):
        below = f"{path}/{name}" if path else name
        if is_saveable(child) or is_seed_generator(child):
            yield from _walk(child, below, seen)
        elif isinstance(child, (list, tuple, dict, set, frozenset)):
            yield from _walk_container(child, below, seen)


def _walk_container(container: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    # A container may hold itself.
    if id(container) in seen:
        return
    seen.add(id(container))
    counts: dict[str, int] = {}
    for child in _items(container):
        if is_saveable(child) or is_seed_generator(child):
            name = snake_case(type(child).__name__)
            # Counted even if it was met elsewhere: the numbers follow the container.
            count = counts[name] = counts.get(name, -1) + 1
            yield from _walk(child, f"{path}/{name}_{count}" if count else f"{path}/{name}", seen)
        elif isinstance(child, (list, tuple, dict, set, frozenset)):
            count = counts["container"] = counts.get("container", -1) + 1
            name = f"container_{count}" if count else "container"
            yield from _walk_container(child, f"{path}/{name}", seen)


def _items(container: Any) -> Iterator[Any]:
    if isinstance(container, dict):
        return iter(list(container.values()))
    if isinstance(container, (set, frozenset)):
        # A set has no order of its own; names do.
        return iter(sorted(container, key=lambda item: str(getattr(item, "name", ""))))
    return iter(list(container))


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    cls: Any = type(value)
    skipped, is_graph = _skipped(cls)
    if is_graph:
        yield "layers", value.layers
    # Public names first, so that a layer is filed under the property that shows it.
    names = set(dir(cls)) | set(getattr(value, "__dict__", ()))
    for name in sorted(names - skipped, key=lambda name: (name.startswith("_"), name)):
        if name.startswith("__"):
            continue
        try:
            child = getattr(value, name)
        except Exception:
            continue  # a property that has nothing to show yet
        yield name, child


@functools.cache
def _skipped(cls: Any) -> tuple[frozenset[str], bool]:
    """The attribute names of a class that are not looked at; whether it is a graph model."""
    names: set[str] = set()
    is_graph = False
    for base in cls.__mro__:
        home = registry.home(base)
        names.update(vars(base).get("_private", ()))
        if home is not None and home[1] in _BASES:
            names.update(dir(base))
            is_graph = is_graph or home[1] in _GRAPH_MODELS
    names -= _ALWAYS_VISITED
    return frozenset(names | _GRAPH_PARTS if is_graph else names), is_graph
