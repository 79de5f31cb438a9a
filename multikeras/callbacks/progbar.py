"""The progress bar: `Progbar` draws one, `ProgbarLogger` shows the run of a model with it.

On a terminal one line is drawn over again, at most as often as `interval` says; into a file
only complete lines are written, without control characters.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from multikeras.callbacks.callback import Callback
from multikeras.callbacks.console import is_redrawable, say

_BOLD, _GREEN, _GREY, _RESET, _CLEAR = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m", "\x1b[K"
_Values = Any


class Progbar:
    """A progress bar.

    Args:
        target: how many steps there will be; None: not known.
        width: width of the bar in characters. Defaults to 20.
        verbose: 0 silent, 1 a bar, 2 one line at the end. Defaults to 1.
        interval: seconds between two drawings at least. Defaults to 0.05.
        stateful_metrics, stateless_metrics: kept for compatibility: values are shown as given.
        unit_name: what a step is called. Defaults to "step".

    Example:
        >>> bar = Progbar(2, verbose=2)
        >>> bar.update(2, [("loss", 0.5)])  # doctest: +ELLIPSIS
        2/2 - 0s - .../step - loss: 0.5000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.finished = False
        self.seen = 0
        self._start = time.perf_counter()
        self._first: tuple[float, int] | None = None
        self._next_draw = 0.0
        self._values: dict[str, Any] = {}

    def update(self, current: int, values: _Values = None, finalize: bool | None = None) -> None:
        """Shows that `current` steps are done.

        Args:
            current: how many steps are done.
            values: a dict or (name, value) pairs to show, or a function without arguments that
                gives them, called only if the bar is drawn now.
            finalize: whether this is the end; None: if `current` has reached the target.
        """
        now = time.perf_counter()
        self.seen = current
        if self._first is None:
            self._first = (now, current)
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        if self.verbose == 0 or self.finished:
            return
        draws = self.verbose == 1 and now >= self._next_draw and is_redrawable()
        if not (finalize or draws):
            if values is not None and not callable(values):
                self._values.update(values)
            return
        if values is not None:
            self._values.update(values() if callable(values) else values)
        if finalize:
            self.target = current
            self.finished = True
        self._show(current, now, finalize)
        self._next_draw = time.perf_counter() + self.interval

    def add(self, n: int, values: _Values = None) -> None:
        """Shows that `n` more steps are done; `values` as in `update`."""
        self.update(self.seen + n, values)

    def _show(self, current: int, now: float, final: bool) -> None:
        values = "".join(f" - {name}: {_number(v)}" for name, v in self._values.items())
        elapsed = now - self._start
        if self.verbose == 2:
            per_step = _per_step(elapsed / max(current, 1), self.unit_name)
            say(f"{current}/{self.target} - {elapsed:.0f}s - {per_step}{values}")
            return
        seconds = elapsed / max(current, 1) if final else self._step_seconds(current, now)
        if final:
            clock = _clock(elapsed)
        else:
            clock = _clock(seconds * (self.target - current) if self.target else elapsed)
        rate = _per_step(seconds, self.unit_name)
        count = f"{current}/{'Unknown' if self.target is None else self.target}"
        filled = self.width if self.target is None else self._filled(current)
        if not is_redrawable():
            say(f"{count} {'━' * filled} {clock} {rate}{values}")
            return
        room = shutil.get_terminal_size().columns - len(f"{count} {clock} {rate}") - self.width - 2
        bar = f"{_GREEN}{'━' * filled}{_RESET}{_GREY}{'━' * (self.width - filled)}{_RESET}"
        values = values if final else values[: max(room, 0)]
        line = f"{_BOLD}{count}{_RESET} {bar} {_BOLD}{clock}{_RESET} {rate}{values}"
        say(f"\r{line}{_CLEAR}", end="\n" if final else "")

    def _filled(self, current: int) -> int:
        return min(self.width, int(self.width * current / max(self.target or 1, 1)))

    def _step_seconds(self, current: int, now: float) -> float:
        """Seconds a step; the first one, which compiles, is left out where that is possible."""
        first_time, first_count = self._first or (self._start, 0)
        if current > first_count:
            return (now - first_time) / (current - first_count)
        return (now - self._start) / max(current, 1)


def _clock(seconds: float) -> str:
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole >= 60 else f"{whole}s"


def _per_step(seconds: float, unit: str) -> str:
    for scale, suffix in ((1.0, "s"), (1e3, "ms")):
        if seconds * scale >= 1.0:
            return f"{seconds * scale:.0f}{suffix}/{unit}"
    return f"{seconds * 1e6:.0f}us/{unit}"


def _number(value: Any) -> str:
    if isinstance(value, str):
        return value
    if np.ndim(value):
        return np.array2string(np.asarray(value), precision=4, separator=", ")
    value = float(value)
    return f"{value:.4f}" if abs(value) > 1e-3 or value == 0.0 else f"{value:.4e}"


class ProgbarLogger(Callback):
    """Shows the progress of `fit`, `evaluate` and `predict`; `verbose` tells how.

    `fit` adds one by itself. Whoever runs the loop may call `update` directly, rather than the
    hooks of batches.

    Raises:
        ValueError: for a `verbose` other than 0, 1, 2 and "auto".

    Example:
        >>> logger = ProgbarLogger()
        >>> logger.set_params({"verbose": "auto", "epochs": 2, "steps": 3})
        >>> logger.verbose
        1
    """

    def __init__(self) -> None:
        super().__init__()
        self._bar: Progbar | None = None
        self._fitting = False

    @property
    def verbose(self) -> int:
        """0, 1 or 2."""
        verbose = (self.params or {}).get("verbose", 1)
        return 1 if verbose == "auto" else int(verbose)

    def set_params(self, params: dict[str, Any]) -> None:
        verbose = params.get("verbose", 1)
        if verbose not in (0, 1, 2, "auto"):
            raise ValueError(f"verbose: expected 0, 1, 2 or 'auto', got {verbose!r}.")
        super().set_params(params)

    def listens_to_batches(self, mode: str) -> bool:
        """False: it is told by `update`."""
        return False

    def update(
        self,
        count: int,
        logs: dict[str, Any] | Callable[[], dict[str, Any]] | None = None,
        finished: bool = False,
    ) -> None:
        """Shows that `count` batches are done.

        Args:
            count: batches done in this epoch or evaluation.
            logs: a dict, or a function without arguments that gives one if it is needed.
            finished: whether these were all.
        """
        if self._bar is not None:
            # The last line of an epoch waits for the validation.
            self._bar.update(count, logs, finalize=finished)

    def _begin(self) -> None:
        self._bar = Progbar((self.params or {}).get("steps"), verbose=self.verbose)

    def _end(self, logs: dict[str, Any] | None) -> None:
        if self._bar is not None:
            if not self._bar.finished and self._bar.seen:
                self._bar.update(self._bar.seen, logs, finalize=True)
            self._bar = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._fitting = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._fitting = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        epochs = (self.params or {}).get("epochs")
        if self.verbose and epochs and epochs > 1:
            say(f"Epoch {epoch + 1}/{epochs}")
        self._begin()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._end(logs)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self._fitting:
            self._begin()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        if not self._fitting:
            self._end(logs)

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._begin()

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        self._end(logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.update(batch + 1, logs)

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if not self._fitting:
            self.update(batch + 1, logs)

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.update(batch + 1)
