"""Signals between steps: a step that is running ends before Ctrl-C or SIGTERM takes effect.

Where there is somebody to save the run, it is saved first. A program's own handler of Ctrl-C is
left alone; its own handler of SIGTERM is called once the run is saved.
"""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupt:
    """Whether a signal came; `check` lets it take effect between steps.

    Args:
        save: saves the run first; None: nobody does.

    Attributes:
        pending: whether a signal waits.
    """

    def __init__(self, save: Callable[[], None] | None = None) -> None:
        self.pending = False
        self._number: int | None = None
        self._save = save
        self._handlers: dict[int, Any] = {}

    def check(self) -> None:
        """Saves the run and lets the signal take effect, if one came.

        Raises:
            KeyboardInterrupt: if Ctrl-C was pressed.
        """
        if not self.pending:
            return
        if self._save is not None:
            try:
                self._save()
            except Exception as error:  # the signal must not get lost
                warnings.warn(f"The run could not be saved before its end: {error}", stacklevel=2)
        self._deliver()

    def _deliver(self) -> None:
        number, self._number, self.pending = self._number, None, False
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        if number is not None:
            own = signal.signal(number, self._handlers[number])
            signal.raise_signal(number)  # by default this ends the process
            signal.signal(number, own)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        again = self.pending
        self.pending, self._number = True, number
        if again:  # a second one takes effect at once
            self._deliver()

    def _catch(self, number: int, old: Any) -> None:
        self._handlers[number] = old
        signal.signal(number, self._handle)

    def _release(self) -> None:
        for number, old in self._handlers.items():
            signal.signal(number, old)
        if self.pending and self._number != signal.SIGINT:
            self._deliver()


@contextmanager
def deferred_interrupt(save: Callable[[], None] | None = None) -> Iterator[Interrupt]:
    """Defers the first Ctrl-C to the next `check`; a second one interrupts at once.

    Only in the main thread, and where Python's own handler is in place: a program with a handler
    of its own keeps it. With `save`, SIGTERM is deferred in the same way, unless it is ignored.

    Args:
        save: what saves the run before the signal takes effect.
    """
    interrupt = Interrupt(save)
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        interrupt._catch(signal.SIGINT, signal.default_int_handler)
    if save is not None:
        old = signal.getsignal(signal.SIGTERM)
        if old is not None and old != signal.SIG_IGN:  # None: not set from Python
            interrupt._catch(signal.SIGTERM, old)
    try:
        yield interrupt
        interrupt._save = None  # what is done needs no saving
        interrupt.check()
    finally:
        interrupt._release()
