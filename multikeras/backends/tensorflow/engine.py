"""How the TensorFlow backend runs steps: as `tf.function`s over `tf.Variable`s."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from multikeras import tree
from multikeras.backends.batches import stacked
from multikeras.backends.tensorflow import core

compiles = True
jits_by_default = False
steps_per_dispatch = 16


def fused_update(optimizer: Any) -> None:
    """Nothing to gain inside a graph."""
    return None


def value_and_grad(
    fn: Callable, variables: list[Any], has_aux: bool = False, argnums: tuple[int, ...] = ()
) -> Callable:
    variables = list(variables)

    def call(*args: Any, **kwargs: Any) -> Any:
        storages = [v.storage for v in variables] + [args[i] for i in argnums]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for storage in storages:
                tape.watch(storage)
            out = fn(*args, **kwargs)
            loss, aux = out if has_aux else (out, None)
        grads = tape.gradient(loss, storages, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        grads = [tf.convert_to_tensor(g) for g in grads]  # sparse ones made dense
        return ((loss, aux) if has_aux else loss), grads

    return call


def _function(fn: Callable, jit: bool) -> Callable:
    # Without AutoGraph: steps have no Python control flow on tensors, and rewriting the source
    # of all that a step calls would cost seconds.
    return tf.function(fn, jit_compile=jit or None, reduce_retracing=True, autograph=False)


def compile_step(
    fn: Callable, state: list[Any], jit: bool = False, training: bool = False
) -> Callable:
    return _function(fn, jit)


def compile_steps(step: Callable, size: int, jit: bool = False) -> Callable:
    """A function that runs a compiled step on up to `size` batches of equal shapes."""

    def loop(batches: Any, count: tf.Tensor) -> None:
        def body(i: tf.Tensor) -> tuple[tf.Tensor]:
            step(tree.map_structure(lambda a: None if a is None else a[i], batches))
            return (i + 1,)

        tf.while_loop(lambda i: i < count, body, (tf.constant(0),), parallel_iterations=1)

    compiled = _function(loop, jit)

    def steps(group: list[Any]) -> None:
        batches = tree.map_structure(
            lambda a: None if a is None else place(a), stacked(group, size)
        )
        compiled(batches, tf.constant(len(group)))

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
    return core.convert_to_numpy(x)


def tracing() -> bool:
    """Whether this runs inside a `tf.function` that is being traced."""
    return tf.inside_function()
