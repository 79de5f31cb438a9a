"""Order and counts."""

from __future__ import annotations

from typing import Any

import torch

from multikeras import dtypes
from multikeras.backends.torch import core


def sort(x: torch.Tensor, axis: int | None = -1) -> torch.Tensor:
    return torch.sort(x.reshape(-1) if axis is None else x, dim=0 if axis is None else axis)[0]


def argsort(x: torch.Tensor, axis: int | None = -1) -> torch.Tensor:
    if axis is None:
        x, axis = x.reshape(-1), 0
    return torch.argsort(x, dim=axis, stable=True).to(torch.int32)


def top_k(x: torch.Tensor, k: int, sorted: bool = True) -> tuple:
    if k > x.shape[-1]:
        raise ValueError(f"top_k: `k` is {k}, but the last dimension is {x.shape[-1]}.")
    if k == 1 and x.dtype is not torch.bool:
        values, indices = torch.max(x, -1, keepdim=True)
        return values, indices.to(torch.int32)
    # torch.topk does not say which of equal elements comes first.
    values, indices = torch.sort(x, dim=-1, descending=True, stable=True)
    return values[..., :k], indices[..., :k].to(torch.int32)


def in_top_k(targets: torch.Tensor, predictions: torch.Tensor, k: int) -> torch.Tensor:
    targets = targets.long()
    inside = (targets >= 0) & (targets < predictions.shape[-1])
    chosen = torch.take_along_dim(predictions, torch.where(inside, targets, 0)[..., None], -1)
    higher = torch.sum(predictions > chosen, -1)
    return inside & torch.isfinite(chosen[..., 0]) & (higher < k)


def searchsorted(
    sorted_sequence: torch.Tensor, values: torch.Tensor, side: str = "left"
) -> torch.Tensor:
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: `side` must be 'left' or 'right', got {side!r}.")
    if sorted_sequence.ndim != 1:
        raise ValueError("searchsorted: `sorted_sequence` must be of rank 1.")
    return torch.searchsorted(
        sorted_sequence.contiguous(), values.contiguous(), side=side, out_int32=True
    )


def bincount(
    x: torch.Tensor, weights: Any = None, minlength: int = 0, sparse: bool = False
) -> torch.Tensor:
    if sparse:
        raise ValueError("bincount: sparse tensors are not supported.")
    x = x.long()
    dtype = "int32" if weights is None else dtypes.promote(core.dtype_name(weights), "int32")
    length = max(minlength, int(x.max()) + 1 if x.numel() else 0)
    counts = torch.zeros((*x.shape[:-1], length), dtype=core.native_dtype(dtype), device=x.device)
    added = torch.ones_like(x, dtype=counts.dtype) if weights is None else weights.to(counts.dtype)
    return counts.scatter_add(-1, x, added)
