"""Branches and loops in Python; gradients of one's own as nodes of the trace."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
from autograd.extend import Box, defvjp_argnums, primitive
from autograd.tracer import getval

from multikeras import tree
from multikeras.backends import loops
from multikeras.backends.loops import cond as cond
from multikeras.backends.loops import switch as switch
from multikeras.backends.loops import while_loop as while_loop
from multikeras.backends.numpy import core
from multikeras.backends.numpy.shaping import stack


def _stack(ys: list) -> Any:
    return stack([core.convert_to_tensor(y) for y in ys])


def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    for i in range(int(lower), int(upper)):
        init_val = body_fun(np.asarray(i, np.int32), init_val)
    return init_val


def scan(
    f: Callable, init: Any, xs: Any, length: int, reverse: bool, unroll: int | bool
) -> tuple[Any, Any]:
    return loops.scan(_stack, f, init, xs, length, reverse)


def map(f: Callable, xs: Any) -> Any:
    length = len(tree.flatten(xs)[0])
    return loops.stacked(_stack, [f(loops.step_of(xs, i)) for i in range(length)])


vectorized_map = map


def custom_gradient(f: Callable) -> Callable:
    def function(*args: Any) -> Any:
        if not any(isinstance(arg, Box) for arg in args):
            return f(*args)[0]
        backward: list[Callable] = []

        @primitive
        def node(*plain: Any) -> Any:
            output, gradient = f(*plain)
            backward.append(gradient)
            return output

        def gradients(argnums: tuple, ans: Any, args: tuple, kwargs: dict) -> Callable:
            def vjp(g: Any) -> tuple:
                found = backward[-1](g)
                found = found if isinstance(found, (tuple, list)) else (found,)
                return tuple(
                    np.zeros_like(args[i]) if found[i] is None else found[i] for i in argnums
                )

            return vjp

        defvjp_argnums(node, gradients)
        return node(*args)

    return function


def jvp(fun: Callable, primals: tuple, tangents: tuple, has_aux: bool) -> tuple:
    """By reverse mode: what is carried back is linear in what comes in, and its slope is known."""
    points, directions = tree.flatten(primals), tree.flatten(tangents)
    kept: list[Any] = []

    def flat(*leaves: Any) -> Any:
        result = fun(*tree.pack_sequence_as(primals, list(leaves)))
        kept[:] = list(result) if has_aux else [result, None]
        return [core.convert_to_tensor(leaf) for leaf in tree.flatten(kept[0])]

    values = flat(*points)
    structure, aux = kept
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Output seems independent")  # its change is 0
        changes = [
            _change(lambda *leaves, i=i: flat(*leaves)[i], points, directions, value)
            for i, value in enumerate(values)
        ]
    outputs = tuple(tree.pack_sequence_as(structure, found) for found in (values, changes))
    return (*outputs, aux) if has_aux else outputs


def _change(function: Callable, points: list, directions: list, value: Any) -> Any:
    value = np.asarray(getval(value))
    if value.dtype.kind in "biu":
        return np.zeros_like(value)
    backward, _ = autograd.make_vjp(function, tuple(range(len(points))))(*points)

    def along(g: Any) -> Any:
        parts = backward(g)
        return sum(anp.sum(part * d) for part, d in zip(parts, directions, strict=True))

    zero = np.zeros_like(value)
    try:
        found = autograd.make_vjp(along)(zero)[0](value.dtype.type(1))
        return core.convert_to_tensor(found, core.dtype_name(value))
    except NotImplementedError:
        # A kernel whose backward pass is a plain function: one row of the Jacobian at a time.
        found = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            one = np.zeros_like(value)
            one[index] = 1
            found[index] = along(one)
        return found
