"""`KerasTensor`: a tensor's shape and dtype without its values.

Its operators (`x + 1`, `x[..., 0]`) are installed by `ops`. Whatever would need values
(`float(x)`, `if x:`, iterating over an unknown dimension) is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from multikeras import dtypes, registry, shapes, tree
from multikeras.variables import auto_name

if TYPE_CHECKING:
    from multikeras.variables import Operators
else:
    Operators = object


@registry.expose("keras")
class KerasTensor(Operators):
    """A symbolic tensor, as `Input` and calls on symbolic tensors return.

    Args:
        shape: dimensions, None where unknown.
        dtype: default "float32".
        sparse, ragged: only False is supported.
        record_history: kept for compatibility.
        name: default: a unique one.

    Example:
        >>> KerasTensor((None, 3)).shape
        (None, 3)
    """

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.shape = shapes.standardize_shape(shape)
        self.dtype = dtypes.standardize_dtype(dtype)
        self.sparse = bool(sparse)
        self.ragged = bool(ragged)
        self._name = name
        # (operation, index of the node, index of the tensor) of the call that made it.
        self.keras_history: Any = None
        # The metric object whose call gave it.
        self.metric: Any = None

    @property
    def name(self) -> str:
        """The tensor's name."""
        if self._name is None:
            self._name = auto_name("keras_tensor")
        return self._name

    @property
    def ndim(self) -> int:
        """Rank."""
        return len(self.shape)

    if TYPE_CHECKING:  # installed by `ops.operators`

        def reshape(self, newshape: Any) -> Any: ...
        def squeeze(self, axis: Any = None) -> Any: ...

    @property
    def ragged_rank(self) -> None:
        """None: not ragged."""
        return None

    @property
    def row_splits_dtype(self) -> None:
        """None: not ragged."""
        return None

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"{self!r} has no known length.")
        return self.shape[0]

    def __iter__(self) -> Any:
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"Can't iterate over {self!r}: its first dimension is unknown.")
        return (self[i] for i in range(self.shape[0]))

    def _refuse(self, wanted: str) -> Any:
        raise ValueError(
            f"{self!r} is symbolic: it has no {wanted}. Use multikeras.ops, which take symbolic "
            "tensors, or put the code into a layer's call()."
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        self._refuse("values for NumPy")

    def __bool__(self) -> bool:
        return self._refuse("truth value")

    def __float__(self) -> float:
        return self._refuse("value")

    def __int__(self) -> int:
        return self._refuse("value")

    def __index__(self) -> int:
        return self._refuse("value")

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    __hash__ = object.__hash__


def any_symbolic(args: Any, kwargs: Any = None) -> bool:
    """Whether a KerasTensor stands anywhere in (nested) arguments."""
    for value in (*args, *kwargs.values()) if kwargs else args:
        if isinstance(value, KerasTensor):
            return True
        if isinstance(value, (list, tuple, dict)) and any(
            isinstance(leaf, KerasTensor) for leaf in tree.flatten(value)
        ):
            return True
    return False
