"""Learning rates as functions of the step."""

from __future__ import annotations

from typing import Any

from multikeras import identifiers, serialization
from multikeras.optimizers.schedules.cosine_decay import CosineDecay as CosineDecay
from multikeras.optimizers.schedules.cosine_decay import (
    CosineDecayRestarts as CosineDecayRestarts,
)
from multikeras.optimizers.schedules.learning_rate_schedule import (
    LearningRateSchedule as LearningRateSchedule,
)
from multikeras.optimizers.schedules.piecewise_constant_decay import (
    PiecewiseConstantDecay as PiecewiseConstantDecay,
)
from multikeras.optimizers.schedules.polynomial_decay import PolynomialDecay as PolynomialDecay
from multikeras.optimizers.schedules.rate_decay import ExponentialDecay as ExponentialDecay
from multikeras.optimizers.schedules.rate_decay import InverseTimeDecay as InverseTimeDecay

_TABLE = {
    item.__name__: item
    for item in (
        CosineDecay,
        CosineDecayRestarts,
        ExponentialDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
    )
}

__all__ = [*_TABLE, "LearningRateSchedule", "deserialize", "serialize"]


def serialize(learning_rate_schedule: LearningRateSchedule) -> Any:
    """What a config holds for a schedule.

    Example:
        >>> from multikeras import optimizers
        >>> schedule = optimizers.schedules.CosineDecay(0.1, 10)
        >>> optimizers.schedules.serialize(schedule)["class_name"]
        'CosineDecay'
    """
    return serialization.serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule of a serialized dict.

    Args:
        config: what `serialize` gave.
        custom_objects: further names, `{name: class}`.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> from multikeras import optimizers
        >>> schedule = optimizers.schedules.CosineDecay(0.1, 10)
        >>> config = optimizers.schedules.serialize(schedule)
        >>> optimizers.schedules.deserialize(config).decay_steps
        10
    """
    return identifiers.deserialize("learning rate schedule", config, _TABLE, custom_objects)
