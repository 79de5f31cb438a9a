"""Updates of all variables with few temporaries: slots in place, results in buffers.

`fused_update(optimizer)` gives a function `(optimizer, gradients, variables, learning_rate)`
for the rules that have one here, or None. Slots are written in place: nobody but the optimizer
holds them. A variable gets a fresh array, since others may hold the old one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def _slot(optimizer: Any, slots: list[Any], variable: Any) -> np.ndarray:
    return slots[optimizer._index[id(variable)]]._value


def _count(optimizer: Any) -> int:
    count = int(optimizer._iterations._value)
    every = optimizer.gradient_accumulation_steps
    return count // every if every else count


def _sgd(optimizer: Any, rate: float) -> Callable[..., None]:
    momentum, nesterov = optimizer.momentum, optimizer.nesterov

    def step(variable: Any, gradient: np.ndarray, work: np.ndarray, more: np.ndarray) -> None:
        np.multiply(gradient, rate, out=work)
        if momentum:
            move = _slot(optimizer, optimizer._momentums, variable)
            np.multiply(move, momentum, out=move)
            np.subtract(move, work, out=move)
            if not nesterov:
                np.negative(move, out=work)
            else:
                np.multiply(move, momentum, out=more)
                np.subtract(work, more, out=work)

    return step


def _adam(optimizer: Any, rate: float) -> Callable[..., None]:
    number = _count(optimizer) + 1
    beta_1, beta_2, epsilon = optimizer.beta_1, optimizer.beta_2, optimizer.epsilon
    rate = rate * math.sqrt(1.0 - beta_2**number) / (1.0 - beta_1**number)

    def step(variable: Any, gradient: np.ndarray, work: np.ndarray, more: np.ndarray) -> None:
        mean = _slot(optimizer, optimizer._momentums, variable)
        square = _slot(optimizer, optimizer._velocities, variable)
        np.multiply(mean, beta_1, out=mean)
        np.multiply(gradient, 1.0 - beta_1, out=work)
        np.add(mean, work, out=mean)
        np.multiply(square, beta_2, out=square)
        np.multiply(gradient, gradient, out=work)
        np.multiply(work, 1.0 - beta_2, out=work)
        np.add(square, work, out=square)
        if optimizer.amsgrad:
            greatest = _slot(optimizer, optimizer._maxima, variable)
            square = np.maximum(greatest, square, out=greatest)
        np.sqrt(square, out=more)
        np.add(more, epsilon, out=more)
        np.multiply(mean, rate, out=work)
        np.divide(work, more, out=work)

    return step


def _rmsprop(optimizer: Any, rate: float) -> Callable[..., None]:
    rho, momentum = optimizer.rho, optimizer.momentum

    def step(variable: Any, gradient: np.ndarray, work: np.ndarray, more: np.ndarray) -> None:
        square = _slot(optimizer, optimizer._velocities, variable)
        np.multiply(square, rho, out=square)
        np.multiply(gradient, gradient, out=work)
        np.multiply(work, 1.0 - rho, out=work)
        np.add(square, work, out=square)
        np.add(square, optimizer.epsilon, out=more)
        if optimizer.centered:
            mean = _slot(optimizer, optimizer._means, variable)
            np.multiply(mean, rho, out=mean)
            np.multiply(gradient, 1.0 - rho, out=work)
            np.add(mean, work, out=mean)
            np.multiply(mean, mean, out=work)
            np.subtract(more, work, out=more)
        np.sqrt(more, out=more)
        np.multiply(gradient, rate, out=work)
        np.divide(work, more, out=work)
        if momentum > 0:
            move = _slot(optimizer, optimizer._momentums, variable)
            np.multiply(move, momentum, out=move)
            np.add(move, work, out=move)
            np.copyto(work, move)

    return step


_RULES = {"SGD": _sgd, "Adam": _adam, "AdamW": _adam, "RMSprop": _rmsprop}


def fused_update(optimizer: Any) -> Callable[..., None] | None:
    """The update of all variables for this optimizer, or None."""
    kind = type(optimizer)
    rule = _RULES.get(kind.__name__) if kind.__module__.startswith("multikeras.") else None
    if rule is None:
        return None
    buffers: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def update(optimizer: Any, grads: list[Any], variables: list[Any], learning_rate: Any) -> None:
        rate = float(getattr(learning_rate, "_value", learning_rate))
        step = rule(optimizer, rate)
        decay = optimizer.weight_decay
        for gradient, variable in zip(grads, variables, strict=True):
            value = variable._value
            pair = buffers.get(id(variable))
            if pair is None:
                pair = buffers[id(variable)] = (np.empty_like(value), np.empty_like(value))
            work, more = pair
            if gradient.dtype != value.dtype:
                gradient = gradient.astype(value.dtype)
            step(variable, gradient, work, more)
            fresh = np.empty_like(value)
            if decay and optimizer.decays(variable):
                np.multiply(value, 1.0 - rate * decay, out=fresh)
                np.subtract(fresh, work, out=fresh)
            else:
                np.subtract(value, work, out=fresh)
            variable._value = fresh

    return update
