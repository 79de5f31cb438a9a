"""Bits read as another dtype."""

from __future__ import annotations

from typing import Any

from multikeras.backends.jax import core


def reinterpret(x: Any, dtype: str) -> Any:
    return x.view(core.native_dtype(dtype))
