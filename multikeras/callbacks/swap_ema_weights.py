"""`SwapEMAWeights`: evaluates a model with the moving averages of its weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from multikeras.callbacks.callback import Callback


class SwapEMAWeights(Callback):
    """Puts the optimizer's moving averages into the model for the time of an evaluation.

    The optimizer must be made with `use_ema=True`.

    Args:
        swap_on_epoch: whether the averages stay in the model from the end of an epoch to the
            beginning of the next one, so that callbacks after this one (a `ModelCheckpoint`)
            see them too. By default they are there in validations, evaluations and predictions
            only.

    Raises:
        ValueError: in training, if the optimizer keeps no averages.

    Example:
        >>> callback = SwapEMAWeights(swap_on_epoch=True)
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._trained: list[tuple[Any, np.ndarray]] | None = None

    def _averages(self) -> list[tuple[Any, Any]]:
        optimizer: Any = getattr(self.model, "optimizer", None)
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if not getattr(optimizer, "use_ema", False):
            raise ValueError(
                "SwapEMAWeights needs an optimizer made with use_ema=True; got "
                f"{type(optimizer).__name__} without."
            )
        pairs = zip(optimizer._trainable_variables, optimizer._averages, strict=False)
        return [(variable, average) for variable, average in pairs if average is not None]

    def _put_averages(self) -> None:
        if self._trained is not None:
            return
        pairs = self._averages()
        self._trained = [(variable, np.array(variable.numpy())) for variable, _ in pairs]
        for variable, average in pairs:
            variable.assign(average.value)

    def _put_trained(self) -> None:
        for variable, value in self._trained or ():
            variable.assign(value)
        self._trained = None

    def get_state(self) -> dict[str, Any]:
        return {"trained": None if self._trained is None else [value for _, value in self._trained]}

    def set_state(self, state: dict[str, Any]) -> None:
        self._trained = None
        if state["trained"] is not None:
            pairs = zip(self._averages(), state["trained"], strict=True)
            self._trained = [(variable, np.array(value)) for (variable, _), value in pairs]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._trained = None
        self._averages()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._put_trained()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.swap_on_epoch:
            self._put_averages()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        # The optimizer leaves the averages in the model when training ends.
        self._trained = None

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._put_averages()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        self._put_trained()

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._put_averages()

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        self._put_trained()
