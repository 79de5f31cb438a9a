"""`OrbaxCheckpoint`: saves the model in the format of Orbax while it is trained."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from multikeras.callbacks.console import say
from multikeras.callbacks.monitor import MonitorCallback
from multikeras.callbacks.save_schedule import SaveSchedule
from multikeras.saving.orbax import checkpoint_items, load_orbax


class OrbaxCheckpoint(MonitorCallback):
    """Saves the model with Orbax, after epochs or every so many batches.

    Each checkpoint is a folder in `directory`, named by the epoch (from 0) or, with a number as
    `save_freq`, by the optimizer's steps. `saving.orbax.load_orbax_weights` reads them, and
    Keras 3's `load_weights`. Needs the package `orbax-checkpoint`.

    Args:
        directory: the folder; made if it is not there.
        monitor: with `save_best_only`: the name in the logs that tells the best.
        verbose: 1 says what is saved. Defaults to 0.
        save_best_only: whether only a model better than all before is saved. Defaults to False.
        mode: "min", "max" or "auto"; see `MonitorCallback`. Defaults to "auto".
        save_freq: "epoch", or after how many batches to save. Defaults to "epoch".
        initial_value_threshold: with `save_best_only`: the value to beat at first.
        max_to_keep: how many checkpoints are kept, the latest ones; None: all. Defaults to 1.
        save_on_background: whether training goes on while a copy is written. Defaults to True.
        save_weights_only: whether configuration, optimizer and metrics are left out.

    Attributes:
        checkpointer: Orbax's own object.

    Raises:
        ImportError: if Orbax is not installed.
        ValueError: for a bad `save_freq` or `max_to_keep`.

    Example:
        >>> checkpoint = OrbaxCheckpoint("checkpoints", max_to_keep=3)  # doctest: +SKIP
    """

    def __init__(
        self,
        directory: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ) -> None:
        super().__init__(monitor, mode, initial=initial_value_threshold)
        self._schedule = SaveSchedule("OrbaxCheckpoint", save_freq)
        if max_to_keep is not None and max_to_keep < 1:
            raise ValueError(
                f"OrbaxCheckpoint: max_to_keep must be positive or None, got {max_to_keep!r}."
            )
        self.directory = os.fspath(directory)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_freq = save_freq
        self.max_to_keep = max_to_keep
        self.save_on_background = save_on_background
        self.save_weights_only = save_weights_only
        training = load_orbax().training
        Path(self.directory).mkdir(parents=True, exist_ok=True)
        self.checkpointer = training.Checkpointer(
            Path(self.directory).absolute(),
            preservation_policy=training.preservation_policies.LatestN(max_to_keep),
            cleanup_tmp_directories=True,
        )
        self._writing: Any = None

    def listens_to_batches(self, mode: str) -> bool:
        """Only if it saves every so many batches."""
        if mode == "train" and self._schedule.by_epoch:
            return False
        return super().listens_to_batches(mode)

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"schedule": self._schedule.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self._schedule.set_state(state["schedule"])

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._schedule.is_due(batch):
            self._save(int(np.asarray(self.model.optimizer.iterations)), logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._schedule.by_epoch:
            self._save(epoch, logs)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.wait_until_finished()

    def wait_until_finished(self) -> None:
        """Waits for the checkpoint that is being written in the background.

        Raises:
            Exception: what went wrong there.
        """
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def _save(self, step: int, logs: dict[str, Any] | None) -> None:
        if self.save_best_only:
            value = self.current(logs)
            if value is None:
                return
            if not self.improved(value, self.best):
                if self.verbose > 0:
                    say(f"Step {step}: {self.monitor} did not improve from {self.best:.5f}")
                return
            self.best = float(value)
        if self.verbose > 0:
            say(f"Step {step}: saving a checkpoint in {self.directory}")
        self.wait_until_finished()
        items = checkpoint_items(self.model, self.save_weights_only)
        # A run that is made anew, or continued, comes by the same steps once more.
        options = {"force": True, "overwrite": True}
        if self.save_on_background:
            self._writing = self.checkpointer.save_checkpointables_async(step, items, **options)
        else:
            self.checkpointer.save_checkpointables(step, items, **options)
