"""Filters of images on PyTorch: weighted neighbours, added in place."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def neighbour_sums(x: torch.Tensor, axis: int, weights: Sequence[float]) -> torch.Tensor:
    count = x.shape[axis] - len(weights) + 1
    total = None
    for k, weight in enumerate(weights):
        if weight:
            part = x.narrow(axis, k, count)
            total = part * weight if total is None else total.add_(part, alpha=weight)
    return total
