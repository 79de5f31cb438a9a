"""`MonitorCallback`: which way a monitored value gets better, and whether it did."""

from __future__ import annotations

import warnings
from typing import Any

from multikeras.callbacks.callback import Callback
from multikeras.symbolic.operation import snake_case

_MODES = ("auto", "min", "max")
# Words in names of losses and metrics that tell which way is better.
_SMALL = """
    loss error crossentropy mae mse mape msle rmse divergence poisson logcosh hinge perplexity false
""".split()
_LARGE = """
    accuracy acc auc precision recall sensitivity specificity iou io f1 fbeta score r2 similarity
    true
""".split()
_DIRECTIONS = dict.fromkeys(_SMALL, "min") | dict.fromkeys(_LARGE, "max")


class MonitorCallback(Callback):
    """Base class of callbacks that watch one value of the logs.

    Args:
        monitor: its name, such as "val_loss".
        mode: "min": less is better; "max": more is better; "auto": as the name or the metric
            says.
        min_delta: how much better a value must be to count. Defaults to 0.
        initial: the best value so far; None: there was none.

    Attributes:
        best: the best value so far.

    Example:
        >>> class Tell(MonitorCallback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(self.monitor, self.direction(), self.current(logs))
        >>> Tell("val_accuracy").on_epoch_end(0, {"val_accuracy": 0.5})
        val_accuracy max 0.5
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        min_delta: float = 0.0,
        initial: float | None = None,
    ) -> None:
        super().__init__()
        if mode not in _MODES:
            warnings.warn(
                f"{type(self).__name__}: unknown mode {mode!r}, expected one of {_MODES}; "
                "'auto' is used.",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self.best = initial
        self._direction: str | None = None if mode == "auto" else mode

    def get_state(self) -> dict[str, Any]:
        return {"best": self.best}

    def set_state(self, state: dict[str, Any]) -> None:
        self.best = state["best"]

    def direction(self) -> str:
        """ "min" or "max".

        Raises:
            ValueError: if neither the name nor a metric of the model tells.
        """
        if self._direction is None:
            self._direction = self._guess()
        return self._direction

    def _guess(self) -> str:
        name = self.monitor.removeprefix("val_")
        if (found := _by_words(name)) is not None:
            return found
        for metric in getattr(self.model, "metrics", None) or ():
            if metric.name == name or name.endswith(f"_{metric.name}"):
                told = {"up": "max", "down": "min"}.get(getattr(metric, "_direction", ""))
                told = told or _by_words(snake_case(type(metric).__name__))
                if told is not None:
                    return told
        raise ValueError(
            f"{type(self).__name__}: can't tell whether {self.monitor!r} should be small or large. "
            "Say mode='min' or mode='max'."
        )

    def current(self, logs: dict[str, Any] | None) -> Any:
        """The monitored value, or None with a warning if the logs don't have it."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            known = ", ".join(logs or ()) or "nothing"
            warnings.warn(
                f"{type(self).__name__} monitors {self.monitor!r}, which is not in the logs; "
                f"there is: {known}.",
                stacklevel=2,
            )
        return value

    def improved(self, value: float, reference: float | None) -> bool:
        """Whether `value` is better than `reference` by more than `min_delta`."""
        if self.direction() == "min":
            return reference is None or value < reference - self.min_delta
        return reference is None or value > reference + self.min_delta


def _by_words(name: str) -> str | None:
    """The direction that the first telling word of a name tells, or None."""
    words = name.lower().split("_")
    return next((_DIRECTIONS[word] for word in words if word in _DIRECTIONS), None)
