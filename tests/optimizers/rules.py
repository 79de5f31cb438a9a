"""The published update rules in plain float64 NumPy, and the table of optimizers under test.

`rule(state, w, g, rate, t, ...)` gives the new value of one variable: `state` is a dict that the
rule keeps for this variable, `t` the number of the step from 1. Holds no framework and no library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

rng = np.random.default_rng(3)
SHAPES = ((3, 2), (4,), ())
STEPS = 5
WEIGHTS = [np.asarray(rng.normal(size=shape)) for shape in SHAPES]
GRADS = [[np.asarray(rng.normal(size=shape)) for shape in SHAPES] for _ in range(STEPS)]


def _moving(state: dict, key: str, value: Any, beta: float) -> Any:
    state[key] = beta * state.get(key, 0.0) + (1 - beta) * value
    return state[key]


def sgd(s, w, g, rate, t, momentum=0.0, nesterov=False):
    """Polyak (1964); Nesterov's form after Sutskever et al. (2013)."""
    s["v"] = momentum * s.get("v", 0.0) - rate * g
    return w + (momentum * s["v"] - rate * g if nesterov else s["v"])


def adam(s, w, g, rate, t, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
    """Kingma and Ba (2015), section 2's efficient form; Reddi et al. (2018)."""
    m, v = _moving(s, "m", g, beta_1), _moving(s, "v", g * g, beta_2)
    if amsgrad:
        v = s["top"] = np.maximum(s.get("top", 0.0), v)
    return w - rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (np.sqrt(v) + epsilon)


def adamax(s, w, g, rate, t, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Kingma and Ba (2015), section 7.1."""
    m = _moving(s, "m", g, beta_1)
    s["u"] = np.maximum(beta_2 * s.get("u", 0.0), abs(g))
    return w - rate / (1 - beta_1**t) * m / (s["u"] + epsilon)


def nadam(s, w, g, rate, t, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Dozat (2016), with the schedule of the momentum."""

    def u(i: int) -> float:
        return beta_1 * (1 - 0.5 * 0.96**i)

    product = np.prod([u(i) for i in range(1, t + 1)])
    m, v = _moving(s, "m", g, beta_1), _moving(s, "v", g * g, beta_2)
    ahead = u(t + 1) * m / (1 - product * u(t + 1)) + (1 - u(t)) * g / (1 - product)
    return w - rate * ahead / (np.sqrt(v / (1 - beta_2**t)) + epsilon)


def rmsprop(s, w, g, rate, t, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    """Tieleman and Hinton (2012); centered after Graves (2013)."""
    v = _moving(s, "v", g * g, rho)
    if centered:
        v = v - _moving(s, "mean", g, rho) ** 2
    s["move"] = momentum * s.get("move", 0.0) + rate * g / np.sqrt(v + epsilon)
    return w - s["move"]


def adagrad(s, w, g, rate, t, initial_accumulator_value=0.1, epsilon=1e-7):
    """Duchi et al. (2011)."""
    s["sum"] = s.get("sum", initial_accumulator_value) + g * g
    return w - rate * g / np.sqrt(s["sum"] + epsilon)


def adadelta(s, w, g, rate, t, rho=0.95, epsilon=1e-7):
    """Zeiler (2012), algorithm 1."""
    squares = _moving(s, "g", g * g, rho)
    step = -np.sqrt(s.get("d", 0.0) + epsilon) / np.sqrt(squares + epsilon) * g
    _moving(s, "d", step * step, rho)
    return w + rate * step


def ftrl(s, w, g, rate, t, learning_rate_power=-0.5, initial_accumulator_value=0.1,
         l1_regularization_strength=0.0, l2_regularization_strength=0.0,
         l2_shrinkage_regularization_strength=0.0, beta=0.0):  # fmt: skip
    """McMahan et al. (2013), algorithm 1: sigma and z per coordinate."""
    n = s.get("n", initial_accumulator_value)
    power, l1 = -learning_rate_power, l1_regularization_strength
    sigma = ((n + g * g) ** power - n**power) / rate
    shrunk = g + 2 * l2_shrinkage_regularization_strength * w
    s["z"] = s.get("z", 0.0) + shrunk - sigma * w
    s["n"] = n + g * g
    below = (beta + s["n"] ** power) / rate + 2 * l2_regularization_strength
    return np.where(abs(s["z"]) <= l1, 0.0, -(s["z"] - np.sign(s["z"]) * l1) / below)


def lion(s, w, g, rate, t, beta_1=0.9, beta_2=0.99):
    """Chen et al. (2023), algorithm 2."""
    step = np.sign(beta_1 * s.get("m", 0.0) + (1 - beta_1) * g)
    _moving(s, "m", g, beta_2)
    return w - rate * step


def lamb(s, w, g, rate, t, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """You et al. (2019), algorithm 2 with the identity for phi."""
    m, v = _moving(s, "m", g, beta_1), _moving(s, "v", g * g, beta_2)
    step = m / (1 - beta_1**t) / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
    norm, length = np.sqrt((w**2).sum()), np.sqrt((step**2).sum())
    return w - rate * (norm / length if norm and length else 1.0) * step


def adafactor(s, w, g, rate, t, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=1e-3,
              clip_threshold=1.0, relative_step=True):  # fmt: skip
    """Shazeer and Stern (2018), algorithms 4 and 5."""

    def rms(x: Any) -> float:
        return np.sqrt(np.mean(x**2))

    keep, squares = 1 - t**beta_2_decay, g * g + epsilon_1
    if g.ndim < 2:
        v = _moving(s, "v", squares, keep)
    else:
        rows = _moving(s, "r", squares.mean(-1), keep)
        columns = _moving(s, "c", squares.mean(-2), keep)
        v = np.outer(rows, columns) / rows.mean()
    step = g / np.sqrt(v)
    step = step / max(1.0, rms(step) / clip_threshold)
    rate = min(rate, 1 / np.sqrt(t)) if relative_step else rate
    return w - max(epsilon_2, rms(w)) * rate * step


@dataclass(frozen=True)
class RuleCase:
    """An optimizer, its rule and the settings that both take."""

    name: str
    rule: Callable
    settings: dict[str, Any] = field(default_factory=dict)
    rate: float = 0.05

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{k}={v}" for k, v in self.settings.items())])


CASES = [
    RuleCase("SGD", sgd),
    RuleCase("SGD", sgd, {"momentum": 0.9}),
    RuleCase("SGD", sgd, {"momentum": 0.8, "nesterov": True}),
    RuleCase("Adam", adam),
    RuleCase("Adam", adam, {"amsgrad": True, "beta_1": 0.7, "beta_2": 0.6, "epsilon": 1e-3}),
    RuleCase("AdamW", adam),
    RuleCase("Adamax", adamax),
    RuleCase("Nadam", nadam),
    RuleCase("RMSprop", rmsprop),
    RuleCase("RMSprop", rmsprop, {"rho": 0.7, "momentum": 0.5, "centered": True}),
    RuleCase("RMSprop", rmsprop, {"momentum": 0.9}),
    RuleCase("Adagrad", adagrad, {"initial_accumulator_value": 0.2}),
    RuleCase("Adadelta", adadelta, rate=1.0),
    RuleCase("Ftrl", ftrl),
    RuleCase(
        "Ftrl",
        ftrl,
        {
            "learning_rate_power": -0.4,
            "l1_regularization_strength": 0.3,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.1,
            "beta": 0.5,
        },
    ),
    RuleCase("Lion", lion),
    RuleCase("Lamb", lamb),
    RuleCase("Adafactor", adafactor),
    RuleCase("Adafactor", adafactor, {"relative_step": False, "clip_threshold": 0.5}, 0.7),
]


def train(
    case: RuleCase,
    grads: Any = None,
    rate: Any = None,
    decay: float | None = None,
    change: Callable = lambda grads: grads,
) -> list[Any]:
    """The weights after a step for each entry of `grads`.

    `rate(i)` is the rate of step i (from 0); `decay` is the decoupled weight decay (Loshchilov and
    Hutter, 2019); `change` is applied to the gradients of a step, for clipping.
    """
    weights, states = list(WEIGHTS), [{} for _ in WEIGHTS]
    for i, step in enumerate(GRADS if grads is None else grads):
        now = case.rate if rate is None else rate(i)
        for k, g in enumerate(change(step)):
            w = weights[k]
            if decay:
                w = w - now * decay * w
            weights[k] = case.rule(states[k], w, g, now, i + 1, **case.settings)
    return weights
