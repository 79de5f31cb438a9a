"""`Losses`: what layers add to the loss of the call that is running."""

from __future__ import annotations

from typing import Any

from multikeras import tree
from multikeras.backends import native
from multikeras.layers.call_context import calls
from multikeras.layers.tracking import Tracked
from multikeras.symbolic import KerasTensor

core = native.core


class Losses(Tracked):
    """The losses of `Layer`."""

    def add_loss(self, loss: Any) -> None:
        """Adds scalar tensors to the loss of the call that is running.

        Args:
            loss: a scalar tensor or a list of them.
        """
        for value in tree.flatten(loss):
            if isinstance(value, KerasTensor) and calls.context is not None:
                continue  # a symbolic run of call(): the loss comes with real calls
            if callable(value) and not core.is_tensor(value):
                value = value()
            self._losses.append(value)
        if calls.context is not None:
            calls.context.touched.append(self)

    @property
    def losses(self) -> list[Any]:
        """Losses of the last call and of the weights' regularizers."""
        found = [loss for layer in self._flatten_layers() for loss in layer._losses]
        return found + [
            v.regularizer(v.value) for v in self.trainable_weights if v.regularizer is not None
        ]

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()
