"""Schedules: rates against the formulas, as arguments of a compiled step, and configs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from multikeras import ops, optimizers
from multikeras.backends import native
from multikeras.optimizers import schedules


def cosine(share: float, alpha: float = 0.0) -> float:
    return (1 - alpha) * 0.5 * (1 + math.cos(math.pi * share)) + alpha


def warm(step: int) -> float:
    """Up from 0.1 to 0.5 in 4 steps, then down to a tenth of it in 8."""
    return 0.1 + 0.4 * step / 4 if step < 4 else 0.5 * cosine(min((step - 4) / 8, 1.0), 0.1)


def restarts(t_mul: float, m_mul: float, alpha: float) -> Callable:
    """Period after period, found by walking through them."""

    def rate(step: int) -> float:
        begin, length, height = 0.0, 4.0, 1.0
        while step >= begin + length:
            begin, length, height = begin + length, length * t_mul, height * m_mul
        wave = 0.5 * (1 + math.cos(math.pi * (step - begin) / length))
        return 0.2 * ((1 - alpha) * height * wave + alpha)

    return rate


def polynomial(step: int) -> float:
    return 0.3 * (1 - min(step, 8) / 8) ** 2 + 0.1


def cycling(step: int) -> float:
    length = 8 * max(1, math.ceil(step / 8))
    return 0.3 * (1 - step / length) + 0.1


def pieces(step: int) -> float:
    return 1.0 if step <= 3 else 0.5 if step <= 6 else 0.25


CASES = {
    "exponential": (schedules.ExponentialDecay(0.2, 5, 0.5), lambda s: 0.2 * 0.5 ** (s / 5)),
    "exponential-stairs": (
        schedules.ExponentialDecay(0.2, 5, 0.5, staircase=True),
        lambda s: 0.2 * 0.5 ** (s // 5),
    ),
    "inverse": (schedules.InverseTimeDecay(0.2, 5, 0.5), lambda s: 0.2 / (1 + 0.5 * s / 5)),
    "inverse-stairs": (
        schedules.InverseTimeDecay(0.2, 5, 0.5, staircase=True),
        lambda s: 0.2 / (1 + 0.5 * (s // 5)),
    ),
    "cosine": (
        schedules.CosineDecay(0.2, 10, alpha=0.1),
        lambda s: 0.2 * cosine(min(s, 10) / 10, 0.1),
    ),
    "cosine-warm": (
        schedules.CosineDecay(0.1, 8, alpha=0.1, warmup_target=0.5, warmup_steps=4),
        warm,
    ),
    "cosine-warm-at-once": (
        schedules.CosineDecay(0.1, 8, warmup_target=0.5),
        lambda s: 0.5 * cosine(min(s, 8) / 8),
    ),
    "restarts": (schedules.CosineDecayRestarts(0.2, 4), restarts(2.0, 1.0, 0.0)),
    "restarts-even": (
        schedules.CosineDecayRestarts(0.2, 4, t_mul=1.0, m_mul=0.5, alpha=0.1),
        restarts(1.0, 0.5, 0.1),
    ),
    "restarts-lower": (
        schedules.CosineDecayRestarts(0.2, 4, t_mul=1.5, m_mul=0.8),
        restarts(1.5, 0.8, 0.0),
    ),
    "polynomial": (schedules.PolynomialDecay(0.4, 8, 0.1, power=2.0), polynomial),
    "polynomial-cycling": (schedules.PolynomialDecay(0.4, 8, 0.1, cycle=True), cycling),
    "pieces": (schedules.PiecewiseConstantDecay([3, 6], [1.0, 0.5, 0.25]), pieces),
}
# Where periods of the restarts meet (4, 12, 28, 60 for a factor of 2) and beyond every end.
STEPS = [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 20, 27, 28, 29, 40, 59, 60, 61]
each_schedule = pytest.mark.parametrize(("schedule", "rate"), CASES.values(), ids=CASES)


def test_every_schedule_has_a_case() -> None:
    known = {name for name in schedules.__all__ if name[0].isupper()} - {"LearningRateSchedule"}
    assert {type(schedule).__name__ for schedule, _ in CASES.values()} == known


@each_schedule
def test_formula(schedule: Any, rate: Callable) -> None:
    got = [ops.convert_to_numpy(schedule(ops.convert_to_tensor(s, "int32"))) for s in STEPS]
    assert all(value.shape == () and value.dtype == np.float32 for value in got)
    np.testing.assert_allclose(got, [rate(s) for s in STEPS], rtol=1e-5, atol=1e-7)


@each_schedule
def test_numbers_as_steps(schedule: Any, rate: Callable) -> None:
    np.testing.assert_allclose([float(schedule(s)) for s in (0, 7)], [rate(0), rate(7)], rtol=1e-5)


@each_schedule
def test_compiled(schedule: Any, rate: Callable) -> None:
    step = native.engine.compile_step(schedule, [], jit=native.engine.jits_by_default)
    got = [float(step(ops.convert_to_tensor(s, "int32"))) for s in STEPS[:8]]
    np.testing.assert_allclose(got, [rate(s) for s in STEPS[:8]], rtol=1e-5)


@each_schedule
def test_config(schedule: Any, rate: Callable) -> None:
    config = json.loads(json.dumps(schedules.serialize(schedule)))
    again = schedules.deserialize(config)
    assert type(again) is type(schedule) and again.get_config() == schedule.get_config()
    assert float(again(5)) == float(schedule(5))


def test_in_the_config_of_an_optimizer() -> None:
    optimizer = optimizers.Adam(schedules.ExponentialDecay(0.2, 5, 0.5))
    again = optimizers.deserialize(json.loads(json.dumps(optimizers.serialize(optimizer))))
    assert again.get_config() == optimizer.get_config()
    assert float(again.learning_rate) == np.float32(0.2)
    with pytest.raises(TypeError, match="learning rate is a schedule"):
        optimizer.learning_rate = 0.1


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("ExponentialDecay", (0.1, 0, 0.5), "ExponentialDecay: `decay_steps` must be greater"),
        ("InverseTimeDecay", (0.1, -1, 0.5), "InverseTimeDecay: `decay_steps`"),
        ("CosineDecay", (0.1, 0), "CosineDecay: `decay_steps` must be greater than 0; got 0"),
        ("CosineDecayRestarts", (0.1, 0), "`first_decay_steps` must be greater than 0; got 0"),
        ("PolynomialDecay", (0.1, 0), "PolynomialDecay: `decay_steps`"),
        ("PiecewiseConstantDecay", ([1], [0.1]), "1 boundaries and 1 values"),
    ],
)
def test_bad_arguments(name: str, arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(schedules, name)(*arguments)


def test_own_schedule() -> None:
    class Half(schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return ops.divide(1.0, ops.add(ops.cast(step, "float32"), 1.0))

    optimizer = optimizers.SGD(Half())
    optimizer.iterations.assign(3)
    assert float(optimizer.learning_rate) == 0.25
    with pytest.raises(NotImplementedError, match="Half has no get_config"):
        optimizer.get_config()
