"""Sums over groups of rows, and positions that depend on values."""

from __future__ import annotations

import torch


def segment_sum(
    data: torch.Tensor,
    segment_ids: torch.Tensor,
    num_segments: int | None = None,
    sorted: bool = False,
) -> torch.Tensor:
    if num_segments is None:
        num_segments = int(segment_ids.max()) + 1 if len(segment_ids) else 0
    # What is out of range goes to one more group at each end, which are cut off.
    ids = segment_ids.long().clamp(-1, num_segments) + 1
    total = torch.zeros((num_segments + 2, *data.shape[1:]), dtype=data.dtype, device=data.device)
    if data.dtype is torch.bool:
        return total.index_put((ids,), data, accumulate=True)[1:-1]
    return total.index_add(0, ids, data)[1:-1]


def nonzero(x: torch.Tensor) -> tuple:
    return tuple(index.to(torch.int32) for index in torch.nonzero(x, as_tuple=True))
