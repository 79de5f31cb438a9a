"""`Function`: the graph between given inputs and outputs, checked once and run many times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multikeras import tree
from multikeras.symbolic.keras_tensor import KerasTensor
from multikeras.symbolic.operation import Node, Operation, node_of


class Graph:
    """The nodes between inputs and outputs.

    Attributes:
        nodes: in an order in which they can run, input nodes included.
        operations: the operations, from the inputs' side to the outputs' (greatest depth
            first, then in the order in which a walk back from the outputs meets them).
    """

    def __init__(self, inputs: list[KerasTensor], outputs: list[KerasTensor]) -> None:
        self.nodes: list[Node] = []
        met: dict[Operation, int] = {}
        self._walk(inputs, outputs, met)
        depths: dict[Operation, int] = {}
        node_depths: dict[Node, int] = {}
        for node in reversed(self.nodes):
            depth = max(node_depths.get(node, 0), depths.get(node.operation, 0))
            node_depths[node] = depths[node.operation] = depth
            for parent in [] if node in self._starts else node.parents:
                node_depths[parent] = max(depth + 1, node_depths.get(parent, 0))
        for tensor in inputs:  # unused inputs stay part of the signature
            operation = node_of(tensor).operation
            met.setdefault(operation, len(met))
            depths.setdefault(operation, 0)
        self.operations = sorted(depths, key=lambda op: (-depths[op], met[op]))

    def _walk(self, inputs: list, outputs: list, met: dict[Operation, int]) -> None:
        """Fills `nodes` in post-order; iterative, because graphs are deeper than the stack."""
        given = {id(tensor) for tensor in inputs}
        self._starts = {node_of(tensor) for tensor in inputs}
        done: set[Node] = set()
        open_nodes: set[Node] = set()
        for output in outputs:
            stack: list[tuple[KerasTensor, bool]] = [(output, False)]
            while stack:
                tensor, returning = stack.pop()
                node = node_of(tensor)
                if returning:
                    open_nodes.discard(node)
                    if node not in done:
                        done.add(node)
                        self.nodes.append(node)
                    continue
                if node in done:
                    continue
                if node in open_nodes:
                    raise ValueError(f"The graph has a cycle at {node.operation.name!r}.")
                met.setdefault(node.operation, len(met))
                stack.append((tensor, True))
                if id(tensor) in given:
                    continue
                if node.is_input:
                    raise ValueError(
                        f"The outputs depend on the input {tensor!r}, which is not among the "
                        f"given inputs {[t.name for t in inputs]}."
                    )
                open_nodes.add(node)
                stack.extend((parent, False) for parent in reversed(node.inputs))


class Function(Operation):
    """The operation that computes `outputs` from `inputs`.

    Args:
        inputs: a KerasTensor or a structure of them.
        outputs: the same.
        name: default: a unique one.

    Raises:
        ValueError: if an output depends on an Input that is not given.

    Example:
        >>> from multikeras import layers, ops
        >>> x = layers.Input((2,))
        >>> double = Function(x, x + x)
        >>> ops.convert_to_numpy(double(ops.ones((1, 2)))).tolist()
        [[2.0, 2.0]]
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        Operation.__init__(self, name=name)
        self.bind_graph(inputs, outputs)

    def bind_graph(self, inputs: Any, outputs: Any) -> None:
        """Checks the structures and prepares the run."""
        for role, structure in (("inputs", inputs), ("outputs", outputs)):
            leaves = tree.flatten(structure)
            strange = [leaf for leaf in leaves if not isinstance(leaf, KerasTensor)]
            if strange or not leaves:
                raise ValueError(
                    f"{type(self).__name__}: `{role}` must be KerasTensors (from Input and calls "
                    f"on it), got {strange[0] if strange else structure!r}."
                )
        self._inputs_struct = inputs
        self._outputs_struct = outputs
        self._inputs: list[KerasTensor] = tree.flatten(inputs)
        self._outputs: list[KerasTensor] = tree.flatten(outputs)
        self._graph = Graph(self._inputs, self._outputs)
        self._plan = _make_plan(self._graph, self._inputs)
        self._single_output = isinstance(outputs, KerasTensor)

    @property
    def operations(self) -> list[Operation]:
        """The operations, inputs first."""
        return self._graph.operations[:]

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input KerasTensors, flat."""
        return self._inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output KerasTensors, flat."""
        return self._outputs

    def run(self, flat_inputs: list[Any], call: Callable | None = None) -> Any:
        """Runs the graph on the flat list of inputs; returns the structure of outputs.

        `call(operation, args, kwargs)` may stand in for calling the operations.
        """
        values = dict(zip(map(id, self._inputs), flat_inputs, strict=True))
        for operation, source, build, targets in self._plan:
            if source is not None and call is None:
                result = operation(values[source])
            else:
                args, kwargs = ((values[source],), {}) if source is not None else build(values)
                result = call(operation, args, kwargs) if call else operation(*args, **kwargs)
            if len(targets) == 1 and not isinstance(result, (list, tuple, dict)):
                values[targets[0]] = result
            else:
                values.update(zip(targets, tree.flatten(result), strict=True))
        if self._single_output:
            return values[id(self._outputs[0])]
        return tree.pack_sequence_as(
            self._outputs_struct, [values[id(tensor)] for tensor in self._outputs]
        )

    def call(self, inputs: Any) -> Any:
        """Computes the outputs for inputs of the structure given at construction."""
        return self.run(tree.flatten(inputs))

    def compute_output_spec(self, inputs: Any) -> Any:
        """Output KerasTensors: as constructed if the inputs' shapes agree, else recomputed."""
        flat = tree.flatten(inputs)
        if all(a.shape == b.shape for a, b in zip(flat, self._inputs, strict=True)):
            return tree.map_structure(
                lambda t: KerasTensor(t.shape, t.dtype), self._outputs_struct
            )
        values = dict(zip(map(id, self._inputs), flat, strict=True))
        for operation, source, build, targets in self._plan:
            args, kwargs = ((values[source],), {}) if source is not None else build(values)
            values.update(
                zip(targets, tree.flatten(operation.compute_output_spec(*args, **kwargs)))
            )
        return tree.map_structure(lambda t: values[id(t)], self._outputs_struct)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Output shapes for input shapes."""
        specs = tree.map_shape_structure(lambda s: KerasTensor(s), input_shape)
        return tree.map_structure(lambda t: t.shape, self.compute_output_spec(specs))


def _make_plan(graph: Graph, inputs: list[KerasTensor]) -> list[tuple]:
    """Steps (operation, source, build, targets), in order.

    `source` is the only input's id where the call is `operation(x)` (the common case, kept
    free of any structure handling); else `build` makes args and kwargs from the values.
    """
    starts = {id(tensor) for tensor in inputs}
    plan = []
    for node in graph.nodes:
        targets = [id(tensor) for tensor in node.outputs]
        if node.is_input or all(target in starts for target in targets):
            continue
        alone = len(node.args) == 1 and not node.kwargs and isinstance(node.args[0], KerasTensor)
        source = id(node.args[0]) if alone else None
        plan.append((node.operation, source, None if alone else _builder(node), targets))
    return plan


def _builder(node: Node) -> Callable[[dict[int, Any]], tuple[tuple, dict]]:
    def build(values: dict[int, Any]) -> tuple[tuple, dict]:
        return tree.map_structure(
            lambda leaf: values[id(leaf)] if isinstance(leaf, KerasTensor) else leaf,
            (node.args, node.kwargs),
        )

    return build
