"""`clone_model`, configs, JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, ops

X = np.random.default_rng(3).normal(size=(4, 6)).astype(np.float32)


def functional():
    x = keras.Input((6,), name="x")
    shared = layers.Dense(6, activation="tanh", name="shared")
    hidden = shared(shared(x) + x)
    return keras.Model(
        x, {"out": layers.Dense(2, name="head")(hidden), "mean": ops.mean(hidden, 1)}
    )


def sequential():
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")], name="chain"
    )


@keras.saving.register_keras_serializable("test_cloning")
class Own(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units)

    def call(self, x):
        return self.dense(x)


MODELS = {"functional": functional, "sequential": sequential, "subclass": lambda: Own(3)}


def outputs(model, x=X):
    return [ops.convert_to_numpy(leaf) for leaf in keras.tree.flatten(model(x))]


def assert_same_function(clone, model):
    clone(X)
    clone.set_weights(model.get_weights())
    for a, b in zip(outputs(clone), outputs(model), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("kind", MODELS)
def test_a_clone_has_the_structure_and_weights_of_its_own(kind):
    model = MODELS[kind]()
    model(X)
    clone = keras.models.clone_model(model)
    clone(X)
    assert type(clone) is type(model)
    if kind != "subclass":  # whose constructor names its layers anew
        assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    kernels = zip(clone.weights[::2], model.weights[::2])
    assert any((a.numpy() != b.numpy()).any() for a, b in kernels)
    assert_same_function(clone, model)


@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_clone_function_chooses_the_layers(kind):
    def frozen(layer):
        config = layer.get_config()
        config["trainable"] = False
        return type(layer).from_config(config)

    clone = keras.models.clone_model(MODELS[kind](), clone_function=frozen)
    assert clone.trainable_weights == [] and len(clone.weights) == 4


def test_call_function_calls_the_layers():
    called = []

    def call(layer, *args, **kwargs):
        called.append(layer.name)
        return layer(*args, **kwargs) * 2 if layer.name == "head" else layer(*args, **kwargs)

    model = functional()
    clone = keras.models.clone_model(model, call_function=call)
    assert called.count("shared") == 2 and called.count("head") == 1
    clone.set_weights(model.get_weights())
    np.testing.assert_allclose(
        ops.convert_to_numpy(clone(X)["out"]), 2 * ops.convert_to_numpy(model(X)["out"]), rtol=1e-5
    )


@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_input_tensors(kind):
    x = keras.Input((6,), name="mine", batch_size=4)
    model = MODELS[kind]()
    clone = keras.models.clone_model(model, input_tensors=x)
    assert clone.inputs[0] is x and clone.input_shape == (4, 6)
    assert_same_function(clone, model)


def test_nested_models_recursively():
    inner = sequential()
    x = keras.Input((6,))
    model = keras.Model(x, inner(x))
    doubled = lambda layer: type(layer).from_config(  # noqa: E731
        layer.get_config() | ({"use_bias": False} if isinstance(layer, layers.Dense) else {})
    )
    clone = keras.models.clone_model(model, clone_function=doubled, recursive=True)
    assert [w.shape for w in clone.weights] == [(6, 3), (3, 2)]
    assert clone.get_layer("chain") is not inner


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"call_function": lambda layer, x: x}, "call_function is for functional"),
        ({"nothing": 1}, "unknown argument.*'nothing'"),
        ({"input_tensors": [keras.Input((6,)), keras.Input((6,))]}, "one input tensor"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        keras.models.clone_model(sequential(), **arguments)


def test_a_subclass_takes_no_clone_function():
    with pytest.raises(ValueError, match=r"Own.*get_config"):
        keras.models.clone_model(Own(3), clone_function=lambda layer: layer)


# -- configs --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MODELS)
def test_config_and_json(kind):
    model = MODELS[kind]()
    model(X)
    config = model.get_config()
    assert json.loads(json.dumps(keras.saving.serialize_keras_object(config)))
    for again in (
        type(model).from_config(config),
        keras.models.model_from_json(model.to_json()),
        keras.models.model_from_json(model.to_json(indent=2)),
    ):
        assert type(again) is type(model) and again.name == model.name
        assert_same_function(again, model)


def test_a_config_keeps_structures_sharing_and_options():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b", dtype="float64")
    scaled = layers.Dense(3, name="d")(ops.cast(b, "float32"))
    model = keras.Model({"a": a, "b": [b]}, [(a + scaled, {"rest": scaled})], trainable=False)
    again = keras.Model.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    keras.tree.assert_same_structure(again.input, model.input)
    keras.tree.assert_same_structure(again.output, model.output)
    assert not again.trainable and again.get_layer("b").dtype == "float64"
    assert keras.models.clone_model(functional()).get_layer("shared") is not None
    assert len(keras.Model.from_config(functional().get_config()).weights) == 4


def test_json_that_is_none():
    with pytest.raises(ValueError, match="JSON"):
        keras.models.model_from_json("{")
    with pytest.raises(TypeError, match="string"):
        keras.models.model_from_json({})
