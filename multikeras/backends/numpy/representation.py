"""Bits read as another dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.extend import notrace_primitive

from multikeras.backends.numpy import core


@notrace_primitive
def reinterpret(x: Any, dtype: str) -> Any:
    return np.asarray(x, order="C").view(core.native_dtype(dtype))
