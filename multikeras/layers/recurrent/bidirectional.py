"""`Bidirectional`: a recurrent layer run from both ends of a sequence.

Refused: layers that are not recurrent, unknown ways to merge, two directions that read the same
way or return different things.
"""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer
from multikeras.serialization import deserialize_keras_object, serialize_keras_object

_MERGES = ("sum", "mul", "concat", "ave", None)
_SHARED_FLAGS = ("return_sequences", "return_state", "stateful")


@registry.expose("keras.layers")
class Bidirectional(Layer):
    """Reads a sequence forwards and backwards (Schuster and Paliwal, 1997).

    Args:
        layer: an `RNN` layer, or one with the same attributes; a copy of it reads forwards.
        merge_mode: "sum", "mul", "concat", "ave", or None to return both outputs.
        weights: initial weights, of both directions.
        backward_layer: the layer that reads backwards; default: a copy of `layer`.

    Call arguments: `sequences`, `initial_state` (forward states, then backward ones), `mask`,
    `training`. With `return_state` the states follow the outputs in the same order.

    Raises:
        ValueError: for a layer that is not recurrent, an unknown `merge_mode`, or a backward
            layer that does not fit.

    Example:
        >>> import multikeras as keras
        >>> layer = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True))
        >>> layer(keras.ops.ones((2, 7, 3))).shape == (2, 7, 8)
        True
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ValueError(f"{self._who()}: expected a layer, got {layer!r}.")
        if merge_mode not in _MERGES:
            raise ValueError(
                f"{self._who()}: merge_mode must be one of {_MERGES}, got {merge_mode!r}."
            )
        for needed in ("go_backwards", *_SHARED_FLAGS):
            if not hasattr(layer, needed):
                raise ValueError(f"{self._who()}: {layer!r} is not recurrent: no `{needed}`.")
        given: Any = layer
        self.merge_mode = merge_mode
        self.forward_layer = _copy(layer, "forward", given.go_backwards)
        if backward_layer is None:
            backward_layer = _copy(layer, "backward", not given.go_backwards)
        self.backward_layer = backward_layer
        self._check_pair()
        self.return_sequences = given.return_sequences
        self.return_state = given.return_state
        self.stateful = given.stateful
        self.supports_masking = True
        self.input_spec = InputSpec(ndim=3) if layer.input_spec is None else layer.input_spec
        self._given_weights = list(weights) if weights else None

    def _check_pair(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if not hasattr(backward, "go_backwards"):
            raise ValueError(f"{self._who()}: backward_layer {backward!r} is not recurrent.")
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                f"{self._who()}: layer and backward_layer must differ in `go_backwards`, both "
                f"have {forward.go_backwards}."
            )
        for flag in _SHARED_FLAGS:
            first, second = getattr(forward, flag), getattr(backward, flag)
            if first != second:
                raise ValueError(
                    f"{self._who()}: layer has {flag}={first}, backward_layer {flag}={second}."
                )

    @property
    def layer(self) -> Any:
        """The layer that reads forwards."""
        return self.forward_layer

    def build(self, input_shape: Any) -> None:
        """Builds both directions."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(input_shape)
        if self._given_weights is not None:
            self.set_weights(self._given_weights)
            self._given_weights = None

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = None,
    ) -> Any:
        """The merged outputs, and the states if asked for.

        Args:
            sequences: `(batch, time, features)`.
            initial_state: the states of both directions, in one list.
            mask: bool `(batch, time)`.
            training: passed on.
        """
        starts: tuple[Any, Any] = (None, None)
        if initial_state is not None:
            half = len(initial_state) // 2
            starts = list(initial_state[:half]), list(initial_state[half:])
        found = []
        for layer, start in zip((self.forward_layer, self.backward_layer), starts, strict=True):
            kwargs: dict[str, Any] = {"training": training}
            if mask is not None:
                kwargs["mask"] = mask
            if start is not None:
                kwargs["initial_state"] = start
            found.append(layer(sequences, **kwargs))
        states: list[Any] = []
        if self.return_state:
            states = [*found[0][1:], *found[1][1:]]
            found = [outputs[0] for outputs in found]
        forward, backward = found
        if self.return_sequences:
            if self.forward_layer.go_backwards:
                forward = ops.flip(forward, axis=1)
            else:
                backward = ops.flip(backward, axis=1)
        merged = self._merge(forward, backward)
        if not self.return_state:
            return merged
        return (*merged, *states) if self.merge_mode is None else (merged, *states)

    def _merge(self, forward: Any, backward: Any) -> Any:
        if self.merge_mode == "concat":
            return ops.concatenate([forward, backward], axis=-1)
        if self.merge_mode == "sum":
            return ops.add(forward, backward)
        if self.merge_mode == "ave":
            return ops.multiply(ops.add(forward, backward), 0.5)
        if self.merge_mode == "mul":
            return ops.multiply(forward, backward)
        return forward, backward

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """Shape of the merged outputs, followed by those of the states if asked for."""
        shapes = self.forward_layer.compute_output_shape(sequences_shape)
        behind = self.backward_layer.compute_output_shape(sequences_shape)
        states: tuple = ()
        if self.return_state:
            states = (*shapes[1:], *behind[1:])
            shapes, behind = shapes[0], behind[0]
        if self.merge_mode == "concat":
            merged: Any = (*shapes[:-1], shapes[-1] + behind[-1])
        else:
            merged = (shapes, behind) if self.merge_mode is None else shapes
        if not self.return_state:
            return merged
        return (*merged, *states) if self.merge_mode is None else (merged, *states)

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        """The mask of the sequence for each output that is a sequence."""
        if mask is None or not self.return_sequences:
            return None
        outputs = [mask] if self.merge_mode is not None else [mask, mask]
        if self.return_state:
            pair = (self.forward_layer, self.backward_layer)
            count = sum(len(layer.state_size) for layer in pair)
            return [*outputs, *[None] * count]
        return outputs[0] if self.merge_mode is not None else outputs

    @property
    def states(self) -> Any:
        """The kept states of both directions, None if there are none."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return None if not forward else (*forward, *backward)

    def reset_state(self) -> None:
        """Sets the kept states to zeros."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """Alias of `reset_state`."""
        self.reset_state()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "merge_mode": self.merge_mode,
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A layer, and those inside, from `get_config`'s result."""
        inner = {
            name: deserialize_keras_object(config[name], custom_objects=custom_objects)
            for name in ("layer", "backward_layer")
            if config.get(name) is not None
        }
        return cls(**(config | inner))


def _copy(layer: Any, direction: str, go_backwards: bool) -> Any:
    """A layer of the same configuration for one direction."""
    config = layer.get_config()
    name = layer.name.removeprefix("forward_").removeprefix("backward_")
    config |= {"name": f"{direction}_{name}", "go_backwards": go_backwards}
    if layer.return_sequences and "zero_output_for_mask" in config:
        # Turned round, repeated outputs of padding would stand before the sequence.
        config["zero_output_for_mask"] = True
    return type(layer).from_config(config)
