"""Means of differences between targets and predictions."""

from __future__ import annotations

from typing import Any, ClassVar

from multikeras import losses, ops, registry
from multikeras.losses.loss import masked_weight
from multikeras.losses.wrapper import pair
from multikeras.metrics.reductions import Mean, MeanMetricWrapper


@registry.expose("keras.metrics")
class MeanSquaredError(MeanMetricWrapper):
    """The mean of squared differences.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.MeanSquaredError()([[0.0, 1.0]], [[0.0, 3.0]])), 4)
        2.0
    """

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name=name, dtype=dtype)


@registry.expose("keras.metrics")
class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of absolute differences.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.MeanAbsoluteError()([[0.0, 1.0]], [[0.0, 3.0]])), 4)
        1.0
    """

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name=name, dtype=dtype)


@registry.expose("keras.metrics")
class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean of absolute differences in per cent of the targets.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.MeanAbsolutePercentageError()([[1.0, 2.0]], [[2.0, 3.0]])), 4)
        75.0
    """

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name=name, dtype=dtype)


@registry.expose("keras.metrics")
class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of squared differences of logarithms.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.MeanSquaredLogarithmicError()([[1.0, 2.0]], [[1.0, 2.0]])), 4)
        0.0
    """

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name=name, dtype=dtype)


@registry.expose("keras.metrics")
class LogCoshError(MeanMetricWrapper):
    """The mean of the logarithm of the hyperbolic cosine of differences.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.LogCoshError()([[1.0, 2.0]], [[1.0, 2.0]])), 4)
        0.0
    """

    def __init__(self, name: str = "logcosh", dtype: Any = None) -> None:
        super().__init__(losses.log_cosh, name=name, dtype=dtype)


@registry.expose("keras.metrics")
class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between targets and predictions (1 for the same direction).

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.
        axis: the axis along which the vectors run.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.CosineSimilarity()([[3.0, 0.0]], [[2.0, 0.0]])), 4)
        1.0
    """

    shown_if_set: ClassVar[dict[str, Any]] = {"axis": -1}

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(_cosine, name=name, dtype=dtype, axis=axis)


def _cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    return ops.negative(losses.cosine_similarity(y_true, y_pred, axis=axis))


@registry.expose("keras.metrics")
class RootMeanSquaredError(Mean):
    """The root of the mean of squared differences.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.RootMeanSquaredError()([[0.0, 1.0]], [[2.0, 3.0]])), 4)
        2.0
    """

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Takes in a batch."""
        y_true, y_pred = pair(y_true, ops.convert_to_tensor(y_pred, self.dtype))
        super().update_state(ops.square(ops.subtract(y_true, y_pred)), sample_weight)

    def update_masked(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> None:
        """`update_state` in which masked entries have weight 0."""
        if mask is not None:
            sample_weight = masked_weight(sample_weight, mask, self.dtype, "sum")
        self.update_state(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        """The root of the mean so far."""
        return ops.sqrt(super().result())
