"""`FusedRNN`: what `SimpleRNN`, `GRU` and `LSTM` share: the whole sequence in one operation
where the configuration allows it, else the loop of `RNN` over the cell.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from multikeras import activations, ops, random, regularizers
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.recurrent.rnn import RNN

# What get_config takes from the cell, in this order; each layer has some of them.
_OF_CELL = (
    "units",
    "activation",
    "recurrent_activation",
    "use_bias",
    "kernel_initializer",
    "recurrent_initializer",
    "bias_initializer",
    "unit_forget_bias",
    "kernel_regularizer",
    "recurrent_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "recurrent_constraint",
    "bias_constraint",
    "dropout",
    "recurrent_dropout",
    "reset_after",
    "seed",
)


class FusedRNN(RNN):
    """An RNN whose cell is known. The settings of the cell can be read on the layer."""

    def __init__(self, cell: Any, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self.input_spec = InputSpec(ndim=3)
        self._is_fused = self._fits()

    def build(self, input_shape: Any) -> None:
        """Builds the cell."""
        super().build(input_shape)
        self.input_spec = InputSpec(ndim=3, axes={-1: input_shape[-1]})

    def _fits(self) -> bool:
        """Whether the fused operation does what the cell does."""
        raise NotImplementedError(f"{self._who()} has no _fits().")

    def _fused(self, x: Any, states: Any, mask: Any) -> tuple[Any, list[Any]]:
        """Outputs of all steps and the last states."""
        raise NotImplementedError(f"{self._who()} has no _fused().")

    @staticmethod
    def _activation_name(activation: Any) -> str | None:
        """The name of an activation of the library, None for others."""
        name = getattr(activation, "__name__", None)
        return name if name and getattr(activations, name, None) is activation else None

    def _weights(self) -> tuple[Any, Any, Any]:
        cell = self.cell
        bias = None if cell.bias is None else cell.bias.value
        return cell.kernel.value, cell.recurrent_kernel.value, bias

    def _run_sequence(
        self, sequences: Any, states: Any, mask: Any, training: bool | None, constants: Any
    ) -> tuple[Any, Any, list[Any]]:
        cell = self.cell
        if constants is not None:
            raise ValueError(f"{self._who()}: the cell takes no constants.")
        if not self._is_fused or (training and cell.recurrent_dropout):
            return super()._run_sequence(sequences, states, mask, training, None)
        if training and cell.dropout:
            # The same inputs are dropped in every step.
            sequences = random.dropout(
                sequences, cell.dropout, noise_shape=(None, 1, None), seed=cell.seed_generator
            )
        outputs, states = self._fused(sequences, states, mask)
        if mask is None:
            return outputs, states[0], states
        if self.zero_output_for_mask:
            keep = ops.flip(mask, axis=1) if self.go_backwards else mask
            outputs = outputs * ops.cast(ops.expand_dims(keep, -1), ops.dtype(outputs))
        return outputs, outputs[:, -1], states

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        del config["cell"]
        of_cell = self.cell.get_config()
        of_cell["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        config.pop("activity_regularizer", None)
        return config | {name: of_cell[name] for name in _OF_CELL if name in of_cell}


for _name in _OF_CELL:
    if _name not in ("activity_regularizer",):
        setattr(FusedRNN, _name, property(attrgetter(f"cell.{_name}")))
