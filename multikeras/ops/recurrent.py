"""Recurrent layers over whole sequences, in one call: what `LSTM`, `GRU` and `SimpleRNN` run on.

All are batch-major. Where `mask` is False the state is carried over and the output repeats the
previous one (zeros at the start). With `go_backwards` the sequence is read from its end, and
outputs stand in the order of processing. Only the standard activations are done here; layers with
others loop over their cell. Not exported.
"""

from __future__ import annotations

from typing import Any

from multikeras.ops import rules
from multikeras.ops._declare import op
from multikeras.symbolic import KerasTensor


def _spec(states: int) -> Any:
    """The spec for as many states, which follow x among the arguments."""

    def spec(_: None, x: KerasTensor, h: KerasTensor, *rest: Any) -> tuple[KerasTensor, ...]:
        if len(x.shape) != 3:
            raise ValueError(f"expected a sequence (batch, time, features), got {x.shape}.")
        units = h.shape[-1]
        outputs = KerasTensor((*x.shape[:2], units), x.dtype)
        state = [KerasTensor((x.shape[0], units), x.dtype) for _ in range(states)]
        return (outputs, *state)

    return spec


_WEIGHTS = ("kernel", "recurrent_kernel", "bias", "mask")


@op(rules.custom(_spec(2), ("x", "h", "c", *_WEIGHTS)))
def lstm(
    x: Any,
    h: Any,
    c: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any,
    mask: Any = None,
    go_backwards: bool = False,
) -> tuple[Any, Any, Any]:
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), with tanh and sigmoid.

    Args:
        x: (batch, time, features); all tensors but the mask have its dtype.
        h, c: the initial states, (batch, units).
        kernel: (features, 4 * units), gates in the order input, forget, candidate, output.
        recurrent_kernel: (units, 4 * units).
        bias: (4 * units,) or None.
        mask: None or bool (batch, time).
        go_backwards: read the sequence from its end.

    Returns:
        `(outputs, h, c)`: (batch, time, units) and the last states.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.recurrent import lstm
        >>> x, h = [[[1.0], [1.0]]], [[0.0]]
        >>> outputs, h, c = lstm(x, h, h, [[0.0] * 4], [[0.0] * 4], [50.0, 50.0, 50.0, -50.0])
        >>> ops.convert_to_numpy(c).tolist()
        [[2.0]]
    """


@op(rules.custom(_spec(1), ("x", "h", *_WEIGHTS)))
def gru(
    x: Any,
    h: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any,
    mask: Any = None,
    go_backwards: bool = False,
    reset_after: bool = True,
) -> tuple[Any, Any]:
    """Gated recurrent unit (Cho et al., 2014, arXiv:1406.1078), with tanh and sigmoid.

    Args:
        x: (batch, time, features); all tensors but the mask have its dtype.
        h: the initial state, (batch, units).
        kernel: (features, 3 * units), gates in the order update, reset, candidate.
        recurrent_kernel: (units, 3 * units).
        bias: None; with `reset_after` (2, 3 * units), the second row inside the recurrent
            product; else (3 * units,).
        mask: None or bool (batch, time).
        go_backwards: read the sequence from its end.
        reset_after: the reset gate multiplies the recurrent product instead of the state.

    Returns:
        `(outputs, h)`: (batch, time, units) and the last state.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.recurrent import gru
        >>> x, zeros = [[[1.0], [1.0]]], [[0.0] * 3]
        >>> outputs, h = gru(x, [[1.0]], zeros, zeros, zeros + zeros)
        >>> ops.convert_to_numpy(outputs).tolist()
        [[[0.5], [0.25]]]
    """


@op(rules.custom(_spec(1), ("x", "h", *_WEIGHTS)))
def simple_rnn(
    x: Any,
    h: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any,
    mask: Any = None,
    go_backwards: bool = False,
    activation: str = "tanh",
) -> tuple[Any, Any]:
    """`h = activation(x @ kernel + h @ recurrent_kernel + bias)`, step by step (Elman, 1990).

    Args:
        x: (batch, time, features); all tensors but the mask have its dtype.
        h: the initial state, (batch, units).
        kernel: (features, units).
        recurrent_kernel: (units, units).
        bias: (units,) or None.
        mask: None or bool (batch, time).
        go_backwards: read the sequence from its end.
        activation: "tanh", "relu", "sigmoid" or "linear".

    Returns:
        `(outputs, h)`: (batch, time, units) and the last state.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.recurrent import simple_rnn
        >>> x, one = [[[1.0], [2.0]]], [[1.0]]
        >>> outputs, h = simple_rnn(x, [[0.0]], one, one, [0.0], activation="relu")
        >>> ops.convert_to_numpy(outputs).tolist()
        [[[1.0], [3.0]]]
    """
