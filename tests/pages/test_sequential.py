"""What tf.keras 2's page of `Sequential` shows by example, on the selected backend."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers

STACKS = {
    "input_shape of the first layer": [
        lambda: layers.Dense(8, input_shape=(16,)),
        lambda: layers.Dense(4),
    ],
    "an Input": [
        lambda: keras.Input(shape=(16,)),
        lambda: layers.Dense(8),
        lambda: layers.Dense(4),
    ],
}


@pytest.mark.page("Sequential.add", "Sequential.layers")
@pytest.mark.parametrize("how", STACKS)
def test_a_known_input_builds_layer_by_layer(how):
    model = keras.Sequential()
    for make in STACKS[how]:
        model.add(make())
    assert len(model.weights) == 4 and len(model.layers) == 2
    assert model.output_shape == (None, 4)


@pytest.mark.page("Sequential.add", "Sequential.build")
def test_a_build_that_waits_for_the_shape():
    model = keras.Sequential()
    model.add(layers.Dense(8))
    model.add(layers.Dense(4))
    assert model.weights == [] and not model.built
    model.build((None, 16))
    assert len(model.weights) == 4


FIRST = {
    "fit": lambda m, x, y: m.fit(x, y, batch_size=32, epochs=2, verbose=0),
    "evaluate": lambda m, x, y: m.evaluate(x, y, verbose=0),
    "predict": lambda m, x, y: m.predict(x, verbose=0),
    "call": lambda m, x, y: m(x),
}


@pytest.mark.page("Sequential.fit", "Sequential.evaluate", "Sequential.predict")
@pytest.mark.parametrize("first", FIRST)
def test_the_first_data_builds(first):
    x, y = np.ones((8, 16), "float32"), np.ones((8, 1), "float32")
    model = keras.Sequential()
    model.add(layers.Dense(8))
    model.add(layers.Dense(1))
    model.compile(optimizer="sgd", loss="mse")
    FIRST[first](model, x, y)
    assert [w.shape for w in model.weights] == [(16, 8), (8,), (8, 1), (1,)]
