"""`R2Score`: the share of the targets' variance that predictions explain."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.losses.loss import size
from multikeras.metrics.metric import Metric

_AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


@registry.expose("keras.metrics")
class R2Score(Metric):
    """The coefficient of determination, `1 - residual variance / variance`.

    Args:
        class_aggregation: how the columns become one score: "uniform_average",
            "variance_weighted_average", or None for one score per column.
        num_regressors: the number of inputs of the model, for the adjusted score; 0 for the
            plain one.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Raises:
        ValueError: for a bad argument.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 4)
        0.5714
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: Any = None,
    ) -> None:
        if class_aggregation not in _AGGREGATIONS:
            raise ValueError(
                f"R2Score: `class_aggregation` must be one of {_AGGREGATIONS}; "
                f"got {class_aggregation!r}."
            )
        if num_regressors < 0:
            raise ValueError(
                f"R2Score: `num_regressors` must not be negative; got {num_regressors!r}."
            )
        super().__init__(name=name, dtype=dtype)
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def _build(self, y_true: Any, y_pred: Any) -> None:
        if len(y_true.shape) != 2 or tuple(y_true.shape[1:]) != tuple(y_pred.shape[1:]):
            raise ValueError(
                "R2Score: expected targets and predictions of shape (batch, columns); got "
                f"{tuple(y_true.shape)} and {tuple(y_pred.shape)}."
            )
        if self._built:
            return
        shape = (y_pred.shape[-1],)
        self.squared_sum = self.add_variable(shape, "zeros", name="squared_sum")
        self.sum = self.add_variable(shape, "zeros", name="sum")
        self.total_mse = self.add_variable(shape, "zeros", name="residual")
        self.count = self.add_variable(shape, "zeros", name="count")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch.

        Raises:
            ValueError: for tensors that are not `(batch, columns)`.
        """
        y_true = ops.convert_to_tensor(y_true, self.dtype)
        y_pred = ops.convert_to_tensor(y_pred, self.dtype)
        self._build(y_true, y_pred)
        weight = ops.convert_to_tensor(1 if sample_weight is None else sample_weight, self.dtype)
        if len(weight.shape) == 1:
            weight = ops.expand_dims(weight, 1)
        weight = ops.multiply(ops.ones_like(y_true), weight)
        weighted = ops.multiply(y_true, weight)
        error = ops.square(ops.subtract(y_true, y_pred))
        self.sum.assign_add(ops.sum(weighted, axis=0))
        self.squared_sum.assign_add(ops.sum(ops.multiply(y_true, weighted), axis=0))
        self.total_mse.assign_add(ops.sum(ops.multiply(error, weight), axis=0))
        self.count.assign_add(ops.sum(weight, axis=0))
        # Keras 3 counts entries, not rows; the adjusted score depends on it.
        self.num_samples.assign_add(size(y_true, self.dtype))

    def result(self) -> Any:
        """The score so far."""
        if not self._built:
            return ops.convert_to_tensor(0.0, self.dtype)
        total = self.sum.value
        mean = ops.divide_no_nan(total, self.count.value)
        spread = ops.subtract(self.squared_sum.value, ops.multiply(total, mean))
        score = ops.subtract(1.0, ops.divide(self.total_mse.value, spread))
        score = ops.where(ops.isinf(score), ops.zeros_like(score), score)
        if self.class_aggregation == "uniform_average":
            score = ops.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            score = ops.divide(ops.sum(ops.multiply(score, spread)), ops.sum(spread))
        if not self.num_regressors:
            return score
        samples = self.num_samples.value
        free = ops.subtract(samples, self.num_regressors + 1.0)
        scale = ops.divide(ops.subtract(samples, 1.0), ops.where(ops.greater(free, 0.0), free, 1.0))
        adjusted = ops.subtract(1.0, ops.multiply(ops.subtract(1.0, score), scale))
        # With too few samples the adjustment means nothing: the plain score is given.
        return ops.where(ops.greater(free, 0.0), adjusted, score)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
