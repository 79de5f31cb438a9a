"""`Adadelta`: steps as large as the last ones were."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.optimizers.optimizer import Optimizer
from multikeras.variables import Variable


@registry.expose("keras.optimizers")
class Adadelta(Optimizer):
    """`a = rho * a + (1 - rho) * g ** 2; d = -sqrt(b + epsilon) / sqrt(a + epsilon) * g;
    b = rho * b + (1 - rho) * d ** 2; w += rate * d` (Zeiler, 2012).

    Args:
        learning_rate: a number, a schedule, a callable or a Variable.
        rho: decay of the moving means of squares.
        epsilon: keeps the division finite.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: see
            `Optimizer`.

    Example:
        >>> from multikeras import ops, optimizers
        >>> from multikeras.variables import Variable
        >>> v = Variable([1.0])
        >>> optimizers.Adadelta(learning_rate=0.5).apply([ops.convert_to_tensor([1.0])], [v])
        >>> bool(v.numpy()[0] < 1.0)
        True
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
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
        self.epsilon = epsilon

    def make_slots(self, variables: list[Variable]) -> None:
        """The mean squares of gradients and of moves."""
        self._gradient_squares, self._step_squares = self.add_optimizer_variables(
            variables, ["accumulated_grad", "accumulated_delta_var"]
        )

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Moves one variable."""
        dtype = variable.dtype
        rate, gradient = ops.cast(learning_rate, dtype), ops.cast(gradient, dtype)
        of_gradient = self.slot(self._gradient_squares, variable)
        of_step = self.slot(self._step_squares, variable)
        squares = of_gradient.value * self.rho + ops.square(gradient) * (1.0 - self.rho)
        steps = of_step.value
        root = ops.sqrt(steps + self.epsilon) / ops.sqrt(squares + self.epsilon)
        step = -(root * gradient)
        self.assign(of_gradient, squares)
        self.assign(of_step, steps * self.rho + ops.square(step) * (1.0 - self.rho))
        self.assign_add(variable, rate * step)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "epsilon": self.epsilon,
        }
