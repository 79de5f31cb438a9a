"""`Merge`: what `Add`, `Multiply` and the like share."""

from __future__ import annotations

import functools
from typing import Any

from multikeras import ops, shapes
from multikeras.layers.layer import Layer


class Merge(Layer):
    """Combines a list of inputs element by element, with broadcasting over samples.

    Raises:
        ValueError: for anything but a list of at least one input, or shapes that don't fit.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Checks that the shapes fit."""
        self.compute_output_shape(input_shape)

    def _merge_two(self, first: Any, second: Any) -> Any:
        raise NotImplementedError(f"{self._who()} has no _merge_two().")

    def call(self, inputs: Any) -> Any:
        """The combination of all inputs."""
        self._require_list(inputs)
        rank = max(len(x.shape) for x in inputs)
        return functools.reduce(self._merge_two, (_with_rank(x, rank) for x in inputs))

    def _require_list(self, inputs: Any) -> None:
        if not isinstance(inputs, (list, tuple)) or not inputs:
            raise ValueError(f"{self._who()}: expected a list of inputs, got {inputs!r}.")

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """The shape that all broadcast to."""
        if not isinstance(input_shape, (list, tuple)) or not all(
            isinstance(s, (list, tuple)) for s in input_shape
        ):
            raise ValueError(
                f"{self._who()}: expected a list of inputs, got the shape {input_shape}."
            )
        rank = max(len(shape) for shape in input_shape)
        full = [tuple(s[:1]) + (1,) * (rank - len(s)) + tuple(s[1:]) for s in input_shape]
        try:
            return shapes.broadcast(*full)
        except ValueError as error:
            raise ValueError(f"{self._who()}: {error}") from None

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where all masks are True."""
        if mask is None or not isinstance(mask, (list, tuple)):
            return None
        given = [m for m in mask if m is not None]
        return functools.reduce(ops.logical_and, given) if given else None


def _with_rank(x: Any, rank: int) -> Any:
    """`x` with dimensions of 1 put in after the batch."""
    for _ in range(rank - len(x.shape)):
        x = ops.expand_dims(x, 1)
    return x
