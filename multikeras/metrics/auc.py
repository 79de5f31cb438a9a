"""`AUC`: the area under the ROC or the precision-recall curve."""

from __future__ import annotations

from typing import Any

import numpy as np

from multikeras import config, ops, registry
from multikeras.metrics.confusion import confusion_counts, even_thresholds, standardize_thresholds
from multikeras.metrics.metric import Metric, ratio

_CURVES = ("ROC", "PR", "PRGAIN")
_METHODS = ("interpolation", "majoring", "minoring")


@registry.expose("keras.metrics")
class AUC(Metric):
    """The area under a curve through the points at many thresholds.

    Args:
        num_thresholds: how many thresholds, evenly spaced from 0 to 1.
        curve: "ROC" (recall over false positive rate), "PR" (precision over recall) or "PRGAIN"
            (precision gain over recall gain; Flach and Kull, 2015).
        summation_method: "interpolation" (trapezoids; for "PR" the curve of Davis and Goadrich,
            2006), "majoring" (the higher end of each step) or "minoring" (the lower).
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.
        thresholds: the inner thresholds, in place of `num_thresholds`.
        multi_label: whether each column is a task of its own; the result is the mean area.
        num_labels: the number of columns; None: taken from the first batch.
        label_weights: weights of the columns in the mean, or of their entries.
        from_logits: whether predictions are logits rather than probabilities.

    Raises:
        ValueError: for a bad argument.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])), 4)
        0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        for what, value, known in (
            ("curve", str(curve).upper(), _CURVES),
            ("summation_method", str(summation_method).lower(), _METHODS),
        ):
            if value not in known:
                raise ValueError(f"AUC: `{what}` must be one of {known}; got {value!r}.")
        if num_labels is not None and not multi_label:
            raise ValueError("AUC: `num_labels` says something only with `multi_label=True`.")
        super().__init__(name=name, dtype=dtype)
        self._init_thresholds = thresholds
        if thresholds is None:
            if num_thresholds <= 1:
                raise ValueError(
                    f"AUC: `num_thresholds` must be greater than 1; got {num_thresholds!r}."
                )
            self._thresholds = even_thresholds(num_thresholds, closed=True)
        else:
            inner = sorted(standardize_thresholds("AUC", thresholds))
            ends = even_thresholds(2, closed=True)
            self._thresholds = [ends[0], *inner, ends[1]]
        self.num_thresholds = len(self._thresholds)
        self.curve = str(curve).upper()
        self.summation_method = str(summation_method).lower()
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = label_weights
        self._from_logits = from_logits
        self._built = False
        if not multi_label:
            self._build(())
        elif num_labels:
            self._build((num_labels,))

    @property
    def thresholds(self) -> list[float]:
        """The thresholds, with the two ends."""
        return list(self._thresholds)

    def _build(self, labels: tuple[int, ...]) -> None:
        shape = (self.num_thresholds, *labels)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", name="false_positives")
        self.true_negatives = self.add_variable(shape, "zeros", name="true_negatives")
        self.false_negatives = self.add_variable(shape, "zeros", name="false_negatives")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch: labels of 0 and 1, and predictions of the same shape.

        Raises:
            ValueError: if the labels have another number of columns than at first.
        """
        y_pred = ops.convert_to_tensor(y_pred, self.dtype)
        if not self._built:
            self._build((y_pred.shape[-1],))
        if self.multi_label and y_pred.shape[-1] != self.true_positives.shape[-1]:
            raise ValueError(
                f"{self.name}: expected {self.true_positives.shape[-1]} columns of labels; got "
                f"predictions of shape {tuple(y_pred.shape)}."
            )
        if self._from_logits:
            y_pred = ops.sigmoid(y_pred)
        counts = confusion_counts(
            y_true,
            y_pred,
            self._thresholds,
            self.dtype,
            sample_weight,
            multi_label=self.multi_label,
            label_weights=None if self.multi_label else self.label_weights,
        )
        variables = (
            self.true_positives,
            self.false_positives,
            self.true_negatives,
            self.false_negatives,
        )
        for variable, count in zip(variables, counts, strict=True):
            variable.assign_add(count)

    def result(self) -> Any:
        """The area so far."""
        if not self._built:
            return ops.convert_to_tensor(0.0, self.dtype)
        tp, fp = self.true_positives.value, self.false_positives.value
        tn, fn = self.true_negatives.value, self.false_negatives.value
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _interpolated_pr(tp, fp, fn)
        else:
            x, y = self._curve(tp, fp, tn, fn)
            if self.summation_method == "interpolation":
                heights = ops.multiply(0.5, ops.add(y[:-1], y[1:]))
            elif self.summation_method == "minoring":
                heights = ops.minimum(y[:-1], y[1:])
            else:
                heights = ops.maximum(y[:-1], y[1:])
            areas = ops.sum(ops.multiply(ops.subtract(x[:-1], x[1:]), heights), axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        weights = ops.convert_to_tensor(self.label_weights, self.dtype)
        return ops.divide_no_nan(ops.sum(ops.multiply(areas, weights)), ops.sum(weights))

    def _curve(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[Any, Any]:
        """Abscissae, falling with the threshold, and ordinates."""
        recall = ratio(tp, fn)
        if self.curve == "ROC":
            return ratio(fp, tn), recall
        if self.curve == "PR":
            return recall, ratio(tp, fp)
        odds = ops.divide_no_nan(ops.add(tp, fn), ops.add(fp, tn))
        odds = ops.divide(odds, ops.add(tp, config.epsilon()))

        recall_gain = ops.subtract(1.0, ops.multiply(odds, fn))
        return ops.maximum(recall_gain, 0.0), ops.subtract(1.0, ops.multiply(odds, fp))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        weights = self.label_weights
        settings = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if weights is None else np.asarray(weights).tolist(),
            "from_logits": self._from_logits,
        }
        if self._init_thresholds is not None:
            settings["thresholds"] = self._thresholds[1:-1]
        return settings


def _interpolated_pr(tp: Any, fp: Any, fn: Any) -> Any:
    """The area under precision over recall where between two points true positives are linear
    in the number of predicted positives (Davis and Goadrich, 2006)."""
    predicted = ops.add(tp, fp)
    d_tp = ops.subtract(tp[:-1], tp[1:])
    d_predicted = ops.subtract(predicted[:-1], predicted[1:])
    slope = ops.divide_no_nan(d_tp, ops.maximum(d_predicted, 0.0))
    start = ops.subtract(tp[1:], ops.multiply(slope, predicted[1:]))
    both = ops.logical_and(ops.greater(predicted[:-1], 0.0), ops.greater(predicted[1:], 0.0))
    growth = ops.where(
        both, ops.divide_no_nan(predicted[:-1], ops.maximum(predicted[1:], 0.0)), 1.0
    )
    part = ops.multiply(slope, ops.add(d_tp, ops.multiply(start, ops.log(growth))))
    positives = ops.maximum(ops.add(tp[1:], fn[1:]), 0.0)
    return ops.sum(ops.divide_no_nan(part, positives), axis=0)
