"""`Regularizer`: the base class of penalties on weights."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry


@registry.expose("keras", aliases=("keras.regularizers.Regularizer",))
class Regularizer:
    """A penalty on a tensor: call it to get a scalar that joins the loss.

    Subclasses override `__call__` and, to be saved, `get_config`.

    Example:
        >>> from multikeras import ops, regularizers
        >>> class Largest(regularizers.Regularizer):
        ...     def __call__(self, x):
        ...         return ops.max(ops.abs(x))
        >>> float(Largest()(ops.convert_to_tensor([1.0, -3.0])))
        3.0
    """

    def __call__(self, x: Any) -> Any:
        """The penalty for `x`, a scalar tensor; the base class has none and gives 0.0."""
        return 0.0

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """A regularizer from what `get_config` gave."""
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments.

        Raises:
            NotImplementedError: if the subclass has none.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no get_config(): without it a regularizer can't be saved."
        )


def coefficient(owner: str, name: str, value: Any) -> float:
    """A finite number that may not be negative, as a Python float.

    Raises:
        ValueError: for anything else.
    """
    try:
        number = float(ops.convert_to_numpy(value) if ops.is_tensor(value) else value)
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(value, (str, bool)) or not 0.0 <= number < float("inf"):
        raise ValueError(
            f"{owner}: `{name}` must be a finite number that is not negative; got {value!r}."
        )
    return number
