"""Masks: made by layers or given, found by the layers that use them, eagerly and in models."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers as L
from multikeras import ops

IDS = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [1, 2, 3, 4]], "int32")


class Probe(L.Layer):
    """Gives the mask it is handed, as numbers."""

    def call(self, x, mask=None):
        if mask is None:
            return ops.zeros_like(x[:, :, 0]) - 1.0
        return ops.cast(mask, "float32")


class Chain(L.Layer):
    """Layers one after another, by hand."""

    def __init__(self, *inner):
        super().__init__()
        self.inner = list(inner)

    def call(self, x):
        for layer in self.inner:
            x = layer(x)
        return x


def ways(*inner):
    """The same layers in a hand-written call, in a Sequential and in a functional model."""
    inputs = keras.Input((4,), dtype="int32")
    x = inputs
    for layer in inner:
        x = layer(x)
    model = keras.Model(inputs, x)
    return {
        "layer": lambda ids: Chain(*inner)(ids),
        "sequential": lambda ids: keras.Sequential(list(inner))(ids),
        "functional": lambda ids: model(ids),
        "predict": lambda ids: model.predict(ids, verbose=0),
    }


@pytest.mark.parametrize("way", ["layer", "sequential", "functional", "predict"])
def test_a_mask_travels(way):
    run = ways(L.Embedding(5, 3, mask_zero=True), L.Dense(2), L.Dropout(0.5), Probe())[way]
    for _ in range(2):
        np.testing.assert_array_equal(ops.convert_to_numpy(run(IDS)), IDS != 0)


@pytest.mark.parametrize("way", ["layer", "functional", "predict"])
def test_a_mask_ends_at_a_layer_that_does_not_support_it(way):
    run = ways(L.Embedding(5, 3, mask_zero=True), L.Conv1D(2, 1), Probe())[way]
    np.testing.assert_array_equal(ops.convert_to_numpy(run(IDS)), -np.ones((3, 4)))


@pytest.mark.parametrize("way", ["layer", "sequential", "functional", "predict"])
@pytest.mark.parametrize("cls", [L.LSTM, L.GRU, L.SimpleRNN])
def test_recurrent_layers_stop_at_the_padding(way, cls):
    table, cell = L.Embedding(5, 3, mask_zero=True), cls(2)
    out = ops.convert_to_numpy(ways(table, cell)[way](IDS))
    for row, length in enumerate((2, 1, 4)):
        alone = cell(table(IDS[row : row + 1, :length]))
        np.testing.assert_allclose(out[row : row + 1], ops.convert_to_numpy(alone), atol=1e-6)


def test_the_mask_can_be_given():
    x = np.random.default_rng(0).normal(size=(3, 4, 3)).astype("float32")
    layer = L.LSTM(2)
    out = ops.convert_to_numpy(layer(x, mask=IDS != 0))
    np.testing.assert_allclose(out[:1], ops.convert_to_numpy(layer(x[:1, :2])), atol=1e-6)
    probe = Probe()
    np.testing.assert_array_equal(ops.convert_to_numpy(probe(x, mask=IDS != 0)), IDS != 0)


def test_a_given_mask_wins():
    class Own(L.Layer):
        def __init__(self):
            super().__init__()
            self.table, self.probe = L.Embedding(5, 3, mask_zero=True), Probe()

        def call(self, ids):
            return self.probe(self.table(ids), mask=ids == 1)

    np.testing.assert_array_equal(ops.convert_to_numpy(Own()(ops.convert_to_tensor(IDS))), IDS == 1)


def test_masks_do_not_outlive_the_call():
    probe = Probe()
    vectors = L.Embedding(5, 3, mask_zero=True)(IDS)
    assert (ops.convert_to_numpy(probe(vectors)) == -1).all()


def test_own_masks():
    class Every(L.Layer):
        supports_masking = True

        def call(self, x):
            return x[:, ::2]

        def compute_mask(self, inputs, previous_mask):
            return None if previous_mask is None else previous_mask[:, ::2]

    run = ways(L.Embedding(5, 3, mask_zero=True), Every(), Probe())
    for way in run.values():
        np.testing.assert_array_equal(ops.convert_to_numpy(way(IDS)), (IDS != 0)[:, ::2])


def test_masks_by_the_name_of_the_argument():
    class Two(L.Layer):
        def call(self, a, b, a_mask=None, b_mask=None):
            assert a_mask is None
            return ops.cast(b_mask, "float32")

    class Whole(L.Layer):
        def __init__(self):
            super().__init__()
            self.table, self.two = L.Embedding(5, 3, mask_zero=True), Two()

        def call(self, ids):
            return self.two(ops.cast(ids, "float32"), self.table(ids))

    np.testing.assert_array_equal(ops.convert_to_numpy(Whole()(IDS)), IDS != 0)


def test_attention_leaves_padding_out():
    table, attention = L.Embedding(5, 3, mask_zero=True), L.MultiHeadAttention(1, 2)

    class Attend(L.Layer):
        def __init__(self):
            super().__init__()
            self.table, self.attention = table, attention

        def call(self, ids):
            x = self.table(ids)
            return self.attention(x, x)

    out = ops.convert_to_numpy(Attend()(IDS))
    vectors = table(IDS[:1, :2])
    alone = ops.convert_to_numpy(attention(vectors, vectors))
    np.testing.assert_allclose(out[:1, :2], alone, atol=1e-5)
