"""Penalties on weights and activities, and how they are found by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multikeras import identifiers, registry, serialization
from multikeras.regularizers.l1_l2 import L1 as L1
from multikeras.regularizers.l1_l2 import L1L2 as L1L2
from multikeras.regularizers.l1_l2 import L2 as L2
from multikeras.regularizers.orthogonal_regularizer import (
    OrthogonalRegularizer as OrthogonalRegularizer,
)
from multikeras.regularizers.regularizer import Regularizer as Regularizer

l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

_ALIASES = {"l1": L1, "l2": L2, "l1_l2": L1L2, "orthogonal_regularizer": OrthogonalRegularizer}
_TABLE = identifiers.table_of(L1, L2, L1L2, OrthogonalRegularizer, aliases=_ALIASES)
for _alias, _class in _ALIASES.items():
    registry.expose("keras.regularizers", _alias)(_class)

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


def get(identifier: Any) -> Callable | None:
    """The regularizer that a layer's argument stands for.

    Args:
        identifier: None, a name, a serialized dict, a class or a callable.

    Raises:
        ValueError: for an unknown name or anything else.

    Example:
        >>> from multikeras import regularizers
        >>> regularizers.get("l2").l2
        0.01
    """
    return identifiers.get("regularizer", identifier, _TABLE)


def serialize(regularizer: Callable | None) -> Any:
    """What a config holds for a regularizer.

    Example:
        >>> from multikeras import regularizers
        >>> regularizers.serialize(regularizers.L2(0.5))["config"]
        {'l2': 0.5}
    """
    return serialization.serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer of a name or of a serialized dict.

    Args:
        config: what `serialize` gave.
        custom_objects: further names, `{name: class}`.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> from multikeras import regularizers
        >>> regularizers.deserialize({"class_name": "L1", "config": {"l1": 0.5}}).l1
        0.5
    """
    return identifiers.deserialize("regularizer", config, _TABLE, custom_objects)
