"""`Concatenate`."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry, shapes
from multikeras.layers.merging.merge import Merge


@registry.expose("keras.layers")
class Concatenate(Merge):
    """Puts a list of inputs one after another along an axis.

    Args:
        axis: the axis; all others must agree.

    Raises:
        ValueError: if they don't.

    Example:
        >>> import multikeras as keras
        >>> x = keras.ops.ones((1, 2))
        >>> keras.layers.Concatenate()([x, x]).shape == (1, 4)
        True
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        """The inputs, one after another."""
        self._require_list(inputs)
        return ops.concatenate(list(inputs), axis=self.axis)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """The shape with the sizes along the axis added up."""
        if not isinstance(input_shape, (list, tuple)) or not all(
            isinstance(s, (list, tuple)) for s in input_shape
        ):
            raise ValueError(
                f"{self._who()}: expected a list of inputs, got the shape {input_shape}."
            )
        first = tuple(input_shape[0])
        axis = shapes.normalize_axis(self.axis, len(first), self._who())
        for shape in input_shape[1:]:
            if len(shape) != len(first) or any(
                i != axis and a is not None and b is not None and a != b
                for i, (a, b) in enumerate(zip(first, shape))
            ):
                raise ValueError(
                    f"{self._who()}: expected shapes that differ in axis {self.axis} alone, got "
                    f"{[tuple(s) for s in input_shape]}."
                )
        sizes = [shape[axis] for shape in input_shape]
        total = None if None in sizes else sum(sizes)
        return tuple(total if i == axis else dim for i, dim in enumerate(first))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks, one after another; True for inputs that have none."""
        if not isinstance(mask, (list, tuple)) or all(m is None for m in mask):
            return None
        parts = []
        for x, m in zip(inputs, mask, strict=True):
            if m is None:
                m = ops.ones_like(x, dtype="bool")
            while len(m.shape) < len(x.shape):
                m = ops.expand_dims(m, -1)
            parts.append(ops.broadcast_to(m, ops.shape(x)))
        return ops.all(ops.concatenate(parts, axis=self.axis), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"axis": self.axis}


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """The inputs one after another; see `Concatenate`.

    Example:
        >>> import multikeras as keras
        >>> x = keras.ops.ones((2, 3))
        >>> keras.layers.concatenate([x, x], axis=-1).shape == (2, 6)
        True
    """
    return Concatenate(axis=axis, **kwargs)(inputs)
