"""Memory of this process in bytes: now, and at its highest since a mark."""

from __future__ import annotations

import contextlib
import resource
import sys
from pathlib import Path

_SELF = Path("/proc/self")


def _status(key: str) -> int | None:
    """A size from /proc/self/status, where there is one."""
    try:
        text = (_SELF / "status").read_text()
    except OSError:
        return None
    sizes = [line.split()[1] for line in text.splitlines() if line.startswith(key + ":")]
    return int(sizes[0]) * 1024 if sizes else None


def highest() -> int:
    """The highest resident memory since `mark`, or since the start where there is no marking."""
    found = _status("VmHWM")
    if found is not None:
        return found
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def resident() -> int:
    """The resident memory now; the highest so far where the system doesn't tell."""
    found = _status("VmRSS")
    return highest() if found is None else found


def mark() -> None:
    """Starts `highest` anew, where the system can do that."""
    with contextlib.suppress(OSError):
        (_SELF / "clear_refs").write_text("5")
