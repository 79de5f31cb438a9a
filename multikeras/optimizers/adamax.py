"""`Adamax`: Adam with the greatest gradient in place of the mean square."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.optimizers.optimizer import Optimizer
from multikeras.variables import Variable


@registry.expose("keras.optimizers")
class Adamax(Optimizer):
    """`m = b1 * m + (1 - b1) * g; u = max(b2 * u, abs(g));
    w -= rate / (1 - b1 ** t) * m / (u + epsilon)` (Kingma and Ba, 2015, section 7.1).

    Args:
        learning_rate: a number, a schedule, a callable or a Variable.
        beta_1: decay of the moving mean of gradients.
        beta_2: decay of the moving greatest gradient.
        epsilon: keeps the division finite.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: see
            `Optimizer`.

    Example:
        >>> from multikeras import ops, optimizers
        >>> from multikeras.variables import Variable
        >>> v = Variable([1.0])
        >>> optimizers.Adamax(learning_rate=0.5).apply([ops.convert_to_tensor([1.0])], [v])
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
        """The moving means and the moving greatest gradients."""
        self._momentums, self._norms = self.add_optimizer_variables(variables, ["momentum", "norm"])

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Moves one variable."""
        dtype = variable.dtype
        gradient = ops.cast(gradient, dtype)
        correction = 1.0 - ops.power(self.beta_1, self.step_number())
        rate = ops.cast(ops.cast(learning_rate, "float32") / correction, dtype)
        m, u = self.slot(self._momentums, variable), self.slot(self._norms, variable)
        mean = m.value
        mean = mean + (gradient - mean) * (1.0 - self.beta_1)
        greatest = ops.maximum(u.value * self.beta_2, ops.abs(gradient))
        self.assign(m, mean)
        self.assign(u, greatest)
        self.assign_sub(variable, rate * mean / (greatest + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
