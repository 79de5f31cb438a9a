"""A layer is a `tf.Module`, and TensorFlow's own ways work on it."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

import multikeras as keras
from multikeras import layers as L


def net():
    return keras.Sequential([keras.Input((3,)), L.Dense(4, activation="tanh"), L.Dense(1)])


def test_a_layer_is_a_module(x):
    layer = L.Dense(2)
    out = layer(x)
    assert isinstance(layer, tf.Module) and isinstance(out, tf.Tensor)
    assert all(isinstance(w.storage, tf.Variable) for w in layer.weights)


def test_tf_functions_give_what_eager_calls_give(x):
    model = net()
    run = tf.function(model)
    np.testing.assert_allclose(run(x), model(x), rtol=1e-6)
    assert run(tf.ones((5, 3))).shape == (5, 1)


def test_a_layer_may_be_built_inside_a_tf_function(x):
    layer = L.Dense(2)

    @tf.function
    def run(x):
        return layer(x)

    np.testing.assert_allclose(run(x), layer(x), rtol=1e-6)
    assert len(layer.weights) == 2


def test_a_tape_takes_gradients(x):
    model = net()
    model(x)
    optimizer = keras.optimizers.SGD(0.1)
    losses = []
    for _ in range(20):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True) - [[1.0], [-1.0]]) ** 2)
        grads = tape.gradient(loss, model.trainable_variables)
        assert all(g is not None for g in grads)
        optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        losses.append(float(loss))
    assert losses[-1] < 0.3 * losses[0]


def test_checkpoints(x, tmp_path):
    first, second = net(), net()
    expected = first(x)
    path = tf.train.Checkpoint(model=first).save(str(tmp_path / "checkpoint"))
    second(x)
    tf.train.Checkpoint(model=second).restore(path).assert_existing_objects_matched()
    np.testing.assert_allclose(second(x), expected)


def test_saved_models(x, tmp_path):
    model = net()
    expected = model(x)
    signature = tf.function(model).get_concrete_function(tf.TensorSpec((None, 3), tf.float32))
    tf.saved_model.save(model, str(tmp_path), signatures=signature)
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    np.testing.assert_allclose(next(iter(served(x).values())), expected, rtol=1e-6)


def test_a_call_in_tensorflows_own_functions(x):
    class Own(L.Layer):
        def call(self, x):
            return tf.reduce_sum(tf.nn.relu(x), axis=-1, keepdims=True)

    np.testing.assert_allclose(Own()(x), [[4.0], [0.75]])
    assert Own()(keras.Input((3,))).shape == (None, 1)
