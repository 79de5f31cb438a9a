"""Training a small multi-layer perceptron."""

from __future__ import annotations

import itertools
from typing import Any

from benchmarks import fitting
from benchmarks.case import Case, Repetition, fit_budgets, fit_rivals

CASE = Case(
    name="fit_mlp",
    title="fit of 784-128-128-10, batches of 32, Adam",
    metrics={"fit": "samples/s"},
    rivals=fit_rivals(),
    budgets=fit_budgets(numpy=1, torch=3, jax=1.5, tensorflow=1.5),
)
WIDTHS = (784, 128, 128, fitting.CLASSES)


def build(keras: Any) -> Any:
    """The model, of multikeras or of Keras."""
    dense = [keras.layers.Dense(n, activation="relu") for n in WIDTHS[1:-1]]
    return keras.Sequential([keras.Input((WIDTHS[0],)), *dense, keras.layers.Dense(WIDTHS[-1])])


def _torch() -> Any:
    from torch import nn

    first, second, last = (nn.Linear(*shape) for shape in itertools.pairwise(WIDTHS))
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)


def _weights() -> list[Any]:
    pairs = [((a, b), (b,)) for a, b in itertools.pairwise(WIDTHS)]
    return fitting.weights(*(shape for pair in pairs for shape in pair))


def _jax() -> Any:
    import jax

    def apply(params: list[Any], x: Any) -> Any:
        for kernel, bias in zip(params[:-2:2], params[1:-2:2]):
            x = jax.nn.relu(x @ kernel + bias)
        return x @ params[-2] + params[-1]

    return [jax.numpy.asarray(w) for w in _weights()], apply


def _tensorflow() -> Any:
    import tensorflow as tf

    variables = [tf.Variable(w) for w in _weights()]

    def apply(x: Any) -> Any:
        for kernel, bias in zip(variables[:-2:2], variables[1:-2:2]):
            x = tf.nn.relu(x @ kernel + bias)
        return x @ variables[-2] + variables[-1]

    return variables, apply


BARE = {"torch": _torch, "jax": _jax, "tensorflow": _tensorflow}


def prepare(library: str, backend: str, tiny: bool) -> Repetition:
    """A repetition is three epochs over 2,048 samples."""
    data = fitting.random_data(64 if tiny else 2048, (WIDTHS[0],))
    return fitting.prepare_fit(library, backend, data, build, BARE, 32, 1 if tiny else 3)
