"""`ModelCheckpoint`: saves the model while it is trained."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from multikeras.callbacks.console import say
from multikeras.callbacks.monitor import MonitorCallback
from multikeras.callbacks.save_schedule import SaveSchedule


class ModelCheckpoint(MonitorCallback):
    """Saves the model or its weights, after epochs or every so many batches.

    Args:
        filepath: where to; `{epoch}` (from 1), `{batch}` (from 1, with a number as
            `save_freq`) and names of the logs are filled in: `"{epoch:02d}-{val_loss:.2f}.keras"`.
            It ends in `.keras`, or in `.weights.h5` with `save_weights_only`.
        monitor: with `save_best_only`: the name in the logs that tells the best.
        verbose: 1 says what is saved. Defaults to 0.
        save_best_only: whether only a model better than all before is saved. Defaults to False.
        save_weights_only: whether only weights are saved. Defaults to False.
        mode: "min", "max" or "auto"; see `MonitorCallback`. Defaults to "auto".
        save_freq: "epoch", or after how many batches to save. Defaults to "epoch".
        initial_value_threshold: with `save_best_only`: the value to beat at first.

    Raises:
        ValueError: for a wrong ending or `save_freq`.
        KeyError: when saving, if `filepath` mentions a name that is not in the logs.
        IsADirectoryError: when saving, if `filepath` is a folder.

    Example:
        >>> checkpoint = ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True)
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial=initial_value_threshold)
        self.verbose = verbose
        self.filepath = os.fspath(filepath)
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._schedule = SaveSchedule("ModelCheckpoint", save_freq)
        self._epoch = 0
        ending = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(ending):
            told = " with save_weights_only=True" if save_weights_only else ""
            raise ValueError(
                f"ModelCheckpoint: `filepath` must end in {ending!r}{told}, got {self.filepath!r}."
            )

    def listens_to_batches(self, mode: str) -> bool:
        """Only if it saves every so many batches."""
        if mode == "train" and self._schedule.by_epoch:
            own = type(self).on_train_batch_end is not ModelCheckpoint.on_train_batch_end
            return own or type(self).on_batch_end is not MonitorCallback.on_batch_end
        return super().listens_to_batches(mode)

    def get_state(self) -> dict[str, Any]:
        state = {"epoch": self._epoch, "schedule": self._schedule.get_state()}
        return super().get_state() | state

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self._epoch = state["epoch"]
        self._schedule.set_state(state["schedule"])

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._schedule.is_due(batch):
            self._save(batch, logs)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._schedule.by_epoch:
            self._save(None, logs)

    def _save(self, batch: int | None, logs: dict[str, Any] | None) -> None:
        path = self._path(batch, logs or {})
        epoch = self._epoch + 1
        if not self.save_best_only:
            self._write(path, f"Epoch {epoch}: saving model to {path}")
            return
        value = self.current(logs)
        if value is None:
            return
        if np.ndim(value):
            warnings.warn(
                f"ModelCheckpoint: {self.monitor!r} is no single number but has shape "
                f"{np.shape(value)}; nothing is saved.",
                stacklevel=2,
            )
            return
        if not self.improved(value, self.best):
            if self.verbose > 0:
                say(f"Epoch {epoch}: {self.monitor} did not improve from {self.best:.5f}")
            return
        before = "none" if self.best is None else f"{self.best:.5f}"
        self._write(
            path,
            f"Epoch {epoch}: {self.monitor} improved from {before} to {value:.5f}, "
            f"saving model to {path}",
        )
        self.best = value

    def _path(self, batch: int | None, logs: dict[str, Any]) -> str:
        names = {**logs, "epoch": self._epoch + 1}
        if batch is not None:
            names["batch"] = batch + 1
        try:
            return self.filepath.format(**names)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: `filepath` {self.filepath!r} mentions {error.args[0]!r}, but "
                f"there is only {', '.join(names)}."
            ) from None

    def _write(self, path: str, message: str) -> None:
        if self.verbose > 0:
            say(message)
        if Path(path).is_dir():
            raise IsADirectoryError(f"ModelCheckpoint: `filepath` is a folder: {path}")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
