"""`Add` and `Multiply`."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.layers.merging.merge import Merge


@registry.expose("keras.layers")
class Add(Merge):
    """The sum of a list of inputs.

    Example:
        >>> import multikeras as keras
        >>> x = keras.ops.ones((1, 2))
        >>> keras.ops.convert_to_numpy(keras.layers.Add()([x, x, x])).tolist()
        [[3.0, 3.0]]
    """

    def _merge_two(self, first: Any, second: Any) -> Any:
        return ops.add(first, second)


@registry.expose("keras.layers")
class Multiply(Merge):
    """The product of a list of inputs, element by element.

    Example:
        >>> import multikeras as keras
        >>> x = keras.ops.full((1, 2), 3.0)
        >>> keras.ops.convert_to_numpy(keras.layers.Multiply()([x, x])).tolist()
        [[9.0, 9.0]]
    """

    def _merge_two(self, first: Any, second: Any) -> Any:
        return ops.multiply(first, second)


def add(inputs: Any, **kwargs: Any) -> Any:
    """The sum of a list of inputs; see `Add`.

    Example:
        >>> import multikeras as keras
        >>> x = keras.ops.ones((2, 3))
        >>> keras.ops.convert_to_numpy(keras.layers.add([x, x])).tolist()
        [[2.0, 2.0, 2.0], [2.0, 2.0, 2.0]]
    """
    return Add(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """The product of a list of inputs; see `Multiply`.

    Example:
        >>> import multikeras as keras
        >>> x = keras.ops.full((1, 2), 3.0)
        >>> keras.ops.convert_to_numpy(keras.layers.multiply([x, x])).tolist()
        [[9.0, 9.0]]
    """
    return Multiply(**kwargs)(inputs)
