"""When a callback that saves is due: at the end of epochs, or every so many batches."""

from __future__ import annotations

from typing import Any


class SaveSchedule:
    """Counts batches.

    Args:
        owner: name of the callback, for the error.
        save_freq: "epoch", or a number of batches.
        may_be_never: whether False is allowed too: never.

    Raises:
        ValueError: for anything else.
    """

    def __init__(self, owner: str, save_freq: Any, may_be_never: bool = False) -> None:
        number = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
        never = may_be_never and save_freq is False
        if save_freq != "epoch" and not number and not never:
            raise ValueError(
                f"{owner}: save_freq must be 'epoch' or a positive number of batches, "
                f"got {save_freq!r}."
            )
        self.by_epoch = save_freq == "epoch"
        self._every = save_freq if number else 0
        self._since = 0
        self._last = -1

    def is_due(self, batch: int) -> bool:
        """Whether to save after this batch (numbered from 0 in each epoch)."""
        if not self._every:
            return False
        # Several batches may have run in one dispatch; a smaller number: a new epoch.
        self._since += batch - self._last if batch > self._last else batch + 1
        self._last = batch
        if self._since < self._every:
            return False
        self._since = 0
        return True

    def get_state(self) -> dict[str, int]:
        """How far the counting is."""
        return {"since": self._since, "last": self._last}

    def set_state(self, state: dict[str, int]) -> None:
        """Goes on counting where `get_state` was asked."""
        self._since, self._last = int(state["since"]), int(state["last"])
