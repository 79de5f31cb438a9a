"""`Ftrl`: follow the regularized leader."""

from __future__ import annotations

from typing import Any

from multikeras import initializers, ops, registry
from multikeras.optimizers.optimizer import Optimizer
from multikeras.variables import Variable


@registry.expose("keras.optimizers")
class Ftrl(Optimizer):
    """FTRL-Proximal, for sparse linear models (McMahan et al., 2013).

    Args:
        learning_rate: a number, a schedule, a callable or a Variable.
        learning_rate_power: how the rate falls with the sum of squared gradients; 0 for not at all.
        initial_accumulator_value: where the sums of squares begin.
        l1_regularization_strength: the L1 penalty.
        l2_regularization_strength: the L2 penalty that keeps weights near zero.
        l2_shrinkage_regularization_strength: an L2 penalty on the size of the step.
        beta: beta of the paper.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: see
            `Optimizer`.

    Raises:
        ValueError: for a bad argument.

    Example:
        >>> from multikeras import ops, optimizers
        >>> from multikeras.variables import Variable
        >>> v = Variable([1.0])
        >>> optimizers.Ftrl(learning_rate=0.5).apply([ops.convert_to_tensor([1.0])], [v])
        >>> bool(v.numpy()[0] < 1.0)
        True
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        penalties = {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }
        for argument, value in penalties.items():
            if value < 0:
                raise ValueError(f"Ftrl: `{argument}` must not be negative; got {value!r}.")
        if learning_rate_power > 0:
            raise ValueError(
                f"Ftrl: `learning_rate_power` must be at most 0; got {learning_rate_power!r}."
            )
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def make_slots(self, variables: list[Variable]) -> None:
        """The sums of squares and the linear terms."""
        start = initializers.Constant(self.initial_accumulator_value)
        self._sums, self._linear = self.add_optimizer_variables(
            variables, ["accumulator", "linear"], [start, "zeros"]
        )

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Moves one variable."""
        dtype = variable.dtype
        rate, gradient = ops.cast(learning_rate, dtype), ops.cast(gradient, dtype)
        value, power = variable.value, -self.learning_rate_power
        l2 = self.l2_regularization_strength + self.beta / (2.0 * rate)
        sums, linear = self.slot(self._sums, variable), self.slot(self._linear, variable)
        shrunk = gradient + value * (2.0 * self.l2_shrinkage_regularization_strength)
        before = sums.value
        after = before + ops.square(gradient)
        root = ops.power(after, power)
        term = linear.value + shrunk - (root - ops.power(before, power)) / rate * value
        quadratic = root / rate + 2.0 * l2
        limit = self.l1_regularization_strength
        self.assign(linear, term)
        self.assign(sums, after)
        self.assign(variable, (ops.clip(term, -limit, limit) - term) / quadratic)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }
