"""Positions that depend on values."""

from __future__ import annotations

import torch


def nonzero(x: torch.Tensor) -> tuple:
    return tuple(index.to(torch.int32) for index in torch.nonzero(x, as_tuple=True))
