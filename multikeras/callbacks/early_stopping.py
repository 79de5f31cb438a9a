"""`EarlyStopping`: ends training when a value has stopped to improve."""

from __future__ import annotations

from typing import Any

import numpy as np

from multikeras.callbacks.console import say
from multikeras.callbacks.monitor import MonitorCallback


class EarlyStopping(MonitorCallback):
    """Ends training when a monitored value has not improved for some epochs.

    Args:
        monitor: name in the logs. Defaults to "val_loss".
        min_delta: how much a value must improve to count. Defaults to 0.
        patience: epochs without improvement that are tolerated. Defaults to 0.
        verbose: 1 says when training is ended. Defaults to 0.
        mode: "min", "max" or "auto"; see `MonitorCallback`. Defaults to "auto".
        baseline: a value that must be beaten; improvements below it don't reset the patience.
        restore_best_weights: whether the model ends with the weights of the best epoch, also
            where training was not ended early. Defaults to False.
        start_from_epoch: epochs that are not watched at the beginning. Defaults to 0.

    Attributes:
        stopped_epoch: the epoch at which training was ended, or 0.

    Raises:
        ValueError: in the first epoch, if `mode` is "auto" and the direction can't be told.

    Example:
        >>> stopping = EarlyStopping(monitor="loss", patience=3, restore_best_weights=True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best_weights: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best = None
        self.best_weights = None

    def get_state(self) -> dict[str, Any]:
        names = ("wait", "stopped_epoch", "best_epoch", "best_weights")
        return super().get_state() | {name: getattr(self, name) for name in names}

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self.wait = state["wait"]
        self.stopped_epoch = state["stopped_epoch"]
        self.best_epoch = state["best_epoch"]
        self.best_weights = state["best_weights"]

    def get_monitor_value(self, logs: dict[str, Any] | None) -> Any:
        """The monitored value in the logs."""
        return self.current(logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            # Should no epoch ever count as better, the first one stays.
            self._remember(epoch)
        self.wait += 1
        if self.improved(value, self.best):
            self.best = value
            self._remember(epoch)
            if self.baseline is None or self.improved(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _remember(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            # Copies: a backend may update the memory that these arrays look at.
            self.best_weights = [np.array(w) for w in self.model.get_weights()]

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                say(f"Restoring the weights of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)
