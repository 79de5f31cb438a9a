"""A process that measures one contender of one case: `python -m benchmarks.worker SPEC`.

SPEC is JSON: case, library, backend, tiny. Once everything is built and warm it writes a line
{"ready": versions}; then it runs one repetition for each line that it reads, and answers
{"costs": {...}}. What goes wrong is answered as {"error": ..., "missing": name or null}.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from typing import Any, TextIO

PACKAGES = {"numpy": "numpy", "jax": "jax", "torch": "torch", "tensorflow": "tensorflow"}


def library_module(library: str) -> Any:
    """The module that `import multikeras as keras` or `import keras` gives."""
    return importlib.import_module(library)


def versions() -> dict[str, str]:
    """The versions of what has been imported and matters."""
    found = {}
    for name in ("multikeras", "keras", *PACKAGES.values()):
        version = getattr(sys.modules.get(name), "__version__", None)
        if version is not None:
            found[name] = str(version)
    return found


def _say(channel: TextIO, **message: Any) -> None:
    channel.write(json.dumps(message) + "\n")
    channel.flush()


def _failure(error: BaseException) -> dict[str, Any]:
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    return {"error": traceback.format_exc(), "missing": missing}


def main(spec: dict[str, Any]) -> None:
    """Prepares the case and serves repetitions until the input ends."""
    # The channel keeps the real standard output; what libraries print goes to standard error.
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        case = importlib.import_module(f"benchmarks.cases.{spec['case']}")
        repeat = case.prepare(spec["library"], spec["backend"], spec["tiny"])
        repeat()
        _say(channel, ready=versions())
        for _ in sys.stdin:
            _say(channel, costs=repeat())
    except Exception as error:
        _say(channel, **_failure(error))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
