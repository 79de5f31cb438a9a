"""What Sequential models of tf.keras 2 had."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers

X = np.random.default_rng(3).normal(size=(70, 4)).astype(np.float32)


@pytest.mark.page("Sequential.predict_classes")
def test_predict_classes():
    many = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    with pytest.warns(DeprecationWarning, match=r"predict_classes.*argmax"):
        found = many.predict_classes(X)
    np.testing.assert_array_equal(found, many.predict(X, verbose=0).argmax(axis=-1))
    assert found.shape == (70,)
    two = keras.Sequential([keras.Input((4,)), layers.Dense(1, activation="sigmoid")])
    with pytest.warns(DeprecationWarning):
        found = two.predict_classes(X, batch_size=16, verbose=0)
    np.testing.assert_array_equal(found, two.predict(X, verbose=0) > 0.5)
    assert found.dtype == np.int32 and found.shape == (70, 1)


@pytest.mark.page("Sequential.predict_proba")
def test_predict_proba():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = model.predict_proba(X, batch_size=16)
    assert [w.category for w in caught] == [DeprecationWarning]
    np.testing.assert_allclose(found, model.predict(X, verbose=0), rtol=1e-5)
    with pytest.warns(UserWarning, match=r"outside of \[0, 1\]"):
        keras.Sequential([layers.Rescaling(9.0)]).predict_proba(X)


@pytest.mark.page("Sequential.add", "Sequential.layers")
def test_the_first_layer_may_tell_the_input_shape():
    told, given = keras.Sequential(), keras.Sequential()
    told.add(layers.Dense(8, input_shape=(16,)))
    assert len(told.weights) == 2  # built while layers are added
    told.add(layers.Dense(4))
    given.add(keras.Input(shape=(16,)))
    given.add(layers.Dense(8))
    given.add(layers.Dense(4))
    assert [w.shape for w in told.weights] == [w.shape for w in given.weights]
    assert len(told.layers) == 2 and told.output_shape == (None, 4)


@pytest.mark.page("Sequential.build")
def test_delayed_build():
    model = keras.Sequential()
    model.add(layers.Dense(8))
    model.add(layers.Dense(4))
    assert model.weights == []
    model.build((None, 16))
    assert len(model.weights) == 4 and model.input_names and model.output_names


@pytest.mark.page("Sequential.add")
def test_add_refuses():
    model = keras.Sequential([keras.Input((4, 2))])
    for wrong in ("Dense", 3, None):
        with pytest.raises(TypeError, match="expected a layer"):
            model.add(wrong)
    with pytest.raises(ValueError, match="several outputs"):
        model.add(layers.GRU(2, return_state=True))
    dense = layers.Dense(2)
    model = keras.Sequential([keras.Input((4,)), dense])
    with pytest.raises(ValueError, match="two layers have the name"):
        model.add(dense)
    with pytest.raises(ValueError, match="input shape is not known"):
        keras.Sequential([layers.Dense(2)]).build()


@pytest.mark.page("Sequential.pop")
def test_pop():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    model.pop()
    assert model.output_shape == (None, 3) and len(model.weights) == 2
    model.pop()
    with pytest.raises(TypeError, match="no layers to pop"):
        model.pop()
