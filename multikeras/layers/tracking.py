"""`Tracked`: what makes a layer the owner of its variables and of the layers below.

Children are found by looking at the attributes when they are asked for, inside lists, tuples
and dicts too; nothing is wrapped. A layer's variables stand below its path, wherever in the
code they are made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from multikeras import constraints, dtypes, initializers, regularizers
from multikeras import variables as scopes
from multikeras.backends import native
from multikeras.metrics.metric import Metric
from multikeras.random.seed_generator import SeedGenerator
from multikeras.symbolic import Operation
from multikeras.variables import Variable

core = native.core
_PLAIN_LEAVES = (str, int, float, bool, type(None), np.ndarray)
_IGNORED_WEIGHT_ARGUMENTS = {"use_resource", "synchronization", "collections", "caching_device"}
_REFUSED_WEIGHT_ARGUMENTS = {
    "getter": "a weight is made by its initializer",
    "partitioner": "a weight is one array",
}


if TYPE_CHECKING:

    class BaseLayer:
        """What a layer is to the framework: a `torch.nn.Module`, a `tf.Module` or nothing more."""

else:
    BaseLayer = core.BaseLayer


_set_attribute = BaseLayer.__setattr__


class Tracked(BaseLayer, Operation):
    """The variables half of `Layer`."""

    # Names of attributes that hold no children of the layer, or hold them a second time (the
    # `_self_...` ones are the framework's own list of them).
    _private = frozenset(
        {"_own_variables", "_parameters", "_modules", "_buffers", "inbound_nodes", "_init_args"}
        | {"_touched", "_losses", "_loss_functions", "_consumers"}
        | {"_self_unconditional_checkpoint_dependencies", "_self_unconditional_dependency_names"}
    )

    # Whether layers may come when this one is built.
    _takes_late_layers = False

    # Set by __new__, the last two by Layer.
    built: bool = False
    _init_args: tuple[tuple, dict[str, Any]]
    _own_variables: list[Variable]
    _losses: list[Any]  # of the last call
    _loss_functions: list[Any]
    _touched: list[Any]
    _settled: bool
    _weight_list: str
    _path: str | None
    _build_config: dict[str, Any] | None
    _trainable: bool
    variable_dtype: Any

    if TYPE_CHECKING:  # defined by Layer

        def _who(self) -> str: ...

        def _claim_path(self) -> str: ...

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        instance = super().__new__(cls)
        # The base class of a framework is set up here, so that attributes may be set before
        # super().__init__() is called.
        BaseLayer.__init__(instance)
        plain = instance.__dict__
        plain["_init_args"] = (args, kwargs)
        plain["_own_variables"] = []
        plain["_losses"] = []
        plain["_loss_functions"] = []
        plain["_touched"] = []
        plain["_settled"] = False
        plain["_weight_list"] = "before build"  # "open" in build(), "closed" after it
        plain["built"] = False
        plain["_path"] = None
        plain["_build_config"] = None
        return instance

    def __setattr__(self, name: str, value: Any) -> None:
        if self.built and isinstance(value, (Tracked, list, tuple, dict)):
            self._check_late(name, value)
        _set_attribute(self, name, value)

    def _check_late(self, name: str, value: Any) -> None:
        """Refuses a layer that comes when this one is built: no file would tell of its weights."""
        in_constructor = self._path is None  # where a layer with nothing to build is built, too
        in_build = self._weight_list == "open"
        if in_constructor or in_build or self._takes_late_layers or name in self._private:
            return
        held = value.values() if isinstance(value, dict) else value
        items = [value] if isinstance(value, Tracked) else held
        late = [item for item in items if isinstance(item, Tracked)]
        if late and not {id(item) for item in late} <= set(map(id, self._layers)):
            raise ValueError(
                f"{self._who()} is built; expected its layers to be made in __init__() or "
                f"build(), got {late[0]!r} as its attribute {name!r} later."
            )

    # -- children and variables -------------------------------------------------------------

    def tracked_children(self) -> Iterator[tuple[str, Any]]:
        """Pairs (attribute path, object) of the layers, metrics, seed generators and variables
        that attributes hold, inside lists, tuples and dicts too, each once, in order."""
        seen: set[int] = set()
        for name, value in list(self.__dict__.items()):
            if name not in self._private and not isinstance(value, _PLAIN_LEAVES):
                yield from _tracked(name, value, seen)

    def child_layers(self) -> dict[str, Tracked]:
        """The layers that attributes hold, by names in which an underscore parts the levels."""
        return {
            path.replace(".", "_"): child
            for path, child in self.tracked_children()
            if isinstance(child, Tracked)
        }

    @property
    def _layers(self) -> list[Tracked]:
        return [child for _, child in self.tracked_children() if isinstance(child, Tracked)]

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Tracked]:
        """This layer and those below, each once, parents first."""
        found: dict[int, Tracked] = {}

        def visit(layer: Tracked) -> None:
            for child in layer._layers:
                if id(child) not in found:
                    found[id(child)] = child
                    if recursive:
                        visit(child)

        visit(self)
        below = [layer for layer in found.values() if layer is not self]
        return [self, *below] if include_self else below

    def _all_children(self) -> list[tuple[str, Any]]:
        """The tracked children of this layer and of those below, in one walk."""
        found: list[tuple[str, Any]] = []
        seen = {id(self)}

        def visit(layer: Tracked) -> None:
            children = list(layer.tracked_children())
            found.extend(children)
            for _, child in children:
                if isinstance(child, Tracked) and id(child) not in seen:
                    seen.add(id(child))
                    visit(child)

        visit(self)
        return found

    def _own_weights(self) -> list[Variable]:
        own = {id(v): v for v in self._own_variables}
        children = (child for _, child in self.tracked_children())
        own |= {id(child): child for child in children if isinstance(child, Variable)}
        variables = list(own.values())
        return [v for v in variables if v.trainable] + [v for v in variables if not v.trainable]

    @property
    def weights(self) -> list[Variable]:
        """All weights; states of seed generators and metrics are not among them.

        Example:
            >>> import multikeras as keras
            >>> layer = keras.layers.Dense(2)
            >>> layer.weights
            []
            >>> layer.build((None, 3))
            >>> [(w.name, w.shape) for w in layer.weights]
            [('kernel', (3, 2)), ('bias', (2,))]
        """
        found: dict[int, Variable] = {}
        for layer in self._flatten_layers():
            found.update((id(v), v) for v in layer._own_weights())
        return list(found.values())

    @property
    def variables(self) -> list[Variable]:
        """All weights, states of seed generators included; not those of metrics."""
        found: dict[int, Variable] = {}
        for layer in self._flatten_layers():
            found.update((id(v), v) for v in layer._own_weights())
            found.update((id(v), v) for v in layer._state_variables())
        return list(found.values())

    def _state_variables(self) -> list[Variable]:
        """What a step changes but no file keeps: here, the states of seed generators."""
        children = (child for _, child in self.tracked_children())
        return [child.state for child in children if isinstance(child, SeedGenerator)]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training updates.

        Example:
            >>> import multikeras as keras
            >>> layer = keras.layers.BatchNormalization()
            >>> layer.build((None, 3))
            >>> [w.name for w in layer.trainable_weights]
            ['gamma', 'beta']
        """
        if not self._trainable:
            return []
        found: dict[int, Variable] = {}
        seen: set[int] = set()

        def visit(layer: Tracked) -> None:
            if layer._trainable and id(layer) not in seen:
                seen.add(id(layer))
                found.update((id(v), v) for v in layer._own_weights() if v.trainable)
                for child in layer._layers:
                    visit(child)

        visit(self)
        return list(found.values())

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone: those of frozen layers, and those that `call`
        itself updates.

        Example:
            >>> import multikeras as keras
            >>> layer = keras.layers.BatchNormalization()
            >>> layer.build((None, 3))
            >>> [w.name for w in layer.non_trainable_weights]
            ['moving_mean', 'moving_variance']
        """
        trainable = set(map(id, self.trainable_weights))
        return [v for v in self.weights if id(v) not in trainable]

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training updates."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that training leaves alone, states of seed generators included."""
        trainable = set(map(id, self.trainable_weights))
        return [v for v in self.variables if id(v) not in trainable]

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that attributes of this layer and those below hold, those of `add_metric`
        included.

        Example:
            >>> import multikeras as keras
            >>> layer = keras.layers.Layer()
            >>> layer.seen = keras.metrics.Mean(name="seen")
            >>> [metric.name for metric in layer.metrics]
            ['seen']
        """
        children = (child for _, child in self._all_children())
        return list({id(child): child for child in children if isinstance(child, Metric)}.values())

    @property
    def metrics_variables(self) -> list[Variable]:
        """The states of the metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether training updates the weights; setting it sets the layers below too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._flatten_layers():
            layer._trainable = bool(value)
            for variable in layer._own_variables:
                core.set_trainable(variable.storage, value and variable.trainable)

    @property
    def path(self) -> str | None:
        """The path below which the weights stand, once built."""
        return self._path

    def count_params(self) -> int:
        """The number of scalars in the weights.

        Raises:
            ValueError: if the layer is not built.

        Example:
            >>> import multikeras as keras
            >>> layer = keras.layers.Dense(2)
            >>> layer.build((None, 3))
            >>> layer.count_params()
            8
        """
        if not self.built:
            raise ValueError(f"{self._who()} is not built: call it or build(input_shape) first.")
        return sum(int(np.prod(v.shape)) for v in self.weights)

    def add_weight(
        self,
        *args: Any,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> Variable:
        """Makes a weight of the layer.

        Args:
            *args: (shape, initializer, dtype, trainable), or in the order of tf.keras 2: (name,
                shape, dtype, initializer, regularizer, trainable, constraint).
            shape: default: a scalar.
            initializer: default: "glorot_uniform" for floats, else "zeros".
            dtype: default: `variable_dtype`.
            trainable: whether training updates it.
            autocast: whether mixed precision reads it in the compute dtype.
            regularizer, constraint: for this weight.
            aggregation, overwrite_with_gradient: kept for the optimizer.
            name: one path component.
            experimental_autocast: another name of `autocast`.
            use_resource, synchronization, collections, caching_device: accepted and ignored.

        Raises:
            ValueError: after `build`: a file could not tell where the weight belongs.
            TypeError: for a `getter` or `partitioner`, or unknown or too many arguments.
        """
        autocast = kwargs.pop("experimental_autocast", autocast)
        if kwargs:
            self._check_weight_arguments(kwargs)
        if self._weight_list == "closed":
            raise ValueError(
                f"{self._who()}.add_weight: the layer is built; expected its weights to be made in "
                f"__init__() or build(), got {name or 'another'!r} later."
            )
        if args:
            by_name = {"name": name, "shape": shape, "initializer": initializer, "dtype": dtype}
            by_name |= {"trainable": trainable, "regularizer": regularizer}
            by_name |= {"constraint": constraint} | _by_name(args, self._who())
            return self.add_weight(
                **by_name,
                autocast=autocast,
                aggregation=aggregation,
                overwrite_with_gradient=overwrite_with_gradient,
            )
        shape = () if shape is None else shape
        dtype = dtypes.standardize_dtype(dtype) if dtype is not None else self.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if dtypes.is_float_dtype(dtype) else "zeros"
        with scopes.absolute_name_scope(self._claim_path()):
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
            )
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._keep_weight(variable)
        return variable

    def _keep_weight(self, variable: Variable) -> None:
        self._own_variables.append(variable)
        if adopt := getattr(self, "adopt_variable", None):
            adopt(variable.name, variable)

    def _check_weight_arguments(self, kwargs: dict[str, Any]) -> None:
        for name, value in kwargs.items():
            if name in _IGNORED_WEIGHT_ARGUMENTS:
                continue
            if name in _REFUSED_WEIGHT_ARGUMENTS:
                if value is None:
                    continue
                raise TypeError(
                    f"{self._who()}.add_weight: `{name}` is not supported: "
                    f"{_REFUSED_WEIGHT_ARGUMENTS[name]}; got {value!r}."
                )
            raise TypeError(f"{self._who()}.add_weight: unknown argument {name!r}.")

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Makes a weight of the layer; see `add_weight`."""
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            dtype=dtype,
            trainable=trainable,
            autocast=autocast,
            regularizer=regularizer,
            constraint=constraint,
            name=name,
        )

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the values of `weights`, as NumPy arrays.

        Example:
            >>> import multikeras as keras
            >>> layer = keras.layers.Dense(1, kernel_initializer="ones")
            >>> layer.build((None, 2))
            >>> [w.tolist() for w in layer.get_weights()]
            [[[1.0], [1.0]], [0.0]]
        """
        return [np.array(v.numpy()) for v in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Sets the values of `weights`; nothing changes if one does not fit.

        Args:
            weights: arrays in the order and of the shapes of `get_weights`.

        Raises:
            ValueError: for a wrong number or shape.

        Example:
            >>> import multikeras as keras
            >>> first, second = keras.layers.Dense(1), keras.layers.Dense(1)
            >>> first.build((None, 2)), second.build((None, 2))
            (None, None)
            >>> second.set_weights(first.get_weights())
            >>> bool((first.kernel.numpy() == second.kernel.numpy()).all())
            True
        """
        own = self.weights
        if len(own) != len(weights):
            raise ValueError(
                f"{self._who()}.set_weights: expected {len(own)} arrays, got {len(weights)}."
            )
        for variable, value in zip(own, weights, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise ValueError(
                    f"{self._who()}.set_weights: {variable.path} has shape {variable.shape}, "
                    f"got {tuple(np.shape(value))}."
                )
        for variable, value in zip(own, weights, strict=True):
            variable.assign(value)

    def save_own_variables(self, store: Any) -> None:
        """Puts the values of the layer's own variables into a dict-like store."""
        for index, variable in enumerate(self._own_weights()):
            store[str(index)] = variable

    def load_own_variables(self, store: Any) -> None:
        """Sets the layer's own variables from a store.

        Raises:
            ValueError: if the store holds more or fewer values.
        """
        own = self._own_weights()
        if len(store.keys()) != len(own):
            built = "" if self.built else " The layer is not built yet."
            raise ValueError(
                f"{self._who()} has {len(own)} variables, the file holds "
                f"{len(store.keys())} for it.{built}"
            )
        for index, variable in enumerate(own):
            variable.assign(store[str(index)])


def _by_name(args: tuple, who: str) -> dict[str, Any]:
    """The positional arguments of `add_weight` by name, in either order that scripts know."""
    order: tuple[str, ...] = ("shape", "initializer", "dtype", "trainable")
    if isinstance(args[0], str):
        order = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
        if len(args) > 2 and not _is_dtype(args[2]):
            order = ("name", "shape", "initializer", "dtype")
    if len(args) > len(order):
        raise TypeError(
            f"{who}.add_weight: expected at most {len(order)} arguments by position "
            f"({', '.join(order)}), got {args}."
        )
    return dict(zip(order, args))


def _is_dtype(value: Any) -> bool:
    try:
        return value is None or bool(dtypes.standardize_dtype(value))
    except (ValueError, TypeError):
        return False


def _tracked(path: str, value: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (Tracked, Metric, SeedGenerator, Variable)):
        if id(value) not in seen:
            seen.add(id(value))
            yield path, value
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _tracked(f"{path}.{index}", item, seen)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _tracked(f"{path}.{key}", item, seen)
