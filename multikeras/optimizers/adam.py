"""`Adam`: steps from moving means of gradients and of their squares."""

from __future__ import annotations

import math
from typing import Any

from multikeras import ops, registry
from multikeras.optimizers.optimizer import Optimizer
from multikeras.variables import Variable


def _log(beta: float) -> float:
    return math.log(beta) if beta > 0 else -math.inf


@registry.expose("keras.optimizers")
class Adam(Optimizer):
    """`m = b1 * m + (1 - b1) * g; v = b2 * v + (1 - b2) * g ** 2;
    w -= rate * sqrt(1 - b2 ** t) / (1 - b1 ** t) * m / (sqrt(v) + epsilon)`
    (Kingma and Ba, 2015).

    Args:
        learning_rate: a number, a schedule, a callable or a Variable.
        beta_1: decay of the moving mean of gradients.
        beta_2: decay of the moving mean of squared gradients.
        epsilon: keeps the division finite.
        amsgrad: whether the greatest `v` so far is used (Reddi et al., 2018).
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: see
            `Optimizer`.

    Example:
        >>> from multikeras import ops, optimizers
        >>> from multikeras.variables import Variable
        >>> v = Variable([1.0])
        >>> optimizers.Adam(learning_rate=0.5).apply([ops.convert_to_tensor([1.0])], [v])
        >>> bool(v.numpy()[0] < 1.0)
        True
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.amsgrad = amsgrad

    def make_slots(self, variables: list[Variable]) -> None:
        """The moving means and mean squares (and their maxima, for AMSGrad)."""
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )
        if self.amsgrad:
            self._maxima = self.add_optimizer_variables(variables, "velocity_hat")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Moves one variable."""
        dtype = variable.dtype
        gradient = ops.cast(gradient, dtype)
        step = self.step_number()
        # 1 - beta ** step without the cancellation that costs float32 five digits at first.
        correction = ops.sqrt(-ops.expm1(step * _log(self.beta_2))) / (
            -ops.expm1(step * _log(self.beta_1))
        )
        rate = ops.cast(ops.cast(learning_rate, "float32") * correction, dtype)
        m, v = self.slot(self._momentums, variable), self.slot(self._velocities, variable)
        mean, square = m.value, v.value
        mean = mean + (gradient - mean) * (1.0 - self.beta_1)
        square = square + (ops.square(gradient) - square) * (1.0 - self.beta_2)
        self.assign(m, mean)
        self.assign(v, square)
        if self.amsgrad:
            slot = self.slot(self._maxima, variable)
            square = ops.maximum(slot.value, square)
            self.assign(slot, square)
        self.assign_sub(variable, mean * rate / (ops.sqrt(square) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }
