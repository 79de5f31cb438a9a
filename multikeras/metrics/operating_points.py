"""The best of one share at the thresholds where another one is high enough."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.metrics.confusion import confusion_counts, even_thresholds
from multikeras.metrics.metric import Metric, ratio


class _OperatingPoint(Metric):
    """Counts at many thresholds; subclasses say which share is bounded and which is given."""

    _bound = ""

    def __init__(
        self,
        value: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        owner = type(self).__name__
        if not 0 <= value <= 1:
            raise ValueError(f"{owner}: `{self._bound}` must lie between 0 and 1; got {value!r}.")
        if num_thresholds <= 0:
            raise ValueError(
                f"{owner}: `num_thresholds` must be greater than 0; got {num_thresholds!r}."
            )
        super().__init__(name=name, dtype=dtype)
        self.value = value
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        self.thresholds = [0.5] if num_thresholds == 1 else even_thresholds(num_thresholds, False)
        shape = (num_thresholds,)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", name="false_positives")
        self.true_negatives = self.add_variable(shape, "zeros", name="true_negatives")
        self.false_negatives = self.add_variable(shape, "zeros", name="false_negatives")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        counts = confusion_counts(
            y_true, y_pred, self.thresholds, self.dtype, sample_weight, class_id=self.class_id
        )
        for variable, count in zip(self.variables, counts, strict=True):
            variable.assign_add(count)

    def shares(self) -> tuple[Any, Any]:
        """(the share that is bounded, the share that is given), at each threshold."""
        raise NotImplementedError

    def result(self) -> Any:
        """The best value so far; 0 if no threshold fits."""
        bounded, given = self.shares()
        fits = ops.greater_equal(bounded, self.value)
        return ops.max(ops.where(fits, given, ops.zeros_like(given)))

    def _precision(self) -> Any:
        return ratio(self.true_positives.value, self.false_positives.value)

    def _recall(self) -> Any:
        return ratio(self.true_positives.value, self.false_negatives.value)

    def _specificity(self) -> Any:
        return ratio(self.true_negatives.value, self.false_positives.value)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "class_id": self.class_id,
            "num_thresholds": self.num_thresholds,
            self._bound: self.value,
        }


@registry.expose("keras.metrics")
class SensitivityAtSpecificity(_OperatingPoint):
    """The best sensitivity at a threshold where the specificity is at least a given one.

    Args:
        specificity: the least specificity, between 0 and 1.
        num_thresholds: how many thresholds, evenly spaced from 0 to 1.
        class_id: only this class counts.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Raises:
        ValueError: for a bad argument.

    Example:
        >>> from multikeras import metrics
        >>> metric = metrics.SensitivityAtSpecificity(0.5)
        >>> round(float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])), 4)
        0.5
    """

    _bound = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def shares(self) -> tuple[Any, Any]:
        """(specificity, sensitivity) at each threshold."""
        return self._specificity(), self._recall()


@registry.expose("keras.metrics")
class SpecificityAtSensitivity(_OperatingPoint):
    """The best specificity at a threshold where the sensitivity is at least a given one.

    Args:
        sensitivity: the least sensitivity, between 0 and 1.
        num_thresholds: how many thresholds, evenly spaced from 0 to 1.
        class_id: only this class counts.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Raises:
        ValueError: for a bad argument.

    Example:
        >>> from multikeras import metrics
        >>> metric = metrics.SpecificityAtSensitivity(0.5)
        >>> round(float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])), 4)
        0.6667
    """

    _bound = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def shares(self) -> tuple[Any, Any]:
        """(sensitivity, specificity) at each threshold."""
        return self._recall(), self._specificity()


@registry.expose("keras.metrics")
class PrecisionAtRecall(_OperatingPoint):
    """The best precision at a threshold where the recall is at least a given one.

    Args:
        recall: the least recall, between 0 and 1.
        num_thresholds: how many thresholds, evenly spaced from 0 to 1.
        class_id: only this class counts.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Raises:
        ValueError: for a bad argument.

    Example:
        >>> from multikeras import metrics
        >>> metric = metrics.PrecisionAtRecall(0.5)
        >>> round(float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])), 4)
        0.5
    """

    _bound = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def shares(self) -> tuple[Any, Any]:
        """(recall, precision) at each threshold."""
        return self._recall(), self._precision()


@registry.expose("keras.metrics")
class RecallAtPrecision(_OperatingPoint):
    """The best recall at a threshold where the precision is at least a given one.

    Args:
        precision: the least precision, between 0 and 1.
        num_thresholds: how many thresholds, evenly spaced from 0 to 1.
        class_id: only this class counts.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Raises:
        ValueError: for a bad argument.

    Example:
        >>> from multikeras import metrics
        >>> metric = metrics.RecallAtPrecision(0.5)
        >>> round(float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])), 4)
        1.0
    """

    _bound = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def shares(self) -> tuple[Any, Any]:
        """(precision, recall) at each threshold."""
        return self._precision(), self._recall()
