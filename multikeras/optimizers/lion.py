"""`Lion`: the sign of a mean of gradients."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.optimizers.optimizer import Optimizer
from multikeras.variables import Variable


@registry.expose("keras.optimizers")
class Lion(Optimizer):
    """`w -= rate * sign(b1 * m + (1 - b1) * g); m = b2 * m + (1 - b2) * g` (Chen et al., 2023).

    Steps are larger than Adam's: take a learning rate three to ten times smaller.

    Args:
        learning_rate: a number, a schedule, a callable or a Variable.
        beta_1: the share of the moving mean in the step.
        beta_2: decay of the moving mean.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: see
            `Optimizer`.

    Raises:
        ValueError: for a bad argument.

    Example:
        >>> from multikeras import ops, optimizers
        >>> from multikeras.variables import Variable
        >>> v = Variable([1.0])
        >>> optimizers.Lion(learning_rate=0.5).apply([ops.convert_to_tensor([1.0])], [v])
        >>> bool(v.numpy()[0] < 1.0)
        True
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        if not 0 < beta_1 <= 1:
            raise ValueError(
                f"Lion: `beta_1` must be greater than 0 and at most 1; got {beta_1!r}."
            )
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def make_slots(self, variables: list[Variable]) -> None:
        """The moving means."""
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Moves one variable."""
        dtype = variable.dtype
        rate, gradient = ops.cast(learning_rate, dtype), ops.cast(gradient, dtype)
        slot = self.slot(self._momentums, variable)
        mean = slot.value
        step = ops.sign(mean * self.beta_1 + gradient * (1.0 - self.beta_1))
        self.assign_sub(variable, rate * step)
        self.assign(slot, mean * self.beta_2 + gradient * (1.0 - self.beta_2))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
        }
