"""Checks of argument shapes that all backends share, where a framework would broadcast silently.

Shapes are tuples; a dimension of None fits every other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


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


def rank(who: str, name: str, x: Any, dims: str) -> None:
    """Refuses a tensor without one dimension for each word of `dims`.

    Raises:
        ValueError: naming `who`, the argument and its shape.
    """
    if len(x.shape) != dims.count(",") + 1:
        raise ValueError(f"{who}: `{name}` must have shape ({dims}), got {tuple(x.shape)}.")


def class_number(who: str, name: str, value: Any, classes: int | None) -> None:
    """Refuses what is no class in [0, `classes`).

    Raises:
        ValueError: naming `who`, the argument and its value.
    """
    integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not integer or value < 0 or (classes is not None and value >= classes):
        raise ValueError(
            f"{who}: `{name}` must be the number of one of the {classes} classes, got {value!r}."
        )


def ctc_loss(
    target: Any, output: Any, target_length: Any, output_length: Any, mask_index: Any
) -> None:
    """Refuses tensors of wrong ranks, and a blank that is no class.

    Raises:
        ValueError: naming the argument.
    """
    rank("ctc_loss", "target", target, "batch, labels")
    rank("ctc_loss", "output", output, "batch, steps, classes")
    rank("ctc_loss", "target_length", target_length, "batch")
    rank("ctc_loss", "output_length", output_length, "batch")
    class_number("ctc_loss", "mask_index", mask_index, output.shape[2])
