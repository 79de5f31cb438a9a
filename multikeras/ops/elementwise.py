"""Functions applied element by element, with broadcasting."""

from __future__ import annotations

from typing import Any

from multikeras.ops import rules
from multikeras.ops._declare import op


@op(rules.elementwise())
def add(x1: Any, x2: Any) -> Any:
    """Sum, element by element.

    Args:
        x1, x2: tensors of shapes that broadcast; they promote to one dtype.

    Example:
        >>> import multikeras as keras
        >>> keras.ops.convert_to_numpy(keras.ops.add([1, 2], 0.5)).tolist()
        [1.5, 2.5]
    """
