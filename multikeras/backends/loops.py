"""Loops of backends that run eagerly: plain Python over structures of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multikeras import tree


def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    return true_fn() if pred else false_fn()


def switch(index: Any, branches: list[Callable], *operands: Any) -> Any:
    return branches[max(0, min(int(index), len(branches) - 1))](*operands)


def while_loop(
    cond: Callable, body: Callable, loop_vars: tuple, maximum_iterations: int | None
) -> tuple:
    done = 0
    while (maximum_iterations is None or done < maximum_iterations) and cond(*loop_vars):
        loop_vars = body(*loop_vars)
        done += 1
    return loop_vars


def step_of(xs: Any, i: int) -> Any:
    """The i-th step of a structure of tensors."""
    return tree.map_structure(lambda x: x if x is None else x[i], xs)


def scan(
    stack: Callable, f: Callable, carry: Any, xs: Any, length: int, reverse: bool
) -> tuple[Any, Any]:
    """`scan` with the framework's `stack`."""
    outputs = []
    for i in reversed(range(length)) if reverse else range(length):
        carry, y = f(carry, None if xs is None else step_of(xs, i))
        outputs.append(y)
    return carry, stacked(stack, outputs[::-1] if reverse else outputs)


def stacked(stack: Callable, outputs: list[Any]) -> Any:
    """Structures of the steps, stacked leaf by leaf."""
    if not outputs:
        raise ValueError("A loop over no steps has no output whose shape could be known.")
    return tree.map_structure(lambda *ys: None if ys[0] is None else stack(list(ys)), *outputs)
