"""`LegacyOptimizer`: what optimizers of tf.keras 2 had and Keras 3 dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from multikeras.backends import native
from multikeras.variables import Variable


class LegacyOptimizer:
    """Taken up by `Optimizer`."""

    if TYPE_CHECKING:  # defined by Optimizer
        apply: Callable[..., None]
        scale_loss: Callable[[Any], Any]
        iterations: Any

    def minimize(self, loss: Any, var_list: Iterable[Variable], tape: Any = None) -> Any:
        """Computes gradients and applies them.

        Args:
            loss: a function without arguments that gives a scalar tensor; or a scalar tensor
                together with `tape`.
            var_list: the variables to move.
            tape: what recorded the loss: an object with `gradient(loss, variables)`, such as
                TensorFlow's `GradientTape`.

        Returns:
            The iteration counter.

        Raises:
            ValueError: for a tensor without a tape.

        Example:
            >>> import multikeras as keras
            >>> v = keras.Variable(3.0)
            >>> optimizer = keras.optimizers.SGD(0.5)
            >>> _ = optimizer.minimize(lambda: v * v, [v])
            >>> float(v.numpy())
            0.0
        """
        variables = list(var_list)
        if tape is not None:
            if callable(loss):
                with tape:
                    loss = loss()
            gradients = tape.gradient(loss, variables)
        elif callable(loss):
            compute = native.engine.value_and_grad(lambda: self.scale_loss(loss()), variables)
            gradients = compute()[1]
        else:
            raise ValueError(
                f"{type(self).__name__}.minimize: expected a function that gives the loss, or a "
                f"tensor together with `tape`, got {loss!r} alone."
            )
        self.apply(gradients, variables)
        return self.iterations
