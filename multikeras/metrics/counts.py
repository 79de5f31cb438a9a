"""Counts of right and wrong yes/no predictions, and the shares made of them."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.metrics.confusion import NO_THRESHOLD, confusion_counts, standardize_thresholds
from multikeras.metrics.metric import Metric, ratio, scalar_or_vector


class _Count(Metric):
    """One of the four counts, at each threshold."""

    _position = 0  # in the result of confusion_counts

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = standardize_thresholds(type(self).__name__, thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        counts = confusion_counts(y_true, y_pred, self.thresholds, self.dtype, sample_weight)
        self.accumulator.assign_add(counts[self._position])

    def result(self) -> Any:
        """The count so far, one per threshold."""
        # A copy: the state itself may be updated in place.
        return scalar_or_vector(ops.copy(self.accumulator.value))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


@registry.expose("keras.metrics")
class TruePositives(_Count):
    """How many predictions above the threshold have label 1.

    Args:
        thresholds: a number between 0 and 1, or a list of them; None: 0.5.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Raises:
        ValueError: for a threshold that is not between 0 and 1.

    Example:
        >>> from multikeras import metrics
        >>> float(metrics.TruePositives()([0, 1, 1, 1], [0.9, 0.9, 0.1, 0.9]))
        2.0
    """


@registry.expose("keras.metrics")
class FalsePositives(_Count):
    """How many predictions above the threshold have label 0.

    Args:
        thresholds: a number between 0 and 1, or a list of them; None: 0.5.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Raises:
        ValueError: for a threshold that is not between 0 and 1.

    Example:
        >>> from multikeras import metrics
        >>> float(metrics.FalsePositives()([0, 1, 1, 1], [0.9, 0.9, 0.1, 0.9]))
        1.0
    """

    _position = 1


@registry.expose("keras.metrics")
class TrueNegatives(_Count):
    """How many predictions not above the threshold have label 0.

    Args:
        thresholds: a number between 0 and 1, or a list of them; None: 0.5.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Raises:
        ValueError: for a threshold that is not between 0 and 1.

    Example:
        >>> from multikeras import metrics
        >>> float(metrics.TrueNegatives()([0, 0, 1, 1], [0.1, 0.9, 0.1, 0.9]))
        1.0
    """

    _position = 2


@registry.expose("keras.metrics")
class FalseNegatives(_Count):
    """How many predictions not above the threshold have label 1.

    Args:
        thresholds: a number between 0 and 1, or a list of them; None: 0.5.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Raises:
        ValueError: for a threshold that is not between 0 and 1.

    Example:
        >>> from multikeras import metrics
        >>> float(metrics.FalseNegatives()([0, 1, 1, 1], [0.9, 0.9, 0.1, 0.9]))
        1.0
    """

    _position = 3


class _Share(Metric):
    """True positives divided by true positives plus another count."""

    _other, _position = "false_positives", 1

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        if thresholds is None and top_k is not None:
            self.thresholds = [NO_THRESHOLD]
        else:
            self.thresholds = standardize_thresholds(type(self).__name__, thresholds)
        shape = (len(self.thresholds),)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self._rest = self.add_variable(shape, "zeros", name=self._other)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        counts = confusion_counts(
            y_true,
            y_pred,
            # With top_k alone, only what the filter took out is not above the threshold.
            [value * 0.5 if value == NO_THRESHOLD else value for value in self.thresholds],
            self.dtype,
            sample_weight,
            class_id=self.class_id,
            top_k=self.top_k,
        )
        self.true_positives.assign_add(counts[0])
        self._rest.assign_add(counts[self._position])

    def result(self) -> Any:
        """The share so far, one per threshold; 0 of nothing."""
        return scalar_or_vector(ratio(self.true_positives.value, self._rest.value))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


@registry.expose("keras.metrics")
class Precision(_Share):
    """The share of right ones among the predictions above the threshold.

    Args:
        thresholds: a number between 0 and 1, or a list of them; None: 0.5, or with `top_k` no
            threshold.
        top_k: only the k greatest predictions of a sample count as positive.
        class_id: only this class counts.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Raises:
        ValueError: for a threshold that is not between 0 and 1.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.Precision()([0, 1, 1, 1], [0.9, 0.9, 0.1, 0.9])), 4)
        0.6667
    """

    @property
    def false_positives(self) -> Any:
        """The count of false positives."""
        return self._rest


@registry.expose("keras.metrics")
class Recall(_Share):
    """The share of labels 1 whose prediction is above the threshold.

    Args:
        thresholds: a number between 0 and 1, or a list of them; None: 0.5, or with `top_k` no
            threshold.
        top_k: only the k greatest predictions of a sample count as positive.
        class_id: only this class counts.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Raises:
        ValueError: for a threshold that is not between 0 and 1.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.Recall()([0, 1, 1, 1], [0.9, 0.9, 0.1, 0.9])), 4)
        0.6667
    """

    _other, _position = "false_negatives", 3

    @property
    def false_negatives(self) -> Any:
        """The count of false negatives."""
        return self._rest
