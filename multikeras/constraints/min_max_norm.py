"""`MinMaxNorm`: weight vectors whose length lies between two bounds."""

from __future__ import annotations

from typing import Any

from multikeras import config, ops, registry
from multikeras.constraints.constraint import Constraint, norms


@registry.expose("keras.constraints")
class MinMaxNorm(Constraint):
    """Scales each weight vector so that its norm moves to between two bounds.

    Args:
        min_value: the least norm.
        max_value: the greatest norm.
        rate: how much of the way is gone at each update: 1.0 for all of it, so that the norm
            is within the bounds at once; less for a gentle pull.
        axis: the axis (or axes) along which a vector runs.

    Example:
        >>> from multikeras import constraints, ops
        >>> w = ops.convert_to_tensor([[0.3], [0.4]])
        >>> ops.convert_to_numpy(constraints.MinMaxNorm(1.0, 2.0)(w)).round(3).tolist()
        [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        length = norms(w, self.axis)
        wanted = ops.add(
            ops.multiply(self.rate, ops.clip(length, self.min_value, self.max_value)),
            ops.multiply(1 - self.rate, length),
        )
        return ops.multiply(w, ops.divide(wanted, ops.add(config.epsilon(), length)))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }
