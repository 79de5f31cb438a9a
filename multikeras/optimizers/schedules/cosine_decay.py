"""Cosine decay, with a warm-up (`CosineDecay`) or with restarts (`CosineDecayRestarts`)."""

from __future__ import annotations

import math
from typing import Any

from multikeras import ops, registry
from multikeras.optimizers.schedules.learning_rate_schedule import (
    LearningRateSchedule,
    check_positive,
    scalars,
)


def _cosine(share: Any, alpha: float) -> Any:
    """From 1 to `alpha` as `share` goes from 0 to 1."""
    wave = ops.multiply(0.5, ops.add(1.0, ops.cos(ops.multiply(math.pi, share))))
    return ops.add(ops.multiply(1.0 - alpha, wave), alpha)


@registry.expose("keras.optimizers.schedules")
class CosineDecay(LearningRateSchedule):
    """Falls along half a cosine, after a linear rise if `warmup_target` is given
    (Loshchilov and Hutter, 2017).

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: over how many steps it falls (after the warm-up).
        alpha: the share of the rate that is left in the end.
        name: the schedule's name.
        warmup_target: the rate to which it rises first; None: no warm-up.
        warmup_steps: over how many steps it rises.

    Raises:
        ValueError: if `decay_steps` is not positive.

    Example:
        >>> from multikeras import optimizers
        >>> rate = optimizers.schedules.CosineDecay(0.1, decay_steps=100)
        >>> round(float(rate(50)), 4)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        check_positive("CosineDecay", "decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        initial, step, decay_steps = scalars(self.initial_learning_rate, step, self.decay_steps)
        if self.warmup_target is None:
            share = ops.divide(ops.minimum(step, decay_steps), decay_steps)
            return ops.multiply(initial, _cosine(share, self.alpha))
        warmup = ops.cast(self.warmup_steps, ops.dtype(step))
        target = ops.cast(self.warmup_target, ops.dtype(step))
        done = ops.minimum(step, ops.add(decay_steps, warmup))
        share = ops.divide(ops.subtract(done, warmup), decay_steps)
        falling = ops.multiply(target, _cosine(share, self.alpha))
        if not self.warmup_steps:
            return falling
        rise = ops.multiply(ops.subtract(target, initial), ops.divide(done, warmup))
        return ops.where(ops.less(done, warmup), ops.add(initial, rise), falling)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


@registry.expose("keras.optimizers.schedules")
class CosineDecayRestarts(LearningRateSchedule):
    """Falls along half a cosine again and again (SGDR; Loshchilov and Hutter, 2017).

    Args:
        initial_learning_rate: the rate at step 0.
        first_decay_steps: the length of the first period.
        t_mul: each period is longer by this factor.
        m_mul: each period begins lower by this factor.
        alpha: the share of the rate that is left at the end of a period.
        name: the schedule's name.

    Raises:
        ValueError: if `first_decay_steps` is not positive.

    Example:
        >>> from multikeras import optimizers
        >>> rate = optimizers.schedules.CosineDecayRestarts(0.1, first_decay_steps=100)
        >>> round(float(rate(100)), 4)
        0.1
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        check_positive("CosineDecayRestarts", "first_decay_steps", first_decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Any:
        initial, step, first = scalars(self.initial_learning_rate, step, self.first_decay_steps)
        done = ops.divide(step, first)
        if self.t_mul == 1.0:
            period = ops.floor(done)
            share = ops.subtract(done, period)
        else:
            # Periods 0..n-1 are (t^n - 1) / (t - 1) first periods long.
            grown = ops.subtract(1.0, ops.multiply(done, 1.0 - self.t_mul))
            period = ops.floor(ops.divide(ops.log(grown), math.log(self.t_mul)))
            length = ops.power(self.t_mul, period)
            begin = ops.divide(ops.subtract(1.0, length), 1.0 - self.t_mul)
            share = ops.divide(ops.subtract(done, begin), length)
        height = ops.power(self.m_mul, period)
        falling = ops.add(
            ops.multiply(
                ops.multiply(0.5 * (1.0 - self.alpha), height),
                ops.add(1.0, ops.cos(ops.multiply(math.pi, share))),
            ),
            self.alpha,
        )
        return ops.multiply(initial, falling)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }
