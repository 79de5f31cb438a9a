"""Attention of the PyTorch backend, by its fused kernel wherever that computes the same."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from multikeras.backends.torch.engine import taping

Tensor = torch.Tensor


def _masked(
    q: Tensor, keys: int, bias: Tensor | None, mask: Tensor | None, is_causal: bool
) -> tuple[Tensor, Tensor | None]:
    """The query, and bias and masks as one tensor that is added to the scores.

    A query without any key shall get the mean of the values, and no gradient: it becomes 0, and
    so do its scores. A row of large negative numbers would do for the value, but the fused
    kernel's backward pass loses the number of keys in their logarithm.
    """
    if is_causal:
        causal = torch.ones(q.shape[2], keys, dtype=torch.bool, device=q.device).tril()
        mask = causal if mask is None else torch.logical_and(mask, causal)
    if mask is None:
        return q, bias
    mask = mask.to(torch.bool)
    some = mask.any(-1, keepdim=True).to(q.dtype)
    lowest = some * (-0.7 * torch.finfo(q.dtype).max)
    added = torch.where(mask, torch.zeros_like(lowest) if bias is None else bias, lowest)
    return q * some, added


def _spelled_out(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    added: Tensor | None,
    scale: float,
    cap: float | None,
) -> Tensor:
    """Step by step, the scores held below the cap."""
    scores = torch.matmul(query * scale, key.transpose(-1, -2))
    if cap is not None:
        scores = torch.tanh(scores / cap) * cap
    if added is not None:
        scores = scores + added
    return torch.matmul(torch.softmax(scores, -1), value)


def dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    q, k, v = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
    groups = query.shape[2] // key.shape[2]
    if groups > 1:
        k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    # The fused kernel's gradient has no gradient itself.
    fused = attn_logits_soft_cap is None and taping.depth <= 1
    if bias is None and mask is None and fused:
        return F.scaled_dot_product_attention(
            q, k, v, is_causal=is_causal, scale=scale
        ).transpose(1, 2)
    q, added = _masked(q, key.shape[1], bias, mask, is_causal)
    if not fused:
        scale = query.shape[-1] ** -0.5 if scale is None else scale
        return _spelled_out(q, k, v, added, scale, attn_logits_soft_cap).transpose(1, 2)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=added, scale=scale).transpose(1, 2)
