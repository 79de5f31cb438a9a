"""The frameworks' own automatic differentiation and compilation, one function each, for tests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from multikeras import config
from multikeras.backends import native

BACKEND = config.backend()
core = native.core

if BACKEND == "numpy":
    from multikeras.backends.numpy._gradients import run
elif BACKEND == "jax":
    import jax
elif BACKEND == "torch":
    import torch
else:
    import tensorflow as tf

COMPILES = BACKEND in ("jax", "tensorflow")
# JAX compiles each step of an eager call by itself, which takes longer than the rest of a test.
EAGER_IS_SLOW = BACKEND == "jax"


@contextlib.contextmanager
def float64() -> Iterator[None]:
    """Where float64 must be asked for, it is available inside."""
    if BACKEND != "jax":
        yield
        return
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)


def gradients(
    fn: Callable[[list[Any]], Any], arrays: list[np.ndarray], compiled: bool = True
) -> list[np.ndarray]:
    """Gradients of `fn` (list of tensors -> scalar tensor), by the framework's own means.

    `compiled`: whether `fn` can be traced, which is quicker where every op is compiled anyway.
    """
    if BACKEND == "numpy":
        return run(lambda tensors: (fn(tensors), None), [np.array(a) for a in arrays])[2]
    tensors = [core.convert_to_tensor(a) for a in arrays]
    if BACKEND == "jax":
        found = jax.jit(jax.grad(fn))(tensors) if compiled else jax.grad(fn)(tensors)
    elif BACKEND == "torch":
        tensors = [t.clone().requires_grad_() for t in tensors]
        loss = fn(tensors)
        found = (
            torch.autograd.grad(loss, tensors, allow_unused=True)
            if loss.requires_grad
            else [None] * len(tensors)
        )
    else:
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            loss = fn(tensors)
        found = [
            None if g is None else tf.convert_to_tensor(g) for g in tape.gradient(loss, tensors)
        ]
    return [
        np.zeros_like(a) if g is None else core.convert_to_numpy(g)
        for g, a in zip(found, arrays, strict=True)
    ]


def result_types(fn: Callable[..., Any], tensors: list[Any]) -> list[tuple[tuple, str]]:
    """Shape and dtype of each tensor that `fn` gives; JAX tells without compiling anything."""
    if BACKEND == "jax":
        try:
            found = jax.eval_shape(fn, *tensors)
        except jax.errors.JAXTypeError:  # a shape follows from values
            found = fn(*tensors)
        return [(tuple(x.shape), x.dtype.name) for x in found]
    return [(tuple(core.shape(x)), core.dtype_name(x)) for x in fn(*tensors)]


def together(fns: list[Callable[[], Any]]) -> list[Any]:
    """The results of functions without arguments, from one compilation where each has its own."""

    def every() -> list[Any]:
        return [fn() for fn in fns]

    return jax.jit(every)() if BACKEND == "jax" else every()


def compiled(fn: Callable[..., Any], tensors: list[Any], batched: list[bool]) -> Callable[..., Any]:
    """The function of tensors, compiled; with an unknown first dimension where that can be."""
    if BACKEND == "jax":
        return jax.jit(fn)
    specs = [
        tf.TensorSpec([None, *t.shape[1:]] if unknown else t.shape, t.dtype)
        for t, unknown in zip(tensors, batched, strict=True)
    ]
    return tf.function(fn, input_signature=specs)


def numeric_gradients(
    fn: Callable[[list[np.ndarray]], float], arrays: list[np.ndarray], step: float = 1e-6
) -> list[np.ndarray]:
    """Gradients of `fn` (list of float64 arrays -> number) by central differences."""
    found = []
    for position, array in enumerate(arrays):
        slope = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            sides = []
            for sign in (step, -step):
                moved = [np.array(a) for a in arrays]
                moved[position][index] += sign
                sides.append(fn(moved))
            slope[index] = (sides[0] - sides[1]) / (2 * step)
        found.append(slope)
    return found
