"""Python's operators on `KerasTensor` and `Variable`: `x + 1`, `-x`, `x[..., 0]`, `x < y`.

Importing this module installs them. `==` on a Variable compares values and gives a tensor;
Variables stay hashable by identity, so they can be keys, but `variable in a_list` is refused by
the truth value of such a tensor: compare with `is`. `==` on a KerasTensor is identity, as there
are no values to compare; `!=` gives a symbolic tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from multikeras.ops._declare import REGISTRY
from multikeras.symbolic import KerasTensor
from multikeras.variables import Variable

_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "pow": "power",
    "matmul": "matmul",
    "and": "logical_and",
    "or": "logical_or",
    "xor": "logical_xor",
}
_COMPARISONS = {
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
_UNARY = {"neg": "negative", "abs": "absolute", "invert": "logical_not"}


def _operator(name: str, reflected: bool = False) -> Callable[[Any, Any], Any]:
    # Looked up when first used: some of these ops are declared after this module is imported.
    def method(self: Any, other: Any) -> Any:
        if other is None:
            return NotImplemented
        call = REGISTRY[name].public
        return call(other, self) if reflected else call(self, other)

    return method


def _unary(name: str) -> Callable[[Any], Any]:
    return lambda self: REGISTRY[name].public(self)


def _get_item(self: Any, key: Any) -> Any:
    return REGISTRY["get_item"].public(self, key)


def _round(self: Any, ndigits: int | None = None) -> Any:
    return REGISTRY["round"].public(self, ndigits or 0)


def _reshape(self: KerasTensor, newshape: Any) -> Any:
    """The tensor in another shape; see `multikeras.ops.reshape`."""
    return REGISTRY["reshape"].public(self, newshape)


def _squeeze(self: KerasTensor, axis: Any = None) -> Any:
    """The tensor without dimensions of size 1; see `multikeras.ops.squeeze`."""
    return REGISTRY["squeeze"].public(self, axis)


def _no_truth(self: Variable) -> bool:
    if self.shape:
        raise TypeError(
            f"{self!r} has no truth value: it has {self.shape} elements. "
            "Use multikeras.ops.any or multikeras.ops.all."
        )
    return bool(self.numpy())


def _length(self: Variable) -> int:
    if not self.shape:
        raise TypeError(f"{self!r} is a scalar: it has no length.")
    return self.shape[0]


def _iterate(self: Variable) -> Iterator[Any]:
    return (_get_item(self, i) for i in range(_length(self)))


_BOTH: dict[str, Any] = {
    "__getitem__": _get_item,
    "__round__": _round,
    "__array_priority__": 1000,  # arrays on the left give way
}
_OF_SYMBOLIC: dict[str, Any] = {
    "__pos__": lambda self: self,
    "reshape": _reshape,
    "squeeze": _squeeze,
}
_OF_VARIABLES: dict[str, Any] = {
    "__eq__": _operator("equal"),
    "__pos__": lambda self: self.value,
    "__bool__": _no_truth,
    "__len__": _length,
    "__iter__": _iterate,
    "__float__": lambda self: float(self.numpy()),
    "__int__": lambda self: int(self.numpy()),
}


def _install() -> None:
    for cls in (KerasTensor, Variable):
        for python, name in _BINARY.items():
            setattr(cls, f"__{python}__", _operator(name))
            setattr(cls, f"__r{python}__", _operator(name, reflected=True))
        for python, name in _COMPARISONS.items():
            setattr(cls, f"__{python}__", _operator(name))
        for python, name in _UNARY.items():
            setattr(cls, f"__{python}__", _unary(name))
        for name, method in _BOTH.items():
            setattr(cls, name, method)
    for name, method in _OF_SYMBOLIC.items():
        setattr(KerasTensor, name, method)
    for name, method in _OF_VARIABLES.items():
        setattr(Variable, name, method)


_install()
