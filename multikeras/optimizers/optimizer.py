"""`Optimizer`: what all update rules share.

A subclass says which slots it keeps (`build`) and how one variable moves (`update_step`). Here
are the learning rate and its schedule, clipping, decoupled weight decay, accumulation of
gradients, the moving average of the variables, the scaling of the loss, and the state: a list
of variables whose order is that of Keras 3's files.

No Python branch depends on a tensor's value, so the same code runs in a traced step: what
happens only sometimes is computed in an inner `StatelessScope` and selected with `where`. An
engine whose framework runs eagerly may set `fused`, a function that updates all variables at
once; then branches are decided on the host.
Refuses gradients for variables that the optimizer was not built with.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from multikeras import dtypes, initializers, ops, registry, serialization
from multikeras.legacy.optimizer import LegacyOptimizer
from multikeras.optimizers import gradients as clipping
from multikeras.optimizers.schedules.learning_rate_schedule import LearningRateSchedule
from multikeras.symbolic.operation import snake_case
from multikeras.variables import (
    StatelessScope,
    Variable,
    absolute_name_scope,
    auto_name,
    stateless_scope,
)

# Arguments of tf.keras 2 that say nothing here.
_IGNORED = ("jit_compile", "is_legacy_optimizer")


@registry.expose("keras", aliases=("keras.optimizers.Optimizer",))
class Optimizer(LegacyOptimizer):
    """Base class of optimizers.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, a callable without arguments, or a
            scalar `Variable`.
        weight_decay: the share of each variable that is taken off per step, times the learning
            rate (decoupled from the gradient); None: none.
        clipnorm: the greatest norm of each gradient.
        clipvalue: the greatest absolute value of each entry of a gradient.
        global_clipnorm: the greatest norm of all gradients together.
        use_ema: whether a moving average of the variables is kept.
        ema_momentum: how much of the average stays at each step.
        ema_overwrite_frequency: after how many steps the variables are set to their average;
            None: at the end of training only (`finalize_variable_values`).
        loss_scale_factor: factor of the loss, by which gradients are divided again: keeps
            16-bit gradients from underflowing.
        gradient_accumulation_steps: over how many steps gradients are averaged before the
            variables move.
        name: default: the class name in snake case, made unique.

    Raises:
        ValueError: for a bad argument.

    Example:
        >>> from multikeras import ops, optimizers
        >>> from multikeras.variables import Variable
        >>> class Descent(optimizers.Optimizer):
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         self.assign_sub(variable, ops.multiply(learning_rate, gradient))
        >>> v = Variable([1.0, 2.0])
        >>> Descent(0.5).apply([ops.convert_to_tensor([1.0, 1.0])], [v])
        >>> v.numpy().tolist()
        [0.5, 1.5]
    """

    # Set by an engine: `fused(optimizer, gradients, variables, learning_rate)` updates all
    # variables and slots in place of `weight_decay` and `update_step`.
    fused: Callable[..., None] | None = None

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        learning_rate = _old_arguments(owner, learning_rate, kwargs)
        if sum(x is not None for x in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                f"{owner}: only one of `clipnorm`, `clipvalue` and `global_clipnorm` may be set; "
                f"got {clipnorm}, {clipvalue} and {global_clipnorm}."
            )
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(
                f"{owner}: `ema_momentum` must lie between 0 and 1; got {ema_momentum!r}."
            )
        check_steps(owner, "ema_overwrite_frequency", ema_overwrite_frequency, 1)
        check_steps(owner, "gradient_accumulation_steps", gradient_accumulation_steps, 2)
        self.name = name or auto_name(snake_case(owner))
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum if use_ema else 0.99
        self.ema_overwrite_frequency = ema_overwrite_frequency if use_ema else None
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._index: dict[int, int] = {}
        self._exclude_ids: set[int] = set()
        self._exclude_names: tuple[str, ...] = ()
        self._averages: list[Variable | None] = []
        self._accumulators: list[Variable | None] = []
        with absolute_name_scope(self.name):
            self._iterations = Variable(
                0, dtype="int32", trainable=False, name="iteration",
                aggregation="only_first_replica",
            )  # fmt: skip
        self._variables.append(self._iterations)
        self._learning_rate = self._make_learning_rate(owner, learning_rate)

    def _make_learning_rate(self, owner: str, learning_rate: Any) -> Any:
        if isinstance(learning_rate, dict):
            learning_rate = serialization.deserialize_keras_object(learning_rate)
        if isinstance(learning_rate, LearningRateSchedule):
            return learning_rate
        if isinstance(learning_rate, Variable):
            self._variables.append(learning_rate)
            return learning_rate
        if callable(learning_rate) and not ops.is_tensor(learning_rate):
            return learning_rate
        try:
            number = float(ops.convert_to_numpy(learning_rate))
            if isinstance(learning_rate, (str, bool)):
                raise TypeError
        except (TypeError, ValueError):
            raise ValueError(
                f"{owner}: `learning_rate` must be a number, a LearningRateSchedule, a callable "
                f"without arguments or a scalar Variable; got {learning_rate!r}."
            ) from None
        with absolute_name_scope(self.name):
            variable = Variable(
                np.asarray(number, dtypes.numpy_dtype(dtypes.floatx())),
                trainable=False,
                name="learning_rate",
                aggregation="only_first_replica",
            )
        self._variables.append(variable)
        return variable

    # State -----------------------------------------------------------------------------------

    @property
    def variables(self) -> list[Variable]:
        """The state: iteration, learning rate, then the slots in the order they were made."""
        return self._variables[:]

    @property
    def iterations(self) -> Any:
        """How often the variables have moved: a Variable; with gradient accumulation a tensor."""
        if self.gradient_accumulation_steps:
            return ops.floor_divide(self._iterations.value, self.gradient_accumulation_steps)
        return self._iterations

    @iterations.setter
    def iterations(self, variable: Variable) -> None:
        if self.built:
            raise RuntimeError(f"{self.name}: `iterations` can't be set on a built optimizer.")
        old = self._iterations
        self._variables = [variable if v is old else v for v in self._variables]
        self._iterations = variable

    @property
    def learning_rate(self) -> Any:
        """The learning rate now: the Variable, or what the schedule or callable gives.

        Setting it takes a number (not where a schedule was given), a schedule or a callable.
        """
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return rate(self._iterations.value)
        return rate if isinstance(rate, Variable) else rate() if callable(rate) else rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        old = self._learning_rate
        if callable(value) and not ops.is_tensor(value):
            if isinstance(old, Variable):
                self._variables = [v for v in self._variables if v is not old]
            self._learning_rate = value
        elif isinstance(old, Variable):
            old.assign(value.value if isinstance(value, Variable) else value)
        else:
            raise TypeError(
                f"{self.name}: its learning rate is a schedule or a callable, so it can't be set "
                "to a number. Make the optimizer with a number to change the rate by hand."
            )

    lr = learning_rate

    def step_number(self, dtype: str = "float32") -> Any:
        """The number of the step being made (from 1), as a float tensor."""
        done = self.iterations
        done = done.value if isinstance(done, Variable) else done
        return ops.cast(ops.add(done, 1), dtype)

    def build(self, variables: Iterable[Variable]) -> None:
        """Makes the slots for the variables that will be updated; once, later calls do nothing.

        Raises:
            ValueError: if one of them is not a Variable.
        """
        if self.built:
            return
        variables = list(variables)
        for variable in variables:
            if not isinstance(variable, Variable):
                raise ValueError(
                    f"{self.name}: expected the trainable variables as multikeras Variables; "
                    f"got {variable!r}."
                )
        self._trainable_variables = variables
        self._index = {id(variable): i for i, variable in enumerate(variables)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulators = self.add_optimizer_variables(variables, "gradient_accumulator")
        self.make_slots(variables)
        self.built = True

    def make_slots(self, variables: list[Variable]) -> None:
        """Makes the rule's own slots; the base class has none."""

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Makes a variable of the optimizer's state.

        Args:
            shape: its shape.
            initializer: a name or an initializer.
            dtype: default: `floatx()`.
            aggregation: how replicas combine.
            layout: how it is laid out over devices.
            name: one path component.
        """
        with absolute_name_scope(self.name):
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                layout=layout,
                name=name,
            )
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Makes a slot of the shape and dtype of a variable, named after it and `name`."""
        own = reference_variable.path.replace("/", "_")
        return self.add_variable(
            shape=reference_variable.shape,
            initializer=initializer,
            dtype=reference_variable.dtype,
            layout=reference_variable.layout,
            name=f"{own}_{name}" if name else own,
        )

    def add_optimizer_variables(
        self, trainable_variables: Iterable[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Makes one slot per variable, or several.

        Args:
            trainable_variables: the variables.
            name: the slot's name, or a list of names.
            initializer: an initializer, or one per name.

        Returns:
            A list with one entry per variable (None where the variable is overwritten with its
            gradient); for a list of names a list of such lists.
        """
        single = isinstance(name, str)
        names = [name] if single else list(name)
        makers = (
            initializer if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        )
        if len(makers) != len(names):
            raise ValueError(
                f"{self.name}: expected one initializer per name; got {len(makers)} for {names}."
            )
        slots: list[list[Variable | None]] = [[] for _ in names]
        for variable in trainable_variables:
            for column, slot, maker in zip(slots, names, makers, strict=True):
                column.append(
                    None
                    if variable.overwrite_with_gradient
                    else self.add_variable_from_reference(variable, slot, maker)
                )
        return slots[0] if single else slots

    def slot(self, slots: Sequence[Any], variable: Variable) -> Any:
        """The entry of `slots` that belongs to `variable`."""
        return slots[self._index[id(variable)]]

    # Updating --------------------------------------------------------------------------------

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """`apply` on pairs of (gradient, variable); returns the iteration counter."""
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Moves the variables by their gradients.

        Args:
            grads: one tensor (or what can be made one) per variable; None leaves its variable
                alone.
            trainable_variables: the variables; None: those that it was built with.

        Raises:
            ValueError: if numbers differ, a variable is unknown, or all gradients are None.
        """
        grads = tensors(grads)
        variables = self._checked(grads, trainable_variables)
        if not grads:
            return
        grads, variables = self._without_none(grads, variables)
        if self.loss_scale_factor is not None:
            factor = self.loss_scale_factor
            grads = [None if g is None else g / factor for g in grads]
        grads, variables = _overwrite(grads, variables)
        if grads:
            if self.gradient_accumulation_steps:
                self._accumulate(grads, variables)
            else:
                self._update(grads, variables)
            if self.use_ema:
                self._average()
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))
        self._iterations.assign_add(1)

    def _checked(self, grads: list[Any], trainable_variables: Any) -> list[Variable]:
        if trainable_variables is None:
            if not self.built:
                raise ValueError(
                    f"{self.name}: `apply` without variables needs a built optimizer; call "
                    "`build(trainable_variables)` first or pass the variables."
                )
            variables = self._trainable_variables
        else:
            variables = list(trainable_variables)
            if not self.built:
                self.build(variables)
            index = self._index
            for variable in variables:
                if id(variable) not in index:
                    raise ValueError(
                        f"{self.name}: it was not built with the variable {variable!r}, so it "
                        "has no slots for it. Make a new optimizer for other variables."
                    )
        if len(grads) != len(variables):
            raise ValueError(
                f"{self.name}: expected one gradient per variable; got {len(grads)} gradients "
                f"for {len(variables)} variables."
            )
        return variables

    def _without_none(
        self, grads: list[Any], variables: list[Variable]
    ) -> tuple[list[Any], list[Variable]]:
        missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
        if not missing:
            return grads, variables
        if len(missing) == len(grads):
            raise ValueError(f"{self.name}: no gradient for any variable.")
        warnings.warn(
            f"There are no gradients for the variables {missing}: the loss doesn't depend on them.",
            stacklevel=3,
        )
        kept = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        return [g for g, _ in kept], [v for _, v in kept]

    def _update(self, grads: list[Any], variables: list[Variable]) -> None:
        if self.clipnorm or self.clipvalue or self.global_clipnorm:
            grads = clipping.clip(grads, self.clipnorm, self.clipvalue, self.global_clipnorm)
        if self.fused is not None and stateless_scope() is None:
            self.fused(self, grads, variables, self.learning_rate)
        else:
            rate = self.learning_rate
            self._apply(grads, variables, rate.value if isinstance(rate, Variable) else rate)

    def _apply(self, grads: list[Any], variables: list[Variable], learning_rate: Any) -> None:
        """Weight decay and `update_step` for each variable."""
        self._apply_weight_decay(variables, learning_rate)
        for gradient, variable in zip(grads, variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Moves one variable.

        Args:
            gradient: a tensor of the variable's shape.
            variable: the Variable.
            learning_rate: a scalar tensor.

        Raises:
            NotImplementedError: if the subclass has none.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must implement update_step(gradient, variable, learning_rate)."
        )

    def _apply_weight_decay(self, variables: list[Variable], learning_rate: Any) -> None:
        if self.weight_decay is None:
            return
        for variable in variables:
            if self.decays(variable):
                rate = ops.cast(learning_rate, variable.dtype)
                value = variable.value
                variable.assign(value - value * (rate * self.weight_decay))

    def decays(self, variable: Variable) -> bool:
        """Whether weight decay applies to the variable."""
        if id(variable) in self._exclude_ids:
            return False
        return not any(re.search(pattern, variable.name) for pattern in self._exclude_names)

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Keeps weight decay off some variables.

        Args:
            var_list: the variables.
            var_names: patterns (regular expressions) found in the names of variables.
        """
        self._exclude_ids = {id(variable) for variable in var_list or ()}
        self._exclude_names = tuple(var_names or ())

    def _accumulate(self, grads: list[Any], variables: list[Variable]) -> None:
        """Adds to the sums of gradients; every n-th step applies their mean and clears them."""
        steps = self.gradient_accumulation_steps or 1
        slots = [self.slot(self._accumulators, variable) for variable in variables]
        sums = [slot.value + ops.cast(g, slot.dtype) for slot, g in zip(slots, grads, strict=True)]
        count = self._iterations.value
        if self.fused is not None and stateless_scope() is None:
            due = (int(ops.convert_to_numpy(count)) + 1) % steps == 0
            if due:
                self._update([total / steps for total in sums], variables)
            for slot, total in zip(slots, sums, strict=True):
                slot.assign(ops.zeros_like(total) if due else total)
            return
        due = ops.equal(ops.mod(ops.add(count, 1), steps), 0)
        with StatelessScope() as inner:
            self._update([total / steps for total in sums], variables)
        select(due, inner)
        for slot, total in zip(slots, sums, strict=True):
            slot.assign(ops.where(due, ops.zeros_like(total), total))

    def _average(self) -> None:
        """Moves the averages of the variables; sets the variables to them when it is time."""
        done = self.step_number() - 1.0
        momentum = ops.where(ops.equal(done, 0.0), 0.0, self.ema_momentum)
        every = self.ema_overwrite_frequency
        due = None if not every else ops.equal(ops.mod(done + 1.0, float(every)), 0.0)
        for variable, average in zip(self._trainable_variables, self._averages, strict=True):
            if average is None:
                continue
            value = variable.value
            keep = ops.cast(momentum, average.dtype)
            average.assign(keep * average.value + (1.0 - keep) * value)
            if due is not None:
                variable.assign(ops.where(due, average.value, value))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Sets the variables to their moving averages, at the end of training (`use_ema`)."""
        if not self.use_ema:
            return
        for variable in var_list:
            average = self.slot(self._averages, variable)
            if average is not None:
                variable.assign(average.value)

    def assign(self, variable: Variable, value: Any) -> None:
        """Sets a variable."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Adds to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtracts from a variable."""
        variable.assign_sub(value)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`, to be differentiated in its place."""
        if self.loss_scale_factor is None:
            return loss
        return loss * self.loss_scale_factor

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:
        """`apply` as a pure function.

        Args:
            optimizer_variables: values of `variables`.
            grads: one gradient per trainable variable.
            trainable_variables: values of the variables that it was built with.

        Returns:
            The new values of the trainable variables and of `variables`.

        Raises:
            ValueError: if it is not built or numbers differ.
        """
        if not self.built:
            raise ValueError(
                f"{self.name}: `stateless_apply` needs a built optimizer; call "
                "`build(trainable_variables)` first."
            )
        state = self.variables
        for what, given, wanted in (
            ("optimizer_variables", optimizer_variables, state),
            ("trainable_variables", trainable_variables, self._trainable_variables),
        ):
            if len(given) != len(wanted):
                raise ValueError(
                    f"{self.name}: `{what}` must hold {len(wanted)} values; got {len(given)}."
                )
        pairs = [
            *zip(self._trainable_variables, trainable_variables, strict=True),
            *zip(state, optimizer_variables, strict=True),
        ]
        with StatelessScope(pairs) as scope:
            self.apply(grads)
        return (
            [scope.values[variable] for variable in self._trainable_variables],
            [scope.values[variable] for variable in state],
        )

    # Saving ----------------------------------------------------------------------------------

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the state as arrays."""
        return [np.array(variable.numpy()) for variable in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the state from arrays in the order of `variables`.

        Raises:
            ValueError: if it is not built, or numbers or shapes differ.
        """
        if not self.built:
            raise ValueError(
                f"{self.name}: `set_weights` needs a built optimizer; call "
                "`build(trainable_variables)` first."
            )
        variables = self.variables
        if len(weights) != len(variables):
            raise ValueError(f"{self.name}: expected {len(variables)} arrays; got {len(weights)}.")
        for variable, weight in zip(variables, weights, strict=True):
            variable.assign(weight)

    def save_own_variables(self, store: Any) -> None:
        """Writes the state into a mapping, under "0", "1", ..."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads the state from a mapping.

        Raises:
            ValueError: if it holds another number of variables.
        """
        variables = self.variables
        if len(store.keys()) != len(variables):
            raise ValueError(
                f"{self.name}: the file holds {len(store.keys())} variables of the optimizer, "
                f"expected {len(variables)}: {[v.path for v in variables]}. It was saved by an "
                "optimizer with other settings, or this one is not built."
            )
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        rate = self._learning_rate
        if isinstance(rate, Variable):
            shown: Any = float(rate.numpy())
        else:
            shown = serialization.serialize_keras_object(rate)
        keys = (
            "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum",
            "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps",
        )  # fmt: skip
        return {
            "name": self.name,
            "learning_rate": shown,
            **{key: getattr(self, key) for key in keys},
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Optimizer:
        """An optimizer from what `get_config` gave."""
        settings = dict(config)
        if isinstance(settings.get("learning_rate"), dict):
            settings["learning_rate"] = serialization.deserialize_keras_object(
                settings["learning_rate"], custom_objects=custom_objects
            )
        return cls(**settings)


def tensors(grads: Iterable[Any]) -> list[Any]:
    """The gradients as tensors, None where there is none: a framework may give sparse ones."""
    return [g if g is None or ops.is_tensor(g) else ops.convert_to_tensor(g) for g in grads]


def select(condition: Any, scope: StatelessScope) -> None:
    """Assigns what was written in `scope` where `condition` holds; else all stays as it is."""
    for variable in scope.written:
        variable.assign(ops.where(condition, scope.values[variable], variable.value))


def check_steps(owner: str, name: str, value: Any, least: int) -> None:
    """Refuses a number of steps that is not None and not an integer of at least `least`.

    Raises:
        ValueError: for such a number.
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(
            f"{owner}: `{name}` must be an integer of at least {least} or None; got {value!r}."
        )


def _old_arguments(owner: str, learning_rate: Any, kwargs: dict[str, Any]) -> Any:
    """The learning rate, after the arguments that tf.keras 2 had were taken out of `kwargs`."""
    if "lr" in kwargs:
        warnings.warn(f"{owner}: `lr` is called `learning_rate` now.", stacklevel=4)
        learning_rate = kwargs.pop("lr")
    if kwargs.pop("decay", None):
        warnings.warn(
            f"{owner}: `decay` is ignored; use a LearningRateSchedule (InverseTimeDecay).",
            stacklevel=4,
        )
    for name in _IGNORED:
        kwargs.pop(name, None)
    if kwargs:
        raise ValueError(f"{owner} got unknown arguments: {sorted(kwargs)}.")
    return learning_rate


def _overwrite(grads: list[Any], variables: list[Variable]) -> tuple[list[Any], list[Variable]]:
    """Sets the variables whose gradient is their new value; returns the others."""
    if not any(variable.overwrite_with_gradient for variable in variables):
        return grads, variables
    kept: list[tuple[Any, Variable]] = []
    for gradient, variable in zip(grads, variables, strict=True):
        if variable.overwrite_with_gradient:
            variable.assign(gradient)
        else:
            kept.append((gradient, variable))
    return [g for g, _ in kept], [v for _, v in kept]
