"""`Adafactor`: Adam whose mean squares of a matrix are kept as a row and a column."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.optimizers.optimizer import Optimizer
from multikeras.variables import Variable


@registry.expose("keras.optimizers")
class Adafactor(Optimizer):
    """Adaptive steps with little memory: for matrices only the means over rows and over columns of
    the squared gradients are used (Shazeer and Stern, 2018).

    Args:
        learning_rate: a number, a schedule, a callable or a Variable.
        beta_2_decay: the decay of the mean squares at step t is `1 - t ** beta_2_decay`.
        epsilon_1: added to squared gradients.
        epsilon_2: the least size of a variable in the scale of its step.
        clip_threshold: the greatest root mean square of a step before scaling.
        relative_step: whether the rate is at most `1 / sqrt(t)`.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: see
            `Optimizer`.

    Example:
        >>> from multikeras import ops, optimizers
        >>> from multikeras.variables import Variable
        >>> v = Variable([1.0])
        >>> optimizers.Adafactor(learning_rate=0.5).apply([ops.convert_to_tensor([1.0])], [v])
        >>> bool(v.numpy()[0] < 1.0)
        True
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        super().__init__(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name,
            **kwargs,
        )
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def make_slots(self, variables: list[Variable]) -> None:
        """Means over the last axis and the one before, and the mean squares."""
        self._rows, self._columns, self._velocities = [], [], []
        for variable in variables:
            self._rows.append(self._mean_slot(variable, -1))
            self._columns.append(self._mean_slot(variable, -2))
            self._velocities.append(self.add_variable_from_reference(variable, "velocity"))

    def _mean_slot(self, variable: Variable, axis: int) -> Variable:
        """A slot without one axis; for vectors a placeholder, as Keras 3's files have it."""
        shape = list(variable.shape)
        if len(shape) < 2:
            return self.add_variable((), "zeros", "int32", name=variable.name)
        del shape[axis]
        name = variable.path.replace("/", "_")
        return self.add_variable(tuple(shape), "zeros", variable.dtype, name=name)

    def _factored(self, variable: Variable, squares: Any, keep: Any) -> Any:
        """The mean squares as the product of row and column means."""
        row, column = self.slot(self._rows, variable), self.slot(self._columns, variable)
        rows = row.value * keep + ops.mean(squares, axis=-1) * (1.0 - keep)
        columns = column.value * keep + ops.mean(squares, axis=-2) * (1.0 - keep)
        self.assign(row, rows)
        self.assign(column, columns)
        share = rows / ops.mean(rows, axis=-1, keepdims=True)
        return ops.expand_dims(share, -1) * ops.expand_dims(columns, -2)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Moves one variable."""
        dtype = variable.dtype
        gradient, value = ops.cast(gradient, dtype), variable.value
        step = self.step_number()
        rate = ops.cast(learning_rate, "float32")
        if self.relative_step:
            rate = ops.minimum(rate, 1.0 / ops.sqrt(step))
        rate = ops.cast(rate, dtype) * ops.maximum(_rms(value), self.epsilon_2)
        keep = ops.cast(1.0 - ops.power(step, self.beta_2_decay), dtype)
        squares = ops.square(gradient) + self.epsilon_1
        slot = self.slot(self._velocities, variable)
        if len(variable.shape) < 2:
            velocity = slot.value * keep + squares * (1.0 - keep)
        else:
            velocity = self._factored(variable, squares, keep)
        self.assign(slot, velocity)
        move = gradient / ops.sqrt(velocity)
        move = move / ops.maximum(1.0, _rms(move) / self.clip_threshold)
        self.assign_sub(variable, rate * move)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
            "relative_step": self.relative_step,
        }


def _rms(x: Any) -> Any:
    return ops.sqrt(ops.mean(ops.square(x)))
