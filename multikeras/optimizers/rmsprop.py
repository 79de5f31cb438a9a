"""`RMSprop`: steps divided by the root of the mean of squared gradients."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.optimizers.optimizer import Optimizer
from multikeras.variables import Variable


@registry.expose("keras.optimizers")
class RMSprop(Optimizer):
    """`v = rho * v + (1 - rho) * g ** 2; w -= rate * g / sqrt(v + epsilon)` (Tieleman and
    Hinton, 2012).

    Args:
        learning_rate: a number, a schedule, a callable or a Variable.
        rho: decay of the moving mean of squared gradients.
        momentum: the share of the last move that is kept.
        epsilon: keeps the division finite.
        centered: whether the moving mean of gradients is taken off `v`, which makes it a variance.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: see
            `Optimizer`.

    Example:
        >>> from multikeras import ops, optimizers
        >>> from multikeras.variables import Variable
        >>> v = Variable([1.0])
        >>> optimizers.RMSprop(learning_rate=0.5).apply([ops.convert_to_tensor([1.0])], [v])
        >>> bool(v.numpy()[0] < 1.0)
        True
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def make_slots(self, variables: list[Variable]) -> None:
        """The mean squares, the moves (with momentum) and the means (if centered)."""
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        if self.momentum > 0:
            self._momentums = self.add_optimizer_variables(variables, "momentum")
        if self.centered:
            self._means = self.add_optimizer_variables(variables, "average_gradient")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Moves one variable."""
        dtype = variable.dtype
        rate, gradient = ops.cast(learning_rate, dtype), ops.cast(gradient, dtype)
        slot = self.slot(self._velocities, variable)
        velocity = slot.value * self.rho + ops.square(gradient) * (1.0 - self.rho)
        self.assign(slot, velocity)
        if self.centered:
            slot = self.slot(self._means, variable)
            mean = slot.value * self.rho + gradient * (1.0 - self.rho)
            self.assign(slot, mean)
            velocity = velocity - ops.square(mean)
        step = rate * gradient / ops.sqrt(velocity + self.epsilon)
        if self.momentum > 0:
            slot = self.slot(self._momentums, variable)
            step = slot.value * self.momentum + step
            self.assign(slot, step)
        self.assign_sub(variable, step)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
