"""Attention of the NumPy backend: the fused kernel, or its formula where scores are capped."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import ml_dtypes
import numpy as np

from multikeras.backends.numpy import _attention
from multikeras.backends.numpy._activations import softmax


def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Any:
    if attn_logits_soft_cap is None:
        return _attention.dot_product_attention(query, key, value, bias, mask, scale, is_causal)
    groups = query.shape[2] // key.shape[2]
    k = anp.swapaxes(anp.repeat(key, groups, 2), 1, 2)
    v = anp.swapaxes(anp.repeat(value, groups, 2), 1, 2)
    scale = query.shape[-1] ** -0.5 if scale is None else float(scale)
    scores = anp.matmul(anp.swapaxes(query, 1, 2) * scale, anp.swapaxes(k, -1, -2))
    scores = anp.tanh(scores / attn_logits_soft_cap) * attn_logits_soft_cap
    if bias is not None:
        scores = scores + bias
    if is_causal:
        causal = np.tri(query.shape[1], key.shape[1], dtype=bool)
        mask = causal if mask is None else np.logical_and(mask, causal)
    if mask is not None:
        lowest = np.asarray(-0.7 * float(ml_dtypes.finfo(scores.dtype).max), scores.dtype)
        scores = anp.where(mask, scores, lowest)
    return anp.swapaxes(anp.matmul(softmax(scores), v), 1, 2)
