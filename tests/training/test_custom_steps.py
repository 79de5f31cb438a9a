"""Overridden steps: the portable way on every backend, and each framework's own."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, ops

RNG = np.random.default_rng(1)
X = RNG.normal(size=(48, 5)).astype(np.float32)
Y = X @ RNG.normal(size=(5, 2)).astype(np.float32)


class Portable(keras.Model):
    """A model whose step takes its gradients through `value_and_grad`."""

    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(8, activation="tanh")
        self.normalize = layers.BatchNormalization()
        self.head = layers.Dense(2)

    def call(self, x, training=False):
        return self.head(self.normalize(self.hidden(x), training=training))

    def train_step(self, data):
        x, y = data[:2]

        def loss_fn():
            y_pred = self(x, training=True)
            return self.compute_loss(x=x, y=y, y_pred=y_pred), y_pred

        compute = keras.value_and_grad(loss_fn, self.trainable_variables, has_aux=True)
        (loss, y_pred), gradients = compute()
        self.optimizer.apply(gradients, self.trainable_variables)
        self._loss_tracker.update_state(loss, sample_weight=ops.shape(x)[0])
        return self.compute_metrics(x, y, y_pred)


class Default(Portable):
    train_step = keras.Model.train_step


def history_of(cls, **arguments):
    keras.utils.set_random_seed(4)
    model = cls()
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"], **arguments)
    history = model.fit(X, Y, batch_size=16, epochs=4, verbose=0).history
    return history, model


@pytest.mark.parametrize("arguments", [{}, {"run_eagerly": True}], ids=str)
def test_the_portable_step_does_what_the_default_one_does(arguments):
    expected, model = history_of(Default)
    found, other = history_of(Portable, **arguments)
    assert found.keys() == expected.keys()
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-4)
    np.testing.assert_allclose(found["mae"], expected["mae"], rtol=1e-4)
    for a, b in zip(model.weights, other.weights):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-5, err_msg=a.path)


def test_two_optimizers_in_one_step():
    class Pair(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = layers.Dense(2), layers.Dense(2)
            self.first.build((None, 5))
            self.second.build((None, 5))

        def compile(self, first, second):
            super().compile()
            self.first_optimizer, self.second_optimizer = first, second

        def train_step(self, data):
            x, y = data[:2]
            logs = {}
            for name in ("first", "second"):
                layer = getattr(self, name)
                optimizer = getattr(self, f"{name}_optimizer")
                compute = keras.value_and_grad(
                    lambda layer=layer: ops.mean(ops.square(layer(x) - y)),
                    layer.trainable_variables,
                )
                loss, gradients = compute()
                optimizer.apply(gradients, layer.trainable_variables)
                logs[name] = loss
            return logs

    keras.utils.set_random_seed(0)
    model = Pair()
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.Adam(0.05))
    history = model.fit(X, Y, epochs=30, batch_size=48, verbose=0).history
    assert set(history) == {"first", "second"}
    assert history["first"][-1] < 0.5 * history["first"][0]
    assert history["second"][-1] < 0.5 * history["second"][0]


def test_overridden_compute_loss_and_metrics():
    class Custom(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)
            self.largest = keras.metrics.Mean(name="largest")

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            loss = ops.mean(ops.square(y_pred - y)) + sum(self.losses)
            self.largest.update_state(ops.max(ops.abs(y_pred - y)))
            return loss

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            logs = super().compute_metrics(x, y, y_pred, sample_weight)
            logs["double"] = logs["loss"] * 2
            return logs

    keras.utils.set_random_seed(0)
    model = Custom()
    model.compile("sgd")
    logs = model.fit(X, Y, epochs=2, verbose=0).history
    assert {"loss", "largest", "double"} <= set(logs)
    np.testing.assert_allclose(logs["double"], np.multiply(logs["loss"], 2), rtol=1e-5)


def test_value_and_grad_outside_a_step():
    v, w = keras.Variable([1.0, 2.0]), keras.Variable(3.0)
    unused = keras.Variable(5.0)
    value, gradients = keras.value_and_grad(
        lambda scale: ops.sum(v * v) * w * scale, [v, w, unused]
    )(2.0)
    assert float(value) == 30.0
    found = [ops.convert_to_numpy(g).tolist() for g in gradients]
    assert found == [[12.0, 24.0], 10.0, 0.0]
    with pytest.raises(TypeError, match="Variable"):
        keras.value_and_grad(lambda: 0.0, [1.0])
