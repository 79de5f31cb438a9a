"""`PiecewiseConstantDecay`: one rate per interval of steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from multikeras import dtypes, ops, registry
from multikeras.optimizers.schedules.learning_rate_schedule import LearningRateSchedule


@registry.expose("keras.optimizers.schedules")
class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to and with step `boundaries[0]`, then `values[1]`, and so on.

    Args:
        boundaries: rising step numbers.
        values: the rates, one more than boundaries.
        name: the schedule's name.

    Raises:
        ValueError: if the lengths don't fit.

    Example:
        >>> from multikeras import optimizers
        >>> rate = optimizers.schedules.PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.25])
        >>> float(rate(10)), float(rate(11)), float(rate(21))
        (1.0, 0.5, 0.25)
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay: there must be one value more than boundaries; got "
                f"{len(boundaries)} boundaries and {len(values)} values."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = ops.convert_to_tensor(step)
        rate = ops.convert_to_tensor(float(self.values[0]), dtypes.floatx())
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = ops.where(ops.greater(step, boundary), float(value), rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}
