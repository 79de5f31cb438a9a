"""`LossFunctionWrapper`: a loss object around a function of (y_true, y_pred)."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar

from multikeras import ops, serialization, tree
from multikeras.losses.loss import Loss, squeeze_or_expand


class LossFunctionWrapper(Loss):
    """Turns a function that gives losses per sample into a `Loss`.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)`.
        reduction: as in `Loss`.
        name: default: the class name in snake case.
        dtype: as in `Loss`.
        **kwargs: further arguments of every call of `fn`.

    Example:
        >>> from multikeras import losses
        >>> from multikeras.losses.wrapper import LossFunctionWrapper
        >>> float(LossFunctionWrapper(losses.mean_squared_error)([[1.0]], [[3.0]]))
        4.0
    """

    # Settings that a config always shows, and those it shows where they are not the default.
    shown: ClassVar[tuple[str, ...]] = ()
    shown_if_set: ClassVar[dict[str, Any]] = {}

    def __init__(
        self,
        fn: Callable,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def __getattr__(self, name: str) -> Any:
        # `loss.delta`, `loss.from_logits`: the settings are readable as attributes.
        settings = self.__dict__.get("_fn_kwargs", {})
        if name in settings:
            return settings[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """`fn(y_true, y_pred)`, ranks made equal."""
        if hasattr(y_pred, "shape") and hasattr(y_true, "shape"):
            y_true, y_pred = squeeze_or_expand(y_true, y_pred)
        else:
            pairs = tree.map_structure_up_to(y_true, squeeze_or_expand, y_true, y_pred)
            y_true, y_pred = (
                tree.map_structure_up_to(y_true, operator.itemgetter(side), pairs)
                for side in (0, 1)
            )
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        settings = super().get_config()
        if type(self) is LossFunctionWrapper:
            return {**settings, "fn": serialization.serialize_keras_object(self.fn),
                    **serialization.serialize_keras_object(self._fn_kwargs)}  # fmt: skip
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
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """A loss from what `get_config` gave."""
        if isinstance(config.get("fn"), dict):
            config = {**config, "fn": serialization.deserialize_keras_object(config["fn"])}
        return cls(**config)

    def __repr__(self) -> str:
        settings = ", ".join(f"{key}={value!r}" for key, value in self._fn_kwargs.items())
        return f"<{type(self).__name__}({settings})>"


def pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions as tensors of the predictions' dtype and of one rank."""
    from_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, from_pred.dtype)
    if len(y_true.shape) == len(from_pred.shape):
        return y_true, from_pred
    return squeeze_or_expand(y_true, from_pred)
