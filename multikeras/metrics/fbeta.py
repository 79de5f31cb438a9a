"""`FBetaScore` and `F1Score`: means of precision and recall."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.metrics.metric import Metric

_AVERAGES = (None, "micro", "macro", "weighted")


@registry.expose("keras.metrics")
class FBetaScore(Metric):
    """`(1 + beta ** 2) * precision * recall / (beta ** 2 * precision + recall)` per class.

    Args:
        average: None (one score per class), "micro" (one score of all decisions), "macro" (the
            mean over the classes) or "weighted" (the mean weighted by the number of labels).
        beta: how much more recall counts than precision.
        threshold: above it a prediction means yes; None: the class with the greatest prediction
            means yes.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Raises:
        ValueError: for a bad argument.

    Example:
        >>> from multikeras import metrics, ops
        >>> metric = metrics.FBetaScore(beta=2.0, threshold=0.5)
        >>> scores = metric([[1, 1], [1, 0]], [[0.9, 0.2], [0.8, 0.1]])
        >>> ops.convert_to_numpy(scores).tolist()
        [1.0, 0.0]
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        owner = type(self).__name__
        if average not in _AVERAGES:
            raise ValueError(f"{owner}: `average` must be one of {_AVERAGES}; got {average!r}.")
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(f"{owner}: `beta` must be a float greater than 0; got {beta!r}.")
        if threshold is not None and (not isinstance(threshold, float) or not 0 < threshold <= 1):
            raise ValueError(
                f"{owner}: `threshold` must be a float in (0, 1] or None; got {threshold!r}."
            )
        super().__init__(name=name, dtype=dtype)
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._built = False

    def _build(self, y_true: Any, y_pred: Any) -> None:
        if len(y_true.shape) != 2 or len(y_pred.shape) != 2:
            raise ValueError(
                f"{type(self).__name__}: expected targets and predictions of shape (batch, "
                f"classes); got {tuple(y_true.shape)} and {tuple(y_pred.shape)}."
            )
        if self._built:
            return
        shape = () if self.average == "micro" else (y_pred.shape[1],)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", name="false_positives")
        self.false_negatives = self.add_variable(shape, "zeros", name="false_negatives")
        self.intermediate_weights = self.add_variable(shape, "zeros", name="intermediate_weights")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch: labels of 0 and 1 and predictions, both `(batch, classes)`.

        Raises:
            ValueError: for other shapes.
        """
        y_true = ops.convert_to_tensor(y_true, self.dtype)
        y_pred = ops.convert_to_tensor(y_pred, self.dtype)
        self._build(y_true, y_pred)
        if self.threshold is None:
            greatest = ops.max(y_pred, axis=-1, keepdims=True)
            # A row of zeros decides for no class.
            chosen = ops.logical_and(
                ops.greater_equal(y_pred, greatest), ops.greater(ops.abs(y_pred), 1e-9)
            )
        else:
            chosen = ops.greater(y_pred, self.threshold)
        chosen = ops.cast(chosen, self.dtype)
        weight = None
        if sample_weight is not None:
            weight = ops.convert_to_tensor(sample_weight, self.dtype)
            weight = ops.reshape(weight, (-1, 1)) if len(weight.shape) == 1 else weight
        axis = None if self.average == "micro" else 0

        def total(values: Any) -> Any:
            return ops.sum(values if weight is None else ops.multiply(values, weight), axis=axis)

        self.true_positives.assign_add(total(ops.multiply(chosen, y_true)))
        self.false_positives.assign_add(total(ops.multiply(chosen, 1.0 - y_true)))
        self.false_negatives.assign_add(total(ops.multiply(1.0 - chosen, y_true)))
        self.intermediate_weights.assign_add(total(y_true))

    def result(self) -> Any:
        """The score so far."""
        if not self._built:
            return ops.convert_to_tensor(0.0, self.dtype)
        tp = self.true_positives.value
        precision = ops.divide_no_nan(tp, ops.add(tp, self.false_positives.value))
        recall = ops.divide_no_nan(tp, ops.add(tp, self.false_negatives.value))
        square = self.beta**2
        score = ops.divide_no_nan(
            ops.multiply(ops.multiply(precision, recall), 1.0 + square),
            ops.add(ops.multiply(precision, square), recall),
        )
        if self.average == "weighted":
            weights = self.intermediate_weights.value
            return ops.sum(ops.multiply(score, ops.divide_no_nan(weights, ops.sum(weights))))
        return score if self.average is None else ops.mean(score)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


@registry.expose("keras.metrics")
class F1Score(FBetaScore):
    """The harmonic mean of precision and recall per class: `FBetaScore` with beta 1.

    Args:
        average: None, "micro", "macro" or "weighted"; see `FBetaScore`.
        threshold: above it a prediction means yes; None: the class with the greatest prediction
            means yes.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Raises:
        ValueError: for a bad argument.

    Example:
        >>> from multikeras import metrics, ops
        >>> scores = metrics.F1Score(threshold=0.5)([[1, 1], [1, 0]], [[0.9, 0.2], [0.8, 0.1]])
        >>> ops.convert_to_numpy(scores).tolist()
        [1.0, 0.0]
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        settings = super().get_config()
        del settings["beta"]
        return settings
