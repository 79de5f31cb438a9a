"""`Metric`: values that are gathered over batches.

A metric keeps Variables, adds to them in `update_state` and computes the value from them in
`result`. Both are pure in a `StatelessScope`, which the `stateless_*` methods use.
Refuses lists of state of the wrong length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multikeras import config, dtype_policies, initializers, ops, registry, tree
from multikeras.symbolic import KerasTensor, any_symbolic
from multikeras.symbolic.operation import snake_case
from multikeras.variables import StatelessScope, Variable, absolute_name_scope, auto_name

# Told of every result that a call of a metric gives: how a layer knows where a value came from.
listeners: list[Callable[[Metric, Any], None]] = []


@registry.expose("keras", aliases=("keras.metrics.Metric",))
class Metric:
    """Base class of metrics: subclasses implement `update_state` and `result`.

    Args:
        dtype: dtype or dtype policy of the state; None: `floatx()`.
        name: default: the class name in snake case, made unique.

    Example:
        >>> from multikeras import metrics, ops
        >>> class Count(metrics.Metric):
        ...     def __init__(self, name="count"):
        ...         super().__init__(name=name)
        ...         self.seen = self.add_weight(name="seen")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.seen.assign_add(float(len(y_true)))
        ...     def result(self):
        ...         return self.seen.value
        >>> count = Count()
        >>> float(count([0, 1], [1, 1])), float(count([0], [1]))
        (2.0, 3.0)
    """

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self._own: list[Variable] = []
        self._inner: list[Metric] = []
        self.name = name or auto_name(snake_case(type(self).__name__))
        self._dtype = None if dtype is None else dtype_policies.get(dtype).compute_dtype

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, (Variable, Metric)):
            known: list[Any] = self._own if isinstance(value, Variable) else self._inner
            if not any(value is item for item in known):
                known.append(value)
        object.__setattr__(self, name, value)

    @property
    def dtype(self) -> str:
        """The dtype of the state."""
        return config.floatx() if self._dtype is None else self._dtype

    @property
    def variables(self) -> list[Variable]:
        """The state: own variables, then those of metrics that are attributes."""
        return [*self._own, *(v for metric in self._inner for v in metric.variables)]

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Makes a variable of the state.

        Args:
            shape: its shape.
            initializer: a name or an initializer; None: zeros.
            dtype: default: the metric's.
            aggregation: how replicas combine.
            name: one path component.
        """
        with absolute_name_scope(self.name):
            variable = Variable(
                initializers.get("zeros" if initializer is None else initializer),
                shape=shape,
                dtype=dtype or self.dtype,
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        self._own.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """`add_variable`, a scalar by default."""
        return self.add_variable(shape=shape, initializer=initializer, dtype=dtype, name=name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`update_state`, then `result`; for symbolic tensors only what `result` will look like."""
        if any_symbolic(args, kwargs):
            return self._symbolic_result()
        self.update_state(*args, **kwargs)
        result = self.result()
        for listener in listeners:
            listener(self, result)
        return result

    def _symbolic_result(self) -> Any:
        def symbol(value: Any) -> KerasTensor:
            tensor = KerasTensor(value.shape, ops.dtype(value))
            tensor.metric = self
            return tensor

        return tree.map_structure(symbol, self.result())

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes in a batch.

        Raises:
            NotImplementedError: if the subclass has none.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement update_state().")

    def update_masked(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> None:
        """`update_state` with a mask; means over samples leave masked ones out, other metrics
        ignore it."""
        if sample_weight is None:
            self.update_state(y_true, y_pred)
        else:
            self.update_state(y_true, y_pred, sample_weight=sample_weight)

    def result(self) -> Any:
        """The value so far, a scalar tensor (or a dict of them).

        Raises:
            NotImplementedError: if the subclass has none.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement result().")

    def reset_state(self) -> None:
        """Sets the state to zero."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, np.float32))

    def reset_states(self) -> None:
        """`reset_state` under tf.keras 2's name."""
        self.reset_state()

    def stateless_update_state(
        self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any
    ) -> list[Any]:
        """`update_state` as a pure function: values of `variables` in, new values out.

        Raises:
            ValueError: for another number of values.
        """
        with self._scope(metric_variables) as scope:
            self.update_state(*args, **kwargs)
        return [scope.values[variable] for variable in self.variables]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """`result` as a pure function of the values of `variables`.

        Raises:
            ValueError: for another number of values.
        """
        with self._scope(metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list[Any]:
        """The values of `variables` after `reset_state`, which stay as they are."""
        with self._scope([variable.value for variable in self.variables]) as scope:
            self.reset_state()
        return [scope.values[variable] for variable in self.variables]

    def _scope(self, values: Sequence[Any]) -> StatelessScope:
        variables = self.variables
        if len(values) != len(variables):
            raise ValueError(
                f"{self.name}: `metric_variables` must hold {len(variables)} values; "
                f"got {len(values)}."
            )
        return StatelessScope(zip(variables, values, strict=True))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """A metric from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def scalar_or_vector(values: Any) -> Any:
    """The one entry of a vector of length 1, else the vector."""
    return values[0] if values.shape[0] == 1 else values


def ratio(part: Any, rest: Any) -> Any:
    """`part / (part + rest)`, 0 where both are 0."""
    return ops.divide_no_nan(part, ops.add(part, rest))
