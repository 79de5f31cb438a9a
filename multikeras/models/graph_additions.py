"""`GraphAdditions`: losses and metrics that a functional model computes beside its outputs.

`add_loss` and `add_metric` take symbolic tensors of the model's graph outside of any call. They
are computed in every call, and saved under a key of the configuration that Keras 3 passes by.
Refused with the model's name: tensors that can't be traced back to the model's inputs, values
that are no symbolic tensors, what the call of a metric object gave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from multikeras import ops, tree
from multikeras.layers.call_context import calls
from multikeras.layers.layer import Layer
from multikeras.metrics.metric import Metric
from multikeras.saving.graph import graph_from_config, graph_to_config
from multikeras.symbolic import Function, KerasTensor

KEY = "multikeras_additions"


class GraphAdditions(Layer):
    """The half of `Functional` that adds to its graph."""

    _private = Layer._private | {"_with_additions"}
    # The graph with the additions: inputs -> [outputs, losses, metric values].
    _with_additions: Function | None = None
    _graph_losses: tuple[KerasTensor, ...] = ()
    _graph_metrics: tuple[tuple[KerasTensor, Metric, str | None], ...] = ()
    _added_layers: tuple[Layer, ...] = ()  # those that only the additions need

    if TYPE_CHECKING:  # defined by Functional and Trainer
        _inputs_struct: Any
        _outputs_struct: Any
        _functions: Any

        @property
        def operations(self) -> list[Any]: ...
        _prepared: bool

    def add_loss(self, losses: Any = None, **kwargs: Any) -> None:
        """Adds to the loss; see `Layer.add_loss`.

        Outside of `call`: symbolic tensors of the model's graph, which are computed in every
        call and saved with the model, or functions without arguments, which are not.

        Raises:
            ValueError: outside of `call`, for a tensor that is not symbolic, or one that does not
                come from the model's inputs.

        Example:
            >>> import multikeras as keras
            >>> x = keras.Input((3,))
            >>> y = keras.layers.Dense(2)(x)
            >>> model = keras.Model(x, keras.layers.Dense(1)(y))
            >>> model.add_loss(keras.ops.abs(keras.ops.mean(y)))
            >>> len(model.losses)
            1
        """
        if calls.context is not None:
            super().add_loss(losses, **kwargs)
            return
        given = tree.flatten(kwargs.pop("loss", losses))
        symbolic = [value for value in given if isinstance(value, KerasTensor)]
        functions = [value for value in given if callable(value) and value not in symbolic]
        if len(symbolic) + len(functions) != len(given):
            strange = next(v for v in given if not (isinstance(v, KerasTensor) or callable(v)))
            raise ValueError(
                f"{self._who()}.add_loss: expected symbolic tensors of the model's graph, or "
                f"functions without arguments, outside of call(); got {strange!r}."
            )
        super().add_loss(functions, **kwargs)
        if symbolic:
            self._extend((*self._graph_losses, *symbolic), self._graph_metrics)

    def add_metric(self, value: Any, name: str | None = None, **kwargs: Any) -> None:
        """Shows a value as a metric; see `Layer.add_metric`.

        Outside of `call`: a symbolic tensor of the model's graph, which is computed in every call
        and saved with the model.

        Raises:
            ValueError: outside of `call`, for a tensor that is not symbolic, one that does not
                come from the model's inputs, or what the call of a metric object gave.

        Example:
            >>> import multikeras as keras
            >>> x = keras.Input((3,))
            >>> model = keras.Model(x, keras.layers.Dense(2)(x))
            >>> model.add_metric(keras.ops.sum(model.output), name="total")
            >>> [metric.name for metric in model.metrics]
            ['total']
        """
        if calls.context is not None:
            super().add_metric(value, name, **kwargs)
            return
        aggregation = self._aggregation(name, kwargs)
        if self._metric_behind(value) is not None:
            raise ValueError(
                f"{self._who()}.add_metric: the result of calling a metric object can't be traced "
                "back to the inputs of a functional model; give the tensor itself and a name."
            )
        if not isinstance(value, KerasTensor):
            raise ValueError(
                f"{self._who()}.add_metric: expected a symbolic tensor of the model's graph "
                f"outside of call(), got {value!r}."
            )
        name = self._metric_name(name)
        if any(metric.name == name for _, metric, _ in self._graph_metrics):
            raise ValueError(f"{self._who()}.add_metric: there is a metric {name!r} already.")
        metric = self._gathering_metric(name, aggregation)
        try:
            self._extend(self._graph_losses, (*self._graph_metrics, (value, metric, aggregation)))
        except ValueError:
            vars(self)["_added_metrics"].remove(metric)
            raise

    def _extend(self, losses: tuple, metrics: tuple) -> None:
        """Takes up additions, all of them or, on an error, none."""
        wanted = [self._outputs_struct, list(losses), [value for value, *_ in metrics]]
        try:
            extended = Function(self._inputs_struct, wanted, name="with_additions")
        except ValueError as error:
            raise ValueError(
                f"{self._who()}: what is added must come from the model's inputs: {error}"
            ) from error
        own = set(map(id, self.operations))
        added = (op for op in extended.operations if id(op) not in own)
        self._added_layers = tuple(op for op in added if isinstance(op, Layer))
        self._with_additions = extended
        self._graph_losses, self._graph_metrics = losses, metrics
        self._functions = None  # steps compiled before know nothing of them
        self._prepared = False

    def _run_with_additions(self, extended: Function, flat: list[Any]) -> Any:
        """The outputs; losses and metrics get what the call says."""
        outputs, losses, values = extended.run(flat)
        if losses:
            Layer.add_loss(self, losses)
        for (_, metric, _), value in zip(self._graph_metrics, values, strict=True):
            if not isinstance(value, KerasTensor):
                metric.update_state(ops.stop_gradient(value))
        return outputs

    @property
    def losses(self) -> list[Any]:
        """As a layer's; before the first call the symbolic losses themselves."""
        return super().losses + ([] if self._losses else list(self._graph_losses))

    def _additions_config(self) -> dict[str, Any]:
        """The graph with the additions as plain data, under a key of its own."""
        if self._with_additions is None:
            return {}
        kinds = [{"name": m.name, "aggregation": kind} for _, m, kind in self._graph_metrics]
        return {KEY: graph_to_config(self._with_additions) | {"metrics": kinds}}

    def add_like(self, model: GraphAdditions, losses: list, values: list) -> None:
        """Adds what another model has.

        Args:
            model: the other model.
            losses, values: this model's tensors for its losses and metric values.
        """
        if losses:
            self.add_loss(losses)
        for (_, metric, aggregation), value in zip(model._graph_metrics, values, strict=True):
            self.add_metric(value, name=metric.name, aggregation=aggregation)


def graph_and_additions(config: dict[str, Any]) -> tuple[Any, Any, list, list[tuple]]:
    """Inputs, outputs, losses and (value, name, aggregation) of metrics from a configuration.

    Raises:
        ValueError: if it refers to what is not in it, or the metrics' names miss their values.
    """
    if KEY not in config:
        return *graph_from_config(config), [], []
    added = config[KEY]
    kinds = added.get("metrics") if isinstance(added, dict) else None
    graph = {"layers", "input_layers", "output_layers"}
    if not isinstance(kinds, list) or not graph <= set(added):
        raise ValueError(f"The configuration's {KEY!r} is no graph: {added!r}.")
    inputs, found = graph_from_config(added)
    named = all(isinstance(kind, dict) and {"name", "aggregation"} <= set(kind) for kind in kinds)
    if not (
        named
        and isinstance(found, (list, tuple))
        and len(found) == 3
        and isinstance(found[1], (list, tuple))
        and isinstance(found[2], (list, tuple))
        and len(found[2]) == len(kinds)
    ):
        raise ValueError(f"The configuration's {KEY!r} does not fit: {found!r}, {kinds!r}.")
    outputs, losses, values = found
    metrics = [(v, kind["name"], kind["aggregation"]) for v, kind in zip(values, kinds)]
    return inputs, outputs, list(losses), metrics
