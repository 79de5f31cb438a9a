"""`RNN`: runs a cell over the steps of a sequence.

Refused: cells without `state_size`, a stateful layer whose batch size is not known, initial
states of another number than the cell's.
"""

from __future__ import annotations

import inspect
from typing import Any

from multikeras import ops, registry, tree
from multikeras.layers.call_context import calls
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer
from multikeras.layers.recurrent.stacked_rnn_cells import StackedRNNCells
from multikeras.serialization import deserialize_keras_object, serialize_keras_object
from multikeras.symbolic import KerasTensor, SymbolicScope
from multikeras.variables import Variable


@registry.expose("keras.layers")
class RNN(Layer):
    """Runs a cell over a sequence, from the first step to the last.

    Args:
        cell: a cell or a list of cells (which are stacked). A cell has `state_size` (an integer,
            a shape or a list of these) and `call(inputs, states)` that returns `(output,
            new_states)`; it may have `get_initial_state(batch_size)` and `output_size`.
        return_sequences: return the outputs of all steps instead of the last one.
        return_state: return the last states too.
        go_backwards: read from the end; outputs come in the order of reading.
        stateful: start from the last states of the previous call.
        unroll: write the loop out instead of compiling it as a loop.
        zero_output_for_mask: outputs of masked steps are zeros instead of the previous output.

    Call arguments: `sequences` `(batch, time, ...)`, `initial_state` (a list of tensors), `mask`
    `(batch, time)`, `training`, `constants` (passed on to the cell). Masked steps leave the
    states as they were.

    Raises:
        ValueError: for a cell without `call` or `state_size`.

    Example:
        >>> import multikeras as keras
        >>> layer = keras.layers.RNN([keras.layers.GRUCell(4), keras.layers.LSTMCell(5)])
        >>> layer(keras.ops.ones((2, 7, 3))).shape == (2, 5)
        True
    """

    # The states are no weights: they are neither trained nor saved.
    _private = Layer._private | {"_states"}

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell, dtype=self.dtype_policy)
        for needed in ("call", "state_size"):
            if not hasattr(cell, needed):
                raise ValueError(f"{self._who()}: the cell {cell!r} has no `{needed}`.")
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self.input_spec = InputSpec(min_ndim=3)
        self._states: tuple[Variable, ...] = ()

    # -- states -----------------------------------------------------------------------------

    @property
    def state_size(self) -> Any:
        """The sizes of the cell's states, as a list."""
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    @property
    def states(self) -> list[Variable] | None:
        """The variables that a stateful layer keeps its states in."""
        return list(self._states) if self._states else None

    def _state_variables(self) -> list[Variable]:
        return [*super()._state_variables(), *self._states]

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """The states before the first step."""
        get = getattr(self.cell, "get_initial_state", None)
        if get is not None:
            states = get(batch_size=batch_size)
            return list(states) if isinstance(states, (list, tuple)) else [states]

        def zeros(size: Any) -> Any:
            return ops.zeros((batch_size, *_sizes(size)), dtype=self.compute_dtype)

        return _map_sizes(zeros, self.state_size)

    def reset_state(self) -> None:
        """Sets the states of a stateful layer to zeros."""
        for variable in self._states:
            variable.assign(ops.zeros(variable.shape, dtype=variable.dtype))

    def reset_states(self) -> None:
        """Alias of `reset_state`."""
        self.reset_state()

    def _make_states(self, batch_size: int | None) -> None:
        if batch_size is None:
            raise ValueError(
                f"{self._who()}: stateful=True needs a known batch size; give the model an input "
                "with `batch_size` or `batch_shape`."
            )
        found: list[Variable] = []

        def make(size: Any) -> None:
            found.append(
                Variable(
                    lambda shape, dtype=None: ops.zeros(shape, dtype=dtype),
                    shape=(batch_size, *_sizes(size)),
                    dtype=self.variable_dtype,
                    trainable=False,
                    name="rnn_state",
                )
            )

        _map_sizes(make, self.state_size)
        self._states = tuple(found)

    # -- building and shapes ----------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Builds the cell for one step, and the states of a stateful layer."""
        step = (input_shape[0], *input_shape[2:])
        if isinstance(self.cell, Layer) and not self.cell.built:
            if type(self.cell).build is Layer.build:
                self._build_by_a_step(step)
            else:
                self.cell.build(step)
            self.cell.built = True
        if self.stateful and not self._states:
            self._make_states(input_shape[0])

    def _build_by_a_step(self, step: tuple) -> None:
        """A cell made of other layers gets its weights in a step without values."""
        dtype = self.compute_dtype
        states = _map_sizes(
            lambda size: KerasTensor((step[0], *_sizes(size)), dtype), self.state_size
        )
        with SymbolicScope():
            self.cell(KerasTensor(step, dtype), states)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """Shape of the outputs; with `return_state` followed by those of the states."""
        batch, steps = sequences_shape[:2]
        size = getattr(self.cell, "output_size", None)
        size = _first(self.state_size) if size is None else size
        output = (batch, steps, *_sizes(size)) if self.return_sequences else (batch, *_sizes(size))
        if not self.return_state:
            return output
        return (output, *_map_sizes(lambda s: (batch, *_sizes(s)), self.state_size))

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        """The mask of the sequence, if it is returned."""
        output = mask if self.return_sequences else None
        if self.return_state and output is not None:
            return [output, *(None for _ in self.state_size)]
        return output

    # -- running ----------------------------------------------------------------------------

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = False,
        constants: Any = None,
    ) -> Any:
        """The output of the last step (or of all), and the states if asked for.

        Args:
            sequences: `(batch, time, ...)`.
            initial_state: a list of tensors; default: zeros, or the kept states.
            mask: bool `(batch, time)`.
            training: passed on to the cell.
            constants: tensors passed on to the cell in every step.
        """
        states = self._start(sequences, initial_state)
        if mask is not None:
            mask = ops.cast(mask, "bool")
        outputs, last, states = self._run_sequence(sequences, states, mask, training, constants)
        if self.stateful:
            for variable, value in zip(self._states, tree.flatten(states), strict=True):
                variable.assign(value)
        result = last if outputs is None or not self.return_sequences else outputs
        return (result, *states) if self.return_state else result

    def _start(self, sequences: Any, initial_state: Any) -> list[Any]:
        if initial_state is None:
            if self._states:
                # Copies: the variables are written before a gradient is taken of what was read.
                values = [ops.copy(ops.cast(v.value, self.compute_dtype)) for v in self._states]
                return _pack_states(self.state_size, values)
            return self.get_initial_state(ops.shape(sequences)[0])
        states = initial_state if isinstance(initial_state, (list, tuple)) else [initial_state]
        expected, given = _count(self.state_size), len(tree.flatten(list(states)))
        if expected != given:
            raise ValueError(
                f"{self._who()}: expected {expected} initial states, got {given}."
            )
        return _pack_states(self.state_size, tree.flatten(list(states)))

    def _run_sequence(
        self, sequences: Any, states: Any, mask: Any, training: bool | None, constants: Any
    ) -> tuple[Any, Any, list[Any]]:
        """Outputs of all steps, the last output and the last states, step by step."""
        draw = getattr(self.cell, "draw_masks", None)
        steps = ops.moveaxis(sequences, 1, 0)
        if mask is not None:
            mask = ops.transpose(mask)
        if self.go_backwards:
            steps = ops.flip(steps, axis=0)
            mask = None if mask is None else ops.flip(mask, axis=0)
        if draw is not None:
            draw(sequences[:, 0], states, training)
        try:
            return self._loop(steps, states, mask, training, constants)
        finally:
            if draw is not None:
                self.cell.drop_masks()

    def _loop(
        self, steps: Any, states: Any, mask: Any, training: bool | None, constants: Any
    ) -> tuple[Any, Any, list[Any]]:
        first = tree.flatten(states)[0]
        size = getattr(self.cell, "output_size", None)
        if size is None or _sizes(size) == tuple(first.shape[1:]):
            previous = ops.zeros_like(first)
        else:
            batch = ops.shape(first)[0]
            previous = ops.zeros((batch, *_sizes(size)), dtype=ops.dtype(first))

        def step(carry: Any, x: Any) -> Any:
            before, old = carry
            inputs, keep = x
            output, new = self._step(inputs, old, training, constants)
            if keep is None:
                return (None, new), output
            new = tree.map_structure(lambda n, o: _select(keep, n, o), new, old)
            output = emitted = _select(keep, output, before)
            if self.zero_output_for_mask:
                emitted = _select(keep, output, ops.zeros_like(output))
            return (output, new), emitted

        # Without a mask there is no need of the previous output.
        carry = (None if mask is None else previous, states)
        if self.unroll:
            outputs = []
            for i in range(steps.shape[0]):
                carry, y = step(carry, (steps[i], None if mask is None else mask[i]))
                outputs.append(y)
            everything = ops.stack(outputs, axis=1)
        else:
            carry, everything = ops.scan(step, carry, (steps, mask))
            everything = ops.moveaxis(everything, 0, 1)
        return everything, everything[:, -1], list(carry[1])

    def _step(self, inputs: Any, states: Any, training: bool | None, constants: Any) -> Any:
        """One call of the cell; the new states as a list."""
        kwargs: dict[str, Any] = {} if constants is None else {"constants": constants}
        if isinstance(self.cell, Layer):
            # The flag is inherited inside a call; it is passed on for calls of `call` itself.
            if calls.context is None and "training" in inspect.signature(self.cell.call).parameters:
                kwargs["training"] = training
            output, new = self.cell(inputs, states, **kwargs)
        else:
            if "training" in inspect.signature(self.cell.call).parameters:
                kwargs["training"] = training
            output, new = self.cell.call(inputs, states, **kwargs)
        new = list(new) if isinstance(new, (list, tuple)) else [new]
        return output, _pack_states(self.state_size, tree.flatten(new))

    # -- configuration ----------------------------------------------------------------------

    def _flags(self) -> dict[str, Any]:
        return {
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask,
        }

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | self._flags() | {"cell": serialize_keras_object(self.cell)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A layer, and its cell, from `get_config`'s result."""
        if "cell" in config:
            cell = deserialize_keras_object(config["cell"], custom_objects=custom_objects)
            config = config | {"cell": cell}
        return cls(**config)


def _sizes(size: Any) -> tuple:
    """The shape of a state without the batch."""
    return tuple(size) if isinstance(size, tuple) else (size,)


def _map_sizes(function: Any, sizes: Any) -> Any:
    """Applies a function to each size in a list of sizes; tuples are shapes."""
    if isinstance(sizes, list):
        return [_map_sizes(function, size) for size in sizes]
    return function(sizes)


def _first(sizes: Any) -> Any:
    while isinstance(sizes, list):
        sizes = sizes[0]
    return sizes


def _count(sizes: Any) -> int:
    return sum(map(_count, sizes)) if isinstance(sizes, list) else 1


def _pack_states(sizes: Any, flat: Any) -> list[Any]:
    """The states in the structure of their sizes."""
    values = iter(flat)
    return _map_sizes(lambda _: next(values), sizes)


def _select(keep: Any, new: Any, old: Any) -> Any:
    """`new` for the samples that `keep` (batch,) names, `old` for the rest."""
    rank = len(new.shape)
    for _ in range(rank - 1):
        keep = ops.expand_dims(keep, -1)
    return ops.where(keep, new, old)
