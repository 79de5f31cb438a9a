"""Layers under JAX's own transformations, through `stateless_call`."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

import multikeras as keras
from multikeras import layers as L


def net():
    return keras.Sequential([keras.Input((3,)), L.Dense(4, activation="tanh"), L.Dense(1)])


def values(variables):
    return [v.value for v in variables]


def test_gradients_and_compilation(x):
    model = net()
    target = jnp.array([[1.0], [-1.0]])
    frozen = values(model.non_trainable_variables)

    @jax.jit
    @jax.value_and_grad
    def loss(trainable):
        outputs, _ = model.stateless_call(trainable, frozen, x, training=True)
        return jnp.mean((outputs - target) ** 2)

    trainable = values(model.trainable_variables)
    before = model.get_weights()
    losses = []
    for _ in range(20):
        value, grads = loss(trainable)
        trainable = [v - 0.1 * g for v, g in zip(trainable, grads, strict=True)]
        losses.append(float(value))
    assert losses[-1] < 0.3 * losses[0]
    for now, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, old)


def test_states_are_threaded(x):
    layer = L.BatchNormalization(momentum=0.5)
    layer.build((2, 3))
    call = jax.jit(lambda t, n, x: layer.stateless_call(t, n, x, training=True))
    state = values(layer.non_trainable_variables)
    for _ in range(2):
        _, state = call(values(layer.trainable_variables), state, x)
    np.testing.assert_allclose(state[0], 0.75 * np.mean(x, 0), rtol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), 0)


def test_calls_that_change_nothing_can_be_compiled_as_they_are(x):
    model = net()
    np.testing.assert_allclose(jax.jit(model)(x), model(x), rtol=1e-5)
    batched = jax.vmap(lambda row: model(row[None])[0])(x)
    np.testing.assert_allclose(batched, model(x), rtol=1e-5)


def test_a_call_in_jaxs_own_functions(x):
    class Own(L.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=input_shape[-1:], initializer="ones", name="w")

        def call(self, x):
            return jnp.sum(jax.nn.relu(x) * self.w, axis=-1, keepdims=True)

    np.testing.assert_allclose(Own()(x), [[4.0], [0.75]])
    assert Own()(keras.Input((3,))).shape == (None, 1)


def test_losses_have_gradients(x):
    layer = L.Dense(2, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.5))
    layer.build((None, 3))
    layer.add_loss(lambda: jnp.sum(layer.kernel.value))

    def loss(trainable):
        _, _, losses = layer.stateless_call(trainable, [], x, return_losses=True)
        return sum(losses)

    kernel, bias = jax.grad(loss)(values(layer.trainable_variables))
    np.testing.assert_allclose(kernel, np.full((3, 2), 2.0))
    np.testing.assert_array_equal(bias, 0)
