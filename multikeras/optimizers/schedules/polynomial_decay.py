"""`PolynomialDecay`: from one rate to another along a power of the step."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.optimizers.schedules.learning_rate_schedule import (
    LearningRateSchedule,
    check_positive,
    scalars,
)


@registry.expose("keras.optimizers.schedules")
class PolynomialDecay(LearningRateSchedule):
    """`(initial - end) * (1 - step / decay_steps) ** power + end`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: over how many steps it falls.
        end_learning_rate: the rate in the end.
        power: 1.0 for a straight line.
        cycle: whether the rate rises again after `decay_steps`, each cycle being as long as all
            before it plus `decay_steps`.
        name: the schedule's name.

    Raises:
        ValueError: if `decay_steps` is not positive.

    Example:
        >>> from multikeras import optimizers
        >>> rate = optimizers.schedules.PolynomialDecay(0.1, 10, end_learning_rate=0.0)
        >>> round(float(rate(5)), 4)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        check_positive("PolynomialDecay", "decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        initial, step, steps, end = scalars(
            self.initial_learning_rate, step, self.decay_steps, self.end_learning_rate
        )
        if self.cycle:
            # Step 0 belongs to the first cycle, though it is no part of one.
            steps = ops.multiply(steps, ops.maximum(ops.ceil(ops.divide(step, steps)), 1.0))
        else:
            step = ops.minimum(step, steps)
        left = ops.subtract(1.0, ops.divide(step, steps))
        return ops.add(ops.multiply(ops.subtract(initial, end), ops.power(left, self.power)), end)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }
