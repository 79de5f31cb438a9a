"""`UnitNorm`: weight vectors of length one."""

from __future__ import annotations

from typing import Any

from multikeras import config, ops, registry
from multikeras.constraints.constraint import Constraint, norms


@registry.expose("keras.constraints")
class UnitNorm(Constraint):
    """Scales each weight vector to norm 1.

    Args:
        axis: the axis (or axes) along which a vector runs: 0 for the kernel of `Dense`,
            `[0, 1, 2]` for that of `Conv2D`.

    Example:
        >>> from multikeras import constraints, ops
        >>> w = ops.convert_to_tensor([[3.0], [4.0]])
        >>> ops.convert_to_numpy(constraints.UnitNorm()(w)).round(3).tolist()
        [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        return ops.divide(w, ops.add(config.epsilon(), norms(w, self.axis)))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"axis": self.axis}
