"""Symbolic tensors, the operations that link them, and the graph `Function`."""

from multikeras.symbolic.function import Function as Function
from multikeras.symbolic.keras_tensor import KerasTensor as KerasTensor
from multikeras.symbolic.keras_tensor import any_symbolic as any_symbolic
from multikeras.symbolic.operation import Node as Node
from multikeras.symbolic.operation import Operation as Operation
from multikeras.symbolic.operation import SymbolicScope as SymbolicScope
from multikeras.symbolic.operation import in_symbolic_scope as in_symbolic_scope

__all__ = [
    "Function",
    "KerasTensor",
    "Node",
    "Operation",
    "SymbolicScope",
    "any_symbolic",
    "in_symbolic_scope",
]
