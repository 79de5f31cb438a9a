"""Binds the selected backend: `from multikeras.backends import native`.

`native` is the package of the one backend in use; its modules are named as the files of `ops/`
and hold plain functions named as the ops. A framework that is not installed is refused at
import, naming the extra that brings it.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from multikeras import config


def _bind(name: str, reason: str) -> ModuleType:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise ModuleNotFoundError(
            f"The backend {name!r} (from {reason}) needs the framework {name}, which is not "
            f'installed: pip install "multikeras[{name}]", or choose another of '
            f"{', '.join(config.BACKENDS)} with MULTIKERAS_BACKEND.",
            name=name,
        ) from None
    return importlib.import_module(f"multikeras.backends.{name}")


native = _bind(config.backend(), config.backend_reason)
