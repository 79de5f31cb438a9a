"""Means of the hinge losses."""

from __future__ import annotations

from typing import Any

from multikeras import losses, registry
from multikeras.metrics.reductions import MeanMetricWrapper


@registry.expose("keras.metrics")
class Hinge(MeanMetricWrapper):
    """The mean of `max(1 - y_true * y_pred, 0)`.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.Hinge()([[1.0, -1.0]], [[0.5, 0.5]])), 4)
        1.0
    """

    def __init__(self, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(losses.hinge, name=name, dtype=dtype)


@registry.expose("keras.metrics")
class SquaredHinge(MeanMetricWrapper):
    """The mean of `max(1 - y_true * y_pred, 0) ** 2`.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]])), 4)
        1.25
    """

    def __init__(self, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(losses.squared_hinge, name=name, dtype=dtype)


@registry.expose("keras.metrics")
class CategoricalHinge(MeanMetricWrapper):
    """The mean of `max(neg - pos + 1, 0)` of one-hot labels.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.CategoricalHinge()([[0, 1]], [[0.5, 0.25]])), 4)
        1.25
    """

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(losses.categorical_hinge, name=name, dtype=dtype)
