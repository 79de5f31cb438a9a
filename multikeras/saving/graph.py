"""The graph of a functional model as plain data, and back, in the form of Keras 3.

Every operation is an entry with its calls (`inbound_nodes`); a tensor is named by the operation
that made it, the number of the call and the place among the call's outputs. Refused when
reading: a tensor that no entry makes, calls that wait for each other, and what
`serialization` and `op_nodes` refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from multikeras import tree
from multikeras.ops._declare import OpCall
from multikeras.saving.op_nodes import is_op_node, read_op, write_op
from multikeras.serialization import deserialize_keras_object, serialize_keras_object
from multikeras.symbolic import Function, KerasTensor, Operation
from multikeras.symbolic.operation import Node

# A layer's call that was told `training=False`. Keras writes that for every call, so there it
# says nothing; this key beside it says that it was meant.
_MEANT = "explicit_training"


# -- writing -----------------------------------------------------------------------------------


def graph_to_config(function: Function) -> dict[str, Any]:
    """The entries of all operations and the names of the inputs and outputs.

    Args:
        function: A graph: a functional model, or a `Function`.

    Returns:
        `{"layers", "input_layers", "output_layers"}`.
    """
    calls = _calls(function)
    keys = {id(node): index for nodes in calls.values() for index, node in enumerate(nodes)}
    return {
        "layers": [
            _operation_entry(operation, calls[id(operation)], keys)
            for operation in function.operations
        ],
        "input_layers": _histories(function._inputs_struct, keys),
        "output_layers": tree.map_structure(
            lambda tensor: _output_history(tensor, keys), function._outputs_struct
        ),
    }


def _calls(function: Function) -> dict[int, list[Node]]:
    """The calls of each operation that are part of the graph."""
    in_graph = set(map(id, function._graph.nodes))
    return {
        id(operation): [node for node in operation.inbound_nodes if id(node) in in_graph]
        for operation in function.operations
    }


def _history(tensor: KerasTensor, keys: dict[int, int]) -> list[Any]:
    operation, node_index, tensor_index = tensor.keras_history
    return [operation.name, keys.get(id(operation.inbound_nodes[node_index]), 0), tensor_index]


def _histories(structure: Any, keys: dict[int, int]) -> Any:
    return tree.map_structure(lambda tensor: _history(tensor, keys), structure)


def _output_history(tensor: KerasTensor, keys: dict[int, int]) -> list[Any]:
    name, call, place = _history(tensor, keys)
    return [name, call + _first_call(tensor.keras_history[0]), place]


def _first_call(operation: Any) -> int:
    """The number of an operation's first call where outputs are named.

    Keras takes the making of a graph for its first call there, but not in the calls' arguments.
    """
    return 1 if isinstance(operation, Function) else 0


def _operation_entry(
    operation: Operation, nodes: list[Node], keys: dict[int, int]
) -> dict[str, Any]:
    calls: list[tuple] = [(node.args, node.kwargs) for node in nodes if not node.is_input]
    if isinstance(operation, OpCall):
        entry, calls = write_op(operation, calls)
    else:
        entry = serialize_keras_object(operation)
    entry["name"] = operation.name
    entry["inbound_nodes"] = [_call_entry(args, kwargs, keys) for args, kwargs in calls]
    return entry


def _call_entry(args: tuple, kwargs: dict[str, Any], keys: dict[int, int]) -> dict[str, Any]:
    def leaf(value: Any) -> Any:
        entry = serialize_keras_object(value)
        if isinstance(value, KerasTensor):
            entry["config"]["keras_history"] = _history(value, keys)
        return entry

    entry = {
        "args": [_map_plain(leaf, arg) for arg in args],
        "kwargs": {name: _map_plain(leaf, value) for name, value in kwargs.items()},
    }
    return entry | ({_MEANT: True} if kwargs.get("training") is False else {})


def _map_plain(fn: Callable[[Any], Any], value: Any) -> Any:
    """Maps leaves; tuples become lists, as JSON has it."""
    if isinstance(value, (list, tuple)):
        return [_map_plain(fn, item) for item in value]
    if isinstance(value, dict):
        return {key: _map_plain(fn, item) for key, item in value.items()}
    return fn(value)


# -- reading -----------------------------------------------------------------------------------


class _Replay:
    """Makes the saved calls anew, each as soon as its inputs are there."""

    def __init__(self, layers: list[Mapping[str, Any]]) -> None:
        self.results: dict[str, list[list[Any]]] = {}
        self._callers: dict[str, Callable[[list, dict], Any]] = {}
        self._pending: dict[str, list[Mapping[str, Any]]] = {}
        self._operations: dict[str, Operation] = {}
        for entry in layers:
            name = entry["name"]
            if name in self._callers:
                raise ValueError(f"The configuration has two layers named {name!r}.")
            self._callers[name] = self._caller(entry)
            self._pending[name] = list(entry.get("inbound_nodes", ()))
        self._run()

    def _caller(self, entry: Mapping[str, Any]) -> Callable[[list, dict], Any]:
        name = entry["name"]
        self.results[name] = []
        if is_op_node(entry):
            return read_op(entry)
        operation = deserialize_keras_object(entry)
        if not isinstance(operation, Operation):
            raise ValueError(
                f"The configuration's entry {name!r} is no layer: it gives {operation!r}."
            )
        self._operations[name] = operation
        first = operation.inbound_nodes[:1]
        if first and first[0].is_input:
            self.results[name].append(first[0].outputs)
        return lambda args, kwargs: operation(*args, **kwargs)

    def _run(self) -> None:
        progressed = True
        while progressed:
            progressed = False
            for name, nodes in self._pending.items():
                while nodes and self._ready(nodes[0]):
                    progressed = True
                    self._call(name, nodes.pop(0))
        waiting = [name for name, nodes in self._pending.items() if nodes]
        if waiting:
            raise ValueError(
                f"The configuration's graph can't be completed: the calls of {waiting} wait for "
                "tensors that are never made."
            )

    def _call(self, name: str, node: Mapping[str, Any]) -> None:
        args = [self._argument(value) for value in node.get("args", ())]
        kwargs = {key: self._argument(value) for key, value in node.get("kwargs", {}).items()}
        if kwargs.get("training", True) is False and not node.get(_MEANT):
            del kwargs["training"]
        self.results[name].append(tree.flatten(self._callers[name](args, kwargs)))

    def _ready(self, value: Any) -> bool:
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                name, call, _ = _checked_history(value["config"].get("keras_history"))
                return len(self._results_of(name)) > call
            return all(map(self._ready, value.values()))
        return all(map(self._ready, value)) if isinstance(value, list) else True

    def _argument(self, value: Any) -> Any:
        """An argument of a call from its saved form."""
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                return self.tensor(value["config"]["keras_history"])
            if "class_name" in value and "config" in value:
                return deserialize_keras_object(value)
            return {key: self._argument(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._argument(item) for item in value]
        return value

    def _results_of(self, name: str) -> list[list[Any]]:
        if name not in self.results:
            raise ValueError(f"The configuration refers to a layer {name!r} that is not in it.")
        return self.results[name]

    def tensor(self, history: Any) -> KerasTensor:
        """The tensor that the history `[name, call, place]` stands for."""
        name, call, place = _checked_history(history)
        results = self._results_of(name)
        if not 0 <= call < len(results) or place >= len(results[call]):
            raise ValueError(f"The configuration refers to {history}, which is never made.")
        return results[call][place]

    def structure(self, histories: Any) -> Any:
        """A structure of inputs or outputs from the structure of their histories."""
        if _is_history(histories):
            name, call, place = _checked_history(histories)
            return self.tensor([name, call - _first_call(self._operations.get(name)), place])
        if isinstance(histories, dict):
            return {key: self.structure(item) for key, item in histories.items()}
        if isinstance(histories, (list, tuple)):
            return type(histories)(map(self.structure, histories))
        raise ValueError(f"The configuration names an input or output by {histories!r}.")


def _is_history(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) >= 3
        and isinstance(value[0], str)
        and all(isinstance(index, int) and index >= 0 for index in value[1:3])
    )


def _checked_history(value: Any) -> tuple[str, int, int]:
    if not _is_history(value):
        raise ValueError(f"The configuration names a tensor by {value!r}.")
    return value[0], value[1], value[2]


def graph_from_config(config: Mapping[str, Any]) -> tuple[Any, Any]:
    """The inputs and outputs of the graph that `graph_to_config` described, with new layers.

    Raises:
        ValueError: if the configuration refers to what is not in it.
        UnknownObjectError: (a `ValueError`) if a class or function stands in no table.
    """
    replay = _Replay(list(config["layers"]))
    return replay.structure(config["input_layers"]), replay.structure(config["output_layers"])
