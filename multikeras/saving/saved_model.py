"""Models as SavedModels of TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def write_saved_model(
    model: Any,
    folder: str,
    write_inner: Callable[..., None],
    include_optimizer: bool = True,
    signatures: Any = None,
    options: Any = None,
) -> None:
    raise NotImplementedError
