"""`LossScaleOptimizer`: a loss scale that adapts itself, for training in float16."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from multikeras import ops, registry, serialization
from multikeras.optimizers.optimizer import Optimizer, check_steps, select, tensors
from multikeras.variables import StatelessScope, Variable, absolute_name_scope


@registry.expose("keras.optimizers", aliases=("keras.mixed_precision.LossScaleOptimizer",))
class LossScaleOptimizer(Optimizer):
    """Wraps an optimizer: the loss is multiplied by a scale, gradients are divided by it.

    A step with gradients that are not finite is left out and halves the scale; after
    `dynamic_growth_steps` good steps the scale doubles (Micikevicius et al., 2018).

    Args:
        inner_optimizer: the optimizer that moves the variables.
        initial_scale: where the scale begins.
        dynamic_growth_steps: how many good steps double the scale.
        name: default: the class name in snake case, made unique.

    Raises:
        ValueError: for anything but an optimizer, for bad steps, or for arguments that belong to
            the inner optimizer.

    Example:
        >>> from multikeras import ops, optimizers
        >>> optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(0.1), initial_scale=8.0)
        >>> float(optimizer.scale_loss(ops.convert_to_tensor(0.5)))
        4.0
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 32768.0,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(inner_optimizer, Optimizer):
            raise ValueError(
                f"LossScaleOptimizer: `inner_optimizer` must be an Optimizer; got "
                f"{inner_optimizer!r}."
            )
        refused = sorted(k for k, value in kwargs.items() if value)
        if refused:
            raise ValueError(
                f"LossScaleOptimizer doesn't take {refused}; set them on the inner optimizer."
            )
        check_steps("LossScaleOptimizer", "dynamic_growth_steps", dynamic_growth_steps, 1)
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = float(initial_scale)
        self.dynamic_growth_steps = dynamic_growth_steps

    def build(self, variables: Iterable[Variable]) -> None:
        """Makes the counter and the scale, and builds the inner optimizer."""
        if self.built:
            return
        variables = list(variables)
        self.step_counter = self.add_variable((), "zeros", "int32", name="step_counter")
        with absolute_name_scope(self.name):
            self.dynamic_scale = Variable(
                np.float32(self.initial_scale), trainable=False, name="dynamic_scale"
            )
        self._variables.append(self.dynamic_scale)
        self.inner_optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        """The own state, then that of the inner optimizer."""
        return self._variables + self.inner_optimizer.variables

    @property
    def iterations(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.iterations

    @iterations.setter
    def iterations(self, variable: Variable) -> None:
        self.inner_optimizer.iterations = variable

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    lr = learning_rate

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the scale (and times the inner optimizer's factor)."""
        scale = self.dynamic_scale.value if self.built else self.initial_scale
        loss = self.inner_optimizer.scale_loss(loss)
        if ops.is_tensor(loss) and self.built:
            scale = ops.cast(scale, ops.dtype(loss))
        return loss * scale

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Moves the variables if all gradients are finite; adapts the scale.

        Args:
            grads: gradients of the scaled loss, one per variable.
            trainable_variables: the variables; None: those that it was built with.

        Raises:
            ValueError: as `Optimizer.apply`.
        """
        grads = tensors(grads)
        variables = self._checked(grads, trainable_variables)
        if not grads:
            return
        scale = self.dynamic_scale.value
        finite: Any = True
        for gradient in grads:
            if gradient is not None:
                finite = ops.logical_and(finite, ops.all(ops.isfinite(gradient)))
        with StatelessScope() as inner:
            unscaled = [None if g is None else g / ops.cast(scale, ops.dtype(g)) for g in grads]
            self.inner_optimizer.apply(unscaled, variables)
        select(finite, inner)
        count = self.step_counter.value
        full = ops.greater_equal(ops.add(count, 1), self.dynamic_growth_steps)
        grown = ops.where(full, scale * 2.0, scale)
        grown = ops.where(ops.isfinite(grown), grown, scale)
        zero = ops.zeros_like(count)
        self.dynamic_scale.assign(ops.where(finite, grown, scale / 2.0))
        again = ops.logical_or(full, ops.logical_not(finite))
        self.step_counter.assign(ops.where(again, zero, ops.add(count, 1)))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """The inner optimizer's."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """The inner optimizer's."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "name": self.name,
            "inner_optimizer": serialization.serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> LossScaleOptimizer:
        """An optimizer from what `get_config` gave."""
        settings = dict(config)
        inner = serialization.deserialize_keras_object(
            settings.pop("inner_optimizer"), custom_objects=custom_objects
        )
        return cls(inner, **settings)
