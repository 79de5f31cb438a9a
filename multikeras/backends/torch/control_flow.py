"""Branches and loops in Python; gradients of one's own as `torch.autograd.Function`s."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from multikeras import tree
from multikeras.backends import loops
from multikeras.backends.loops import cond as cond
from multikeras.backends.loops import switch as switch
from multikeras.backends.loops import while_loop as while_loop
from multikeras.backends.torch import core


def _stack(ys: list) -> torch.Tensor:
    return torch.stack([core.convert_to_tensor(y) for y in ys])


def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    for i in range(int(lower), int(upper)):
        init_val = body_fun(
            torch.tensor(i, dtype=torch.int32, device=core.default_device()), init_val
        )
    return init_val


def scan(
    f: Callable, init: Any, xs: Any, length: int, reverse: bool, unroll: int | bool
) -> tuple[Any, Any]:
    return loops.scan(_stack, f, init, xs, length, reverse)


def map(f: Callable, xs: Any) -> Any:
    length = len(tree.flatten(xs)[0])
    return loops.stacked(_stack, [f(loops.step_of(xs, i)) for i in range(length)])


def vectorized_map(function: Callable, elements: Any) -> Any:
    return torch.vmap(function)(elements)


class _OwnGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, f: Callable, *args: Any) -> Any:
        output, ctx.gradient = f(*args)
        # An output that is an argument itself would lose its place in the graph.
        same = isinstance(output, torch.Tensor) and any(output is arg for arg in args)
        return output.clone() if same else output

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        found = ctx.gradient(*upstream)
        found = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        return (None, *found, *[None] * (len(ctx.needs_input_grad) - 1 - len(found)))


def custom_gradient(f: Callable) -> Callable:
    return lambda *args: _OwnGradient.apply(f, *args)


def jvp(fun: Callable, primals: tuple, tangents: tuple, has_aux: bool) -> tuple:
    kept: list[Any] = []

    def flat(*leaves: torch.Tensor) -> tuple:
        result = fun(*tree.pack_sequence_as(primals, list(leaves)))
        kept[:] = list(result) if has_aux else [result, None]
        return tuple(torch.as_tensor(leaf) for leaf in tree.flatten(kept[0]))

    points, directions = tuple(tree.flatten(primals)), tuple(tree.flatten(tangents))
    try:
        values, changes = torch.func.jvp(flat, points, directions)[:2]
    except (NotImplementedError, RuntimeError):
        # A function without a forward mode: twice in reverse mode, linear in what is carried back.
        values, changes = torch.autograd.functional.jvp(flat, points, directions)
    structure, aux = kept
    values, changes = (tree.pack_sequence_as(structure, list(v)) for v in (values, changes))
    return (values, changes, aux) if has_aux else (values, changes)
