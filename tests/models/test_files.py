"""Saving and loading models of every kind, as a user does."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, ops

X = np.random.default_rng(4).normal(size=(8, 6)).astype(np.float32)
PACKAGE = "test_model_files"


@keras.saving.register_keras_serializable(PACKAGE)
class Residual(layers.Layer):
    """A layer of layers, with a config of its own."""

    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, x):
        return x + self.inner(x)

    def get_config(self):
        return super().get_config() | {"inner": keras.saving.serialize_keras_object(self.inner)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config.pop("inner")), **config)


@keras.saving.register_keras_serializable(PACKAGE)
class Own(keras.Model):
    def __init__(self, units, act="relu", **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.Dense(units, activation=act) for _ in range(2)]
        self.norm = layers.BatchNormalization()

    def build(self, input_shape):
        self.gain = self.add_weight(name="gain", shape=(), initializer="ones")

    def call(self, x, training=None):
        for block in self.blocks:
            x = block(x)
        return self.norm(x, training=training) * self.gain


@keras.saving.register_keras_serializable(PACKAGE)
def clipped(x):
    return ops.clip(x, -1.0, 1.0)


class Stranger(keras.Model):
    """Nobody registered it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x)


def functional():
    x = keras.Input((6,), name="x")
    y = Residual(layers.Dense(6, activation=clipped))(x)
    left, right = ops.split(y, 2, axis=1)
    return keras.Model(x, {"a": layers.Dense(2)(left), "b": right[:, None, 1:] * 3})


MODELS = {
    "functional": functional,
    "sequential": lambda: keras.Sequential(
        [keras.Input((6,)), layers.Dense(3, activation="relu"), layers.BatchNormalization()]
    ),
    "late sequential": lambda: keras.Sequential([layers.Dense(3), Residual(layers.Dense(3))]),
    "subclass": lambda: Own(4, act="tanh", name="mine"),
    "subclass in sequential": lambda: keras.Sequential(
        [keras.Input((6,)), Own(4), layers.Dense(2)]
    ),
}


def outputs(model):
    return [ops.convert_to_numpy(leaf) for leaf in keras.tree.flatten(model(X))]


@pytest.mark.parametrize("kind", MODELS)
def test_what_is_saved_is_loaded(tmp_path, kind):
    model = MODELS[kind]()
    model(X)
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.1, 1.0, w.shape) for w in model.weights])
    expected = outputs(model)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again) is type(model) and again.name == model.name and again.built
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]
    for a, b in zip(outputs(again), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    again.save(tmp_path / "second.keras")  # and once more
    for a, b in zip(outputs(keras.models.load_model(tmp_path / "second.keras")), expected):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", ["sequential", "subclass"])
def test_weights_go_to_another_model_of_the_kind(tmp_path, kind):
    model, other = MODELS[kind](), MODELS[kind]()
    model(X), other(X)
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    for a, b in zip(outputs(model), outputs(other)):
        np.testing.assert_array_equal(a, b)


def test_a_compiled_model_comes_back_compiled(tmp_path):
    model = MODELS["sequential"]()
    model.compile(keras.optimizers.Adam(0.02), "mse", metrics=["mae"])
    model.fit(X, X[:, :3], epochs=2, verbose=0)
    expected = model.evaluate(X, X[:, :3], verbose=0, return_dict=True)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert int(again.optimizer.iterations.numpy()) == 2
    assert float(again.optimizer.learning_rate.numpy()) == pytest.approx(0.02)
    found = again.evaluate(X, X[:, :3], verbose=0, return_dict=True)
    assert found == pytest.approx(expected, rel=1e-6)
    bare = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert not bare.compiled and bare.optimizer is None


def test_an_unknown_class_is_one_clear_error(tmp_path):
    model = Stranger()
    model(X)
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="Stranger") as caught:
        keras.models.load_model(tmp_path / "model.keras")
    assert "register_keras_serializable" in str(caught.value)
    assert "custom_objects" in str(caught.value)
    path = tmp_path / "model.keras"
    again = keras.models.load_model(path, custom_objects={"Stranger": Stranger})
    np.testing.assert_array_equal(outputs(again)[0], outputs(model)[0])
    with keras.saving.custom_object_scope({"Stranger": Stranger}):
        assert type(keras.models.load_model(path)) is Stranger


def test_freezing_survives(tmp_path):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3), layers.Dense(2)])
    model.layers[0].trainable = False
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert [layer.trainable for layer in again.layers] == [False, True]
    assert len(again.trainable_weights) == 2


def test_a_model_of_another_dtype(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(3, dtype="mixed_bfloat16"),
            layers.Dense(2, dtype="float64"),
        ]
    )
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert [layer.dtype_policy.name for layer in again.layers] == ["mixed_bfloat16", "float64"]
    assert [w.dtype for w in again.weights] == ["float32"] * 2 + ["float64"] * 2


def test_strings_are_no_numbers():
    model = MODELS["sequential"]()
    with pytest.raises((ValueError, TypeError)):
        model(np.array([["a"] * 6]))
