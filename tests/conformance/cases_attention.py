"""Cases of attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, b, f


def attention(
    query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, scale: Any = None,
    is_causal: bool = False, flash_attention: Any = None, attn_logits_soft_cap: Any = None,
) -> Any:  # fmt: skip
    groups = query.shape[2] // key.shape[2]
    key, value = np.repeat(key, groups, 2), np.repeat(value, groups, 2)
    scores = np.einsum("bqhd,bkhd->bhqk", query, key)
    scores = scores * (query.shape[-1] ** -0.5 if scale is None else scale)
    if attn_logits_soft_cap is not None:
        scores = attn_logits_soft_cap * np.tanh(scores / attn_logits_soft_cap)
    scores = scores if bias is None else scores + bias
    if is_causal:
        causal = np.tri(query.shape[1], key.shape[1], dtype=bool)
        mask = causal if mask is None else mask & causal
    if mask is not None:
        empty = ~mask.any(-1, keepdims=True)
        scores = np.where(empty & ~mask, 0, np.where(mask, scores, -np.inf))
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return np.einsum("bhqk,bkhd->bqhd", weights / weights.sum(-1, keepdims=True), value)


q, k, v = f(2, 3, 4, 5), f(2, 6, 4, 5, seed=1), f(2, 6, 4, 5, seed=2)
mask = b(2, 1, 3, 6)
mask[0, 0, 1] = False
grouped = (q, f(2, 6, 2, 5, seed=1), f(2, 6, 2, 5, seed=2))
wide = f(2, 6, 4, 7, seed=4)
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "scale": {"scale": 0.3},
    "causal": {"is_causal": True},
    "mask": {"mask": mask},
    "mask_rank_2": {"mask": np.tri(3, 6, 1, dtype=bool)},
    "mask_causal": {"mask": np.logical_or(mask, np.eye(3, 6, dtype=bool)), "is_causal": True},
    "bias": {"bias": f(2, 4, 3, 6, seed=3)},
    "bias_mask": {"bias": f(1, 4, 3, 6, seed=3), "mask": b(2, 4, 3, 6) | np.eye(3, 6, dtype=bool)},
    "cap": {"attn_logits_soft_cap": 0.7},
    "cap_causal": {"attn_logits_soft_cap": 0.7, "is_causal": True},
}
_op = "dot_product_attention"

CASES = [
    *(Case(_op, (q, k, v), kw, attention, name=name) for name, kw in SETTINGS.items()),
    *(
        Case(_op, grouped, SETTINGS[name], attention, name=f"grouped_{name}")
        for name in ("plain", "mask", "cap")
    ),
    Case(_op, (q, k, wide), {}, attention, name="wider_value"),
]
