"""`LSTM` and `LSTMCell`."""

from __future__ import annotations

from typing import Any

from multikeras import activations, ops, registry
from multikeras.layers.recurrent.cell import RecurrentCell, cell_arguments
from multikeras.layers.recurrent.fused_rnn import FusedRNN
from multikeras.ops.recurrent import lstm


@registry.expose("keras.layers")
class LSTMCell(RecurrentCell):
    """One step of long short-term memory (Hochreiter and Schmidhuber, 1997).

    Args:
        units: size of the state and of the output.
        activation: of the new values of the state.
        recurrent_activation: of the gates.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: for the weights.
        unit_forget_bias: whether the bias of the forget gate starts 1 higher (Jozefowicz et al.,
            2015).
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        kernel_constraint, recurrent_constraint, bias_constraint: applied after each update.
        dropout, recurrent_dropout: parts of the inputs and of the state that are dropped in
            training, the same ones in every step.
        seed: of the dropout; None: drawn from the global seed.

    Call arguments: `inputs` `(batch, features)`, `states` `[h, c]`, each `(batch, units)`.
    Returns `(output, new_states)`.

    Raises:
        ValueError: for units that are not a positive integer, or a rate outside [0, 1].

    Example:
        >>> import multikeras as keras
        >>> cell = keras.layers.LSTMCell(4)
        >>> output, states = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
        >>> output.shape == (2, 4)
        True
    """

    gates = 4
    state_count = 2

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
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
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias

    def _bias_start(self) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer
        units, start = self.units, self.bias_initializer

        def initial(shape: tuple, dtype: Any = None) -> Any:
            def part(size: int) -> Any:
                return ops.cast(start((size,), dtype=dtype), dtype)

            return ops.concatenate([part(units), ops.ones((units,), dtype), part(2 * units)])

        return initial

    def call(self, inputs: Any, states: Any, training: bool | None = False) -> Any:
        """The output and the new states.

        Args:
            inputs: `(batch, features)`.
            states: `[h, c]`.
            training: whether to drop.
        """
        h, c = states
        inputs, h = self._masked(inputs, h, training)
        total = ops.matmul(inputs, self.kernel.value) + ops.matmul(h, self.recurrent_kernel.value)
        if self.bias is not None:
            total = total + self.bias.value
        entry, forget, candidate, exit_ = ops.split(total, 4, axis=-1)
        gate = self.recurrent_activation
        c = gate(forget) * c + gate(entry) * self.activation(candidate)
        h = gate(exit_) * self.activation(c)
        return h, [h, c]


@registry.expose("keras.layers")
class LSTM(FusedRNN):
    """Runs long short-term memory (Hochreiter and Schmidhuber, 1997) over a sequence.

    Args:
        units: size of the state and of the output.
        activation: of the new values of the state.
        recurrent_activation: of the gates.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: for the weights.
        unit_forget_bias: whether the bias of the forget gate starts 1 higher (Jozefowicz et al.,
            2015).
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the outputs.
        kernel_constraint, recurrent_constraint, bias_constraint: applied after each update.
        dropout, recurrent_dropout: parts of the inputs and of the state that are dropped in
            training, the same ones in every step.
        seed: of the dropout; None: drawn from the global seed.
        return_sequences, return_state, go_backwards, stateful, unroll: see `RNN`.
        use_cudnn: accepted; the fused kernel is taken wherever the configuration allows it.

    Call arguments: `sequences` `(batch, time, features)`, `initial_state` `[h, c]`, `mask`
    `(batch, time)`, `training`. Output: `(batch, units)`, or `(batch, time, units)` with
    `return_sequences`.

    Raises:
        ValueError: for units that are not a positive integer, or a rate outside [0, 1].

    Example:
        >>> import multikeras as keras
        >>> keras.layers.LSTM(4)(keras.ops.ones((2, 7, 3))).shape == (2, 4)
        True
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = LSTMCell(
            units,
            **cell_arguments(locals()),
            recurrent_activation=recurrent_activation,
            unit_forget_bias=unit_forget_bias,
            name="lstm_cell",
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
        cell = self.cell
        names = map(self._activation_name, (cell.activation, cell.recurrent_activation))
        return tuple(names) == ("tanh", "sigmoid")

    def _fused(self, x: Any, states: Any, mask: Any) -> tuple[Any, list[Any]]:
        kernel, recurrent, bias = self._weights()
        h, c = states
        outputs, h, c = lstm(x, h, c, kernel, recurrent, bias, mask, self.go_backwards)
        return outputs, [h, c]
