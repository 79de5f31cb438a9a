"""`Constraint`: the base class of projections applied to weights after each update."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry


@registry.expose("keras", aliases=("keras.constraints.Constraint",))
class Constraint:
    """Maps a weight to an allowed one: call it with a tensor to get one of the same shape.

    Subclasses override `__call__` and, to be saved with arguments, `get_config`.

    Example:
        >>> from multikeras import constraints, ops
        >>> class Halved(constraints.Constraint):
        ...     def __call__(self, w):
        ...         return ops.multiply(w, 0.5)
        >>> ops.convert_to_numpy(Halved()(ops.convert_to_tensor([2.0]))).tolist()
        [1.0]
    """

    def __call__(self, w: Any) -> Any:
        """The projection of the weight `w`.

        Raises:
            NotImplementedError: if the subclass has none.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement __call__(w).")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        """A constraint from what `get_config` gave."""
        return cls(**config)


def norms(w: Any, axis: Any) -> Any:
    """Euclidean norms of `w` along `axis`, kept as dimensions of length 1."""
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))
