"""How the JAX backend runs steps: compiled pure functions of the variables' values.

The values are donated to the step and replaced by its results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from multikeras.backends.batches import stacked
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


class _Step:
    """A step that reads the variables, runs the compiled function and writes them back.

    The function is made anew if its first trace meets variables that are not in the state.
    """

    def __init__(self, fn: Callable, state: list[Any]) -> None:
        self._fn = fn
        self._variables = list(state)
        self._compile()

    def _compile(self) -> None:
        self._one = jax.jit(_pure(self._fn, self._variables), donate_argnums=0)
        # The loop's body is the compiled step itself, which thus is traced once for both.
        one = self._one

        def several(values: list[Any], batches: Any, count: Any) -> tuple[None, list[Any]]:
            def body(i: Any, values: list[Any]) -> list[Any]:
                batch = jax.tree_util.tree_map(lambda a: a[i], batches)
                return one(values, (batch,))[1]

            return None, jax.lax.fori_loop(0, count, body, values)

        self._several = jax.jit(several, donate_argnums=0)

    def __call__(self, *args: Any) -> Any:
        return self._run(lambda values: self._one(values, args))

    def run_several(self, batches: Any, count: int) -> None:
        """The step on the first `count` of stacked batches, in one dispatch."""
        self._run(lambda values: self._several(values, batches, np.int32(count)))

    def loops_well(self, batch: Any) -> bool:
        """Whether the compiler's loops run the step as fast as single dispatches.

        On processors they don't run convolutions with the fast kernels: measured at 8 times the
        processor time.
        """
        if jax.default_backend() != "cpu":
            return True
        found: list[Any] = []
        self._run(lambda values: found.append(self._one.trace(values, (batch,))), write=False)
        return not _has_convolution(found[-1].jaxpr)

    def _run(self, function: Callable, write: bool = True) -> Any:
        while True:
            try:
                result = function([v.storage for v in self._variables])
                break
            except _Unlisted as unlisted:
                self._variables.extend(unlisted.variables)
                self._compile()
        if not write:
            return None
        outputs, values = result
        for variable, value in zip(self._variables, values, strict=True):
            variable.replace_storage(value)
        return outputs


def _has_convolution(jaxpr: Any) -> bool:
    jaxpr = getattr(jaxpr, "jaxpr", jaxpr)
    for equation in jaxpr.eqns:
        if equation.primitive.name == "conv_general_dilated":
            return True
        for leaf in jax.tree_util.tree_leaves(list(equation.params.values())):
            if hasattr(getattr(leaf, "jaxpr", leaf), "eqns") and _has_convolution(leaf):
                return True
    return False


def compile_step(
    fn: Callable, state: list[Any], jit: bool = True, training: bool = False
) -> Callable:
    return _Step(fn, state) if jit else fn


def compile_steps(step: Callable, size: int, jit: bool = True) -> Callable | None:
    """A function that runs a compiled step on up to `size` batches of equal shapes."""
    if not isinstance(step, _Step):
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
