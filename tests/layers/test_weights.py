"""What a layer owns: weights, layers below, freezing, losses of weights."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers as L
from multikeras import ops


class Scale(L.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight(
            shape=input_shape[-1:], initializer="ones", name="factor", regularizer="l2"
        )
        self.count = self.add_weight(shape=(), dtype="int32", trainable=False, name="count")

    def call(self, x):
        return x * self.factor


class Nest(L.Layer):
    """Layers in a list inside a dict, in a dict and as an attribute; one of them twice."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = L.Dense(3)
        self.more = {"one": Scale(), "many": [L.Dense(3), (L.Dense(3),)], "again": self.first}

    def call(self, x):
        x = self.more["one"](self.first(x))
        for layer in (self.more["many"][0], self.more["many"][1][0]):
            x = layer(x)
        return x


def test_add_weight(x):
    layer = Scale(name="scale")
    assert not layer.built and layer.weights == []
    layer(x)
    assert layer.built
    assert [w.path for w in layer.weights] == ["scale/factor", "scale/count"]
    assert (layer.factor.shape, layer.factor.dtype) == ((3,), "float32")
    assert (layer.count.shape, layer.count.dtype) == ((), "int32")
    assert layer.trainable_weights == [layer.factor]
    assert layer.non_trainable_weights == [layer.count]
    assert layer.factor.numpy().tolist() == [1, 1, 1]
    assert layer.count.numpy() == 0
    np.testing.assert_allclose(ops.convert_to_numpy(layer.losses[0]), 0.03, rtol=1e-6)
    layer.trainable = False
    assert layer.losses == []


def test_weights_may_share_a_name():
    layer = L.Layer(name="own")
    paths = [layer.add_weight(shape=(2,), name="w").path for _ in range(2)]
    assert paths == ["own/w", "own/w"]
    assert len(layer.weights) == 2


@pytest.mark.parametrize(
    "arguments, initial",
    [
        ({"shape": (2, 2), "initializer": "zeros"}, np.zeros((2, 2))),
        ({"shape": 3, "initializer": keras.initializers.Constant(2.0)}, np.full(3, 2.0)),
        ({"initializer": "ones"}, np.ones(())),
        ({"shape": (2,), "initializer": lambda shape, dtype=None: ops.ones(shape, dtype)}, [1, 1]),
        ({"shape": (2,), "dtype": "int64"}, np.zeros(2)),
        ({"shape": (2,), "dtype": "bool", "initializer": "zeros"}, [False, False]),
    ],
)
def test_initial_values(arguments, initial):
    weight = L.Layer().add_weight(**arguments)
    np.testing.assert_array_equal(weight.numpy(), initial)


def test_constraints_and_regularizers_are_kept(x):
    layer = L.Dense(2, kernel_constraint="non_neg", bias_regularizer="l1")
    layer(x)
    assert isinstance(layer.kernel.constraint, keras.constraints.NonNeg)
    assert isinstance(layer.bias.regularizer, keras.regularizers.L1)
    assert layer.kernel.regularizer is None and len(layer.losses) == 1


def test_no_weights_after_build(x):
    layer = Scale(name="scale")
    layer(x)
    with pytest.raises(
        ValueError, match=r"'scale' \(Scale\).add_weight: the layer is built.*'late'"
    ):
        layer.add_weight(shape=(), name="late")


def test_build_may_extend_that_of_the_class_above(x):
    class More(Scale):
        def build(self, input_shape):
            super().build(input_shape)
            self.extra = self.add_weight(shape=(), name="extra")

    layer = More()
    layer(x)
    assert [w.name for w in layer.trainable_weights] == ["factor", "extra"]


def test_nested_layers_are_found(x):
    nest = Nest(name="nest")
    nest(x)
    assert [w.path for w in nest.trainable_weights] == [
        "nest/dense/kernel",
        "nest/dense/bias",
        "nest/scale/factor",
        "nest/dense_1/kernel",
        "nest/dense_1/bias",
        "nest/dense_2/kernel",
        "nest/dense_2/bias",
    ]
    assert nest.count_params() == 3 * 12 + 3 + 1
    assert len(nest.variables) == len(nest.weights) == 8
    assert len(nest.losses) == 1


def test_layers_that_hold_each_other(x):
    outer, inner = L.Dense(2), L.Dense(2)
    outer.other, inner.other = inner, outer
    outer(x), inner(x)
    assert len(outer.weights) == len(inner.trainable_weights) == 4


def test_freezing_reaches_all_layers_below(x):
    nest = Nest()
    nest(x)
    nest.trainable = False
    assert nest.trainable_weights == []
    assert len(nest.non_trainable_weights) == 8
    assert not nest.more["many"][1][0].trainable
    nest.first.trainable = True  # a frozen outer layer freezes what it holds
    assert nest.trainable_weights == []
    nest.trainable = True
    assert len(nest.trainable_weights) == 7


def test_freezing_one_layer_below(x):
    nest = Nest()
    nest.first.trainable = False
    nest(x)
    assert [w.name for w in nest.trainable_weights] == ["factor"] + ["kernel", "bias"] * 2


def test_get_and_set_weights(x):
    first, second = Nest(), Nest()
    first(x), second(x)
    second.set_weights(first.get_weights())
    np.testing.assert_array_equal(*(ops.convert_to_numpy(n(x)) for n in (first, second)))


@pytest.mark.parametrize(
    "weights, words",
    [
        ([np.ones((3, 2))], "'d' .*expected 2 arrays, got 1"),
        ([np.ones((3, 3)), np.ones(2)], r"d/kernel has shape \(3, 2\), got \(3, 3\)"),
    ],
)
def test_weights_that_do_not_fit_change_nothing(x, weights, words):
    layer = L.Dense(2, name="d")
    layer(x)
    before = layer.get_weights()
    with pytest.raises(ValueError, match=words):
        layer.set_weights(weights)
    np.testing.assert_array_equal(before[0], layer.get_weights()[0])


def test_seeds_and_metrics_are_no_weights(x):
    class Noisy(L.Layer):
        def __init__(self):
            super().__init__()
            self.seed_generator = keras.random.SeedGenerator(1)
            self.mean = keras.metrics.Mean()

        def call(self, x):
            self.mean.update_state(x)
            return x + keras.random.normal(ops.shape(x), seed=self.seed_generator)

    layer = Noisy()
    layer(x)
    assert layer.weights == []
    assert layer.variables == [layer.seed_generator.state]
    assert layer.metrics == [layer.mean]
    assert layer.metrics_variables == layer.mean.variables


class Penalty(L.Layer):
    def call(self, x):
        self.add_loss(ops.sum(ops.square(x)))
        return x


def test_add_loss_is_of_the_last_call(x):
    layer = Penalty()
    for scale in (1.0, 2.0):
        layer(x * scale)
        assert len(layer.losses) == 1
        expected = (ops.convert_to_numpy(x * scale) ** 2).sum()
        np.testing.assert_allclose(ops.convert_to_numpy(layer.losses[0]), expected, rtol=1e-6)


def test_losses_of_layers_inside_are_those_of_the_outer_layer(x):
    model = keras.Sequential([Penalty(), L.Dense(1, activity_regularizer="l1"), Penalty()])
    for _ in range(2):
        y = model(x)
        assert len(model.losses) == 3
    mean = np.abs(ops.convert_to_numpy(y)).sum() * 0.01 / 2  # by sample
    assert any(np.isclose(ops.convert_to_numpy(loss), mean) for loss in model.losses)
