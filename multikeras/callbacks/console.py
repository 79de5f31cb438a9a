"""Where callbacks write to: standard output, or the `logging` module where that is asked for."""

from __future__ import annotations

import logging
import sys

from multikeras import config

logger = logging.getLogger("multikeras")


def say(text: str, end: str = "\n") -> None:
    """Writes a message.

    Args:
        text: the message.
        end: what follows it on standard output.
    """
    if not config.is_interactive_logging_enabled():
        if text.strip():
            logger.info(text.strip())
        return
    try:
        sys.stdout.write(text + end)
    except UnicodeEncodeError:  # an old console: the bar is drawn with = instead
        encoding = sys.stdout.encoding or "ascii"
        plain = text.replace("━", "=").encode(encoding, "replace").decode(encoding)
        sys.stdout.write(plain + end)
    sys.stdout.flush()


def is_redrawable() -> bool:
    """Whether a line can be drawn over: on a terminal and in a notebook, not in a file."""
    if not config.is_interactive_logging_enabled():
        return False
    return "ipykernel" in sys.modules or bool(getattr(sys.stdout, "isatty", lambda: False)())
