"""`RecurrentCell`: what the cells of `SimpleRNN`, `GRU` and `LSTM` share.

A cell makes one step: `cell(inputs, states) -> (output, states)`. Dropout masks are drawn once
for a whole sequence (Gal and Ghahramani, arXiv:1512.05287): the layer that runs the sequence
calls `draw_masks` before the first step and `drop_masks` after the last; a step outside such a
sequence draws its own.
"""

from __future__ import annotations

from typing import Any

from multikeras import activations, constraints, initializers, ops, random, regularizers
from multikeras.layers.layer import Layer
from multikeras.variables import Variable

_WEIGHTS = (("kernel", "kernel"), ("recurrent_kernel", "recurrent"), ("bias", "bias"))


class RecurrentCell(Layer):
    """One step of a recurrent layer, with weights kernel, recurrent_kernel and bias.

    Raises:
        ValueError: if `units` is not a positive integer, or a rate is not in [0, 1].
    """

    gates = 1
    state_count = 1

    dropout: float
    recurrent_dropout: float
    bias_initializer: Any
    kernel: Variable
    recurrent_kernel: Variable
    bias: Variable | None

    def __init__(self, units: int, settings: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(units, int) or units <= 0:
            raise ValueError(f"{self._who()}: units must be a positive integer, got {units!r}.")
        self.units = units
        self.activation = activations.get(settings["activation"])
        self.use_bias = settings["use_bias"]
        for _, part in _WEIGHTS:
            for kind, module in (
                ("initializer", initializers),
                ("regularizer", regularizers),
                ("constraint", constraints),
            ):
                setattr(self, f"{part}_{kind}", module.get(settings[f"{part}_{kind}"]))
        for rate in ("dropout", "recurrent_dropout"):
            value = settings[rate]
            if not isinstance(value, (int, float)) or not 0 <= value <= 1:
                raise ValueError(f"{self._who()}: {rate} must be in [0, 1], got {value!r}.")
            setattr(self, rate, value)
        self.seed = settings["seed"]
        if self.dropout or self.recurrent_dropout:
            self.seed_generator = random.SeedGenerator(self.seed)
        self.state_size: Any = [units] * self.state_count if self.state_count > 1 else units
        self.output_size = units
        self._masks: tuple[Any, Any] | None = None

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _bias_start(self) -> Any:
        """The initializer of the bias."""
        return self.bias_initializer

    def build(self, input_shape: Any) -> None:
        """Makes the kernel `(features, gates * units)`, the recurrent one and the bias."""
        features = input_shape[-1]
        if features is None:
            raise ValueError(f"{self._who()}: the last dimension must be known, got {input_shape}.")
        width = self.gates * self.units
        shapes = {
            "kernel": (features, width),
            "recurrent_kernel": (self.units, width),
            "bias": self._bias_shape(),
        }
        self.bias = None
        for name, part in _WEIGHTS[: 3 if self.use_bias else 2]:
            start = self._bias_start() if name == "bias" else getattr(self, f"{part}_initializer")
            weight = self.add_weight(
                name=name,
                shape=shapes[name],
                initializer=start,
                regularizer=getattr(self, f"{part}_regularizer"),
                constraint=getattr(self, f"{part}_constraint"),
            )
            setattr(self, name, weight)

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros for each state, `(batch_size, units)`."""
        return [
            ops.zeros((batch_size, self.units), dtype=self.compute_dtype)
            for _ in range(self.state_count)
        ]

    # -- dropout ----------------------------------------------------------------------------

    def draw_masks(self, inputs: Any, states: Any, training: bool | None) -> Any:
        """Draws the masks for a sequence whose steps look like `inputs`; returns a tensor of
        the shape of the outputs."""
        self._masks = self._new_masks(inputs, states[0]) if training else (None, None)
        return states[0]

    def drop_masks(self) -> None:
        """Forgets the masks of a sequence."""
        self._masks = None

    def _new_masks(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        def mask(like: Any, rate: float) -> Any:
            if not rate:
                return None
            return random.dropout(ops.ones_like(like), rate, seed=self.seed_generator)

        return mask(inputs, self.dropout), mask(state, self.recurrent_dropout)

    def _masked(self, inputs: Any, state: Any, training: bool | None) -> tuple[Any, Any]:
        """Inputs and state of a step with parts of them dropped in training."""
        if not training or not (self.dropout or self.recurrent_dropout):
            return inputs, state
        masks = self._masks if self._masks is not None else self._new_masks(inputs, state)
        first, second = masks
        return (
            inputs if first is None else inputs * first,
            state if second is None else state * second,
        )

    # -- configuration ----------------------------------------------------------------------

    def compute_output_shape(self, inputs_shape: Any, states_shape: Any = None) -> Any:
        """Shapes of the output and of the states."""
        shape = (inputs_shape[0], self.units)
        return shape, [shape] * self.state_count

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config() | {
            "units": self.units,
            "activation": activations.serialize(self.activation),
        }
        if hasattr(self, "recurrent_activation"):
            config["recurrent_activation"] = activations.serialize(self.recurrent_activation)
        config["use_bias"] = self.use_bias
        if hasattr(self, "unit_forget_bias"):
            config["unit_forget_bias"] = self.unit_forget_bias
        for kind, module in (
            ("initializer", initializers),
            ("regularizer", regularizers),
            ("constraint", constraints),
        ):
            for _, part in _WEIGHTS:
                config[f"{part}_{kind}"] = module.serialize(getattr(self, f"{part}_{kind}"))
        config |= {"dropout": self.dropout, "recurrent_dropout": self.recurrent_dropout}
        if hasattr(self, "reset_after"):
            config["reset_after"] = self.reset_after
        return config | {"seed": self.seed}


def cell_arguments(given: dict[str, Any]) -> dict[str, Any]:
    """From the `locals()` of a constructor: the arguments that cells share."""
    names = [f"{part}_{kind}" for _, part in _WEIGHTS for kind in _KINDS]
    return {name: given[name] for name in (*names, *_SHARED)}


_KINDS = ("initializer", "regularizer", "constraint")
_SHARED = ("activation", "use_bias", "dropout", "recurrent_dropout", "seed")
