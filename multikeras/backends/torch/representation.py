"""Bits read as another dtype."""

from __future__ import annotations

from typing import Any

from multikeras.backends.torch import core


def reinterpret(x: Any, dtype: str) -> Any:
    return x.detach().contiguous().view(core.native_dtype(dtype))
