"""`BackupAndRestore`: goes on with a training that was interrupted."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from multikeras.callbacks.callback import Callback
from multikeras.callbacks.save_schedule import SaveSchedule

_WEIGHTS = "latest.weights.h5"
_METADATA = "training_metadata.json"


class BackupAndRestore(Callback):
    """Saves weights and the optimizer's state, and restores them when `fit` is called again.

    After an interruption, run the same program again: training goes on after the last epoch
    that was saved. An epoch that was interrupted is made anew from its beginning, with the
    weights of the last backup.

    Args:
        backup_dir: a folder of its own for the backup.
        save_freq: "epoch", or every how many batches to save. Defaults to "epoch".
        double_checkpoint: whether the backup before the last one is kept too, to fall back on
            if the last one can't be read. Defaults to False.
        delete_checkpoint: whether the backup is deleted when training ends. Defaults to True.

    Raises:
        ValueError: for an empty `backup_dir` or a bad `save_freq`; in training, if the model is
            not built when `fit` is called.

    Example:
        >>> callback = BackupAndRestore("backup")
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ValueError("BackupAndRestore: `backup_dir` must name a folder, got nothing.")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._schedule = SaveSchedule("BackupAndRestore", save_freq)
        self._epoch = 0

    def listens_to_batches(self, mode: str) -> bool:
        """Only if it saves every so many batches."""
        return mode == "train" and not self._schedule.by_epoch

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self.model.built:
            raise ValueError(
                "BackupAndRestore: the model must be built before fit(), so that weights can be "
                "restored: give it an Input, or call it on a batch first."
            )
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        for suffix in ("", ".bkp"):
            folder = Path(self.backup_dir + suffix)
            if (folder / _METADATA).exists() and self._restore(folder, fallible=suffix == ""):
                return

    def _restore(self, folder: Path, fallible: bool) -> bool:
        try:
            done = json.loads((folder / _METADATA).read_text(encoding="utf-8"))
            self.model.load_weights(folder / _WEIGHTS)
        except (ValueError, OSError):
            if fallible and self.double_checkpoint:
                return False
            raise
        self._epoch = int(done["epoch"])
        self.model._fit_run.epoch = self._epoch
        return True

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._schedule.is_due(batch):
            self._save(self._epoch, batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch + 1
        if self._schedule.by_epoch:
            self._save(self._epoch, 0)

    def _save(self, epoch: int, batch: int) -> None:
        folder = Path(self.backup_dir)
        if self.double_checkpoint and (folder / _METADATA).exists():
            older = Path(self.backup_dir + ".bkp")
            shutil.rmtree(older, ignore_errors=True)
            shutil.copytree(folder, older)
        folder.mkdir(parents=True, exist_ok=True)
        self.model.save_weights(folder / _WEIGHTS, overwrite=True)
        temporary = folder / f"{_METADATA}.tmp"
        temporary.write_text(json.dumps({"epoch": epoch, "batch": batch}), encoding="utf-8")
        temporary.replace(folder / _METADATA)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.delete_checkpoint:
            shutil.rmtree(self.backup_dir, ignore_errors=True)
            shutil.rmtree(self.backup_dir + ".bkp", ignore_errors=True)
