"""`Step`: a training step compiled as a pure function of the variables' values.

The values are donated to it and replaced by its results. Holds nothing but that; what a step
computes is the trainer's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from multikeras.scopes import StatelessScope


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


class Step:
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
