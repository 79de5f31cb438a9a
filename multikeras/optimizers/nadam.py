"""`Nadam`: Adam with Nesterov momentum."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.optimizers.optimizer import Optimizer
from multikeras.variables import Variable


@registry.expose("keras.optimizers")
class Nadam(Optimizer):
    """Adam whose momentum looks one step ahead, with a decay that grows:
    `u_t = b1 * (1 - 0.5 * 0.96 ** t)` (Dozat, 2016).

    Args:
        learning_rate: a number, a schedule, a callable or a Variable.
        beta_1: decay of the moving mean of gradients.
        beta_2: decay of the moving mean of squared gradients.
        epsilon: keeps the division finite.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: see
            `Optimizer`.

    Example:
        >>> from multikeras import ops, optimizers
        >>> from multikeras.variables import Variable
        >>> v = Variable([1.0])
        >>> optimizers.Nadam(learning_rate=0.5).apply([ops.convert_to_tensor([1.0])], [v])
        >>> bool(v.numpy()[0] < 1.0)
        True
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def make_slots(self, variables: list[Variable]) -> None:
        """The moving means and mean squares, and the product of all `u` so far."""
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )
        self._u_product = self.add_variable((), "ones", "float32", name="u_product")

    def _decay(self, step: Any) -> Any:
        return self.beta_1 * (1.0 - 0.5 * ops.power(0.96, step))

    def _apply(self, grads: list[Any], variables: list[Variable], learning_rate: Any) -> None:
        self._u_product.assign(self._u_product.value * self._decay(self.step_number()))
        super()._apply(grads, variables, learning_rate)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Moves one variable."""
        dtype = variable.dtype
        gradient = ops.cast(gradient, dtype)
        step = self.step_number()
        u_now, u_next = self._decay(step), self._decay(step + 1.0)
        product = self._u_product.value  # that of this step already
        rate = ops.cast(learning_rate, dtype)
        m, v = self.slot(self._momentums, variable), self.slot(self._velocities, variable)
        mean, square = m.value, v.value
        mean = mean + (gradient - mean) * (1.0 - self.beta_1)
        square = square + (ops.square(gradient) - square) * (1.0 - self.beta_2)
        self.assign(m, mean)
        self.assign(v, square)
        ahead = ops.cast(u_next / (1.0 - product * u_next), dtype)
        now = ops.cast((1.0 - u_now) / (1.0 - product), dtype)
        scale = ops.cast(1.0 - ops.power(self.beta_2, step), dtype)
        direction = mean * ahead + gradient * now
        self.assign_sub(variable, direction * rate / (ops.sqrt(square / scale) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
