"""`TerminateOnNaN`: ends training when the loss is no number any more."""

from __future__ import annotations

import math
from typing import Any

from multikeras.callbacks.callback import Callback
from multikeras.callbacks.console import say


class TerminateOnNaN(Callback):
    """Ends training at the batch after which the loss is NaN or infinite.

    Args:
        raise_error: whether to raise an error instead. Defaults to False.

    Raises:
        RuntimeError: in training, with `raise_error`.

    Example:
        >>> callback = TerminateOnNaN(raise_error=True)
        >>> callback.on_batch_end(3, {"loss": float("nan")})
        Traceback (most recent call last):
        ...
        RuntimeError: TerminateOnNaN: the loss is nan after batch 3.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"TerminateOnNaN: the loss is {float(loss)} after batch {batch}.")
        say(f"Batch {batch}: invalid loss, terminating training")
        self.model.stop_training = True
