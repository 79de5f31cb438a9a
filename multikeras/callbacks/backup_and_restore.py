"""`BackupAndRestore`: goes on with a training that was interrupted, exactly where it was saved."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path
from typing import Any

from multikeras.callbacks.backup_file import load_variables, read_state, write_backup
from multikeras.callbacks.callback import Callback
from multikeras.callbacks.save_schedule import SaveSchedule
from multikeras.saving.container import CorruptFileError

_LAST, _BEFORE = "last.backup", "before.backup"


class BackupAndRestore(Callback):
    """Saves a run of `fit`, and goes on with it when `fit` is called again.

    After an interruption, run the same program again. From the step that was saved last it goes
    on as if it had never been stopped: weights, optimizer, loss scale, random state, the order
    of the data and the place in it, metrics, history and the other callbacks (those that have
    `get_state` and `set_state`) are put back. On the same backend the results are the same bit
    for bit where the framework itself repeats them; on another backend they agree within
    rounding.

    A SIGTERM, and Ctrl-C, take effect after the step that is running, and the run is saved
    before.

    What can't be put back: the state of a framework's own random generators, of a user's data
    set or generator, of callbacks without `get_state` (they start anew), and what worker
    processes have drawn from `random` and `numpy.random`. (In the process of the training,
    these two are put back.)

    Args:
        backup_dir: a folder of its own for the backup.
        save_freq: "epoch", or every how many batches to save (counted over epochs); False: only
            when a signal ends the run. Defaults to "epoch".
        double_checkpoint: whether the backup before the last one is kept too, to fall back on
            if the last one can't be read. Defaults to False.
        delete_checkpoint: whether the backup is deleted when training ends. Defaults to True.
        fast_forward: data that can't be repositioned (a generator) is refused when a run is to
            be continued; with True, as many batches are read and thrown away as were used.

    Raises:
        ValueError: for an empty `backup_dir` or a bad `save_freq`; in training, if the model is
            not built when `fit` is called, or if the run is another one than the one that was
            saved. The backup is left as it is then.

    Example:
        >>> callback = BackupAndRestore("backup", save_freq=500)
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
        fast_forward: bool = False,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ValueError("BackupAndRestore: `backup_dir` must name a folder, got nothing.")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.fast_forward = fast_forward
        self._schedule = SaveSchedule("BackupAndRestore", save_freq, may_be_never=True)

    def is_due(self, batch: int) -> bool:
        """Whether to save after this batch; asked by the run, in place of a hook of batches."""
        return self._schedule.is_due(batch)

    def get_state(self) -> dict[str, Any]:
        return self._schedule.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        self._schedule.set_state(state)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        run = getattr(self.model, "_fit_run", None)
        if run is None:
            raise ValueError("BackupAndRestore saves a run of fit(); here none is under way.")
        if not self.model.built:
            raise ValueError(
                "BackupAndRestore: the model must be built before fit(), so that weights can be "
                "restored: give it an Input, or call it on a batch first."
            )
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        folder = Path(self.backup_dir)
        for leftover in folder.glob(".*.backup.*.tmp"):  # of a process that was killed
            leftover.unlink(missing_ok=True)
        for name in (_LAST, _BEFORE) if self.double_checkpoint else (_LAST,):
            path = folder / name
            if path.exists() and self._restore(run, path):
                return

    def _restore(self, run: Any, path: Path) -> bool:
        """Puts the run back; False if there is another backup to try."""
        try:
            state = read_state(path)
            run.refuse(state)
            load_variables(path, self.model)
        except (CorruptFileError, OSError) as error:
            if self.double_checkpoint and path.name == _LAST:
                warnings.warn(
                    f"BackupAndRestore: the last backup can't be read, so the one before is "
                    f"taken: {error}",
                    stacklevel=2,
                )
                return False
            raise
        except ValueError as error:
            raise self._other_run(path, error) from error
        try:
            run.restore(state, fast_forward=self.fast_forward)
        except ValueError as error:
            raise self._other_run(path, error) from error
        return True

    def _other_run(self, path: Path, error: ValueError) -> ValueError:
        return ValueError(
            f"BackupAndRestore: the run saved in {os.fspath(path)!r} can't be continued. {error}\n"
            "The backup is left as it is. Go on with the program as it was, or give another "
            "`backup_dir` (or delete this one) to begin anew."
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._schedule.by_epoch:
            self.model._fit_run.save()

    def save(self, state: dict[str, Any]) -> None:
        """Writes the backup.

        Args:
            state: the run's state; the model's variables are written with it.
        """
        folder = Path(self.backup_dir)
        folder.mkdir(parents=True, exist_ok=True)
        last = folder / _LAST
        if self.double_checkpoint and last.exists():
            temporary = folder / f".{_BEFORE}.{os.getpid()}.tmp"
            temporary.unlink(missing_ok=True)
            try:
                os.link(last, temporary)
            except OSError:  # a file system without links
                shutil.copyfile(last, temporary)
            temporary.replace(folder / _BEFORE)
        write_backup(last, self.model, state)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if not self.delete_checkpoint:
            return
        folder = Path(self.backup_dir)
        # The older one first: a run that is killed here must not fall back on it.
        for name in (_BEFORE, _LAST):
            (folder / name).unlink(missing_ok=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
