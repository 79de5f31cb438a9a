"""Losses as functions (one value per sample) and as objects (one value per batch)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multikeras import identifiers, registry, serialization
from multikeras.losses.circle import Circle as Circle
from multikeras.losses.circle import circle as circle
from multikeras.losses.cosine_similarity import CosineSimilarity as CosineSimilarity
from multikeras.losses.cosine_similarity import cosine_similarity as cosine_similarity
from multikeras.losses.crossentropies import BinaryCrossentropy as BinaryCrossentropy
from multikeras.losses.crossentropies import CategoricalCrossentropy as CategoricalCrossentropy
from multikeras.losses.crossentropies import (
    SparseCategoricalCrossentropy as SparseCategoricalCrossentropy,
)
from multikeras.losses.crossentropies import binary_crossentropy as binary_crossentropy
from multikeras.losses.crossentropies import categorical_crossentropy as categorical_crossentropy
from multikeras.losses.crossentropies import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from multikeras.losses.ctc import CTC as CTC
from multikeras.losses.ctc import ctc as ctc
from multikeras.losses.focal_crossentropies import (
    BinaryFocalCrossentropy as BinaryFocalCrossentropy,
)
from multikeras.losses.focal_crossentropies import (
    CategoricalFocalCrossentropy as CategoricalFocalCrossentropy,
)
from multikeras.losses.focal_crossentropies import (
    binary_focal_crossentropy as binary_focal_crossentropy,
)
from multikeras.losses.focal_crossentropies import (
    categorical_focal_crossentropy as categorical_focal_crossentropy,
)
from multikeras.losses.generalized_cross_entropy import (
    CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy,
)
from multikeras.losses.generalized_cross_entropy import (
    categorical_generalized_cross_entropy as categorical_generalized_cross_entropy,
)
from multikeras.losses.hinges import CategoricalHinge as CategoricalHinge
from multikeras.losses.hinges import Hinge as Hinge
from multikeras.losses.hinges import SquaredHinge as SquaredHinge
from multikeras.losses.hinges import categorical_hinge as categorical_hinge
from multikeras.losses.hinges import hinge as hinge
from multikeras.losses.hinges import squared_hinge as squared_hinge
from multikeras.losses.huber import Huber as Huber
from multikeras.losses.huber import huber as huber
from multikeras.losses.kl_divergence import KLDivergence as KLDivergence
from multikeras.losses.kl_divergence import kl_divergence as kl_divergence
from multikeras.losses.log_cosh import LogCosh as LogCosh
from multikeras.losses.log_cosh import log_cosh as log_cosh
from multikeras.losses.loss import Loss as Loss
from multikeras.losses.mean_absolute_error import MeanAbsoluteError as MeanAbsoluteError
from multikeras.losses.mean_absolute_error import mean_absolute_error as mean_absolute_error
from multikeras.losses.mean_absolute_percentage_error import (
    MeanAbsolutePercentageError as MeanAbsolutePercentageError,
)
from multikeras.losses.mean_absolute_percentage_error import (
    mean_absolute_percentage_error as mean_absolute_percentage_error,
)
from multikeras.losses.mean_squared_error import MeanSquaredError as MeanSquaredError
from multikeras.losses.mean_squared_error import mean_squared_error as mean_squared_error
from multikeras.losses.mean_squared_logarithmic_error import (
    MeanSquaredLogarithmicError as MeanSquaredLogarithmicError,
)
from multikeras.losses.mean_squared_logarithmic_error import (
    mean_squared_logarithmic_error as mean_squared_logarithmic_error,
)
from multikeras.losses.overlaps import Dice as Dice
from multikeras.losses.overlaps import Tversky as Tversky
from multikeras.losses.overlaps import dice as dice
from multikeras.losses.overlaps import tversky as tversky
from multikeras.losses.poisson import Poisson as Poisson
from multikeras.losses.poisson import poisson as poisson

CLASSES = (
    BinaryCrossentropy, BinaryFocalCrossentropy, CTC, CategoricalCrossentropy,
    CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy, CategoricalHinge, Circle,
    CosineSimilarity, Dice, Hinge, Huber, KLDivergence, LogCosh, MeanAbsoluteError,
    MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, Poisson,
    SparseCategoricalCrossentropy, SquaredHinge, Tversky,
)  # fmt: skip
FUNCTIONS = (
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy,
    categorical_focal_crossentropy, categorical_generalized_cross_entropy, categorical_hinge,
    circle, cosine_similarity, ctc, dice, hinge, huber, kl_divergence, log_cosh,
    mean_absolute_error, mean_absolute_percentage_error, mean_squared_error,
    mean_squared_logarithmic_error, poisson, sparse_categorical_crossentropy, squared_hinge,
    tversky,
)  # fmt: skip
# The short names, and those that only tf.keras 2 had (the second row).
_ALIASES = {
    "bce": binary_crossentropy, "BCE": binary_crossentropy,
    "kld": kl_divergence, "KLD": kl_divergence,
    "mae": mean_absolute_error, "MAE": mean_absolute_error,
    "mape": mean_absolute_percentage_error, "MAPE": mean_absolute_percentage_error,
    "mse": mean_squared_error, "MSE": mean_squared_error,
    "msle": mean_squared_logarithmic_error, "MSLE": mean_squared_logarithmic_error,
    "kullback_leibler_divergence": kl_divergence, "logcosh": log_cosh, "huber_loss": huber,
    "cosine_proximity": cosine_similarity,
}  # fmt: skip
_TABLE: dict[str, Any] = {item.__name__: item for item in (*CLASSES, *FUNCTIONS)} | _ALIASES
for _alias, _function in _ALIASES.items():
    registry.expose("keras.losses", _alias)(_function)

__all__ = [
    *(item.__name__ for item in (*CLASSES, *FUNCTIONS)), "Loss", "deserialize", "get", "serialize",
]  # fmt: skip


def get(identifier: Any) -> Callable | None:
    """The loss that the `loss` argument of `compile` stands for.

    Args:
        identifier: None, a name ("mse" gives the function, "MeanSquaredError" an object), a
            serialized dict, a class or a callable.

    Raises:
        ValueError: for an unknown name or anything else.

    Example:
        >>> from multikeras import losses
        >>> losses.get("mse") is losses.mean_squared_error
        True
    """
    return identifiers.get("loss", identifier, _TABLE)


def serialize(loss: Any) -> Any:
    """What a config holds for a loss.

    Example:
        >>> from multikeras import losses
        >>> losses.serialize(losses.Poisson())["class_name"]
        'Poisson'
    """
    return serialization.serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss of a name or of a serialized dict.

    Args:
        name: what `serialize` gave, or a name.
        custom_objects: further names, `{name: object}`.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> from multikeras import losses
        >>> losses.deserialize({"class_name": "Huber", "config": {"delta": 2.0}}).delta
        2.0
    """
    return identifiers.deserialize("loss", name, _TABLE, custom_objects)
