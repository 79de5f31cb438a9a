"""Clipping of gradients: by value, by the norm of each, by the norm of all."""

from __future__ import annotations

from typing import Any

from multikeras import ops


def clip(
    grads: list[Any], norm: float | None, value: float | None, global_norm: float | None
) -> list[Any]:
    """The gradients, clipped by the one setting that is given."""
    if norm and norm > 0:
        return [clip_by_norm(g, norm) for g in grads]
    if global_norm and global_norm > 0:
        return clip_by_global_norm(grads, global_norm)
    if value and value > 0:
        return [ops.clip(g, -value, value) for g in grads]
    return grads


def clip_by_norm(gradient: Any, limit: float) -> Any:
    """A gradient whose Euclidean norm is at most `limit`."""
    length = ops.sqrt(ops.sum(ops.square(gradient)))
    return ops.divide(ops.multiply(gradient, limit), ops.maximum(length, limit))


def clip_by_global_norm(grads: list[Any], limit: float) -> list[Any]:
    """Gradients whose joint Euclidean norm is at most `limit`.

    A norm that is not finite makes all gradients NaN, so that it shows.
    """
    total = None
    for gradient in grads:
        part = ops.sum(ops.square(ops.cast(gradient, "float32")))
        total = part if total is None else ops.add(total, part)
    length = ops.sqrt(total)
    factor = ops.divide(limit, ops.maximum(length, limit))
    factor = ops.add(factor, ops.subtract(length, length))
    return [ops.multiply(g, ops.cast(factor, ops.dtype(g))) for g in grads]
