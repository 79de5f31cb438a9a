"""Fused cross-entropies of the NumPy backend; `nn` shows them.

One number an element, from probabilities or from logits; the gradient with respect to logits is
taken in one step, softmax minus target. Labels outside the classes are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from multikeras.backends import checks
from multikeras.backends.numpy._activations import log_softmax, sigmoid_into, softplus
from multikeras.backends.numpy._gradients import differentiable

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
]

Backward = Callable[..., tuple[Any, ...]]
Recorded = tuple[Any, Backward]

# Probabilities are kept this far from 0 and 1 before a logarithm is taken of them.
PROBABILITY_EPSILON = 1e-7

_add, _exp, _maximum = np.add, np.exp, np.maximum


def _rows(x: np.ndarray, axis: int) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """`x` as (rows, classes) and the way back."""
    moved = x if axis in (-1, x.ndim - 1) else np.moveaxis(x, axis, -1)
    flat = moved.reshape(-1, moved.shape[-1])

    def back(rows: np.ndarray) -> np.ndarray:
        y = rows.reshape(moved.shape)
        return y if moved is x else np.moveaxis(y, -1, axis)

    return flat, back


def _flat_labels(target: np.ndarray, shape: tuple[int, ...], axis: int) -> np.ndarray:
    classes = shape[axis]
    axis %= len(shape)
    expected = shape[:axis] + shape[axis + 1 :]
    if target.ndim == len(shape) and target.shape[axis] == 1:
        target = target.squeeze(axis)
    if target.shape != expected:
        raise ValueError(
            "sparse_categorical_crossentropy: target must have the shape of output without its "
            f"class axis, {expected}; got {target.shape}"
        )
    labels = target.reshape(-1).astype(np.intp, copy=False)
    # Seen as unsigned, a negative label is a huge one: one comparison finds both kinds.
    if labels.size and labels.view(np.uintp).max() >= classes:
        bad = labels[(labels < 0) | (labels >= classes)][0]
        raise ValueError(
            "sparse_categorical_crossentropy: labels must be in "
            f"[0, {classes}), the classes of output; got {bad}"
        )
    return labels


def _sparse_cce_gradient(
    needs: tuple[int, ...],
    target: np.ndarray,
    output: np.ndarray,
    from_logits: bool = False,
    axis: int = -1,
) -> Recorded:
    labels = _flat_labels(target, output.shape, axis)
    rows, back = _rows(output, axis)
    index = np.arange(len(labels)), labels
    shape = np.delete(output.shape, axis)
    if from_logits:
        loss, e, total = _cross_entropy_of_logits(rows, index)

        def backward_logits(g: np.ndarray) -> tuple[Any, ...]:
            g = g.reshape(-1, 1)
            gx = e * (g / total)
            gx[index] -= g[:, 0]
            return None, back(gx)

        return loss.reshape(shape), backward_logits
    loss, chosen, total = _cross_entropy_of_probabilities(rows, index)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        q = chosen / total
        g = g.reshape(-1) * ((q >= PROBABILITY_EPSILON) & (q <= 1 - PROBABILITY_EPSILON))
        gx = np.empty_like(rows)
        gx[...] = (g / total)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            gx[index] -= np.where(g == 0, 0, g / chosen)
        return None, back(gx)

    return loss.reshape(shape), backward


def _cross_entropy_of_logits(rows: np.ndarray, index: tuple) -> tuple[np.ndarray, ...]:
    z = np.subtract(rows, _maximum.reduce(rows, axis=1, keepdims=True))
    chosen = z[index]
    e = _exp(z, out=z)
    total = _add.reduce(e, axis=1, keepdims=True)
    return np.log(total[:, 0]) - chosen, e, total


def _cross_entropy_of_probabilities(rows: np.ndarray, index: tuple) -> tuple[np.ndarray, ...]:
    total = _add.reduce(rows, axis=1)
    chosen = rows[index]
    q = np.clip(chosen / total, PROBABILITY_EPSILON, 1 - PROBABILITY_EPSILON)
    return -np.log(q), chosen, total


def _sparse_cce_composed(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    labels = _flat_labels(target, output.shape, axis).reshape(np.delete(output.shape, axis))
    classes = output.shape[axis]
    one_hot = np.moveaxis(np.eye(classes)[labels], -1, axis).astype(output.dtype)
    return categorical_crossentropy(one_hot, output, from_logits, axis)


@differentiable(_sparse_cce_gradient, composed=_sparse_cce_composed)
def sparse_categorical_crossentropy(
    target: np.ndarray, output: np.ndarray, from_logits: bool = False, axis: int = -1
) -> np.ndarray:
    """-log of the probability of the class `target` in `output`, one number an element."""
    labels = _flat_labels(target, output.shape, axis)
    rows, _ = _rows(output, axis)
    index = np.arange(len(labels)), labels
    f = _cross_entropy_of_logits if from_logits else _cross_entropy_of_probabilities
    return f(rows, index)[0].reshape(np.delete(output.shape, axis))


def _cce_gradient(
    needs: tuple[int, ...],
    target: np.ndarray,
    output: np.ndarray,
    from_logits: bool = False,
    axis: int = -1,
) -> Recorded:
    if from_logits:
        logq = log_softmax.fun(output, axis)

        def backward_logits(g: np.ndarray) -> tuple[Any, ...]:
            g = np.expand_dims(g, axis)
            q = _exp(logq)
            q *= _add.reduce(target, axis=axis, keepdims=True)
            q -= target
            q *= g
            return -g * logq if 0 in needs else None, q

        return -_add.reduce(target * logq, axis=axis), backward_logits
    total = _add.reduce(output, axis=axis, keepdims=True)
    q = output / total
    clipped = np.clip(q, PROBABILITY_EPSILON, 1 - PROBABILITY_EPSILON)
    logq = np.log(clipped)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        g = np.expand_dims(g, axis)
        gq = np.where(clipped == q, target / clipped, 0) * -g
        gx = (gq - _add.reduce(gq * q, axis=axis, keepdims=True)) / total
        return -g * logq if 0 in needs else None, gx

    return -_add.reduce(target * logq, axis=axis), backward


def _cce_composed(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    if from_logits:
        logq = log_softmax.composed(output, axis)
    else:
        q = output / anp.sum(output, axis=axis, keepdims=True)
        logq = anp.log(anp.clip(q, PROBABILITY_EPSILON, 1 - PROBABILITY_EPSILON))
    return -anp.sum(target * logq, axis=axis)


@differentiable(_cce_gradient, composed=_cce_composed)
def categorical_crossentropy(
    target: np.ndarray, output: np.ndarray, from_logits: bool = False, axis: int = -1
) -> np.ndarray:
    """-sum(target * log(output)) along `axis`; probabilities are first divided by their sum."""
    if from_logits:
        return -_add.reduce(target * log_softmax.fun(output, axis), axis=axis)
    q = output / _add.reduce(output, axis=axis, keepdims=True)
    np.clip(q, PROBABILITY_EPSILON, 1 - PROBABILITY_EPSILON, out=q)
    np.log(q, out=q)
    q *= target
    return -_add.reduce(q, axis=axis)


def _bce_gradient(
    needs: tuple[int, ...], target: np.ndarray, output: np.ndarray, from_logits: bool = False
) -> Recorded:
    loss = binary_crossentropy.fun(target, output, from_logits)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        if from_logits:
            return -g * output if 0 in needs else None, g * (sigmoid_into(output) - target)
        p = np.clip(output, PROBABILITY_EPSILON, 1 - PROBABILITY_EPSILON)
        gx = np.where(p == output, (p - target) / (p * (1 - p)), 0) * g
        return g * (np.log1p(-p) - np.log(p)) if 0 in needs else None, gx

    return loss, backward


def _bce_composed(target: Any, output: Any, from_logits: bool = False) -> Any:
    if from_logits:
        return anp.logaddexp(output, 0.0 * output) - output * target
    p = anp.clip(output, PROBABILITY_EPSILON, 1 - PROBABILITY_EPSILON)
    return -(target * anp.log(p) + (1 - target) * anp.log(1 - p))


@differentiable(_bce_gradient, composed=_bce_composed)
def binary_crossentropy(
    target: np.ndarray, output: np.ndarray, from_logits: bool = False
) -> np.ndarray:
    """-(target * log(output) + (1 - target) * log(1 - output)), element by element."""
    checks.same_shape("binary_crossentropy", target, output)
    if from_logits:
        return softplus.fun(output) - output * target
    p = np.clip(output, PROBABILITY_EPSILON, 1 - PROBABILITY_EPSILON)
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))
