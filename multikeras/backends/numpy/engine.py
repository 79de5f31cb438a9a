"""How the NumPy backend runs steps: eagerly, with gradients from autograd's tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from multikeras.backends.arguments import replaced
from multikeras.backends.numpy import _gradients, core
from multikeras.backends.numpy.fused import fused_update as fused_update
from multikeras.scopes import StatelessScope

compiles = False
jits_by_default = False
steps_per_dispatch = 1


def value_and_grad(
    fn: Callable, variables: list[Any], has_aux: bool = False, argnums: tuple[int, ...] = ()
) -> Callable:
    variables = list(variables)

    def call(*args: Any, **kwargs: Any) -> Any:
        written: list[Any] = []

        def inner(boxes: list[Any]) -> tuple[Any, Any]:
            own, given = boxes[: len(variables)], boxes[len(variables) :]
            with StatelessScope.over(variables, own) as scope:
                out = fn(*replaced(args, argnums, given), **kwargs)
            loss, aux = out if has_aux else (out, None)
            written.extend(scope.written)
            return loss, (aux, [scope.values[v] for v in written])

        values = [v.uncast_value for v in variables] + [args[i] for i in argnums]
        loss, (aux, updates), grads = _gradients.run(inner, values)
        for variable, value in zip(written, updates, strict=True):
            variable.assign(value)
        return ((loss, aux) if has_aux else loss), grads

    return call


def compile_step(
    fn: Callable, state: list[Any], jit: bool = False, training: bool = False
) -> Callable:
    return fn


def compile_steps(step: Callable, size: int, jit: bool = False) -> None:
    """No dispatch to save: several steps are a Python loop."""
    return None


def hold(array: Any) -> Any:
    """An array as it is best kept for taking batches."""
    return array


def take(held: Any, indices: Any) -> Any:
    """Rows of a held array: a slice, or an array of indices."""
    return held[indices] if isinstance(indices, slice) else held.take(indices, axis=0)


def place(batch: Any) -> Any:
    """A leaf of a batch as a tensor."""
    return core.convert_to_tensor(batch)


def to_host(x: Any) -> np.ndarray:
    return core.convert_to_numpy(x)


def tracing() -> bool:
    """Whether this runs inside a function that is being compiled: never here."""
    return False
