"""`NonNeg`: weights that are not negative."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.constraints.constraint import Constraint


@registry.expose("keras.constraints")
class NonNeg(Constraint):
    """Sets negative weights to zero.

    Example:
        >>> from multikeras import constraints, ops
        >>> ops.convert_to_numpy(constraints.NonNeg()(ops.convert_to_tensor([-1.0, 2.0]))).tolist()
        [0.0, 2.0]
    """

    def __call__(self, w: Any) -> Any:
        return ops.maximum(ops.convert_to_tensor(w), 0)
