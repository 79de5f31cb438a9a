"""Cases of the recurrent layers, against loops over the steps of each sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.conformance.cases_activation import sigmoid
from tests.conformance.op_cases import Case, f

Cell = Callable[..., tuple[Any, ...]]


def steps(cell: Cell, x: Any, states: tuple, mask: Any, go_backwards: bool) -> tuple[Any, ...]:
    """Outputs and last states; a masked step repeats the output and keeps the states."""
    outputs = np.zeros((*x.shape[:2], states[0].shape[-1]))
    last = [np.zeros_like(s) for s in states]
    for sample in range(len(x)):
        state, output = tuple(s[sample] for s in states), np.zeros(states[0].shape[-1])
        for t in range(x.shape[1]):
            at = x.shape[1] - 1 - t if go_backwards else t
            if mask is None or mask[sample, at]:
                state = cell(x[sample, at], *state)
                output = state[0]
            outputs[sample, t] = output
        for s, value in zip(last, state, strict=True):
            s[sample] = value
    return (outputs, *last)


def lstm(
    x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any, mask: Any = None,
    go_backwards: bool = False,
) -> Any:  # fmt: skip
    def cell(x: Any, h: Any, c: Any) -> tuple[Any, Any]:
        z = x @ kernel + h @ recurrent + (0 if bias is None else bias)
        i, f, g, o = np.split(z, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    return steps(cell, x, (h, c), mask, go_backwards)


def gru(
    x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any, mask: Any = None,
    go_backwards: bool = False, reset_after: bool = True,
) -> Any:  # fmt: skip
    inner, outer = (0, 0) if bias is None else bias if reset_after else (bias, 0)
    units = h.shape[-1]

    def cell(x: Any, h: Any) -> tuple[Any]:
        z, product = x @ kernel + inner, h @ recurrent + outer
        u, r = np.split(sigmoid(z[: 2 * units] + product[: 2 * units]), 2)
        met = r * product[2 * units :] if reset_after else (r * h) @ recurrent[:, 2 * units :]
        return (u * h + (1 - u) * np.tanh(z[2 * units :] + met),)

    return steps(cell, x, (h,), mask, go_backwards)


RNN = {
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": sigmoid,
    "linear": lambda z: z,
}


def simple_rnn(
    x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any, mask: Any = None,
    go_backwards: bool = False, activation: str = "tanh",
) -> Any:  # fmt: skip
    def cell(x: Any, h: Any) -> tuple[Any]:
        return (RNN[activation](x @ kernel + h @ recurrent + (0 if bias is None else bias)),)

    return steps(cell, x, (h,), mask, go_backwards)


B, T, D, U = 4, 5, 3, 2
x, h, c = f(B, T, D), f(B, U, low=-1, high=1), f(B, U, low=-1, high=1, seed=1)
# Padding at the end, at the start, holes, and a sample without any step.
mask = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "backwards": {"go_backwards": True},
    "masked": {"mask": mask},
    "masked_backwards": {"mask": mask, "go_backwards": True},
    "full_mask": {"mask": np.ones((B, T), bool)},
}


def weights(gates: int, *bias: int) -> tuple[np.ndarray, ...]:
    return f(D, gates * U, seed=2), f(U, gates * U, seed=3), f(*(bias or (gates * U,)), seed=4)


def cases(op: str, function: Any, args: tuple, kwargs: dict[str, Any], name: str) -> list[Case]:
    return [
        Case(op, args, {**setting, **kwargs}, function, name=f"{name}{kind}", batch=False)
        for kind, setting in SETTINGS.items()
    ]


CASES = [
    *cases("lstm", lstm, (x, h, c, *weights(4)), {}, ""),
    *cases("gru", gru, (x, h, *weights(3, 2, 3 * U)), {}, ""),
    *cases("gru", gru, (x, h, *weights(3)), {"reset_after": False}, "before_"),
    *cases("simple_rnn", simple_rnn, (x, h, *weights(1)), {}, ""),
    *cases("simple_rnn", simple_rnn, (x, h, *weights(1)), {"activation": "sigmoid"}, "sigmoid_"),
    Case("simple_rnn", (x, h, *weights(1)), {"activation": "relu"}, simple_rnn, name="relu",
         batch=False),
    Case("simple_rnn", (x, h, *weights(1)), {"activation": "linear"}, simple_rnn, name="linear",
         batch=False, grad_tol=1e-3),
    Case("lstm", (x, h, c, *weights(4)[:2], None), {"mask": mask}, lstm, name="no_bias",
         batch=False),
    Case("gru", (x, h, *weights(3)[:2], None), {}, gru, name="no_bias", batch=False),
    Case("simple_rnn", (x, h, *weights(1)[:2], None), {}, simple_rnn, name="no_bias", batch=False),
]  # fmt: skip
