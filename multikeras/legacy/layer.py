"""`LegacyLayer`: what layers of tf.keras 2 had and Keras 3 dropped; taken up by `Layer`.

Values that a call adds as metrics are gathered by metric objects that the layer holds, so they
are shown, reset and compiled like those of `compile`. Refused with the layer's name: a metric
value without a name, an unknown aggregation, calls that are asked for and never happened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from multikeras import ops, tree
from multikeras.legacy.module import LegacyModule
from multikeras.metrics.metric import Metric
from multikeras.metrics.reductions import Mean
from multikeras.symbolic import KerasTensor, Node


class Latest(Metric):
    """The value of the last batch: a metric value that is not aggregated.

    Args:
        name: the metric's name.
        dtype: dtype of the state; None: `floatx()`.

    Example:
        >>> latest = Latest(name="gap")
        >>> latest.update_state(2.0)
        >>> latest.update_state(3.0)
        >>> float(latest.result())
        3.0
    """

    def __init__(self, name: str = "latest", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.last = self.add_variable((), "zeros", name="last")

    def update_state(self, value: Any) -> None:
        """Keeps the value, the mean of it if it is no scalar."""
        self.last.assign(ops.mean(ops.cast(value, self.dtype)))

    def result(self) -> Any:
        """The value kept."""
        return ops.copy(self.last.value)


AGGREGATIONS: dict[str | None, Callable[..., Metric]] = {"mean": Mean, None: Latest}


class LegacyLayer(LegacyModule):
    """The methods and attributes that tf.keras 2 scripts expect of a layer."""

    stateful = False
    _dynamic = False
    inbound_nodes: list[Node]

    if TYPE_CHECKING:  # defined by Layer

        def _who(self) -> str: ...

        def _metric_behind(self, value: Any) -> Metric | None: ...

    # -- metrics and updates ----------------------------------------------------------------

    def add_metric(self, value: Any, name: str | None = None, **kwargs: Any) -> None:
        """Shows a value as a metric. To be used in `call`; on a functional model, outside too.

        Args:
            value: a tensor, or what a call of a metric object gave: that metric is then shown.
            name: the metric's name; not needed for a metric object.
            aggregation: "mean" (the default): the mean over the batches is shown; None: the
                value of the last batch.

        Raises:
            ValueError: for a value without a name, or an unknown aggregation.

        Example:
            >>> import multikeras as keras
            >>> class Watched(keras.layers.Layer):
            ...     def call(self, x):
            ...         self.add_metric(keras.ops.sum(x), name="total")
            ...         return x
            >>> layer = Watched()
            >>> _ = layer(keras.ops.ones((2, 3)))
            >>> [(m.name, float(m.result())) for m in layer.metrics]
            [('total', 6.0)]
        """
        aggregation = self._aggregation(name, kwargs)
        metric = self._metric_behind(value)
        if metric is None:
            metric = self._gathering_metric(self._metric_name(name), aggregation)
            if not isinstance(value, KerasTensor):
                metric.update_state(ops.stop_gradient(ops.convert_to_tensor(value)))
        elif not any(held is metric for held in vars(self).values()):
            self._hold_metric(metric)

    def _aggregation(self, name: str | None, kwargs: dict[str, Any]) -> str | None:
        aggregation = kwargs.pop("aggregation", "mean")
        if kwargs:
            raise TypeError(
                f"{self._who()}.add_metric: unknown argument(s) {', '.join(map(repr, kwargs))}."
            )
        if aggregation not in AGGREGATIONS:
            raise ValueError(
                f"{self._who()}.add_metric: expected aggregation 'mean' or None, got "
                f"{aggregation!r} for the metric {name!r}."
            )
        return aggregation

    def _metric_name(self, name: str | None) -> str:
        if not isinstance(name, str) or not name:
            raise ValueError(
                f"{self._who()}.add_metric: expected a name, as in add_metric(value, "
                f"name='gap'), got {name!r}; only what a metric object gave has one already."
            )
        return name

    def _hold_metric(self, metric: Metric) -> None:
        held = vars(self).setdefault("_added_metrics", [])
        if not any(metric is other for other in held):
            held.append(metric)

    def _gathering_metric(self, name: str, aggregation: str | None) -> Metric:
        """The metric of that name that `add_metric` made, or a new one."""
        for metric in vars(self).get("_added_metrics", ()):
            if metric.name == name:
                return metric
        metric = AGGREGATIONS[aggregation](name=name)
        self._hold_metric(metric)
        return metric

    @property
    def updates(self) -> list[Any]:
        """Always empty: a call changes the state at once."""
        return []

    def add_update(self, updates: Any) -> None:
        """Runs updates that are functions without arguments; others have happened already.

        Args:
            updates: a function, what an assignment gave, or a list of these.

        Example:
            >>> import multikeras as keras
            >>> layer, seen = keras.layers.Layer(), keras.Variable(0.0)
            >>> layer.add_update(lambda: seen.assign_add(1.0))
            >>> float(seen.numpy()), layer.updates
            (1.0, [])
        """
        for update in tree.flatten(updates):
            if callable(update):
                update()

    @property
    def dynamic(self) -> bool:
        """Whether this layer or one below was made with `dynamic=True`: models that hold it
        train eagerly.

        Example:
            >>> import multikeras as keras
            >>> keras.layers.Layer(dynamic=True).dynamic, keras.layers.Layer().dynamic
            (True, False)
        """
        return any(layer._dynamic for layer in self._flatten_layers())

    # -- the calls that made a graph --------------------------------------------------------

    def _node_at(self, method: str, node_index: int) -> Node:
        nodes = self.inbound_nodes
        if not nodes:
            raise RuntimeError(
                f"{self._who()}.{method}: the layer was never called on symbolic tensors."
            )
        if not -len(nodes) <= node_index < len(nodes):
            raise ValueError(
                f"{self._who()}.{method}: expected the number of one of its {len(nodes)} call(s) "
                f"on symbolic tensors, got {node_index}."
            )
        return nodes[node_index]

    def get_input_at(self, node_index: int) -> Any:
        """The input KerasTensor(s) of a call.

        Args:
            node_index: 0 for the first call on symbolic tensors, and so on.

        Raises:
            RuntimeError: if there was no such call at all.
            ValueError: if there were fewer.
        """
        return _one_or_all(self._node_at("get_input_at", node_index).inputs)

    def get_output_at(self, node_index: int) -> Any:
        """The output KerasTensor(s) of a call; arguments and errors are `get_input_at`'s."""
        return self._node_at("get_output_at", node_index).output_structure

    def get_input_shape_at(self, node_index: int) -> Any:
        """The input shape(s) of a call; arguments and errors are `get_input_at`'s."""
        node = self._node_at("get_input_shape_at", node_index)
        return _shapes(_one_or_all(node.inputs))

    def get_output_shape_at(self, node_index: int) -> Any:
        """The output shape(s) of a call; arguments and errors are `get_input_at`'s."""
        return _shapes(self._node_at("get_output_shape_at", node_index).output_structure)

    def _shared_shape(self, what: str, shapes: list[Any]) -> Any:
        if not shapes:
            raise AttributeError(
                f"{self._who()} has no `{what}`: it was never called on symbolic tensors."
            )
        if any(shape != shapes[0] for shape in shapes):
            raise AttributeError(
                f"{self._who()} has no single `{what}`: its {len(shapes)} calls differ: {shapes}. "
                f"Use get_{what}_at(node_index)."
            )
        return shapes[0]

    @property
    def input_shape(self) -> Any:
        """The shape(s) of the symbolic input(s), if they are the same in all calls.

        Raises:
            AttributeError: if there was no call on symbolic tensors, or they differ.
        """
        if "_given_input_shape" in vars(self):
            return vars(self)["_given_input_shape"]
        shapes = [_shapes(_one_or_all(node.inputs)) for node in self.inbound_nodes]
        return self._shared_shape("input_shape", shapes)

    if not TYPE_CHECKING:  # layers may have attributes of these names

        @input_shape.setter
        def input_shape(self, value):
            vars(self)["_given_input_shape"] = value

    @property
    def output_shape(self) -> Any:
        """The shape(s) of the symbolic output(s), if they are the same in all calls.

        Raises:
            AttributeError: if there was no call on symbolic tensors, or they differ.
        """
        if "_given_output_shape" in vars(self):
            return vars(self)["_given_output_shape"]
        shapes = [_shapes(node.output_structure) for node in self.inbound_nodes]
        return self._shared_shape("output_shape", shapes)

    if not TYPE_CHECKING:

        @output_shape.setter
        def output_shape(self, value):
            vars(self)["_given_output_shape"] = value


def _one_or_all(tensors: list[KerasTensor]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors


def _shapes(structure: Any) -> Any:
    return tree.map_structure(lambda tensor: tensor.shape, structure)
