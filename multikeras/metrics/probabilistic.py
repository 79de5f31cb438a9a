"""Means of the losses between distributions."""

from __future__ import annotations

from typing import Any, ClassVar

from multikeras import losses, registry
from multikeras.losses.crossentropies import sparse_with_mask
from multikeras.losses.loss import masked_weight
from multikeras.metrics.reductions import MeanMetricWrapper


@registry.expose("keras.metrics")
class KLDivergence(MeanMetricWrapper):
    """The mean Kullback-Leibler divergence.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]])), 4)
        0.0
    """

    def __init__(self, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name=name, dtype=dtype)


@registry.expose("keras.metrics")
class Poisson(MeanMetricWrapper):
    """The mean negative log-likelihood of Poisson counts.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.Poisson()([[0.0, 0.0]], [[1.0, 3.0]])), 4)
        2.0
    """

    def __init__(self, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(losses.poisson, name=name, dtype=dtype)


@registry.expose("keras.metrics")
class BinaryCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of independent yes/no labels.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.
        from_logits: whether predictions are logits rather than probabilities.
        label_smoothing: how far labels are moved towards the uniform distribution.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.6931
    """

    shown: ClassVar[tuple[str, ...]] = ("from_logits", "label_smoothing")

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )


@registry.expose("keras.metrics")
class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of one-hot labels.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.
        from_logits: whether predictions are logits rather than probabilities.
        label_smoothing: how far labels are moved towards the uniform distribution.
        axis: the axis of the classes.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.CategoricalCrossentropy()([[0, 1]], [[0.5, 0.5]])), 4)
        0.6931
    """

    shown: ClassVar[tuple[str, ...]] = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@registry.expose("keras.metrics")
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of labels that are class numbers.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.
        from_logits: whether predictions are logits rather than probabilities.
        ignore_class: a number that marks samples without a label: their loss is 0.
        axis: the axis of the classes.

    Example:
        >>> from multikeras import metrics
        >>> round(float(metrics.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 4)
        0.6931
    """

    shown: ClassVar[tuple[str, ...]] = ("from_logits", "ignore_class", "axis")

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )

    def update_state(  # type: ignore[override]  # two values where `Mean` takes one
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Takes in a batch; where there are weights, samples without a label have weight 0."""
        settings = self._fn_kwargs
        values, valid = sparse_with_mask(
            y_true, y_pred, settings["from_logits"], settings["ignore_class"], settings["axis"]
        )
        if valid is not None and sample_weight is not None:
            sample_weight = masked_weight(sample_weight, valid, self.dtype, "sum")
        self._update(values, sample_weight)
