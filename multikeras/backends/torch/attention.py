"""Attention of the PyTorch backend, by its fused kernel wherever that computes the same."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it

Tensor = torch.Tensor


def _additive(
    query: Tensor, keys: int, bias: Tensor | None, mask: Tensor | None, is_causal: bool
) -> Tensor | None:
    """Bias and masks as one tensor that is added to the scores.

    What is masked gets a large finite number: a row without any key becomes a mean, not a NaN.
    """
    if is_causal:
        causal = torch.ones(
            query.shape[1], keys, dtype=torch.bool, device=query.device
        ).tril()
        mask = causal if mask is None else torch.logical_and(mask, causal)
    if mask is None:
        return bias
    lowest = -0.7 * torch.finfo(query.dtype).max
    mask = mask.to(torch.bool)
    if bias is not None:
        return torch.where(mask, bias, lowest)
    return torch.zeros(mask.shape, dtype=query.dtype, device=query.device).masked_fill(
        ~mask, lowest
    )


def _capped(
    query: Tensor, key: Tensor, value: Tensor, added: Tensor | None, scale: float, cap: float
) -> Tensor:
    scores = torch.matmul(query * scale, key.transpose(-1, -2))
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
    plain = bias is None and mask is None and attn_logits_soft_cap is None
    if plain:
        return F.scaled_dot_product_attention(
            q, k, v, is_causal=is_causal, scale=scale
        ).transpose(1, 2)
    if mask is not None:
        # No gradient for a query without any key: its scores are not what its result depends on.
        q = q * mask.to(torch.bool).any(-1, keepdim=True).to(q.dtype)
    added = _additive(query, key.shape[1], bias, mask, is_causal)
    if attn_logits_soft_cap is not None:
        scale = query.shape[-1] ** -0.5 if scale is None else scale
        return _capped(q, k, v, added, scale, attn_logits_soft_cap).transpose(1, 2)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=added, scale=scale).transpose(1, 2)
