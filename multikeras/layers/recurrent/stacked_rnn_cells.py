"""`StackedRNNCells`: several cells that act as one."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.layers.layer import Layer
from multikeras.serialization import deserialize_keras_object, serialize_keras_object


@registry.expose("keras.layers")
class StackedRNNCells(Layer):
    """A cell in which each step goes through several cells, one after another.

    Args:
        cells: the cells.

    Raises:
        ValueError: for a cell without `call` or `state_size`.

    Example:
        >>> import multikeras as keras
        >>> cells = [keras.layers.LSTMCell(2), keras.layers.GRUCell(3)]
        >>> keras.layers.StackedRNNCells(cells).state_size
        [[2, 2], 3]
    """

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for cell in cells:
            for needed in ("call", "state_size"):
                if not hasattr(cell, needed):
                    raise ValueError(f"{self._who()}: the cell {cell!r} has no `{needed}`.")
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states of each cell."""
        return [c.state_size for c in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        return _output_size(self.cells[-1])

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """The states of each cell before the first step."""
        found = []
        for cell in self.cells:
            if hasattr(cell, "get_initial_state"):
                state = cell.get_initial_state(batch_size=batch_size)
            else:
                sizes = cell.state_size
                many = isinstance(sizes, (list, tuple))
                state = [
                    ops.zeros((batch_size, size), dtype=self.compute_dtype)
                    for size in (sizes if many else [sizes])
                ]
            single = not isinstance(cell.state_size, (list, tuple))
            if single and isinstance(state, (list, tuple)):
                state = state[0]
            found.append(state)
        return found

    def build(self, input_shape: Any) -> None:
        """Builds each cell for the outputs of the one before."""
        shape = tuple(input_shape)
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(shape)
                cell.built = True
            size = _output_size(cell)
            shape = (shape[0], *(size if isinstance(size, (list, tuple)) else (size,)))

    def call(self, inputs: Any, states: Any, training: bool | None = False, **kwargs: Any) -> Any:
        """The last cell's output, and the new states of each.

        Args:
            inputs: one step, `(batch, features)`.
            states: for each cell its states.
            training: passed on to the cells.
        """
        new = []
        for cell, state in zip(self.cells, states, strict=True):
            single = not isinstance(state, (list, tuple))
            run = cell if isinstance(cell, Layer) else cell.call
            inputs, after = run(inputs, [state] if single else list(state), **kwargs)
            if single and isinstance(after, (list, tuple)):
                after = after[0]
            new.append(after)
        return inputs, new

    def draw_masks(self, inputs: Any, states: Any, training: bool | None) -> Any:
        """Lets each cell draw its dropout masks for a sequence."""
        for cell, state in zip(self.cells, states, strict=True):
            state = list(state) if isinstance(state, (list, tuple)) else [state]
            if hasattr(cell, "draw_masks"):
                inputs = cell.draw_masks(inputs, state, training)
            else:
                inputs = state[0]
        return inputs

    def drop_masks(self) -> None:
        """Lets each cell forget its masks."""
        for cell in self.cells:
            if hasattr(cell, "drop_masks"):
                cell.drop_masks()

    def compute_output_shape(self, inputs_shape: Any, states_shape: Any = None) -> Any:
        """Shapes of the output and of the states."""
        batch = inputs_shape[0]
        states = [
            [(batch, s) for s in size] if isinstance(size, (list, tuple)) else (batch, size)
            for size in self.state_size
        ]
        return (batch, self.output_size), states

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"cells": [serialize_keras_object(c) for c in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Cells from `get_config`'s result."""
        cells = [
            deserialize_keras_object(c, custom_objects=custom_objects) for c in config["cells"]
        ]
        return cls(**(config | {"cells": cells}))


def _output_size(cell: Any) -> Any:
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size
    return size
