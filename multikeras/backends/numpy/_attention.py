"""Fused scaled dot-product attention of the NumPy backend; `nn` shows it.

The weights are kept for the gradient, (batch, heads, queries, keys) of them: no tiling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from multikeras.backends.numpy import _nested
from multikeras.backends.numpy._activations import softmax_into
from multikeras.backends.numpy._gradients import differentiable

__all__ = ["dot_product_attention"]

Backward = Callable[..., tuple[Any, ...]]
Recorded = tuple[Any, Backward]

_add = np.add


def _heads_first(x: np.ndarray, groups: int) -> np.ndarray:
    """(batch, seq, heads, dim) as a view (batch, heads / groups, groups, seq, dim)."""
    batch, seq, heads, dim = x.shape
    return x.reshape(batch, seq, heads // groups, groups, dim).transpose(0, 2, 3, 1, 4)


def _unbroadcast(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    extra = g.ndim - len(shape)
    g = _add.reduce(g, axis=tuple(range(extra))) if extra else g
    axes = tuple(i for i, n in enumerate(shape) if n == 1 != g.shape[i])
    return _add.reduce(g, axis=axes, keepdims=True) if axes else g


def _allowed(mask: np.ndarray | None, is_causal: bool, queries: int, keys: int) -> Any:
    if not is_causal:
        return mask
    causal = np.tri(queries, keys, dtype=bool)
    return causal if mask is None else np.logical_and(mask, causal)


def _attention_weights(
    query: np.ndarray, key: np.ndarray, bias: Any, allowed: Any, scale: float
) -> np.ndarray:
    """Softmax weights (batch, heads, queries, keys)."""
    batch, queries, heads, _ = query.shape
    groups = heads // key.shape[2]
    # Scaling the query is cheaper than scaling the scores.
    q = _heads_first(query * scale, groups)
    scores = np.matmul(q, _heads_first(key, 1).swapaxes(-1, -2))
    scores = scores.reshape(batch, heads, queries, key.shape[1])
    if bias is not None:
        scores += bias
    if allowed is not None:
        # Finite, so that a row without any allowed key is a mean and not a NaN.
        np.copyto(scores, np.finfo(scores.dtype).max * -0.7, where=np.logical_not(allowed))
    return softmax_into(scores, -1, scores)


def _attended(weights: np.ndarray, value: np.ndarray) -> np.ndarray:
    batch, heads, queries, keys = weights.shape
    kv_heads, dim = value.shape[2:]
    w = weights.reshape(batch, kv_heads, heads // kv_heads, queries, keys)
    y = np.matmul(w, _heads_first(value, 1))
    return y.transpose(0, 3, 1, 2, 4).reshape(batch, queries, heads, dim)


def _attention_gradient(
    needs: tuple[int, ...],
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    bias: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    scale: float | None = None,
    is_causal: bool = False,
) -> Recorded:
    scale = query.shape[-1] ** -0.5 if scale is None else float(scale)
    allowed = _allowed(mask, is_causal, query.shape[1], key.shape[1])
    weights = _attention_weights(query, key, bias, allowed, scale)
    y = _attended(weights, value)
    groups = query.shape[2] // key.shape[2]

    def merged(x: np.ndarray) -> np.ndarray:
        x = x.transpose(0, 3, 1, 2, 4)
        return x.reshape(*x.shape[:2], -1, x.shape[-1])

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g5 = _heads_first(g, groups)
        w5 = weights.reshape(*g5.shape[:-1], key.shape[1])
        gq = gk = gv = gb = None
        if 2 in needs:
            gv = merged(_group_sum(np.matmul(w5.swapaxes(-1, -2), g5)))
        if not {0, 1, 3}.isdisjoint(needs):
            d = np.matmul(g5, _heads_first(value, 1).swapaxes(-1, -2)).reshape(weights.shape)
            # sum(weights * d) along the keys is sum(g * y) along the features.
            d -= np.einsum("bthd,bthd->bht", g, y)[..., None]
            d *= weights
            if allowed is not None:
                d *= allowed
            if 3 in needs:
                gb = _unbroadcast(d, bias.shape)  # type: ignore[union-attr]
            d5 = d.reshape(w5.shape)
            if 0 in needs:
                gq = merged(np.matmul(d5, _heads_first(key, 1)))
                gq *= scale
            if 1 in needs:
                q5 = _heads_first(query, groups)
                gk = merged(_group_sum(np.matmul(d5.swapaxes(-1, -2), q5)))
                gk *= scale
        return gq, gk, gv, gb

    return y, backward


def _group_sum(x: np.ndarray) -> np.ndarray:
    return x if x.shape[2] == 1 else _add.reduce(x, axis=2, keepdims=True)


@differentiable(_attention_gradient, composed=_nested.dot_product_attention)
def dot_product_attention(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    bias: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    scale: float | None = None,
    is_causal: bool = False,
) -> np.ndarray:
    """softmax(query @ key^T * scale + bias) @ value (Vaswani et al., 2017, arXiv:1706.03762).

    query (batch, queries, heads, dim), key and value (batch, keys, kv heads, dim) where kv heads
    divides heads; bias and the bool mask broadcast to (batch, heads, queries, keys). The scale
    is 1 / sqrt(dim) if None.
    """
    scale = query.shape[-1] ** -0.5 if scale is None else float(scale)
    allowed = _allowed(mask, is_causal, query.shape[1], key.shape[1])
    return _attended(_attention_weights(query, key, bias, allowed, scale), value)
