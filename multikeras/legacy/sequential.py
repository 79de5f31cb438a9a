"""`LegacySequential`: what Sequential models of tf.keras 2 had and Keras 3 dropped."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from multikeras.legacy.model import warn_deprecated


class LegacySequential:
    """Predictions as classes and as probabilities; taken up by `Sequential`."""

    if TYPE_CHECKING:  # defined by Trainer
        predict: Any

    def predict_classes(
        self, x: Any, batch_size: int | None = 32, verbose: Any = 0
    ) -> np.ndarray:
        """The class of each sample. Deprecated: take `argmax` of `predict`, or `> 0.5`.

        With one output a sample, the answer is 1 where it is above 0.5 (int32, in the shape of
        the outputs); otherwise the index of the largest along the last axis (int64).

        Args:
            x: inputs, as in `predict`.
            batch_size: samples at a time.
            verbose: 0 or 1.

        Example:
            >>> import multikeras as keras, numpy as np, warnings
            >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Softmax()])
            >>> with warnings.catch_warnings():
            ...     warnings.simplefilter("ignore", DeprecationWarning)
            ...     model.predict_classes(np.array([[0.1, 0.7, 0.2], [0.9, 0.0, 0.1]])).tolist()
            [1, 0]
        """
        warn_deprecated(
            "Sequential.predict_classes",
            "`np.argmax(model.predict(x), axis=-1)`, or `(model.predict(x) > 0.5)"
            '.astype("int32")` for two classes',
        )
        probabilities = np.asarray(self.predict(x, batch_size=batch_size, verbose=verbose))
        if probabilities.shape[-1] > 1:
            return probabilities.argmax(axis=-1)
        return (probabilities > 0.5).astype("int32")

    def predict_proba(self, x: Any, batch_size: int | None = 32, verbose: Any = 0) -> np.ndarray:
        """The outputs for `x`. Deprecated: use `predict`.

        Args:
            x: inputs, as in `predict`.
            batch_size: samples at a time.
            verbose: 0 or 1.

        Warns:
            UserWarning: if some value lies outside of [0, 1], so is no probability.
        """
        warn_deprecated("Sequential.predict_proba", "`Model.predict`")
        values = np.asarray(self.predict(x, batch_size=batch_size, verbose=verbose))
        if values.size and (values.min() < 0.0 or values.max() > 1.0):
            warnings.warn(
                "Sequential.predict_proba: some outputs lie outside of [0, 1]: they are no "
                "probabilities. The last layer is to end in a sigmoid or softmax.",
                stacklevel=2,
            )
        return values
