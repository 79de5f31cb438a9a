"""`AdamW`: Adam with weight decay apart from the gradient."""

from __future__ import annotations

from typing import Any

from multikeras import registry
from multikeras.optimizers.adam import Adam


@registry.expose("keras.optimizers")
class AdamW(Adam):
    """Adam, after `w -= rate * weight_decay * w` (Loshchilov and Hutter, 2019).

    Args:
        learning_rate: a number, a schedule, a callable or a Variable.
        weight_decay: the share of each variable taken off per step, times the learning rate.
        beta_1: decay of the moving mean of gradients.
        beta_2: decay of the moving mean of squared gradients.
        epsilon: keeps the division finite.
        amsgrad: whether the greatest mean square so far is used (Reddi et al., 2018).
        clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.

    Raises:
        ValueError: for a bad argument, such as `weight_decay=None`.

    Example:
        >>> from multikeras import ops, optimizers
        >>> from multikeras.variables import Variable
        >>> v = Variable([1.0])
        >>> optimizers.AdamW(learning_rate=0.5).apply([ops.convert_to_tensor([1.0])], [v])
        >>> bool(v.numpy()[0] < 1.0)
        True
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        if weight_decay is None:
            raise ValueError("AdamW: `weight_decay` must be a number; got None. Use Adam instead.")
        super().__init__(
            learning_rate=learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            amsgrad=amsgrad,
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
