"""`CSVLogger`: writes the logs of every epoch to a file."""

from __future__ import annotations

import csv
import os
from typing import Any

import numpy as np

from multikeras.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes one line of comma-separated values an epoch, under a line of names.

    A value that an epoch does not have (a validation that was not made) stands as `NA`.

    Args:
        filename: the file.
        separator: what stands between values. Defaults to ",".
        append: whether an existing file is continued. Defaults to False.

    Example:
        >>> logger = CSVLogger("training.csv", append=True)
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self._file: Any = None
        self._writer: Any = None
        self._needs_header = True
        self._keeps: int | None = None  # bytes of the file that stay; None: all

    def get_state(self) -> dict[str, Any]:
        begun = self._writer is not None
        return {"keys": self.keys, "size": self._file.tell() if begun else self._keeps}

    def set_state(self, state: dict[str, Any]) -> None:
        if state["keys"] is None:
            return  # it had not begun
        # Lines that were written after the backup will be written again.
        self._keeps = int(state["size"])
        if os.path.getsize(self.filename) < self._keeps:
            self._keeps = 0  # the file was taken away: it begins anew
        self._needs_header = self._keeps == 0
        self.keys = state["keys"]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        # An old file is emptied with the first line: a run that is continued still needs it.
        # newline="": the csv module ends lines itself.
        self._file = open(self.filename, "a", newline="", encoding="utf-8")
        self._keeps = None if self.append else 0
        self._needs_header = not self.append or os.path.getsize(self.filename) == 0
        self._writer = None
        self.keys = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = dict(logs or {})
        if self._writer is None:
            self._begin(logs)
        row = {name: _cell(logs[name]) if name in logs else "NA" for name in self.keys or ()}
        self._writer.writerow({"epoch": epoch, **row})
        self._file.flush()

    def _begin(self, logs: dict[str, Any]) -> None:
        if self._keeps is not None:
            self._file.truncate(self._keeps)
        if self.keys is None:
            self.keys = sorted(logs)
            # Validation may come later, but its columns must stand in the first line.
            if not any(name.startswith("val_") for name in self.keys):
                self.keys += [f"val_{name}" for name in self.keys if name != "learning_rate"]
        self._writer = csv.DictWriter(
            self._file, ["epoch", *self.keys], delimiter=self.sep, lineterminator="\n"
        )
        if self._needs_header:
            self._writer.writeheader()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None


def _cell(value: Any) -> Any:
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return "[" + ", ".join(map(str, np.asarray(value).reshape(-1).tolist())) + "]"
