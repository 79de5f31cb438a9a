"""The hinge losses: margins between right and wrong, for labels of -1 and 1 or one-hot rows."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.losses.wrapper import LossFunctionWrapper, pair


def signed_labels(y_true: Any) -> Any:
    """Labels of -1 and 1: if all are 0 or 1, they become `2 * y - 1`."""
    binary = ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1))
    signed = ops.subtract(ops.multiply(2.0, y_true), 1.0)
    return ops.where(ops.all(binary), signed, y_true)


def _margin(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = pair(y_true, y_pred)
    product = ops.multiply(signed_labels(y_true), y_pred)
    return ops.maximum(ops.subtract(1.0, product), 0.0)


@registry.expose("keras.losses")
def hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(max(1 - y_true * y_pred, 0))` over the last axis.

    Args:
        y_true: labels of -1 and 1, or of 0 and 1, `(batch, ..., n)`.
        y_pred: predictions of the same shape.

    Returns:
        One loss per sample, `(batch, ...)`.

    Example:
        >>> from multikeras import losses, ops
        >>> ops.convert_to_numpy(losses.hinge([[1.0, -1.0]], [[0.5, 0.5]])).tolist()
        [1.0]
    """
    return ops.mean(_margin(y_true, y_pred), axis=-1)


@registry.expose("keras.losses")
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(max(1 - y_true * y_pred, 0) ** 2)` over the last axis.

    Args:
        y_true: labels of -1 and 1, or of 0 and 1, `(batch, ..., n)`.
        y_pred: predictions of the same shape.

    Returns:
        One loss per sample, `(batch, ...)`.

    Example:
        >>> from multikeras import losses, ops
        >>> ops.convert_to_numpy(losses.squared_hinge([[1.0, -1.0]], [[0.5, 0.5]])).tolist()
        [1.25]
    """
    return ops.mean(ops.square(_margin(y_true, y_pred)), axis=-1)


@registry.expose("keras.losses")
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """`max(neg - pos + 1, 0)`: `pos` the score of the right class, `neg` the best wrong one.

    Args:
        y_true: one-hot labels, `(batch, ..., classes)`.
        y_pred: scores of the same shape.

    Returns:
        One loss per sample, `(batch, ...)`.

    Example:
        >>> from multikeras import losses, ops
        >>> ops.convert_to_numpy(losses.categorical_hinge([[0, 1]], [[0.5, 0.25]])).tolist()
        [1.25]
    """
    y_true, y_pred = pair(y_true, y_pred)
    right = ops.sum(ops.multiply(y_true, y_pred), axis=-1)
    wrong = ops.max(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=-1)
    return ops.maximum(ops.add(ops.subtract(wrong, right), 1.0), 0.0)


@registry.expose("keras.losses")
class Hinge(LossFunctionWrapper):
    """`mean(max(1 - y_true * y_pred, 0))`, reduced over the batch.

    Args:
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> float(losses.Hinge()([[1.0, -1.0]], [[0.5, 0.5]]))
        1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(hinge, reduction=reduction, name=name, dtype=dtype)


@registry.expose("keras.losses")
class SquaredHinge(LossFunctionWrapper):
    """`mean(max(1 - y_true * y_pred, 0) ** 2)`, reduced over the batch.

    Args:
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> float(losses.SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]]))
        1.25
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(squared_hinge, reduction=reduction, name=name, dtype=dtype)


@registry.expose("keras.losses")
class CategoricalHinge(LossFunctionWrapper):
    """`max(neg - pos + 1, 0)` of one-hot labels, reduced over the batch.

    Args:
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> float(losses.CategoricalHinge()([[0, 1]], [[0.5, 0.25]]))
        1.25
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction=reduction, name=name, dtype=dtype)
