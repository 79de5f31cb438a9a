"""Positions that depend on values."""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.extend import Box


def nonzero(x: Any) -> tuple:
    while isinstance(x, Box):
        x = x._value
    return tuple(index.astype(np.int32) for index in np.nonzero(x))
