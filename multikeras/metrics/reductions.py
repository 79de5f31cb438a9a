"""`Sum`, `Mean` and `MeanMetricWrapper`: what most metrics are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from multikeras import ops, registry, serialization
from multikeras.losses.loss import masked_weight, squeeze_or_expand
from multikeras.metrics.metric import Metric


def samplewise(values: Any, sample_weight: Any, reduce: Callable, dtype: str) -> tuple[Any, Any]:
    """Values and weights with one entry per sample; `reduce` takes (tensor, axis)."""
    values = ops.convert_to_tensor(values, dtype)
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight, dtype)
        values, sample_weight = squeeze_or_expand(values, sample_weight)
        rank = len(sample_weight.shape)
        if len(values.shape) > rank:
            values = reduce(values, axis=tuple(range(rank, len(values.shape))))
        values = ops.multiply(values, sample_weight)
        if rank > 1:
            sample_weight = reduce(sample_weight, axis=tuple(range(1, rank)))
    if len(values.shape) > 1:
        values = reduce(values, axis=tuple(range(1, len(values.shape))))
    return values, sample_weight


@registry.expose("keras.metrics")
class Sum(Metric):
    """The (weighted) sum of all values.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> total = metrics.Sum()
        >>> total.update_state([1.0, 2.0])
        >>> float(total.result())
        3.0
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds the values, each times its weight."""
        values, _ = samplewise(values, sample_weight, ops.sum, self.dtype)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Any:
        """The sum so far."""
        return ops.copy(self.total.value)  # the state itself may be updated in place


@registry.expose("keras.metrics")
class Mean(Metric):
    """The (weighted) mean of all values.

    Args:
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.

    Example:
        >>> from multikeras import metrics
        >>> mean = metrics.Mean()
        >>> mean.update_state([1.0, 2.0])
        >>> float(mean.result())
        1.5
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes in values, the first axis being that of the samples."""
        values, sample_weight = samplewise(values, sample_weight, ops.mean, self.dtype)
        self.total.assign_add(ops.sum(values))
        if sample_weight is not None:
            self.count.assign_add(ops.sum(sample_weight))
        elif len(values.shape) > 0:
            self.count.assign_add(ops.cast(ops.shape(values)[0], self.dtype))
        else:
            self.count.assign_add(1.0)

    def result(self) -> Any:
        """The mean so far, 0 of nothing."""
        return ops.divide_no_nan(self.total.value, self.count.value)


@registry.expose("keras.metrics")
class MeanMetricWrapper(Mean):
    """The mean of a function of (y_true, y_pred) that gives one value per sample.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)`.
        name: the metric's name.
        dtype: dtype or dtype policy of the state; None: `floatx()`.
        **kwargs: further arguments of every call of `fn`.

    Raises:
        TypeError: if `fn` can't be called.

    Example:
        >>> from multikeras import losses, metrics
        >>> metric = metrics.MeanMetricWrapper(losses.mean_squared_error, name="mse")
        >>> float(metric([[1.0], [2.0]], [[1.0], [4.0]]))
        2.0
    """

    # Settings that a config shows, and those it shows where they are not the default.
    shown: ClassVar[tuple[str, ...]] = ()
    shown_if_set: ClassVar[dict[str, Any]] = {}

    def __init__(
        self, fn: Callable, name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        if not callable(fn):
            raise TypeError(f"MeanMetricWrapper: `fn` must be callable; got {fn!r}.")
        super().__init__(name=name, dtype=dtype)  # type: ignore[arg-type]
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(  # type: ignore[override]  # two values where `Mean` takes one
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Takes in a batch."""
        self._update(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight)

    def _update(self, values: Any, sample_weight: Any) -> None:
        Mean.update_state(self, values, sample_weight=sample_weight)

    def update_masked(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> None:
        """`update_state` in which masked entries have weight 0."""
        if mask is not None:
            sample_weight = masked_weight(sample_weight, mask, self.dtype, "sum")
        self.update_state(y_true, y_pred, sample_weight=sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        settings = super().get_config()
        if type(self) is MeanMetricWrapper:
            settings["fn"] = serialization.serialize_keras_object(self._fn)
            settings.update(serialization.serialize_keras_object(self._fn_kwargs))
            return settings
        settings.update({key: self._fn_kwargs[key] for key in self.shown})
        settings.update(
            {
                key: self._fn_kwargs[key]
                for key, default in self.shown_if_set.items()
                if self._fn_kwargs[key] != default
            }
        )
        return settings

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """A metric from what `get_config` gave."""
        if isinstance(config.get("fn"), dict):
            config = {**config, "fn": serialization.deserialize_keras_object(config["fn"])}
        return cls(**config)
