"""Gradients of gradients, and gradients of arguments: `value_and_grad` inside itself."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, ops

# name -> (shape of the input without the batch, layers before the last Dense(1))
CRITICS = {
    "dense": ((5,), lambda: [layers.Dense(8, activation="tanh")]),
    "leaky": ((5,), lambda: [layers.Dense(8), layers.LeakyReLU(0.2), layers.Dense(4, "gelu")]),
    "conv": (
        (8, 8, 1),
        lambda: [layers.Conv2D(4, 3, strides=2, activation="tanh"), layers.Flatten()],
    ),
    "pools": (
        (8, 8, 1),
        lambda: [
            layers.Conv2D(3, 3, padding="same", activation="elu"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
        ],
    ),
    "layer norm": (
        (5,),
        lambda: [layers.Dense(8, activation="swish"), layers.LayerNormalization()],
    ),
    "batch norm": (
        (5,),
        lambda: [layers.Dense(6), layers.BatchNormalization(), layers.Dense(4, "softplus")],
    ),
    "softmax": ((5,), lambda: [layers.Dense(6, activation="softmax")]),
    "lstm": ((4, 3), lambda: [layers.LSTM(4)]),
    "gru": ((4, 3), lambda: [layers.GRU(4)]),
    "rnn": ((4, 3), lambda: [layers.SimpleRNN(4)]),
    "attention": ((4, 6), lambda: [SelfAttention(), layers.Flatten()]),
}


class SelfAttention(layers.Layer):
    def __init__(self):
        super().__init__()
        self.attention = layers.MultiHeadAttention(2, 3)

    def call(self, x):
        return self.attention(x, x)


def penalty_of(model, x):
    """What a gradient penalty adds to a loss: how far the slope is from 1."""

    def penalty():
        _, slope = keras.value_and_grad(
            lambda inputs: ops.sum(model(inputs, training=True) ** 2), argnums=0
        )(x)
        flat = ops.reshape(slope, (len(x), -1))
        return ops.mean((ops.sqrt(ops.sum(flat * flat, axis=1) + 1e-6) - 1) ** 2)

    return penalty


# Uncompiled, JAX compiles each operation of each derivative by itself: seconds a critic.
SOME = ("dense", "conv", "batch norm")


@pytest.mark.parametrize("name", SOME if keras.config.backend() == "jax" else CRITICS)
def test_a_gradient_of_a_gradient_is_the_slope_of_the_penalty(name):
    shape, body = CRITICS[name]
    model = keras.Sequential([keras.Input(shape), *body(), layers.Dense(1)])
    rng = np.random.default_rng(1)
    penalty = penalty_of(model, rng.normal(size=(4, *shape)).astype(np.float32))
    variables = model.trainable_variables
    value, gradients = keras.value_and_grad(penalty, variables)()
    gradients = [ops.convert_to_numpy(g) for g in gradients]
    norm = np.sqrt(sum(float((g**2).sum()) for g in gradients))
    assert norm > 1e-3
    # Along the gradient itself the penalty rises as fast as the gradient is long.
    before = [np.array(v.numpy()) for v in variables]
    step = 3e-3
    ends = []
    for sign in (1, -1):
        for v, start, g in zip(variables, before, gradients, strict=True):
            v.assign(start + sign * step * g / norm)
        ends.append(float(ops.convert_to_numpy(penalty())))
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(norm, rel=0.03)
    assert min(ends) < float(ops.convert_to_numpy(value)) < max(ends)


def test_gradients_of_arguments_and_of_both():
    v = keras.Variable([2.0, 3.0])

    def fn(a, b):
        return ops.sum(ops.multiply(ops.multiply(v, a), b))

    a, b = np.array([5.0, 7.0], np.float32), np.array([1.0, 10.0], np.float32)
    value, gradient = keras.value_and_grad(fn, argnums=1)(a, b)
    assert float(ops.convert_to_numpy(value)) == 220
    assert ops.convert_to_numpy(gradient).tolist() == [10, 21]
    _, (first, second) = keras.value_and_grad(fn, argnums=(0, 1))(a, b)
    assert ops.convert_to_numpy(first).tolist() == [2, 30]
    assert ops.convert_to_numpy(second).tolist() == [10, 21]
    _, (own, given) = keras.value_and_grad(fn, v, argnums=0)(a, b)
    assert ops.convert_to_numpy(own).tolist() == [5, 70]
    assert ops.convert_to_numpy(given).tolist() == [2, 30]
    (value, aux), gradient = keras.value_and_grad(lambda x: (x * x, "kept"), None, True, 0)(3.0)
    assert (float(ops.convert_to_numpy(gradient)), aux) == (6.0, "kept")


@pytest.mark.parametrize(
    ("arguments", "given", "error", "message"),
    [
        ({}, (), ValueError, "give `variables`, `argnums`"),
        ({"argnums": 1}, (1.0,), ValueError, "argnums has 1, but 1 positional"),
        ({"argnums": 0}, (np.array([1, 2]),), TypeError, "tensor of floats"),
    ],
)
def test_what_cannot_be_differentiated_is_refused(arguments, given, error, message):
    with pytest.raises(error, match=message):
        keras.value_and_grad(lambda *x: ops.sum(x[0]), **arguments)(*given)
