"""Correlations of targets and predictions along an axis."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.losses.wrapper import pair
from multikeras.metrics.reductions import MeanMetricWrapper


def _moments(y_true: Any, y_pred: Any, axis: int) -> tuple[Any, Any, Any, Any, Any]:
    """Means of both, variances of both, and the covariance."""
    y_true, y_pred = pair(y_true, y_pred)
    mean_1 = ops.mean(y_true, axis=axis, keepdims=True)
    mean_2 = ops.mean(y_pred, axis=axis, keepdims=True)
    centred_1, centred_2 = ops.subtract(y_true, mean_1), ops.subtract(y_pred, mean_2)
    return (
        ops.squeeze(mean_1, axis=axis),
        ops.squeeze(mean_2, axis=axis),
        ops.mean(ops.square(centred_1), axis=axis),
        ops.mean(ops.square(centred_2), axis=axis),
        ops.mean(ops.multiply(centred_1, centred_2), axis=axis),
    )


@registry.expose("keras.metrics")
def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """`cov(y_true, y_pred) / (std(y_true) * std(y_pred))`: 1 for a rising straight line.

    Args:
        y_true: targets.
        y_pred: predictions of the same shape.
        axis: the axis along which they are compared.

    Returns:
        One value per vector; NaN where one of the two is constant.

    Example:
        >>> from multikeras import metrics
        >>> r = metrics.pearson_correlation([[0.0, 1.0, 2.0]], [[1.0, 3.0, 5.0]])
        >>> round(float(r[0]), 4)
        1.0
    """
    _, _, var_1, var_2, cov = _moments(y_true, y_pred, axis)
    return ops.divide(cov, ops.multiply(ops.sqrt(var_1), ops.sqrt(var_2)))


@registry.expose("keras.metrics")
def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """`2 cov / (var(y_true) + var(y_pred) + (mean(y_true) - mean(y_pred)) ** 2)`: 1 only for
    equal values (Lin, 1989).

    Args:
        y_true: targets.
        y_pred: predictions of the same shape.
        axis: the axis along which they are compared.

    Returns:
        One value per vector.

    Example:
        >>> from multikeras import metrics
        >>> r = metrics.concordance_correlation([[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]])
        >>> round(float(r[0]), 4)
        1.0
    """
    mean_1, mean_2, var_1, var_2, cov = _moments(y_true, y_pred, axis)
    apart = ops.square(ops.subtract(mean_1, mean_2))
    return ops.divide(ops.multiply(2.0, cov), ops.add(ops.add(var_1, var_2), apart))


@registry.expose("keras.metrics")
class PearsonCorrelation(MeanMetricWrapper):
    """The mean of `pearson_correlation`.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.
        axis: the axis along which targets and predictions are compared.

    Example:
        >>> from multikeras import metrics
        >>> metric = metrics.PearsonCorrelation()
        >>> round(float(metric([[0.0, 1.0, 2.0]], [[1.0, 3.0, 5.0]])), 4)
        1.0
    """

    shown = ("axis",)

    def __init__(
        self, name: str = "pearson_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(pearson_correlation, name=name, dtype=dtype, axis=axis)


@registry.expose("keras.metrics")
class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of `concordance_correlation`.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.
        axis: the axis along which targets and predictions are compared.

    Example:
        >>> from multikeras import metrics
        >>> metric = metrics.ConcordanceCorrelation()
        >>> round(float(metric([[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]])), 4)
        1.0
    """

    shown = ("axis",)

    def __init__(
        self, name: str = "concordance_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(concordance_correlation, name=name, dtype=dtype, axis=axis)
