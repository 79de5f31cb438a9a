"""`TimeDistributed`: the same layer for every step of time. Refused: inputs of rank below 3."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry, tree
from multikeras.layers.call_context import calls
from multikeras.layers.core.wrapper import Wrapper
from multikeras.layers.input_spec import InputSpec


@registry.expose("keras.layers")
class TimeDistributed(Wrapper):
    """Applies a layer or model to every step of a sequence, all at once.

    Args:
        layer: the layer inside; it sees batches of `batch * time` samples.

    Input: `(batch, time, ...)`. Output: `(batch, time, *output of the layer)`.

    Raises:
        ValueError: for an input of rank below 3.

    Example:
        >>> import multikeras as keras
        >>> layer = keras.layers.TimeDistributed(keras.layers.Dense(4))
        >>> layer(keras.ops.ones((2, 7, 3))).shape == (2, 7, 4)
        True
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True
        # Integers go to an Embedding inside as they are; casting is the inner layer's affair.
        self._casts_inputs = self._casts_inputs and layer._casts_inputs
        self.input_spec = InputSpec(min_ndim=3 if _wants_features(layer) else 2)

    def _inner_shape(self, input_shape: Any) -> tuple:
        batch, steps = input_shape[:2]
        total = None if batch is None or steps is None else batch * steps
        return (total, *input_shape[2:])

    def build(self, input_shape: Any = None) -> None:
        """Builds the layer for single steps."""
        if len(input_shape) < 2:
            raise ValueError(
                f"{self._who()}: expected an input (batch, time, ...), got {input_shape}."
            )
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The layer's outputs for all steps.

        Args:
            inputs: `(batch, time, ...)`.
            training: inherited by the layer.
            mask: bool; `(batch, time, ...)`, of which the layer sees what belongs to a step.
        """
        steps = self._merge_steps(inputs)
        context = calls.context
        if mask is not None and context is not None and self._mask_is_for_steps(inputs, mask):
            context.set_mask(steps, self._merge_steps(mask))
        outputs = self.layer(steps)
        batch, time = ops.shape(inputs)[:2]
        return tree.map_structure(
            lambda y: ops.reshape(y, (batch, time, *ops.shape(y)[1:])), outputs
        )

    def _merge_steps(self, x: Any) -> Any:
        """(batch, time, ...) to (batch * time, ...)."""
        shape = ops.shape(x)
        return ops.reshape(x, (shape[0] * shape[1], *shape[2:]))

    def _mask_is_for_steps(self, inputs: Any, mask: Any) -> bool:
        """Whether what the mask says of one step is what a layer expects for its input."""
        return len(mask.shape) > 2 or len(inputs.shape) == 3

    def compute_output_shape(self, input_shape: Any) -> Any:
        """`(batch, time, *output of the layer)`."""
        inner = self.layer.compute_output_shape(self._inner_shape(input_shape))
        return tree.map_shape_structure(lambda s: (*input_shape[:2], *s[1:]), inner)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask that the layer makes of each step, or else which steps are not masked."""
        if self.layer._makes_masks:
            steps = self._merge_steps(inputs)
            inner = None if mask is None else self._merge_steps(mask)
            made = self.layer.compute_mask(steps, inner)
            if made is not None and not isinstance(made, (list, tuple)):
                batch, time = ops.shape(inputs)[:2]
                return ops.reshape(made, (batch, time, *ops.shape(made)[1:]))
        while mask is not None and len(mask.shape) > 2:
            mask = ops.any(mask, axis=-1)
        return mask


def _wants_features(layer: Any) -> bool:
    """Whether a step must have features of its own: not for layers of single integers."""
    return bool(layer._casts_inputs)
