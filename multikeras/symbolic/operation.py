"""`Operation`: what a graph is made of, and `Node`: one call of it on symbolic tensors."""

from __future__ import annotations

import re
import threading
import weakref
from typing import Any

from multikeras import tree
from multikeras.symbolic.keras_tensor import KerasTensor, any_symbolic
from multikeras.variables import auto_name

_WORD_STARTS = re.compile(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])")


def snake_case(name: str) -> str:
    """MultiHeadAttention -> multi_head_attention, Conv2D -> conv2d, LSTMCell -> lstm_cell.

    A private class keeps a mark: _Block -> __block.
    """
    return _WORD_STARTS.sub("_", name).lower()


class _Symbolic(threading.local):
    recording: bool = True


_symbolic = _Symbolic()


class SymbolicScope:
    """Inside, calls on KerasTensors tell shapes only: no graph nodes are recorded.

    Example:
        >>> with SymbolicScope():
        ...     in_symbolic_scope()
        True
    """

    def __enter__(self) -> SymbolicScope:
        self._outer = _symbolic.recording
        _symbolic.recording = False
        return self

    def __exit__(self, *error: Any) -> None:
        _symbolic.recording = self._outer


def in_symbolic_scope() -> bool:
    """Whether a `SymbolicScope` is open."""
    return not _symbolic.recording


class Node:
    """One call of an operation on symbolic tensors.

    Attributes:
        operation: the operation called.
        args, kwargs: what it was called with, KerasTensors included.
        inputs: the KerasTensors among them, in order.
        outputs: the KerasTensors it gave.
    """

    def __init__(self, operation: Operation, args: tuple, kwargs: dict, outputs: Any) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.inputs = [t for t in tree.flatten((args, kwargs)) if isinstance(t, KerasTensor)]
        self.output_structure = outputs
        self.outputs = [t for t in tree.flatten(outputs) if isinstance(t, KerasTensor)]
        nodes = operation.inbound_nodes
        nodes.append(self)
        for tensor in self.inputs:
            if tensor.keras_history is not None:
                # Weakly: a layer that stays does not keep the models that used it.
                tensor.keras_history[0]._consumers.append(weakref.ref(self))
        for index, tensor in enumerate(self.outputs):
            tensor.keras_history = (operation, len(nodes) - 1, index)

    @property
    def is_input(self) -> bool:
        """Whether the node starts a graph."""
        return not self.inputs

    @property
    def parents(self) -> list[Node]:
        """The nodes that made the inputs."""
        return [node_of(tensor) for tensor in self.inputs]


def node_of(tensor: KerasTensor) -> Node:
    """The node that made a KerasTensor.

    Raises:
        ValueError: if none did (it was made by hand).
    """
    if tensor.keras_history is None:
        raise ValueError(f"{tensor!r} comes from no Input or layer call.")
    operation, node_index, _ = tensor.keras_history
    return operation.inbound_nodes[node_index]


class Operation:
    """Something callable on tensors and, to make a graph, on KerasTensors.

    Args:
        name: default: the class name in snake case, made unique.

    Subclasses give `call` and `compute_output_spec`.
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = auto_name(snake_case(type(self).__name__))
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                f"{type(self).__name__}: name must be a string without '/', got {name!r}."
            )
        self._name = name
        self.inbound_nodes: list[Node] = []  # the calls on symbolic tensors
        self._consumers: list[weakref.ref[Node]] = []

    @property
    def name(self) -> str:
        """The operation's name."""
        return self._name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Output KerasTensors, linked to the inputs by a new node."""
        return record(self, args, kwargs, self.compute_output_spec(*args, **kwargs))

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs."""
        raise NotImplementedError(f"{type(self).__name__} has no call().")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Output KerasTensors for input KerasTensors, without values."""
        raise NotImplementedError(f"{type(self).__name__} has no compute_output_spec().")

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: quantization is not available."""
        raise NotImplementedError(f"{type(self).__name__} has no quantized_call().")

    def rematerialized_call(self, layer_call: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls `layer_call`; recomputation in the backward pass is left to the framework."""
        return layer_call(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new operation from `get_config`'s result."""
        return cls(**config)

    @property
    def outbound_nodes(self) -> list[Node]:
        """The calls of other operations, as far as they are still in use, that take what calls
        of this one gave."""
        found = {id(node): node for ref in self._consumers if (node := ref()) is not None}
        return list(found.values())

    def _only_node(self, what: str) -> Node:
        if len(self.inbound_nodes) != 1:
            called = f"{len(self.inbound_nodes)} times" if self.inbound_nodes else "never"
            raise AttributeError(
                f"{type(self).__name__} {self.name!r} was {called} called on symbolic tensors, so "
                f"it has no single `{what}`."
            )
        return self.inbound_nodes[0]

    @property
    def input(self) -> Any:
        """The input KerasTensor(s) of the only call on symbolic tensors.

        Raises:
            AttributeError: if there was none, or more than one.

        Example:
            >>> import multikeras as keras
            >>> x = keras.Input((3,))
            >>> layer = keras.layers.Dense(2)
            >>> y = layer(x)
            >>> layer.input is x and layer.output is y
            True
        """
        node = self._only_node("input")
        return node.inputs[0] if len(node.inputs) == 1 else node.inputs

    @property
    def output(self) -> Any:
        """The output KerasTensor(s) of the only call on symbolic tensors.

        Raises:
            AttributeError: if there was none, or more than one.
        """
        return self._only_node("output").output_structure


def record(operation: Operation, args: tuple, kwargs: dict, outputs: Any) -> Any:
    """Links outputs to the call that gave them, unless only shapes are asked for."""
    if not _symbolic.recording:
        return outputs
    outputs = fresh_tensors(outputs)
    Node(operation, args, kwargs, outputs)
    return outputs


def fresh_tensors(outputs: Any) -> Any:
    """The outputs of a call as KerasTensors of their own, whatever they were before.

    A layer may return its input unchanged; the graph still needs a new tensor for the edge.
    """

    def fresh(tensor: Any) -> Any:
        if isinstance(tensor, KerasTensor) and tensor.keras_history is not None:
            return KerasTensor(tensor.shape, tensor.dtype)
        return tensor

    if isinstance(outputs, KerasTensor):
        return fresh(outputs)
    return tree.map_structure(fresh, outputs)
