"""Metrics: what is reported about a model, gathered over batches."""

from __future__ import annotations

from typing import Any

from multikeras import identifiers, registry, serialization
from multikeras.losses import binary_crossentropy as binary_crossentropy
from multikeras.losses import binary_focal_crossentropy as binary_focal_crossentropy
from multikeras.losses import categorical_crossentropy as categorical_crossentropy
from multikeras.losses import categorical_focal_crossentropy as categorical_focal_crossentropy
from multikeras.losses import categorical_hinge as categorical_hinge
from multikeras.losses import hinge as hinge
from multikeras.losses import huber as huber
from multikeras.losses import kl_divergence as kl_divergence
from multikeras.losses import log_cosh as log_cosh
from multikeras.losses import mean_absolute_error as mean_absolute_error
from multikeras.losses import mean_absolute_percentage_error as mean_absolute_percentage_error
from multikeras.losses import mean_squared_error as mean_squared_error
from multikeras.losses import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from multikeras.losses import poisson as poisson
from multikeras.losses import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from multikeras.losses import squared_hinge as squared_hinge
from multikeras.metrics.accuracies import Accuracy as Accuracy
from multikeras.metrics.accuracies import BinaryAccuracy as BinaryAccuracy
from multikeras.metrics.accuracies import CategoricalAccuracy as CategoricalAccuracy
from multikeras.metrics.accuracies import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from multikeras.metrics.accuracies import (
    SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy,
)
from multikeras.metrics.accuracies import TopKCategoricalAccuracy as TopKCategoricalAccuracy
from multikeras.metrics.accuracies import binary_accuracy as binary_accuracy
from multikeras.metrics.accuracies import categorical_accuracy as categorical_accuracy
from multikeras.metrics.accuracies import sparse_categorical_accuracy as sparse_categorical_accuracy
from multikeras.metrics.accuracies import (
    sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy,
)
from multikeras.metrics.accuracies import top_k_categorical_accuracy as top_k_categorical_accuracy
from multikeras.metrics.auc import AUC as AUC
from multikeras.metrics.correlations import ConcordanceCorrelation as ConcordanceCorrelation
from multikeras.metrics.correlations import PearsonCorrelation as PearsonCorrelation
from multikeras.metrics.correlations import concordance_correlation as concordance_correlation
from multikeras.metrics.correlations import pearson_correlation as pearson_correlation
from multikeras.metrics.counts import FalseNegatives as FalseNegatives
from multikeras.metrics.counts import FalsePositives as FalsePositives
from multikeras.metrics.counts import Precision as Precision
from multikeras.metrics.counts import Recall as Recall
from multikeras.metrics.counts import TrueNegatives as TrueNegatives
from multikeras.metrics.counts import TruePositives as TruePositives
from multikeras.metrics.errors import CosineSimilarity as CosineSimilarity
from multikeras.metrics.errors import LogCoshError as LogCoshError
from multikeras.metrics.errors import MeanAbsoluteError as MeanAbsoluteError
from multikeras.metrics.errors import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from multikeras.metrics.errors import MeanSquaredError as MeanSquaredError
from multikeras.metrics.errors import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from multikeras.metrics.errors import RootMeanSquaredError as RootMeanSquaredError
from multikeras.metrics.fbeta import F1Score as F1Score
from multikeras.metrics.fbeta import FBetaScore as FBetaScore
from multikeras.metrics.hinges import CategoricalHinge as CategoricalHinge
from multikeras.metrics.hinges import Hinge as Hinge
from multikeras.metrics.hinges import SquaredHinge as SquaredHinge
from multikeras.metrics.ious import BinaryIoU as BinaryIoU
from multikeras.metrics.ious import IoU as IoU
from multikeras.metrics.ious import MeanIoU as MeanIoU
from multikeras.metrics.ious import OneHotIoU as OneHotIoU
from multikeras.metrics.ious import OneHotMeanIoU as OneHotMeanIoU
from multikeras.metrics.metric import Metric as Metric
from multikeras.metrics.operating_points import PrecisionAtRecall as PrecisionAtRecall
from multikeras.metrics.operating_points import RecallAtPrecision as RecallAtPrecision
from multikeras.metrics.operating_points import SensitivityAtSpecificity as SensitivityAtSpecificity
from multikeras.metrics.operating_points import SpecificityAtSensitivity as SpecificityAtSensitivity
from multikeras.metrics.probabilistic import BinaryCrossentropy as BinaryCrossentropy
from multikeras.metrics.probabilistic import CategoricalCrossentropy as CategoricalCrossentropy
from multikeras.metrics.probabilistic import KLDivergence as KLDivergence
from multikeras.metrics.probabilistic import Poisson as Poisson
from multikeras.metrics.probabilistic import (
    SparseCategoricalCrossentropy as SparseCategoricalCrossentropy,
)
from multikeras.metrics.r2_score import R2Score as R2Score
from multikeras.metrics.reductions import Mean as Mean
from multikeras.metrics.reductions import MeanMetricWrapper as MeanMetricWrapper
from multikeras.metrics.reductions import Sum as Sum

CLASSES = (
    AUC, Accuracy, BinaryAccuracy, BinaryCrossentropy, BinaryIoU, CategoricalAccuracy,
    CategoricalCrossentropy, CategoricalHinge, ConcordanceCorrelation, CosineSimilarity,
    F1Score, FBetaScore, FalseNegatives, FalsePositives, Hinge, IoU, KLDivergence,
    LogCoshError, Mean, MeanAbsoluteError, MeanAbsolutePercentageError, MeanIoU,
    MeanMetricWrapper, MeanSquaredError, MeanSquaredLogarithmicError, OneHotIoU, OneHotMeanIoU,
    PearsonCorrelation, Poisson, Precision, PrecisionAtRecall, R2Score, Recall,
    RecallAtPrecision, RootMeanSquaredError, SensitivityAtSpecificity,
    SparseCategoricalAccuracy, SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy,
    SpecificityAtSensitivity, SquaredHinge, Sum, TopKCategoricalAccuracy, TrueNegatives,
    TruePositives,
)  # fmt: skip
FUNCTIONS = (
    binary_accuracy, binary_crossentropy, binary_focal_crossentropy, categorical_accuracy,
    categorical_crossentropy, categorical_focal_crossentropy, categorical_hinge,
    concordance_correlation, hinge, huber, kl_divergence, log_cosh, mean_absolute_error,
    mean_absolute_percentage_error, mean_squared_error, mean_squared_logarithmic_error,
    pearson_correlation, poisson, sparse_categorical_accuracy, sparse_categorical_crossentropy,
    sparse_top_k_categorical_accuracy, squared_hinge, top_k_categorical_accuracy,
)  # fmt: skip
# The short names; those of the last row only tf.keras 2 had.
_ALIASES = {
    "bce": BinaryCrossentropy, "BCE": BinaryCrossentropy,
    "mae": MeanAbsoluteError, "MAE": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError, "MAPE": MeanAbsolutePercentageError,
    "mse": MeanSquaredError, "MSE": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError, "MSLE": MeanSquaredLogarithmicError,
    "kld": KLDivergence, "KLD": KLDivergence, "logcosh": LogCoshError,
}  # fmt: skip
_TABLE: dict[str, Any] = identifiers.table_of(*CLASSES, aliases=_ALIASES)
for _function in FUNCTIONS:
    registry.expose("keras.metrics")(_function)

__all__ = [
    *(item.__name__ for item in (*CLASSES, *FUNCTIONS)), "Metric", "deserialize", "get",
    "serialize",
]  # fmt: skip


def get(identifier: Any) -> Any:
    """The metric that an entry of the `metrics` argument of `compile` stands for.

    Args:
        identifier: None, a name ("mse" gives a `MeanSquaredError`), a serialized dict, a class or
            a callable.

    Raises:
        ValueError: for an unknown name or anything else.

    Example:
        >>> from multikeras import metrics
        >>> metrics.get("mse").name
        'mean_squared_error'
    """
    return identifiers.get("metric", identifier, _TABLE)


def serialize(metric: Any) -> Any:
    """What a config holds for a metric.

    Example:
        >>> from multikeras import metrics
        >>> metrics.serialize(metrics.Mean())["class_name"]
        'Mean'
    """
    return serialization.serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The metric of a name or of a serialized dict.

    Args:
        config: what `serialize` gave, or a name.
        custom_objects: further names, `{name: object}`.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> from multikeras import metrics
        >>> metrics.deserialize({"class_name": "Mean", "config": {"name": "m"}}).name
        'm'
    """
    return identifiers.deserialize("metric", config, _TABLE, custom_objects)
