"""Decay by a rate: `ExponentialDecay` and `InverseTimeDecay`."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.optimizers.schedules.learning_rate_schedule import (
    LearningRateSchedule,
    check_positive,
    scalars,
)


class _RateDecay(LearningRateSchedule):
    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool,
        name: str,
    ) -> None:
        check_positive(type(self).__name__, "decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def _parts(self, step: Any) -> tuple[Any, Any, Any]:
        """The initial rate, the decay rate and how many decay periods have passed."""
        initial, step, steps, rate = scalars(
            self.initial_learning_rate, step, self.decay_steps, self.decay_rate
        )
        periods = ops.divide(step, steps)
        return initial, rate, ops.floor(periods) if self.staircase else periods

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


@registry.expose("keras.optimizers.schedules")
class ExponentialDecay(_RateDecay):
    """`initial * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: after how many steps the rate is multiplied by `decay_rate`.
        decay_rate: the factor.
        staircase: whether the exponent is rounded down, so that the rate falls in stairs.
        name: the schedule's name.

    Raises:
        ValueError: if `decay_steps` is not positive.

    Example:
        >>> from multikeras import optimizers
        >>> rate = optimizers.schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
        >>> round(float(rate(10)), 4)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: Any) -> Any:
        initial, rate, periods = self._parts(step)
        return ops.multiply(initial, ops.power(rate, periods))


@registry.expose("keras.optimizers.schedules")
class InverseTimeDecay(_RateDecay):
    """`initial / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: the length of a period.
        decay_rate: how much the divisor grows in a period.
        staircase: whether the number of periods is rounded down, so that the rate falls in
            stairs.
        name: the schedule's name.

    Raises:
        ValueError: if `decay_steps` is not positive.

    Example:
        >>> from multikeras import optimizers
        >>> rate = optimizers.schedules.InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)
        >>> round(float(rate(10)), 4)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: Any) -> Any:
        initial, rate, periods = self._parts(step)
        return ops.divide(initial, ops.add(1.0, ops.multiply(rate, periods)))
