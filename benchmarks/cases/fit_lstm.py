"""Training a recurrent network."""

from __future__ import annotations

from typing import Any

from benchmarks import fitting
from benchmarks.case import Case, Repetition, fit_budgets, fit_rivals

CASE = Case(
    name="fit_lstm",
    title="fit of LSTM(64) and a dense layer on 28 steps of 28, batches of 32, Adam",
    metrics={"fit": "samples/s"},
    rivals=fit_rivals(),
    budgets=fit_budgets(numpy=0.25, torch=3, jax=1, tensorflow=1.5),
    repetitions=5,
)
STEPS, INPUTS, UNITS = 28, 28, 64


def build(keras: Any) -> Any:
    """The model, of multikeras or of Keras."""
    layers = [keras.layers.LSTM(UNITS), keras.layers.Dense(fitting.CLASSES)]
    return keras.Sequential([keras.Input((STEPS, INPUTS)), *layers])


def _torch() -> Any:
    import torch

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = torch.nn.LSTM(INPUTS, UNITS, batch_first=True)
            self.dense = torch.nn.Linear(UNITS, fitting.CLASSES)

        def forward(self, x: Any) -> Any:
            return self.dense(self.lstm(x)[0][:, -1])

    return Model()


def _weights() -> list[Any]:
    lstm = ((INPUTS, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,))
    return fitting.weights(*lstm, (UNITS, fitting.CLASSES), (fitting.CLASSES,))


def _jax() -> Any:
    import jax
    from jax import numpy as jnp

    def apply(params: list[Any], x: Any) -> Any:
        kernel, recurrent, bias, dense, dense_bias = params

        def cell(state: Any, z: Any) -> Any:
            h, c = state
            i, f, g, o = jnp.split(z + h @ recurrent, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        zeros = jnp.zeros((len(x), UNITS))
        inputs = jnp.swapaxes(x @ kernel + bias, 0, 1)
        (h, _), _ = jax.lax.scan(cell, (zeros, zeros), inputs)
        return h @ dense + dense_bias

    return [jnp.asarray(w) for w in _weights()], apply


def _tensorflow() -> Any:
    import tensorflow as tf

    variables = [tf.Variable(w) for w in _weights()]

    def apply(x: Any) -> Any:
        kernel, recurrent, bias, dense, dense_bias = variables
        inputs = tf.unstack(tf.tensordot(x, kernel, 1) + bias, STEPS, axis=1)
        h = c = tf.zeros((tf.shape(x)[0], UNITS))
        for z in inputs:
            i, f, g, o = tf.split(z + h @ recurrent, 4, axis=-1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            h = tf.sigmoid(o) * tf.tanh(c)
        return h @ dense + dense_bias

    return variables, apply


BARE = {"torch": _torch, "jax": _jax, "tensorflow": _tensorflow}


def prepare(library: str, backend: str, tiny: bool) -> Repetition:
    """A repetition is an epoch over 2,048 sequences."""
    data = fitting.random_data(64 if tiny else 2048, (STEPS, INPUTS))
    return fitting.prepare_fit(library, backend, data, build, BARE, 32, 1)
