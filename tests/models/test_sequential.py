"""Sequential models: built early or late, changed, and refused."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, ops

RNG = np.random.default_rng(1)
X = RNG.normal(size=(4, 6)).astype(np.float32)

KNOWN = {
    "Input": lambda: keras.Sequential([keras.Input((6,)), layers.Dense(3), layers.Dense(2)]),
    "InputLayer": lambda: keras.Sequential(
        [layers.InputLayer(shape=(6,)), layers.Dense(3), layers.Dense(2)]
    ),
    "input_shape": lambda: keras.Sequential([layers.Dense(3, input_shape=(6,)), layers.Dense(2)]),
    "input_dim": lambda: keras.Sequential([layers.Dense(3, input_dim=6), layers.Dense(2)]),
    "functional first": lambda: keras.Sequential([_functional(), layers.Dense(2)]),
    "sequential first": lambda: keras.Sequential(
        [keras.Sequential([keras.Input((6,)), layers.Dense(3)]), layers.Dense(2)]
    ),
}


def _functional():
    x = keras.Input((6,))
    return keras.Model(x, layers.Dense(3)(x))


@pytest.mark.parametrize("how", KNOWN)
def test_a_known_shape_builds_at_once(how):
    model = KNOWN[how]()
    assert model.built and len(model.layers) == 2 and len(model.weights) == 4
    assert model.input_shape == (None, 6) and model.output_shape == (None, 2)
    assert len(model.inputs) == len(model.outputs) == 1
    assert tuple(model(X).shape) == (4, 2)
    assert model.count_params() == 6 * 3 + 3 + 3 * 2 + 2


def late():
    return keras.Sequential([layers.Dense(3), layers.Dense(2)], name="late")


@pytest.mark.parametrize("how", ["call", "build", "predict", "fit"])
def test_an_unknown_shape_builds_later(how):
    model = late()
    assert not model.built and model.weights == []
    with pytest.raises(AttributeError, match=r"'late'.*before it is built"):
        _ = model.output
    with pytest.raises(ValueError, match="not built"):
        model.count_params()
    if how == "call":
        model(X)
    elif how == "build":
        model.build((None, 6))
    elif how == "predict":
        model.predict(X, verbose=0)
    else:
        model.compile("sgd", "mse")
        model.fit(X, X[:, :2], verbose=0)
    assert model.built and [w.shape for w in model.weights] == [(6, 3), (3,), (3, 2), (2,)]
    assert model.output_shape[-1] == 2


def test_add_and_pop():
    model = keras.Sequential(name="grows")
    model.add(keras.Input((6,)))
    model.add(layers.Dense(3))
    first = [w.numpy() for w in model.weights]
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2)
    popped = model.pop()
    assert isinstance(popped, layers.Dense) and popped.units == 2
    assert model.output_shape == (None, 3) and len(model.layers) == 1
    np.testing.assert_array_equal(model.weights[0].numpy(), first[0])
    np.testing.assert_allclose(
        ops.convert_to_numpy(model(X)), X @ first[0] + first[1], rtol=1e-4, atol=1e-6
    )
    model.pop()
    with pytest.raises((TypeError, IndexError), match="no layers to pop"):
        model.pop()
    with pytest.raises(ValueError, match="no layers"):
        model.build((None, 6))


def test_adding_after_training_trains_on():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :3], verbose=0)
    model.add(layers.Dense(2))
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(X, X[:, :2], verbose=0).history["loss"][0])


def test_weights_and_paths():
    model = KNOWN["Input"]()
    assert [w.path.split("/", 1)[1] for w in model.weights] == [
        f"{layer.name}/{name}" for layer in model.layers for name in ("kernel", "bias")
    ]
    assert all(w.path.startswith(f"{model.name}/") for w in model.weights)


def test_a_function_becomes_a_layer():
    model = keras.Sequential([keras.Input((6,)), ops.tanh, lambda x: x * 2])
    np.testing.assert_allclose(ops.convert_to_numpy(model(X)), 2 * np.tanh(X), rtol=1e-5)


def test_as_a_layer_of_a_functional_model():
    inner = late()
    x = keras.Input((6,))
    model = keras.Model(x, inner(x) * 2)
    np.testing.assert_allclose(
        ops.convert_to_numpy(model(X)), 2 * ops.convert_to_numpy(inner(X)), rtol=1e-5
    )
    assert inner.built and len(model.trainable_weights) == 4


def test_training_and_masks_pass_through():
    model = keras.Sequential(
        [layers.Embedding(5, 3, mask_zero=True), layers.Dropout(0.9, seed=0), layers.LSTM(2)]
    )
    tokens = np.array([[1, 2, 0, 0]], np.int32)
    padded = np.array([[1, 2, 0, 0, 0, 0]], np.int32)
    np.testing.assert_allclose(
        ops.convert_to_numpy(model(tokens)), ops.convert_to_numpy(model(padded)), rtol=1e-5
    )
    assert (
        ops.convert_to_numpy(model(tokens, training=True)) != ops.convert_to_numpy(model(tokens))
    ).any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: keras.Sequential([keras.Input((3, 2)), layers.LSTM(2, return_state=True)]),
            "has several outputs, 3",
        ),
        (
            lambda: keras.Sequential([layers.Dense(2, name="a"), layers.Dense(2, name="a")]),
            "two layers have the name 'a'",
        ),
        (
            lambda: keras.Sequential([layers.Dense(2), keras.Input((3,))]),
            "Input can only be the first",
        ),
        (lambda: keras.Sequential([layers.Dense(2)]).build(), "not known"),
        (lambda: keras.Sequential([layers.Dense(2)]).build([(None, 3), (None, 3)]), "one shape"),
        (
            lambda: keras.Sequential([keras.Input((3,)), layers.Dense(2)])(X),
            r"(?s)(expected|3).*(6|\(4, 6\))",
        ),
    ],
)
def test_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_no_layer_is_refused():
    with pytest.raises(TypeError, match="expected a layer, got 'dense' of type str"):
        keras.Sequential(["dense"])


@pytest.mark.parametrize("make", [late, *KNOWN.values()], ids=["late", *KNOWN])
def test_from_config(make):
    model = make()
    again = keras.Sequential.from_config(model.get_config())
    assert again.name == model.name and again.built == model.built
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]
    again.trainable = False
    assert not keras.Sequential.from_config(again.get_config()).trainable
