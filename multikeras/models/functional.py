"""`Functional`: a model that is the graph between given inputs and outputs.

Refused with the input's name: inputs of another structure, rank or size than the graph takes.
"""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry, saving, tree
from multikeras.backends import native
from multikeras.layers.core.input_layer import Input, InputLayer
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer
from multikeras.models.model import Model
from multikeras.ops._declare import OpCall
from multikeras.symbolic import Function, KerasTensor
from multikeras.symbolic.operation import Node, node_of

core = native.core


@registry.expose("keras.models", aliases=("keras.src.models.functional.Functional",))
class Functional(Function, Model):
    """A model made from a graph; `Model(inputs, outputs)` gives one.

    Args:
        inputs, outputs: KerasTensors, or lists or dicts of them.
        name: default: "functional", made unique.
    """

    _private = Model._private | {
        "_inputs", "_outputs", "_inputs_struct", "_outputs_struct", "_graph", "_plan"
    }  # fmt: skip

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        trainable = kwargs.pop("trainable", None)
        Model.__init__(self, name=name, **kwargs)
        if not all(_is_input(t) for t in tree.flatten(inputs)):
            inputs, outputs = _rerooted(inputs, outputs)
        self.bind_graph(inputs, outputs)
        self._graph_layers = [op for op in self.operations if isinstance(op, Layer)]
        self._simple = isinstance(self._inputs_struct, KerasTensor)
        self.built = True
        self._settle()
        if trainable is not None:
            self.trainable = trainable

    @property
    def layers(self) -> list[Layer]:
        """The layers of the graph, inputs first."""
        return self._graph_layers[:]

    @property
    def input(self) -> Any:
        """The input KerasTensors, in the structure given."""
        return self._inputs_struct

    @property
    def output(self) -> Any:
        """The output KerasTensors, in the structure given."""
        return self._outputs_struct

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [node_of(t).operation.name for t in self._inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the operations that give the outputs."""
        return [node_of(t).operation.name for t in self._outputs]

    @property
    def input_spec(self) -> Any:
        """What the graph demands of its inputs."""
        return [
            InputSpec(shape=(None, *t.shape[1:]), name=n, allow_last_axis_squeeze=True)
            for t, n in zip(self._inputs, self.input_names, strict=True)
        ]

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        self._own_input_spec = value

    def build(self, input_shape: Any = None) -> None:
        """Nothing to do: a graph is built."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Computes the outputs."""
        if self._simple and type(inputs) in core.TENSOR_TYPES:
            reference = self._inputs[0]
            if len(inputs.shape) == len(reference.shape):
                flat = [self._standardize_input(inputs, reference, None)]
                return self.run(flat)
        return self.run(self._standardize(inputs))

    def _standardize(self, inputs: Any) -> list[Any]:
        """The flat list of inputs, in the graph's order, with rank and dtype adjusted."""
        names = self.input_names
        if isinstance(inputs, dict) and not isinstance(self._inputs_struct, dict):
            missing = [n for n in names if n not in inputs]
            if missing:
                raise ValueError(
                    f"{self._who()}: expected inputs named {names}, got {list(inputs)}: "
                    f"{missing} missing."
                )
            flat = [inputs[n] for n in names]
        elif isinstance(self._inputs_struct, dict) and isinstance(inputs, dict):
            missing = [k for k in self._inputs_struct if k not in inputs]
            if missing:
                raise ValueError(
                    f"{self._who()}: expected inputs with the keys {list(self._inputs_struct)}, "
                    f"got {list(inputs)}: {missing} missing."
                )
            flat = tree.flatten({k: inputs[k] for k in self._inputs_struct})
        else:
            flat = tree.flatten(inputs)
        if len(flat) != len(self._inputs):
            raise ValueError(
                f"{self._who()}: expected {len(self._inputs)} input(s) {names}, got {len(flat)}."
            )
        return [
            self._standardize_input(value, reference, name)
            for value, reference, name in zip(flat, self._inputs, names, strict=True)
        ]

    def _standardize_input(self, value: Any, reference: KerasTensor, name: str | None) -> Any:
        if value is None:
            return None
        if isinstance(value, KerasTensor):
            shape = value.shape
        else:
            value = core.convert_to_tensor(value, None if type(value) in core.TENSOR_TYPES else reference.dtype)
            if core.dtype_name(value) != reference.dtype and reference.dtype != "string":
                value = core.cast(value, reference.dtype)
            shape = core.shape(value)
        rank = len(reference.shape)
        if len(shape) == rank + 1 and shape[-1] == 1:
            value, shape = ops.squeeze(value, -1), shape[:-1]
        elif len(shape) == rank - 1 and reference.shape[-1] == 1:
            value, shape = ops.expand_dims(value, -1), (*shape, 1)
        # The batch dimension is not checked: a fixed one says how data is fed, not computed.
        if len(shape) != rank or any(
            wanted is not None and given is not None and wanted != given
            for wanted, given in zip(reference.shape[1:], shape[1:])
        ):
            raise ValueError(
                f"{self._who()}: input {name or self.input_names[0]!r}: expected shape "
                f"{reference.shape}, got {tuple(shape)}."
            )
        return value

    def compute_output_spec(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Output KerasTensors for input KerasTensors."""
        flat = self._standardize(inputs)
        return Function.compute_output_spec(self, tree.pack_sequence_as(self._inputs_struct, flat))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Output shapes for input shapes."""
        return Function.compute_output_shape(self, input_shape)

    # -- configuration ----------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The graph as plain data."""
        keys = {id(node): index for index, node in _kept_nodes(self)}
        layers = [
            _operation_config(operation, keys) for operation in self.operations
        ]
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": layers,
            "input_layers": _history_structure(self._inputs_struct, keys),
            "output_layers": _history_structure(self._outputs_struct, keys),
        }

    @classmethod
    def from_graph_config(cls, config: dict[str, Any], target: type = None) -> Functional:
        """A functional model from `get_config`'s result.

        Raises:
            ValueError: if the configuration refers to a layer or call that is not in it.
        """
        operations = {
            layer["name"]: saving.deserialize_keras_object(layer) for layer in config["layers"]
        }
        calls = {
            layer["name"]: list(layer.get("inbound_nodes", ())) for layer in config["layers"]
        }
        _replay(operations, calls)

        def tensors(structure: Any) -> Any:
            return _from_history(structure, operations)

        target = cls if target in (None, Model) else target
        model = target(
            inputs=tensors(config["input_layers"]),
            outputs=tensors(config["output_layers"]),
            name=config.get("name"),
        )
        if not config.get("trainable", True):
            model.trainable = False
        return model


def _is_input(tensor: Any) -> bool:
    return (
        isinstance(tensor, KerasTensor)
        and tensor.keras_history is not None
        and isinstance(tensor.keras_history[0], InputLayer)
    )


def _rerooted(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """The same graph from fresh Inputs in place of intermediate tensors."""
    function = Function(inputs, outputs)
    fresh = tree.map_structure(
        lambda t: t if _is_input(t) else Input(batch_shape=t.shape, dtype=t.dtype), inputs
    )
    return fresh, function.run(tree.flatten(fresh))


def _kept_nodes(model: Functional) -> list[tuple[int, Node]]:
    """(index among the operation's nodes that are in the graph, node)."""
    counts: dict[int, int] = {}
    kept = []
    in_graph = set(map(id, model._graph.nodes))
    for operation in model.operations:
        for node in operation.inbound_nodes:
            if id(node) in in_graph:
                index = counts.get(id(operation), 0)
                counts[id(operation)] = index + 1
                kept.append((index, node))
    return kept


def _history(tensor: KerasTensor, keys: dict[int, int]) -> list[Any]:
    operation, node_index, tensor_index = tensor.keras_history
    return [operation.name, keys.get(id(operation.inbound_nodes[node_index]), 0), tensor_index]


def _history_structure(structure: Any, keys: dict[int, int]) -> Any:
    if isinstance(structure, KerasTensor):
        return _history(structure, keys)
    return tree.map_structure(lambda t: _history(t, keys), structure)


def _operation_config(operation: Any, keys: dict[int, int]) -> dict[str, Any]:
    config = saving.serialize_keras_object(operation)
    config["name"] = operation.name
    config["inbound_nodes"] = []
    for node in operation.inbound_nodes:
        if id(node) not in keys or node.is_input:
            continue

        def mark(value: Any) -> Any:
            if isinstance(value, KerasTensor):
                return {
                    "class_name": "__keras_tensor__",
                    "config": {
                        "shape": list(value.shape),
                        "dtype": value.dtype,
                        "keras_history": _history(value, keys),
                    },
                }
            return saving.serialize_keras_object(value)

        config["inbound_nodes"].append(
            {
                "args": [_map_plain(mark, arg) for arg in node.args],
                "kwargs": {k: _map_plain(mark, v) for k, v in node.kwargs.items()},
            }
        )
    return config


def _map_plain(fn: Any, value: Any) -> Any:
    """Maps leaves; tuples become lists, as JSON has it."""
    if isinstance(value, (list, tuple)):
        return [_map_plain(fn, v) for v in value]
    if isinstance(value, dict):
        return {k: _map_plain(fn, v) for k, v in value.items()}
    return fn(value)


def _unmark(value: Any, operations: dict[str, Any]) -> Any:
    """Arguments of a call from their saved form; KeyError while a tensor is not there yet."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return _tensor_at(value["config"]["keras_history"], operations)
        if "class_name" in value and ("config" in value or "value" in value):
            return saving.deserialize_keras_object(value)
        return {k: _unmark(v, operations) for k, v in value.items()}
    if isinstance(value, list):
        return [_unmark(v, operations) for v in value]
    return value


def _tensor_at(history: Any, operations: dict[str, Any]) -> KerasTensor:
    name, node_index, tensor_index = history[:3]
    if name not in operations:
        raise ValueError(f"The configuration refers to a layer {name!r} that is not in it.")
    nodes = operations[name].inbound_nodes
    if node_index >= len(nodes):
        raise KeyError(name)
    return nodes[node_index].outputs[tensor_index]


def _replay(operations: dict[str, Any], calls: dict[str, list]) -> None:
    """Makes the saved calls, each as soon as its inputs are there."""
    pending = True
    while pending:
        pending = progressed = False
        for name, nodes in calls.items():
            while nodes:
                try:
                    args = [_unmark(a, operations) for a in nodes[0]["args"]]
                    kwargs = {k: _unmark(v, operations) for k, v in nodes[0]["kwargs"].items()}
                except KeyError:
                    pending = True
                    break
                operation = operations[name]
                if isinstance(operation, OpCall):
                    operation.symbolic_call(*args, **kwargs)
                else:
                    operation(*args, **kwargs)
                nodes.pop(0)
                progressed = True
        if pending and not progressed:
            waiting = [name for name, nodes in calls.items() if nodes]
            raise ValueError(f"The configuration's graph can't be completed: {waiting} wait.")


def _from_history(structure: Any, operations: dict[str, Any]) -> Any:
    if (
        isinstance(structure, (list, tuple))
        and len(structure) == 3
        and isinstance(structure[0], str)
        and isinstance(structure[1], int)
    ):
        return _tensor_at(structure, operations)
    if isinstance(structure, dict):
        return {k: _from_history(v, operations) for k, v in structure.items()}
    return [_from_history(v, operations) for v in structure]
