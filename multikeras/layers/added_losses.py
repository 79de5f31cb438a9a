"""`Losses`: what layers add to the loss: values of the running call, and functions of weights.

Refused with the layer's name: symbolic tensors outside of a call, which only a functional model
can trace back to its inputs.
"""

from __future__ import annotations

from typing import Any

from multikeras import ops, tree
from multikeras.backends import native
from multikeras.layers.call_context import calls, metric_behind
from multikeras.layers.tracking import Tracked
from multikeras.metrics.metric import Metric
from multikeras.symbolic import KerasTensor

core = native.core


class Losses(Tracked):
    """The losses of `Layer`."""

    def add_loss(self, losses: Any = None, **kwargs: Any) -> None:
        """Adds to the loss that training minimizes.

        In `call`, tensors that may depend on the inputs: they count for this call. Anywhere, a
        function without arguments, for what depends on weights alone: it is called whenever the
        loss is computed; it is not part of the configuration. On a functional model also
        symbolic tensors of its graph.

        Args:
            losses: a scalar tensor, a function that gives one, or a list of these.
            loss: another name of `losses`.
            inputs: accepted and ignored.

        Raises:
            ValueError: for a symbolic tensor outside of `call`, unless this is a functional
                model.

        Example:
            >>> import multikeras as keras
            >>> class Watched(keras.layers.Layer):
            ...     def call(self, x):
            ...         self.add_loss(keras.ops.abs(keras.ops.mean(x)))
            ...         return x
            >>> layer = Watched()
            >>> _ = layer(keras.ops.ones((10, 1)))
            >>> [float(loss) for loss in layer.losses]
            [1.0]
        """
        losses = kwargs.pop("loss", losses)
        kwargs.pop("inputs", None)
        if kwargs:
            raise TypeError(
                f"{self._who()}.add_loss: unknown argument(s) {', '.join(map(repr, kwargs))}."
            )
        context = calls.context
        for value in tree.flatten(losses):
            if isinstance(value, KerasTensor):
                if context is None:
                    raise ValueError(
                        f"{self._who()}.add_loss: expected a tensor or a function without "
                        f"arguments, got the symbolic {value!r} outside of call(); only a "
                        "functional model takes those, of its own graph."
                    )
                continue  # a symbolic run of call(): the loss comes with real calls
            if callable(value) and not core.is_tensor(value):
                if context is None or self._weight_list == "open":  # not in call(): for good
                    self._loss_functions.append(value)
                    continue
                value = value()
            self._losses.append(value if core.is_tensor(value) else ops.convert_to_tensor(value))
        if context is not None:
            context.touched.append(self)

    @property
    def losses(self) -> list[Any]:
        """Losses of the last call, of the functions given to `add_loss`, and of the weights'
        regularizers; the latter two are computed anew each time, so gradients flow through them.
        """
        layers = self._flatten_layers()
        found = [loss for layer in layers for loss in layer._losses]
        found += [fn() for layer in layers for fn in layer._loss_functions]
        return found + [
            v.regularizer(v.value) for v in self.trainable_weights if v.regularizer is not None
        ]

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()

    def _metric_behind(self, value: Any) -> Metric | None:
        return metric_behind(value)
