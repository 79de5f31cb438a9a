"""`SimpleRNN` and `SimpleRNNCell`."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.layers.recurrent.cell import RecurrentCell, cell_arguments
from multikeras.layers.recurrent.fused_rnn import FusedRNN
from multikeras.ops.recurrent import simple_rnn


@registry.expose("keras.layers")
class SimpleRNNCell(RecurrentCell):
    """One step of a fully connected recurrent layer (Elman, 1990).

    Args:
        units: size of the state and of the output.
        activation: of the new values of the state.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: for the weights.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        kernel_constraint, recurrent_constraint, bias_constraint: applied after each update.
        dropout, recurrent_dropout: parts of the inputs and of the state that are dropped in
            training, the same ones in every step.
        seed: of the dropout; None: drawn from the global seed.

    Call arguments: `inputs` `(batch, features)`, `states` `[h]`, each `(batch, units)`.
    Returns `(output, new_states)`.

    Raises:
        ValueError: for units that are not a positive integer, or a rate outside [0, 1].

    Example:
        >>> import multikeras as keras
        >>> cell = keras.layers.SimpleRNNCell(4)
        >>> output, states = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
        >>> output.shape == (2, 4)
        True
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, cell_arguments(locals()), **kwargs)

    def call(self, inputs: Any, states: Any, training: bool | None = False) -> Any:
        """The output and the new states.

        Args:
            inputs: `(batch, features)`.
            states: `[h]`.
            training: whether to drop.
        """
        h, kernel = states[0], self.kernel.value
        inputs, before = self._masked(inputs, h, training)
        total = ops.matmul(inputs, kernel) + ops.matmul(before, self.recurrent_kernel.value)
        if self.bias is not None:
            total = total + self.bias.value
        h = self.activation(total)
        return h, [h]


@registry.expose("keras.layers")
class SimpleRNN(FusedRNN):
    """Runs a fully connected recurrent layer (Elman, 1990) over a sequence.

    Args:
        units: size of the state and of the output.
        activation: of the new values of the state.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: for the weights.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the outputs.
        kernel_constraint, recurrent_constraint, bias_constraint: applied after each update.
        dropout, recurrent_dropout: parts of the inputs and of the state that are dropped in
            training, the same ones in every step.
        seed: of the dropout; None: drawn from the global seed.
        return_sequences, return_state, go_backwards, stateful, unroll: see `RNN`.

    Call arguments: `sequences` `(batch, time, features)`, `initial_state` `[h]`, `mask`
    `(batch, time)`, `training`. Output: `(batch, units)`, or `(batch, time, units)` with
    `return_sequences`.

    Raises:
        ValueError: for units that are not a positive integer, or a rate outside [0, 1].

    Example:
        >>> import multikeras as keras
        >>> keras.layers.SimpleRNN(4)(keras.ops.ones((2, 7, 3))).shape == (2, 4)
        True
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        cell = SimpleRNNCell(
            units,
            **cell_arguments(locals()),
            name="simple_rnn_cell",
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
        )
        kwargs.pop("implementation", None)
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )

    def _fits(self) -> bool:
        return self._activation_name(self.cell.activation) in ("tanh", "relu", "sigmoid", "linear")

    def _fused(self, x: Any, states: Any, mask: Any) -> tuple[Any, list[Any]]:
        kernel, recurrent, bias = self._weights()
        name: Any = self._activation_name(self.cell.activation)  # one that `_fits`
        outputs, h = simple_rnn(
            x, states[0], kernel, recurrent, bias, mask, self.go_backwards, name
        )
        return outputs, [h]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        if config["seed"] is None:
            del config["seed"]
        return config
