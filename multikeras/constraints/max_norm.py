"""`MaxNorm`: weight vectors no longer than a given length."""

from __future__ import annotations

from typing import Any

from multikeras import config, ops, registry
from multikeras.constraints.constraint import Constraint, norms


@registry.expose("keras.constraints")
class MaxNorm(Constraint):
    """Shortens each weight vector whose norm exceeds `max_value`
    (Srivastava et al., 2014).

    Args:
        max_value: the greatest norm.
        axis: the axis (or axes) along which a vector runs: 0 for the kernel of `Dense`,
            `[0, 1, 2]` for that of `Conv2D`.

    Example:
        >>> from multikeras import constraints, ops
        >>> w = ops.convert_to_tensor([[3.0], [4.0]])
        >>> ops.convert_to_numpy(constraints.MaxNorm(1)(w)).round(3).tolist()
        [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        length = norms(w, self.axis)
        wanted = ops.clip(length, 0, self.max_value)
        return ops.multiply(w, ops.divide(wanted, ops.add(config.epsilon(), length)))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"max_value": self.max_value, "axis": self.axis}
