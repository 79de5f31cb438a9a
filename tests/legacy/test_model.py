"""What models of tf.keras 2 had: generators' methods, weight paths, specs, strategies."""

from __future__ import annotations

import os

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, ops

X = np.random.default_rng(2).normal(size=(8, 3)).astype(np.float32)
Y = X[:, :2] * 2


def small():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="d")])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def batches(rounds=100):
    for _ in range(rounds):
        yield X[:4], Y[:4]
        yield X[4:], Y[4:]


class Subclass(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.d1 = layers.Dense(4)
        self.rest = [layers.Dense(3), layers.Dense(2)]

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(), initializer="ones", name="gain")

    def call(self, x, scale=None):
        x = self.d1(x) * self.gain
        for layer in self.rest:
            x = layer(x)
        return x if scale is None else x * scale


@pytest.mark.page("Sequential.fit_generator")
def test_fit_generator():
    model, same = small(), small()
    same.set_weights(model.get_weights())
    with pytest.warns(DeprecationWarning, match=r"fit_generator.*Model.fit"):
        old = model.fit_generator(
            batches(), steps_per_epoch=2, epochs=3, verbose=0, initial_epoch=1, shuffle=False
        )
    new = same.fit(batches(), steps_per_epoch=2, epochs=3, verbose=0, initial_epoch=1)
    assert old.history == new.history and old.epoch == [1, 2]


@pytest.mark.page("Sequential.evaluate_generator")
def test_evaluate_generator():
    model = small()
    with pytest.warns(DeprecationWarning, match=r"evaluate_generator.*Model.evaluate"):
        found = model.evaluate_generator(batches(), steps=2)
    np.testing.assert_allclose(found, model.evaluate(X, Y, batch_size=4, verbose=0), rtol=1e-5)


@pytest.mark.page("Sequential.predict_generator")
def test_predict_generator():
    model = small()
    with pytest.warns(DeprecationWarning, match=r"predict_generator.*Model.predict"):
        found = model.predict_generator((x for x, _ in batches()), steps=2)
    np.testing.assert_allclose(found, model.predict(X, verbose=0), rtol=1e-5)


@pytest.mark.page("Model.get_weight_paths")
def test_weight_paths_of_a_subclass():
    model = Subclass()
    assert model.get_weight_paths() == {}
    model(X)
    paths = model.get_weight_paths()
    assert list(paths) == [
        "gain",
        *(f"{path}.{name}" for path in ("d1", "rest.0", "rest.1") for name in ("kernel", "bias")),
    ]
    assert paths["d1.kernel"] is model.d1.kernel and paths["gain"] is model.gain
    assert paths["rest.1.bias"] is model.rest[1].bias


@pytest.mark.page("Model.get_weight_paths")
def test_weight_paths_of_graphs():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3, name="a")], name="inner")
    x = keras.Input((3,), batch_size=10)
    d1 = layers.Dense(3, name="d1")
    y = layers.BatchNormalization(name="bn")(inner(d1(x)))
    model = keras.Model(x, d1(y))
    paths = model.get_weight_paths()
    assert list(paths) == [
        "d1.kernel", "d1.bias", "inner.a.kernel", "inner.a.bias",
        "bn.gamma", "bn.beta", "bn.moving_mean", "bn.moving_variance",
    ]  # fmt: skip
    assert paths["d1.kernel"] is d1.kernel
    assert set(map(id, paths.values())) == set(map(id, model.weights))


def shape_and_dtype(spec):
    return tuple(spec.shape), str(getattr(spec.dtype, "name", spec.dtype))


@pytest.mark.page("Model.save_spec", "Model.inputs", "Model.outputs")
def test_save_spec_of_graphs():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b", batch_size=5, dtype="int32")
    model = keras.Model({"a": a, "b": b}, layers.Dense(1)(a))
    (spec,), kwargs = model.save_spec()
    assert kwargs == {} and list(spec) == ["a", "b"]
    assert shape_and_dtype(spec["a"]) == ((None, 3), "float32")
    assert shape_and_dtype(spec["b"]) == ((5, 2), "int32")  # a batch size that was declared
    assert spec["a"].name == "a"
    assert [t.shape for t in model.inputs] == [(None, 3), (5, 2)]
    assert model.input_names == ["a", "b"] and len(model.outputs) == 1
    (spec,), _ = keras.Sequential([keras.Input((4,), name="x"), layers.Dense(1)]).save_spec()
    assert shape_and_dtype(spec) == ((None, 4), "float32") and spec.name == "x"


@pytest.mark.page("Model.save_spec")
def test_save_spec_of_a_subclass():
    model = Subclass()
    assert model.save_spec() is None
    model(X, scale=ops.ones((8, 1)), training=True)
    (spec,), kwargs = model.save_spec()
    assert shape_and_dtype(spec) == ((None, 3), "float32")
    assert list(kwargs) == ["scale"] and shape_and_dtype(kwargs["scale"])[0] == (None, 1)
    (spec,), _ = model.save_spec(dynamic_batch=False)
    assert shape_and_dtype(spec)[0] == (8, 3)
    late = keras.Sequential([layers.Dense(2)])
    assert late.save_spec() is None
    late(X)
    assert shape_and_dtype(late.save_spec()[0][0])[0] == (None, 3)


@pytest.mark.page("Model.save_spec")
def test_save_spec_is_known_after_training():
    model = Subclass()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert shape_and_dtype(model.save_spec()[0][0]) == ((None, 3), "float32")


@pytest.mark.page("Model.reset_states", "Sequential.reset_states")
def test_reset_states():
    x = keras.Input(batch_shape=(2, 4, 3))
    inner = keras.Sequential([layers.LSTM(2, stateful=True), layers.Dense(1)])
    model = keras.Model(x, inner(x))
    data = X.reshape(2, 4, 3)
    first = ops.convert_to_numpy(model(data))
    second = ops.convert_to_numpy(model(data))
    assert abs(first - second).max() > 1e-4
    assert model.reset_states() is None
    np.testing.assert_allclose(ops.convert_to_numpy(model(data)), first, rtol=1e-5)


@pytest.mark.page("Model.to_yaml", "Sequential.to_yaml")
def test_yaml_is_refused():
    with pytest.raises(RuntimeError, match=r"security risk.*to_json"):
        small().to_yaml()
    with pytest.raises(RuntimeError, match=r"security risk.*model_from_json"):
        keras.models.model_from_yaml("a: 1")


@pytest.mark.page("Model.distribute_strategy", "Sequential.distribute_strategy")
def test_distribute_strategy():
    model = small()
    if os.environ["MULTIKERAS_BACKEND"] != "tensorflow":
        assert not hasattr(model, "distribute_strategy")
        with pytest.raises(AttributeError, match=r"is a TensorFlow object.*backend"):
            _ = model.distribute_strategy
        return
    tf = pytest.importorskip("tensorflow")
    assert model.distribute_strategy is tf.distribute.get_strategy()
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope():
        inside = small()
    assert inside.distribute_strategy is strategy


@pytest.mark.page("Model.distribute_reduction_method")
def test_distribute_reduction_method():
    model, other = small(), small()
    assert model.distribute_reduction_method == "auto"
    model.distribute_reduction_method = "sum"
    assert (model.distribute_reduction_method, other.distribute_reduction_method) == ("sum", "auto")
    with pytest.raises(ValueError, match=r"one of.*'auto'.*got 'best'"):
        model.distribute_reduction_method = "best"


@pytest.mark.page("Model.get_layer", "Sequential.get_layer")
def test_get_layer():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="a"), layers.ReLU(name="b")])
    assert model.get_layer("b") is model.layers[1] is model.get_layer(index=1)
    assert model.get_layer("b", 0) is model.layers[0]
    for arguments in ({"name": "c"}, {"index": 2}, {}):
        with pytest.raises(ValueError, match="get_layer"):
            model.get_layer(**arguments)
