"""Training a block of a transformer: attention, normalization, feed-forward."""

from __future__ import annotations

from typing import Any

from benchmarks import fitting
from benchmarks.case import Case, Repetition, fit_budgets, fit_rivals

CASE = Case(
    name="fit_transformer",
    title="fit of a transformer block, 64 steps of 64, 4 heads, batches of 32, Adam",
    metrics={"fit": "samples/s"},
    rivals=fit_rivals(),
    budgets=fit_budgets(torch=1.3, jax=1, tensorflow=1),
    repetitions=5,
)
STEPS, WIDTH, HEADS, INNER = 64, 64, 4, 128


def build(keras: Any) -> Any:
    """The model, of multikeras or of Keras."""
    layers = keras.layers
    inputs = keras.Input((STEPS, WIDTH))
    attention = layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
    x = layers.LayerNormalization(epsilon=1e-5)(layers.add([inputs, attention(inputs, inputs)]))
    inner = layers.Dense(WIDTH)(layers.Dense(INNER, activation="relu")(x))
    x = layers.LayerNormalization(epsilon=1e-5)(layers.add([x, inner]))
    outputs = layers.Dense(fitting.CLASSES)(layers.GlobalAveragePooling1D()(x))
    return keras.Model(inputs, outputs)


def _torch() -> Any:
    import torch

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            nn = torch.nn
            self.block = nn.TransformerEncoderLayer(
                WIDTH, HEADS, dim_feedforward=INNER, dropout=0.0, batch_first=True
            )
            self.dense = nn.Linear(WIDTH, fitting.CLASSES)

        def forward(self, x: Any) -> Any:
            return self.dense(self.block(x).mean(1))

    return Model()


def _weights() -> list[Any]:
    square, vector = (WIDTH, WIDTH), (WIDTH,)
    found = fitting.weights(
        *(square, vector) * 4,
        *((WIDTH, INNER), (INNER,), (INNER, WIDTH), vector),
        *((WIDTH, fitting.CLASSES), (fitting.CLASSES,)),
    )
    ones, zeros = found[1] * 0 + 1, found[1] * 0
    return [*found, ones, zeros, ones, zeros]


def _block(params: list[Any], x: Any, heads: Any, merge: Any, softmax: Any, norm: Any) -> Any:
    """The model of one framework's pieces; `heads` gives (batch, heads, steps, size)."""
    q, q0, k, k0, v, v0, out, out0, up, up0, down, down0, dense, dense0 = params[:14]
    scale = (WIDTH // HEADS) ** -0.5
    queries, keys, values = heads(x @ q + q0), heads(x @ k + k0), heads(x @ v + v0)
    scores = softmax((queries * scale) @ keys.swapaxes(-1, -2))
    x = norm(x + merge(scores @ values) @ out + out0, *params[14:16])
    inner = (x @ up + up0).clip(0) @ down + down0
    return norm(x + inner, *params[16:18]).mean(1) @ dense + dense0


def _jax() -> Any:
    import jax
    from jax import numpy as jnp

    def heads(x: Any) -> Any:
        return x.reshape(len(x), STEPS, HEADS, WIDTH // HEADS).swapaxes(1, 2)

    def merge(x: Any) -> Any:
        return x.swapaxes(1, 2).reshape(len(x), STEPS, WIDTH)

    def norm(x: Any, scale: Any, offset: Any) -> Any:
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * scale + offset

    def apply(params: list[Any], x: Any) -> Any:
        return _block(params, x, heads, merge, jax.nn.softmax, norm)

    return [jnp.asarray(w) for w in _weights()], apply


def _tensorflow() -> Any:
    import tensorflow as tf

    variables = [tf.Variable(w) for w in _weights()]

    def heads(x: Any) -> Any:
        return tf.transpose(tf.reshape(x, (-1, STEPS, HEADS, WIDTH // HEADS)), (0, 2, 1, 3))

    def dense(x: Any, kernel: Any, bias: Any) -> Any:
        return tf.matmul(x, kernel) + bias

    def norm(x: Any, scale: Any, offset: Any) -> Any:
        mean, variance = tf.nn.moments(x, -1, keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, offset, scale, 1e-5)

    def apply(x: Any) -> Any:
        p = variables
        queries, keys, values = (heads(dense(x, *p[i : i + 2])) for i in (0, 2, 4))
        scale = (WIDTH // HEADS) ** -0.5
        scores = tf.nn.softmax(tf.matmul(queries * scale, keys, transpose_b=True))
        mixed = tf.transpose(tf.matmul(scores, values), (0, 2, 1, 3))
        x = norm(x + dense(tf.reshape(mixed, (-1, STEPS, WIDTH)), *p[6:8]), *p[14:16])
        inner = dense(tf.nn.relu(dense(x, *p[8:10])), *p[10:12])
        return dense(tf.reduce_mean(norm(x + inner, *p[16:18]), 1), *p[12:14])

    return variables, apply


BARE = {"torch": _torch, "jax": _jax, "tensorflow": _tensorflow}


def prepare(library: str, backend: str, tiny: bool) -> Repetition:
    """A repetition is an epoch over 2,048 sequences."""
    data = fitting.random_data(64 if tiny else 2048, (STEPS, WIDTH))
    return fitting.prepare_fit(library, backend, data, build, BARE, 32, 1)
