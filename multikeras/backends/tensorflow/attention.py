"""Attention of the TensorFlow backend, as two batched products of matrices."""

from __future__ import annotations

import tensorflow as tf


def _lowest(dtype: tf.DType) -> tf.Tensor:
    """Finite, so that a row without any allowed key is a mean and not a NaN."""
    return tf.constant(-0.7 * float(dtype.max), dtype)


def dot_product_attention(
    query: tf.Tensor,
    key: tf.Tensor,
    value: tf.Tensor,
    bias: tf.Tensor | None = None,
    mask: tf.Tensor | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> tf.Tensor:
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    q = tf.transpose(query * tf.cast(scale, query.dtype), (0, 2, 1, 3))
    k, v = tf.transpose(key, (0, 2, 1, 3)), tf.transpose(value, (0, 2, 1, 3))
    groups = query.shape[2] // key.shape[2]
    if groups > 1:
        k, v = tf.repeat(k, groups, 1), tf.repeat(v, groups, 1)
    scores = tf.matmul(q, k, transpose_b=True)
    if scores.dtype.size == 2:
        scores = tf.cast(scores, tf.float32)
    if attn_logits_soft_cap is not None:
        scores = tf.tanh(scores / attn_logits_soft_cap) * attn_logits_soft_cap
    if bias is not None:
        scores = scores + tf.cast(bias, scores.dtype)
    if mask is not None:
        mask = tf.cast(mask, tf.bool)
    if is_causal:
        rows, columns = tf.range(tf.shape(query)[1]), tf.range(tf.shape(key)[1])
        causal = rows[:, None] >= columns
        mask = causal if mask is None else tf.logical_and(mask, causal)
    if mask is not None:
        scores = tf.where(mask, scores, _lowest(scores.dtype))
    weights = tf.cast(tf.nn.softmax(scores), v.dtype)
    return tf.transpose(tf.matmul(weights, v), (0, 2, 1, 3))
