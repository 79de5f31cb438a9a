"""Scaled dot-product attention. Refused: tensors that are not (batch, sequence, heads, dim)."""

from __future__ import annotations

from typing import Any

from multikeras.ops import rules
from multikeras.ops._declare import op
from multikeras.symbolic import KerasTensor


def _spec(
    _: None, query: KerasTensor, key: KerasTensor, value: KerasTensor, *rest: Any
) -> KerasTensor:
    shapes = query.shape, key.shape, value.shape
    if any(len(shape) != 4 for shape in shapes):
        raise ValueError(
            "query, key and value must be (batch, sequence, heads, dim), got "
            f"{', '.join(map(str, shapes))}."
        )
    heads, kv_heads = query.shape[2], key.shape[2]
    if heads is not None and kv_heads and heads % kv_heads:
        raise ValueError(f"{kv_heads} heads of the keys must divide the query's {heads}.")
    return KerasTensor((*query.shape[:3], value.shape[3]), query.dtype)


@op(rules.custom(_spec, ("query", "key", "value", "bias", "mask")))
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
    """`softmax(query @ key^T * scale + bias) @ value` (arXiv:1706.03762).

    Args:
        query: (batch, queries, heads, dim); a float tensor, as are key and value, of one dtype.
        key, value: (batch, keys, kv heads, dim), where kv heads divides heads: each head of the
            keys serves a group of heads of the query (arXiv:2305.13245).
        bias: added to the scores; broadcasts to (batch, heads, queries, keys).
        mask: of the same shape, where False a key is not attended to. A query without any key
            gets the mean of the values.
        scale: default: 1 / sqrt(dim).
        is_causal: attend to keys up to the query's own position only.
        flash_attention: accepted; the framework chooses its kernel.
        attn_logits_soft_cap: if given, scores s become `cap * tanh(s / cap)`.

    Returns:
        A tensor (batch, queries, heads, dim of value).

    Raises:
        ValueError: if a tensor does not have rank 4.

    Example:
        >>> from multikeras import ops
        >>> query, value = [[[[0.0]]]], [[[[1.0]], [[3.0]]]]
        >>> y = ops.dot_product_attention(query, value, value)
        >>> ops.convert_to_numpy(y).tolist()
        [[[[2.0]]]]
    """
