"""How the JAX backend runs steps: compiled pure functions of the variables' values.

The values are donated to the step and replaced by its results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from multikeras.backends.jax import core
from multikeras.scopes import StatelessScope

compiles = True
jits_by_default = True
steps_per_dispatch = 16


def fused_update(optimizer: Any) -> None:
    """Nothing to gain: the compiler fuses the update."""
    return None


def value_and_grad(fn: Callable, variables: list[Any], has_aux: bool = False) -> Callable:
    variables = list(variables)

    def call(*args: Any, **kwargs: Any) -> Any:
        written: list[Any] = []

        def pure(values: list[Any]) -> tuple[Any, Any]:
            with StatelessScope.over(variables, values) as scope:
                out = fn(*args, **kwargs)
            loss, aux = out if has_aux else (out, None)
            written[:] = scope.written
            return loss, (aux, [scope.values[v] for v in written])

        values = [v.uncast_value for v in variables]
        (loss, (aux, updates)), grads = jax.value_and_grad(pure, has_aux=True)(values)
        for variable, value in zip(written, updates, strict=True):
            variable.assign(value)
        return ((loss, aux) if has_aux else loss), grads

    return call


class _Unlisted(Exception):
    """A step wrote variables that are not in its state."""

    def __init__(self, variables: list[Any]) -> None:
        super().__init__()
        self.variables = variables


def _pure(fn: Callable, variables: list[Any]) -> Callable:
    known = set(map(id, variables))

    def pure(values: list[Any], args: tuple) -> tuple[Any, list[Any]]:
        with StatelessScope.over(variables, values) as scope:
            outputs = fn(*args)
        if unlisted := [v for v in scope.written if id(v) not in known]:
            raise _Unlisted(unlisted)
        return outputs, [scope.values[v] for v in variables]

    return pure


def _threaded(make: Callable[[list[Any]], Callable], state: list[Any]) -> Callable:
    """A step that reads the variables, runs the compiled function and writes them back.

    `make` builds the compiled function for a list of variables; it is called again if the first
    trace meets variables that are not in the list.
    """
    variables = list(state)
    compiled = make(variables)

    def step(*args: Any) -> Any:
        nonlocal compiled
        while True:
            try:
                outputs, values = compiled([v.storage for v in variables], args)
                break
            except _Unlisted as found:
                variables.extend(found.variables)
                compiled = make(variables)
        for variable, value in zip(variables, values, strict=True):
            variable.replace_storage(value)
        return outputs

    return step


def compile_step(
    fn: Callable, state: list[Any], jit: bool = True, training: bool = False
) -> Callable:
    if not jit:
        return fn
    return _threaded(lambda variables: jax.jit(_pure(fn, variables), donate_argnums=0), state)


def compile_steps(fn: Callable, state: list[Any], jit: bool = True) -> Callable | None:
    """Several steps in one dispatch, over batches stacked along a new first axis."""
    if not jit:
        return None

    def make(variables: list[Any]) -> Callable:
        pure = _pure(fn, variables)

        def steps(values: list[Any], args: tuple) -> tuple[Any, list[Any]]:
            values, outputs = jax.lax.scan(lambda v, batch: pure(v, batch)[::-1], values, args)
            return jax.tree_util.tree_map(lambda x: x[-1], outputs), values

        return jax.jit(steps, donate_argnums=0)

    return _threaded(make, state)


def hold(array: Any) -> Any:
    """An array as it is best kept for taking batches: on the host."""
    return np.asarray(array)


def take(held: Any, indices: Any) -> Any:
    """Rows of a held array: a slice, or an array of indices."""
    return held[indices] if isinstance(indices, slice) else held.take(indices, axis=0)


def place(batch: Any) -> Any:
    """A leaf of a batch as a tensor."""
    return core.convert_to_tensor(batch)


def to_host(x: Any) -> np.ndarray:
    return np.asarray(x)
