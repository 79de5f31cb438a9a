"""Symbolic tensors, the operations that link them, and the graph `Function`."""

from multikeras.symbolic.function import Function as Function
from multikeras.symbolic.keras_tensor import KerasTensor as KerasTensor
from multikeras.symbolic.keras_tensor import any_symbolic as any_symbolic
from multikeras.symbolic.operation import Node as Node
from multikeras.symbolic.operation import Operation as Operation

__all__ = ["Function", "KerasTensor", "Node", "Operation", "any_symbolic"]
