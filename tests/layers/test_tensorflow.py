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


def regularized():
    layer = L.Dense(2, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.5))
    layer.build((None, 3))
    layer.add_loss(lambda: tf.reduce_sum(layer.kernel))
    return layer


def test_losses_looked_at_under_a_tape_have_gradients():
    layer = regularized()
    with tf.GradientTape() as tape:
        loss = sum(layer.losses)
    np.testing.assert_allclose(tape.gradient(loss, layer.kernel), np.full((3, 2), 2.0))


def test_submodules_and_names_are_those_of_modules():
    class Outer(L.Layer):
        def __init__(self):
            super().__init__(name="outer")
            self.inner, self.module = L.Dense(2), tf.Module()
            self.module.below = tf.Module()

        @tf.Module.with_name_scope
        def make(self):
            return tf.Variable(1.0, name="w")

    outer = Outer()
    assert outer.submodules == (outer.inner, outer.module, outer.module.below)
    assert outer.make().name == "outer/w:0"
    with outer.name_scope:
        assert tf.Variable(1.0, name="w").name == "outer/w:0"
    holder = tf.Module()
    holder.layer = outer
    assert set(holder.submodules) >= {outer, outer.inner, outer.module}


def test_added_metrics_in_a_tf_function(x):
    class Metered(L.Layer):
        def call(self, x):
            self.add_metric(tf.reduce_sum(x), name="sum")
            return x

    layer = Metered()
    run = tf.function(layer)
    for _ in range(2):
        run(x)
    np.testing.assert_allclose(layer.metrics[0].result(), tf.reduce_sum(x), rtol=1e-6)
