"""Where the ops that draw random numbers get them: from a room below, which supplies them.

Ops may not import `random`; it hands its function over when it is imported, as the package does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_supplied: dict[str, Callable] = {}


def supply(function: Callable) -> Callable:
    """Makes a distribution available to ops under its name; a decorator."""
    _supplied[function.__name__] = function
    return function


def draw(name: str, shape: Any, dtype: str, seed: Any) -> Any:
    """A tensor of that shape from the distribution of that name.

    Raises:
        RuntimeError: where nothing was supplied.
    """
    if name not in _supplied:
        raise RuntimeError(f"Random numbers ({name}) need `multikeras.random` to be imported.")
    return _supplied[name](shape, dtype=dtype, seed=seed)
