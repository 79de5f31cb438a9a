"""`Functional`: a model that is the graph between given inputs and outputs.

Refused with the input's name: inputs of another structure, rank or size than the graph takes.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from multikeras import ops, registry, tree
from multikeras.backends import native
from multikeras.layers.call_context import call_scope, masks_of
from multikeras.layers.core.input_layer import Input, InputLayer
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer
from multikeras.models.graph_additions import GraphAdditions, graph_and_additions
from multikeras.models.model import Model, takes_a_graph
from multikeras.saving.graph import graph_to_config
from multikeras.symbolic import Function, KerasTensor
from multikeras.symbolic.operation import node_of

core = native.core


@registry.expose("keras.models", aliases=("keras.src.models.functional.Functional",))
class Functional(Function, GraphAdditions, Model):
    """A model made from a graph; `Model(inputs, outputs)` gives one.

    Args:
        inputs, outputs: KerasTensors, or lists or dicts of them.
        name: default: "functional", made unique.
    """

    _private = GraphAdditions._private | Model._private | {
        "_inputs", "_outputs", "_inputs_struct", "_outputs_struct", "_graph", "_plan"
    }  # fmt: skip

    _takes_late_layers = True
    _makes_masks = False  # its layers do, and the outputs carry them

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        trainable = kwargs.pop("trainable", None)
        Model.__init__(self, name=name, **kwargs)
        if not all(_is_input(t) for t in tree.flatten(inputs)):
            inputs, outputs = _rerooted(inputs, outputs)
        self.bind_graph(inputs, outputs)
        self._check_names()
        self._graph_layers = [op for op in self.operations if isinstance(op, Layer)]
        self._simple = isinstance(self._inputs_struct, KerasTensor)
        self.built = True
        self._settle()
        if trainable is not None:
            self.trainable = trainable

    def _check_names(self) -> None:
        """Files and `get_layer` tell the operations of a graph apart by their names."""
        counts = Counter(operation.name for operation in self._graph.operations)
        name, count = counts.most_common(1)[0]
        if count > 1:
            raise ValueError(
                f"{self._who()}: the name {name!r} is that of {count} operations of the graph; "
                "names must be unique within a model."
            )

    def _direct_layers(self) -> list[Any]:
        # Those of the graph, inputs first.
        return [*self._graph_layers, *self._added_layers]

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
                if self._with_additions is not None:
                    return self._run_with_additions(self._with_additions, flat)
                return self.run(flat)
        flat = self._standardize(inputs)
        if self._with_additions is not None:
            return self._run_with_additions(self._with_additions, flat)
        return self.run(flat)

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
            known = type(value) in core.TENSOR_TYPES
            value = core.convert_to_tensor(value, None if known else reference.dtype)
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

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks of the outputs, from running the graph; see `Layer.compute_mask`."""
        flat = self._standardize(inputs)
        with call_scope() as context:
            for tensor, given in zip(flat, [] if mask is None else tree.flatten(mask)):
                context.set_mask(tensor, given)
            outputs = self.run(flat)
            return masks_of(context, outputs)

    # -- configuration ----------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The graph as plain data; of a subclass with a constructor of its own, its arguments."""
        if not takes_a_graph(type(self)):
            inherited = type(self).get_config is Functional.get_config
            return Layer.get_config(self) | (self._recorded_arguments() if inherited else {})
        config = {"name": self.name, "trainable": self.trainable} | graph_to_config(self)
        return config | self._additions_config()

    @classmethod
    def from_graph_config(cls, config: dict[str, Any], target: Any = None) -> Functional:
        """A functional model from `get_config`'s result.

        Raises:
            ValueError: if the configuration refers to a layer or call that is not in it.
        """
        inputs, outputs, losses, metrics = graph_and_additions(config)
        target = cls if target in (None, Model) else target
        model = target(inputs=inputs, outputs=outputs, name=config.get("name"))
        if losses:
            model.add_loss(losses)
        for value, name, aggregation in metrics:
            model.add_metric(value, name=name, aggregation=aggregation)
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
