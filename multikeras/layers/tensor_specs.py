"""Shapes and dtypes of tensors and KerasTensors, in structures too."""

from __future__ import annotations

from typing import Any

from multikeras import tree
from multikeras.backends import native
from multikeras.symbolic import KerasTensor

core = native.core


def shape_of(tensor: Any) -> tuple:
    """The static shape of a tensor or KerasTensor."""
    return tensor.shape if isinstance(tensor, KerasTensor) else core.shape(tensor)


def dtype_name(tensor: Any) -> str:
    """The dtype of a tensor or KerasTensor."""
    return tensor.dtype if isinstance(tensor, KerasTensor) else core.dtype_name(tensor)


def shapes_of(value: Any) -> Any:
    """The shapes of a structure of tensors."""
    if hasattr(value, "shape"):
        return tuple(shape_of(value))
    return tree.map_structure(
        lambda leaf: tuple(shape_of(leaf)) if hasattr(leaf, "shape") else None, value
    )
