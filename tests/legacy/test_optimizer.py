"""`minimize`, and training steps as tf.keras 2 scripts write them."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import multikeras as keras

X = np.arange(12, dtype="float32").reshape(4, 3) / 12
Y = X.sum(1, keepdims=True)


def test_minimize_is_value_and_grad_and_apply():
    v = keras.Variable([1.0, 2.0])
    optimizer = keras.optimizers.SGD(0.25)
    optimizer.minimize(lambda: keras.ops.sum(v * v), [v])
    assert v.numpy().tolist() == [0.5, 1.0] and int(optimizer.iterations) == 1
    with pytest.raises(ValueError, match="minimize: expected a function"):
        optimizer.minimize(keras.ops.sum(v * v), [v])


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="needs tensorflow's tape")
def test_a_train_step_of_tf_keras():
    tf = importlib.import_module("tensorflow")

    class Own(keras.Sequential):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
            self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
            self.compiled_metrics.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    def trained(cls):
        regularizer = keras.regularizers.L2(0.1)
        layer = keras.layers.Dense(1, kernel_initializer="ones", kernel_regularizer=regularizer)
        model = cls([keras.Input((3,)), layer])
        model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
        return model.fit(X, Y, batch_size=4, epochs=3, verbose=0).history

    own, default = trained(Own), trained(keras.Sequential)
    assert set(own) == set(default)
    for name, values in own.items():
        np.testing.assert_allclose(values, default[name], rtol=1e-5)
