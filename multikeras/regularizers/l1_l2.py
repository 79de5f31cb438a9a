"""The penalties on absolute values (L1), on squares (L2), and on both."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.regularizers.regularizer import Regularizer, coefficient


@registry.expose("keras.regularizers")
class L1(Regularizer):
    """`l1 * sum(abs(x))`: drives weights to exactly zero.

    Args:
        l1: the factor, not negative.

    Raises:
        ValueError: for a negative or non-finite factor.

    Example:
        >>> from multikeras import ops, regularizers
        >>> float(regularizers.L1(0.5)(ops.convert_to_tensor([1.0, -3.0])))
        2.0
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = coefficient("L1", "l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> Any:
        return ops.multiply(self.l1, ops.sum(ops.abs(x)))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"l1": self.l1}


@registry.expose("keras.regularizers")
class L2(Regularizer):
    """`l2 * sum(x ** 2)`: keeps weights small.

    Args:
        l2: the factor, not negative.

    Raises:
        ValueError: for a negative or non-finite factor.

    Example:
        >>> from multikeras import ops, regularizers
        >>> float(regularizers.L2(0.5)(ops.convert_to_tensor([1.0, -3.0])))
        5.0
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = coefficient("L2", "l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        return ops.multiply(self.l2, ops.sum(ops.square(x)))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"l2": self.l2}


@registry.expose("keras.regularizers")
class L1L2(Regularizer):
    """`l1 * sum(abs(x)) + l2 * sum(x ** 2)`.

    Args:
        l1: the factor of the absolute values, not negative.
        l2: the factor of the squares, not negative.

    Raises:
        ValueError: for a negative or non-finite factor.

    Example:
        >>> from multikeras import ops, regularizers
        >>> float(regularizers.L1L2(l1=0.5, l2=0.5)(ops.convert_to_tensor([1.0, -3.0])))
        7.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = coefficient("L1L2", "l1", 0.0 if l1 is None else l1)
        self.l2 = coefficient("L1L2", "l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        x = ops.convert_to_tensor(x)
        penalty = ops.zeros((), dtype=x.dtype)
        if self.l1:
            penalty = ops.add(penalty, ops.multiply(self.l1, ops.sum(ops.abs(x))))
        if self.l2:
            penalty = ops.add(penalty, ops.multiply(self.l2, ops.sum(ops.square(x))))
        return penalty

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"l1": self.l1, "l2": self.l2}
