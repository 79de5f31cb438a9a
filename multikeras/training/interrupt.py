"""Ctrl-C between steps: a step that is running ends before KeyboardInterrupt is raised."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Whether Ctrl-C was pressed; `check` raises between steps."""

    def __init__(self) -> None:
        self.pressed = False

    def check(self) -> None:
        """Raises KeyboardInterrupt if Ctrl-C was pressed."""
        if self.pressed:
            raise KeyboardInterrupt


@contextmanager
def deferred_interrupt() -> Iterator[Interrupt]:
    """Defers the first Ctrl-C to the next `check`; a second one interrupts at once.

    Only in the main thread and where Python's own handler is in place: a program with a handler
    of its own keeps it.
    """
    interrupt = Interrupt()
    plain = threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if not plain:
        yield interrupt
        return

    def handle(signum: int, frame: FrameType | None) -> None:
        if interrupt.pressed:
            raise KeyboardInterrupt
        interrupt.pressed = True

    signal.signal(signal.SIGINT, handle)
    try:
        yield interrupt
        interrupt.check()
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
