"""From a user's identifier to an object: the one way behind `get`, `serialize`, `deserialize`.

Activations, losses, metrics, regularizers, constraints and optimizers may be given as a name, as
a serialized dict, as an instance or as a function. Each room hands its own table of names to the
functions here. Names are looked up in tables only; nothing is imported because a config says so.
Refuses unknown names, naming the nearest known ones.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from multikeras import registry, serialization
from multikeras.symbolic.operation import snake_case

Table = Mapping[str, Any]


def find(kind: str, name: str, table: Table, custom_objects: Table | None = None) -> Any:
    """The class or function that `name` stands for: the program's own names win.

    Raises:
        ValueError: if nobody knows the name.
    """
    found = registry.get_registered_object(name, custom_objects, table)
    if found is None:
        near = registry.suggest(name, [*table, *registry.known_custom_names()])
        raise ValueError(
            f"Unknown {kind} {name!r}: expected one of the built-in names, a name registered with "
            f"register_keras_serializable, or the object itself.{near}"
        )
    return found


def deserialize(
    kind: str, config: Any, table: Table, custom_objects: Table | None = None
) -> Any:
    """The object of a name or of a serialized dict (a class found by name is instantiated).

    Raises:
        ValueError: for an unknown name or a value that is neither name nor dict.
    """
    if isinstance(config, str):
        found = find(kind, config, table, custom_objects)
        return found() if inspect.isclass(found) else found
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise ValueError(
            f"Expected a {kind} as a name or as a dict with the keys 'class_name' and 'config'; "
            f"got {config!r}."
        )
    # Without a module (as tf.keras 2 wrote, and functions are written) the room decides.
    bare = config.get("module") is None or config["class_name"] == "function"
    return serialization.deserialize_keras_object(
        dict(config), custom_objects=custom_objects, module_objects=table if bare else None
    )


def get(kind: str, identifier: Any, table: Table, allow_none: bool = True) -> Any:
    """The object that a user's identifier stands for.

    Args:
        kind: what it is, for the error messages: "loss", "metric", ...
        identifier: None, a name, a serialized dict, a class, or a callable, returned as it is.
        table: the room's names.
        allow_none: whether None passes through.

    Raises:
        ValueError: for anything else.
    """
    if identifier is None and allow_none:
        return None
    if isinstance(identifier, (str, Mapping)):
        return deserialize(kind, identifier, table)
    if inspect.isclass(identifier):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(
        f"Expected a {kind}: a name, a serialized dict, an instance or a callable; "
        f"got {identifier!r} of type {type(identifier).__name__}."
    )


def table_of(*objects: Any, aliases: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Names to objects: each under its own name, classes in snake_case too, then the aliases."""
    table: dict[str, Any] = {}
    for item in objects:
        table[item.__name__] = item
        if inspect.isclass(item):
            table.setdefault(snake_case(item.__name__), item)
    table.update(aliases or {})
    return table
