"""A model of three dense layers, called eagerly on one sample."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from benchmarks import clock
from benchmarks.case import Budget, Case, Repetition, same_backend
from benchmarks.cases.ops import tensors, waiting
from benchmarks.fitting import weights
from benchmarks.worker import library_module

CASE = Case(
    name="mlp_call",
    title="model(x) of a Sequential 32-64-64-10 with ReLU, one sample, not compiled by the user",
    metrics={"call": "us"},
    rivals=same_backend("keras", "bare"),
    budgets={
        (backend, "call"): (Budget("times_keras", factor),)
        for backend, factor in {"numpy": 10, "torch": 4, "jax": 4, "tensorflow": 2}.items()
    },
    repetitions=15,
)
WIDTHS = (32, 64, 64, 10)


def build(keras: Any) -> Any:
    """The model."""
    dense = [keras.layers.Dense(n, activation="relu") for n in WIDTHS[1:-1]]
    return keras.Sequential([keras.Input((WIDTHS[0],)), *dense, keras.layers.Dense(WIDTHS[-1])])


def bare(backend: str) -> Callable[[Any], Any]:
    """The same by hand; on JAX one jitted function."""
    shapes = list(itertools.pairwise(WIDTHS))
    if backend == "torch":
        from torch import nn

        first, second, last = (nn.Linear(*shape) for shape in shapes)
        return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)
    kernels, biases = weights(*shapes), weights(*((n,) for n in WIDTHS[1:]))
    if backend == "numpy":
        import numpy

        return _forward(kernels, biases, lambda x: numpy.maximum(x, 0))
    if backend == "jax":
        import jax

        return jax.jit(_forward(kernels, biases, jax.nn.relu))
    import tensorflow as tf

    pairs = [[tf.Variable(w) for w in group] for group in (kernels, biases)]
    return _forward(*pairs, tf.nn.relu)


def _forward(kernels: list[Any], biases: list[Any], relu: Callable) -> Callable[[Any], Any]:
    def forward(x: Any) -> Any:
        for kernel, bias in zip(kernels[:-1], biases[:-1]):
            x = relu(x @ kernel + bias)
        return x @ kernels[-1] + biases[-1]

    return forward


def prepare(library: str, backend: str, tiny: bool) -> Repetition:
    """A repetition is some hundred calls, each waited for."""
    model = bare(backend) if library == "bare" else build(library_module(library))
    x = tensors(backend, (1, WIDTHS[0]))[0]
    wait = waiting(backend)
    calls = 2 if tiny else 300

    def repeat() -> dict[str, float]:
        start = clock.now()
        for _ in range(calls):
            wait(model(x))
        return {"call": (clock.now() - start) / calls}

    return repeat
