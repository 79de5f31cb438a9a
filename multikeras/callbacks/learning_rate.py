"""Callbacks that change the learning rate: by a schedule, or when progress stalls."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from multikeras import ops
from multikeras.callbacks.callback import Callback
from multikeras.callbacks.console import say
from multikeras.callbacks.monitor import MonitorCallback


def _optimizer_of(callback: Callback) -> Any:
    optimizer = getattr(callback.model, "optimizer", None)
    if optimizer is None or not hasattr(optimizer, "learning_rate"):
        raise ValueError(
            f"{type(callback).__name__}: the model's optimizer has no `learning_rate`."
        )
    return optimizer


def _rate(optimizer: Any) -> float:
    return float(ops.convert_to_numpy(optimizer.learning_rate))


def _checked(rate: Any) -> float:
    """What a schedule returned, a float or a scalar tensor, as a float."""
    if rate is None or isinstance(rate, (str, bool, int)) or callable(rate) or np.ndim(rate):
        raise ValueError(
            f"LearningRateScheduler: `schedule` must return a float, got {rate!r} of type "
            f"{type(rate).__name__}."
        )
    return rate if isinstance(rate, float) else float(ops.convert_to_numpy(rate))


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch; the logs get it as `learning_rate`.

    Args:
        schedule: a function `(epoch, learning_rate) -> float`, or `(epoch) -> float`; epochs
            are numbered from 0.
        verbose: 1 says what is set. Defaults to 0.

    Raises:
        ValueError: in training, if the optimizer has no learning rate, or the function returns
            something other than a number.

    Example:
        >>> scheduler = LearningRateScheduler(lambda epoch, rate: rate * 0.9)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        optimizer = _optimizer_of(self)
        rate = _checked(self._scheduled(epoch, optimizer))
        optimizer.learning_rate = rate
        if self.verbose > 0:
            say(f"Epoch {epoch + 1}: LearningRateScheduler sets the learning rate to {rate:g}.")

    def _scheduled(self, epoch: int, optimizer: Any) -> Any:
        try:
            count = len(inspect.signature(self.schedule).parameters)
        except (TypeError, ValueError):
            count = 2
        if count == 1:
            return self.schedule(epoch)
        return self.schedule(epoch, _rate(optimizer))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = _rate(_optimizer_of(self))


class ReduceLROnPlateau(MonitorCallback):
    """Makes the learning rate smaller when a value has not improved for some epochs.

    The logs get it as `learning_rate`.

    Args:
        monitor: name in the logs. Defaults to "val_loss".
        factor: what the rate is multiplied with, below 1. Defaults to 0.1.
        patience: epochs without improvement that are tolerated. Defaults to 10.
        verbose: 1 says when the rate is reduced. Defaults to 0.
        mode: "min", "max" or "auto"; see `MonitorCallback`. Defaults to "auto".
        min_delta: how much a value must improve to count. Defaults to 1e-4.
        cooldown: epochs after a reduction in which patience is not counted. Defaults to 0.
        min_lr: the smallest rate. Defaults to 0.

    Raises:
        ValueError: if `factor` is 1 or more.

    Example:
        >>> plateau = ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=3)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau: unknown arguments {sorted(kwargs)}.")
        super().__init__(monitor, mode, min_delta)
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: `factor` must be below 1, got {factor}.")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def get_state(self) -> dict[str, Any]:
        state = {"cooldown_counter": self.cooldown_counter, "wait": self.wait}
        return super().get_state() | state

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self.cooldown_counter = state["cooldown_counter"]
        self.wait = state["wait"]

    def in_cooldown(self) -> bool:
        """Whether a reduction was less than `cooldown` epochs ago."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        optimizer = _optimizer_of(self)
        logs = {} if logs is None else logs
        logs["learning_rate"] = _rate(optimizer)
        value = self.current(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improved(value, self.best):
            self.best = value
            self.wait = 0
            return
        if self.in_cooldown():
            return
        self.wait += 1
        if self.wait >= self.patience:
            self._reduce(epoch, optimizer)

    def _reduce(self, epoch: int, optimizer: Any) -> None:
        old = _rate(optimizer)
        # Compared as the optimizer stores it: min_lr may not be exact in its dtype.
        if old <= float(np.float32(self.min_lr)):
            return
        new = max(old * self.factor, self.min_lr)
        optimizer.learning_rate = new
        self.cooldown_counter = self.cooldown
        self.wait = 0
        if self.verbose > 0:
            say(f"Epoch {epoch + 1}: ReduceLROnPlateau reduces the learning rate to {new:g}.")
