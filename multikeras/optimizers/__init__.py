"""Optimizers: rules by which gradients move variables, and learning rate schedules."""

from __future__ import annotations

from typing import Any

from multikeras import identifiers, serialization
from multikeras.optimizers import schedules as schedules
from multikeras.optimizers.adadelta import Adadelta as Adadelta
from multikeras.optimizers.adafactor import Adafactor as Adafactor
from multikeras.optimizers.adagrad import Adagrad as Adagrad
from multikeras.optimizers.adam import Adam as Adam
from multikeras.optimizers.adamax import Adamax as Adamax
from multikeras.optimizers.adamw import AdamW as AdamW
from multikeras.optimizers.ftrl import Ftrl as Ftrl
from multikeras.optimizers.lamb import Lamb as Lamb
from multikeras.optimizers.lion import Lion as Lion
from multikeras.optimizers.loss_scale_optimizer import LossScaleOptimizer as LossScaleOptimizer
from multikeras.optimizers.nadam import Nadam as Nadam
from multikeras.optimizers.optimizer import Optimizer as Optimizer
from multikeras.optimizers.rmsprop import RMSprop as RMSprop
from multikeras.optimizers.sgd import SGD as SGD

CLASSES = (
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, LossScaleOptimizer,
    Nadam, RMSprop, SGD,
)  # fmt: skip
# Names are known in any case: "adam", "Adam", "ADAM".
_TABLE: dict[str, Any] = {
    name: item for item in CLASSES for name in (item.__name__, item.__name__.lower())
}

__all__ = [
    *(item.__name__ for item in CLASSES), "Optimizer", "deserialize", "get", "schedules",
    "serialize",
]  # fmt: skip


def get(identifier: Any) -> Optimizer:
    """The optimizer that the `optimizer` argument of `compile` stands for.

    Args:
        identifier: a name (in any case), a serialized dict, a class or an Optimizer.

    Raises:
        ValueError: for an unknown name or anything else.

    Example:
        >>> from multikeras import optimizers
        >>> optimizers.get("rmsprop").name.startswith("rm_sprop")
        True
    """
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        kind: Any = identifier  # those with rules of their own have a default learning rate
        return kind()
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    raise ValueError(
        "Expected an optimizer: a name, a serialized dict or an instance; got "
        f"{identifier!r} of type {type(identifier).__name__}."
    )


def serialize(optimizer: Optimizer) -> Any:
    """What a config holds for an optimizer.

    Example:
        >>> from multikeras import optimizers
        >>> optimizers.serialize(optimizers.SGD())["class_name"]
        'SGD'
    """
    return serialization.serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer of a name or of a serialized dict.

    Args:
        config: what `serialize` gave, or a name.
        custom_objects: further names, `{name: class}`.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> from multikeras import optimizers
        >>> config = {"class_name": "SGD", "config": {"momentum": 0.5}}
        >>> optimizers.deserialize(config).momentum
        0.5
    """
    if isinstance(config, str) and config.lower() in _TABLE:
        config = config.lower()
    elif isinstance(config, dict) and str(config.get("class_name")).lower() in _TABLE:
        name = str(config["class_name"]).lower()
        config = {**config, "class_name": _TABLE[name].__name__}
    return identifiers.deserialize("optimizer", config, _TABLE, custom_objects)
