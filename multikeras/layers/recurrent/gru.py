"""`GRU` and `GRUCell`."""

from __future__ import annotations

from typing import Any

from multikeras import activations, ops, registry
from multikeras.layers.recurrent.cell import RecurrentCell, cell_arguments
from multikeras.layers.recurrent.fused_rnn import FusedRNN
from multikeras.ops.recurrent import gru


@registry.expose("keras.layers")
class GRUCell(RecurrentCell):
    """One step of a gated recurrent unit (Cho et al., arXiv:1406.1078).

    Args:
        units: size of the state and of the output.
        activation: of the new values of the state.
        recurrent_activation: of the gates.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: for the weights.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        kernel_constraint, recurrent_constraint, bias_constraint: applied after each update.
        dropout, recurrent_dropout: parts of the inputs and of the state that are dropped in
            training, the same ones in every step.
        reset_after: whether the reset gate multiplies the recurrent product instead of the state.
        seed: of the dropout; None: drawn from the global seed.

    Call arguments: `inputs` `(batch, features)`, `states` `[h]`, each `(batch, units)`.
    Returns `(output, new_states)`.

    Raises:
        ValueError: for units that are not a positive integer, or a rate outside [0, 1].

    Example:
        >>> import multikeras as keras
        >>> cell = keras.layers.GRUCell(4)
        >>> output, states = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
        >>> output.shape == (2, 4)
        True
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, cell_arguments(locals()), **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def call(self, inputs: Any, states: Any, training: bool | None = False) -> Any:
        """The output and the new states.

        Args:
            inputs: `(batch, features)`.
            states: `[h]`.
            training: whether to drop.
        """
        h = states[0]
        inputs, before = self._masked(inputs, h, training)
        x = ops.matmul(inputs, self.kernel.value)
        if self.bias is not None:
            x = x + (self.bias.value[0] if self.reset_after else self.bias.value)
        update, reset, candidate = ops.split(x, 3, axis=-1)
        gate, recurrent = self.recurrent_activation, self.recurrent_kernel.value
        if self.reset_after:
            product = ops.matmul(before, recurrent)
            if self.bias is not None:
                product = product + self.bias.value[1]
            of_update, of_reset, of_candidate = ops.split(product, 3, axis=-1)
            reset = gate(reset + of_reset)
            candidate = self.activation(candidate + reset * of_candidate)
        else:
            gates = ops.matmul(before, recurrent[:, : 2 * self.units])
            of_update, of_reset = ops.split(gates, 2, axis=-1)
            reset = gate(reset + of_reset)
            of_candidate = ops.matmul(reset * before, recurrent[:, 2 * self.units :])
            candidate = self.activation(candidate + of_candidate)
        update = gate(update + of_update)
        h = candidate + update * (h - candidate)
        return h, [h]


@registry.expose("keras.layers")
class GRU(FusedRNN):
    """Runs a gated recurrent unit (Cho et al., arXiv:1406.1078) over a sequence.

    Args:
        units: size of the state and of the output.
        activation: of the new values of the state.
        recurrent_activation: of the gates.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: for the weights.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the outputs.
        kernel_constraint, recurrent_constraint, bias_constraint: applied after each update.
        dropout, recurrent_dropout: parts of the inputs and of the state that are dropped in
            training, the same ones in every step.
        seed: of the dropout; None: drawn from the global seed.
        return_sequences, return_state, go_backwards, stateful, unroll: see `RNN`.
        reset_after: whether the reset gate multiplies the recurrent product instead of the state.
        use_cudnn: accepted; the fused kernel is taken wherever the configuration allows it.

    Call arguments: `sequences` `(batch, time, features)`, `initial_state` `[h]`, `mask`
    `(batch, time)`, `training`. Output: `(batch, units)`, or `(batch, time, units)` with
    `return_sequences`.

    Raises:
        ValueError: for units that are not a positive integer, or a rate outside [0, 1].

    Example:
        >>> import multikeras as keras
        >>> keras.layers.GRU(4)(keras.ops.ones((2, 7, 3))).shape == (2, 4)
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
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = GRUCell(
            units,
            **cell_arguments(locals()),
            recurrent_activation=recurrent_activation,
            reset_after=reset_after,
            name="gru_cell",
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
        outputs, h = gru(
            x,
            states[0],
            kernel,
            recurrent,
            bias,
            mask,
            self.go_backwards,
            self.cell.reset_after,
        )
        return outputs, [h]
