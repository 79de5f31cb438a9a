"""How the JAX backend runs steps: compiled pure functions of the variables' values.

The values are donated to the step and replaced by its results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.extend.core import get_opaque_trace_state

from multikeras.backends.arguments import replaced
from multikeras.backends.batches import stacked
from multikeras.backends.jax import core
from multikeras.backends.jax.steps import Step
from multikeras.scopes import StatelessScope

compiles = True
jits_by_default = True
steps_per_dispatch = 16
_NOT_TRACING = get_opaque_trace_state()  # nothing can be traced while this is imported


def fused_update(optimizer: Any) -> None:
    """Nothing to gain: the compiler fuses the update."""
    return None


def value_and_grad(
    fn: Callable, variables: list[Any], has_aux: bool = False, argnums: tuple[int, ...] = ()
) -> Callable:
    variables = list(variables)

    def call(*args: Any, **kwargs: Any) -> Any:
        written: list[Any] = []

        def pure(values: list[Any]) -> tuple[Any, Any]:
            own, given = values[: len(variables)], values[len(variables) :]
            with StatelessScope.over(variables, own) as scope:
                out = fn(*replaced(args, argnums, given), **kwargs)
            loss, aux = out if has_aux else (out, None)
            written[:] = scope.written
            return loss, (aux, [scope.values[v] for v in written])

        values = [v.uncast_value for v in variables] + [args[i] for i in argnums]
        (loss, (aux, updates)), grads = jax.value_and_grad(pure, has_aux=True)(values)
        for variable, value in zip(written, updates, strict=True):
            variable.assign(value)
        return ((loss, aux) if has_aux else loss), grads

    return call


def compile_step(
    fn: Callable, state: list[Any], jit: bool = True, training: bool = False
) -> Callable:
    return Step(fn, state) if jit else fn


def compile_steps(step: Callable, size: int, jit: bool = True) -> Callable | None:
    """A function that runs a compiled step on up to `size` batches of equal shapes."""
    if not isinstance(step, Step):
        return None
    loops_well: bool | None = None

    def steps(group: list[Any]) -> None:
        nonlocal loops_well
        if loops_well is None:
            loops_well = step.loops_well(group[0])
        if loops_well:
            step.run_several(stacked(group, size), len(group))
        else:
            for batch in group:
                step(jax.tree_util.tree_map(place, batch))

    return steps


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


def tracing() -> bool:
    """Whether this runs inside a function that is being compiled or differentiated."""
    return get_opaque_trace_state() != _NOT_TRACING
