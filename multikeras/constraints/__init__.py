"""Projections of weights after each update, and how they are found by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multikeras import identifiers, registry, serialization
from multikeras.constraints.constraint import Constraint as Constraint
from multikeras.constraints.max_norm import MaxNorm as MaxNorm
from multikeras.constraints.min_max_norm import MinMaxNorm as MinMaxNorm
from multikeras.constraints.non_neg import NonNeg as NonNeg
from multikeras.constraints.unit_norm import UnitNorm as UnitNorm

max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

_ALIASES = {
    "max_norm": MaxNorm,
    "min_max_norm": MinMaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
}
# tf.keras 2 also knew these spellings.
_OLD = {"maxnorm": MaxNorm, "minmaxnorm": MinMaxNorm, "nonneg": NonNeg, "unitnorm": UnitNorm}
_TABLE = identifiers.table_of(
    Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm, aliases=_ALIASES | _OLD
)
for _alias, _class in _ALIASES.items():
    registry.expose("keras.constraints", _alias)(_class)

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]


def get(identifier: Any) -> Callable | None:
    """The constraint that a layer's argument stands for.

    Args:
        identifier: None, a name, a serialized dict, a class or a callable.

    Raises:
        ValueError: for an unknown name or anything else.

    Example:
        >>> from multikeras import constraints
        >>> constraints.get("max_norm").max_value
        2
    """
    return identifiers.get("constraint", identifier, _TABLE)


def serialize(constraint: Callable | None) -> Any:
    """What a config holds for a constraint.

    Example:
        >>> from multikeras import constraints
        >>> constraints.serialize(constraints.UnitNorm())["config"]
        {'axis': 0}
    """
    return serialization.serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint of a name or of a serialized dict.

    Args:
        config: what `serialize` gave.
        custom_objects: further names, `{name: class}`.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> from multikeras import constraints
        >>> constraints.deserialize({"class_name": "UnitNorm", "config": {"axis": 1}}).axis
        1
    """
    return identifiers.deserialize("constraint", config, _TABLE, custom_objects)
