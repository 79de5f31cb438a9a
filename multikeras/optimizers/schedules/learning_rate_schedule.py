"""`LearningRateSchedule`: a learning rate as a function of the step."""

from __future__ import annotations

from typing import Any

from multikeras import dtypes, ops, registry


@registry.expose("keras.optimizers.schedules")
class LearningRateSchedule:
    """Base class of schedules: subclasses implement `__call__(step)` and `get_config`.

    Example:
        >>> from multikeras import ops, optimizers
        >>> class Half(optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return ops.divide(1.0, ops.add(ops.cast(step, "float32"), 1.0))
        >>> float(Half()(3))
        0.25
    """

    def __call__(self, step: Any) -> Any:
        """The learning rate of step number `step` (from 0), a scalar tensor.

        Raises:
            NotImplementedError: if the subclass has none.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement __call__(step).")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments.

        Raises:
            NotImplementedError: if the subclass has none.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no get_config(): without it a schedule can't be saved."
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """A schedule from what `get_config` gave."""
        return cls(**config)


def scalars(*values: Any) -> list[Any]:
    """Tensors of one float dtype, that of the first value."""
    first = ops.convert_to_tensor(values[0])
    if not dtypes.is_float_dtype(ops.dtype(first)):
        first = ops.cast(first, dtypes.floatx())
    return [first, *(ops.cast(value, ops.dtype(first)) for value in values[1:])]


def check_positive(owner: str, name: str, value: Any) -> None:
    """Refuses a number of steps that is not positive.

    Raises:
        ValueError: for such a number.
    """
    if value <= 0:
        raise ValueError(f"{owner}: `{name}` must be greater than 0; got {value!r}.")
