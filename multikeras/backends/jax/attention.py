"""Attention of the JAX backend, one jitted call."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp


@partial(
    jax.jit,
    static_argnames=("scale", "is_causal", "flash_attention", "attn_logits_soft_cap"),
    inline=True,
)
def dot_product_attention(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    bias: jax.Array | None = None,
    mask: jax.Array | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> jax.Array:
    batch, queries, heads, dim = query.shape
    keys, kv_heads = key.shape[1:3]
    scale = dim**-0.5 if scale is None else scale
    wide = jnp.promote_types(query.dtype, jnp.float32)
    q = (query * scale).reshape(batch, queries, kv_heads, heads // kv_heads, dim)
    scores = jnp.einsum("bqkgd,btkd->bkgqt", q, key, preferred_element_type=wide)
    scores = scores.reshape(batch, heads, queries, keys)
    if attn_logits_soft_cap is not None:
        scores = jnp.tanh(scores / attn_logits_soft_cap) * attn_logits_soft_cap
    if bias is not None:
        scores = scores + bias
    if is_causal:
        causal = jnp.tri(queries, keys, dtype=bool)
        mask = causal if mask is None else jnp.logical_and(mask, causal)
    if mask is not None:
        # Finite, so that a row without any allowed key is a mean and not a NaN.
        scores = jnp.where(mask, scores, -0.7 * jnp.finfo(wide).max)
    weights = jax.nn.softmax(scores, -1).astype(query.dtype)
    weights = weights.reshape(batch, kv_heads, heads // kv_heads, queries, keys)
    y = jnp.einsum("bkgqt,btkd->bqkgd", weights, value)
    return y.reshape(batch, queries, heads, value.shape[-1])
