"""Checks of argument shapes that all backends share, where a framework would broadcast silently.

Shapes are tuples; a dimension of None fits every other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def fits(first: Sequence[int | None], second: Sequence[int | None]) -> bool:
    """Whether two shapes are equal as far as they are known."""
    return len(first) == len(second) and all(
        a is None or b is None or a == b for a, b in zip(first, second)
    )


def same_shape(who: str, target: Any, output: Any) -> None:
    """Refuses a target whose shape is not that of the output.

    Raises:
        ValueError: naming `who` and both shapes.
    """
    if target.shape != output.shape and not fits(target.shape, output.shape):
        raise ValueError(
            f"{who}: target and output must have the same shape, got "
            f"{tuple(target.shape)} and {tuple(output.shape)}."
        )


def label_shape(target: Any, output: Any, axis: int) -> bool:
    """Whether integer labels keep a class axis of size 1, which is to be dropped.

    Raises:
        ValueError: if the labels' shape is not that of `output` without its class axis.
    """
    shape, wanted = tuple(target.shape), list(output.shape)
    if not -len(wanted) <= axis < len(wanted):
        raise ValueError(
            f"sparse_categorical_crossentropy: axis {axis} is out of bounds for output of shape "
            f"{tuple(wanted)}."
        )
    axis %= len(wanted)
    extra = len(shape) == len(wanted) and shape[axis] in (1, None)
    if extra:
        shape = shape[:axis] + shape[axis + 1 :]
    del wanted[axis]
    if not fits(shape, wanted):
        raise ValueError(
            "sparse_categorical_crossentropy: target must have the shape of output without its "
            f"class axis, {tuple(wanted)}; got {tuple(target.shape)}."
        )
    return extra
