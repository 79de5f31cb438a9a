"""The attributes and methods that every layer has."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers as L
from multikeras import ops

X = np.ones((2, 3), "float32")


@pytest.mark.page(
    "Layer.compute_dtype", "Layer.variable_dtype", "Layer.dtype", "Layer.dtype_policy"
)
@pytest.mark.parametrize(
    "policy, variable, compute",
    [("float32", "float32", "float32"), ("mixed_bfloat16", "float32", "bfloat16")],
)
def test_dtypes(policy, variable, compute):
    layer = L.Dense(2, dtype=policy)
    assert layer.dtype_policy.name == policy
    assert (layer.dtype, layer.variable_dtype, layer.compute_dtype) == (variable, variable, compute)
    assert ops.dtype(layer(X)) == compute and layer.kernel.dtype == variable


@pytest.mark.page("Layer.name", "Layer.trainable")
def test_names_and_freezing():
    layer = L.Dense(2, name="mine", trainable=False)
    assert layer.name == "mine" and layer.trainable is False
    with pytest.raises(ValueError, match="name must be a string without '/'"):
        L.Dense(2, name="a/b")
    with pytest.raises(AttributeError):
        layer.name = "other"


@pytest.mark.page("Layer.weights", "Layer.trainable_weights", "Layer.non_trainable_weights")
def test_weights_by_kind():
    layer = L.BatchNormalization()
    assert layer.weights == []
    layer.build((None, 3))
    assert layer.trainable_weights == [layer.gamma, layer.beta]
    assert layer.non_trainable_weights == [layer.moving_mean, layer.moving_variance]
    assert layer.weights == layer.trainable_weights + layer.non_trainable_weights
    layer.trainable = False
    assert layer.trainable_weights == [] and len(layer.non_trainable_weights) == 4


@pytest.mark.page("Layer.get_weights", "Layer.set_weights")
def test_weights_go_from_layer_to_layer():
    a = L.Dense(1, kernel_initializer=keras.initializers.Constant(1.0))
    b = L.Dense(1, kernel_initializer=keras.initializers.Constant(2.0))
    a(X), b(X)
    assert [w.tolist() for w in a.get_weights()] == [[[1.0], [1.0], [1.0]], [0.0]]
    assert [w.tolist() for w in b.get_weights()] == [[[2.0], [2.0], [2.0]], [0.0]]
    b.set_weights(a.get_weights())
    assert [w.tolist() for w in b.get_weights()] == [[[1.0], [1.0], [1.0]], [0.0]]


@pytest.mark.page("Layer.set_weights")
@pytest.mark.parametrize(
    "weights, words",
    [
        ([np.ones((3, 1))], "expected 2 arrays, got 1"),
        ([np.ones((1, 3)), np.ones(1)], r"has shape \(3, 1\), got \(1, 3\)"),
        ([np.ones((3, 1)), np.ones(1), np.ones(1)], "expected 2 arrays, got 3"),
    ],
)
def test_weights_that_do_not_fit(weights, words):
    layer = L.Dense(1, name="me")
    layer(X)
    with pytest.raises(ValueError, match=f"'me'.*set_weights.*{words}"):
        layer.set_weights(weights)


@pytest.mark.page("Layer.count_params")
def test_count_params():
    layer = L.Dense(4, name="me")
    with pytest.raises(ValueError, match=r"'me'.*not built"):
        layer.count_params()
    layer(X)
    assert layer.count_params() == 3 * 4 + 4


@pytest.mark.page("Layer.compute_output_shape")
@pytest.mark.parametrize(
    "make, shape, expected",
    [
        (lambda: L.Dense(2), (None, 3), (None, 2)),
        (lambda: L.Dense(2), [5, 3], (5, 2)),
        (lambda: L.Conv2D(4, 3), (None, 8, None, 1), (None, 6, None, 4)),
        (lambda: L.Concatenate(), [(None, 2), (None, 3)], (None, 5)),
        (lambda: L.Lambda(lambda x: ops.sum(x, -1)), (4, 3), (4,)),
    ],
)
def test_output_shapes(make, shape, expected):
    layer = make()
    assert layer.compute_output_shape(shape) == expected
    assert layer.compute_output_shape(input_shape=shape) == expected
    assert layer.weights == []


@pytest.mark.page("Layer.compute_output_shape")
def test_output_shapes_of_a_call_without_a_word_about_shapes():
    class Tail(L.Layer):
        def call(self, x, y):
            return {"sum": x + y, "tail": x[:, 1:]}

    expected = {"sum": (None, 3), "tail": (None, 2)}
    assert Tail().compute_output_shape((None, 3), (1, 3)) == expected
    assert Tail().compute_output_shape(x_shape=(None, 3), y_shape=(1, 3)) == expected


@pytest.mark.page("Layer.compute_mask", "Layer.supports_masking")
def test_masks():
    x = ops.convert_to_tensor([[[1.0], [0.0]], [[0.0], [2.0]]])
    masking = L.Masking()
    mask = masking.compute_mask(x)
    assert masking.supports_masking and not L.Layer().supports_masking
    assert ops.convert_to_numpy(mask).tolist() == [[True, False], [False, True]]
    assert L.Dense(1).compute_mask(x, mask) is mask
    assert L.Dense(1).compute_mask(x, mask=mask) is mask
    assert L.Dense(1).compute_mask(x) is None
    assert L.LSTM(1).compute_mask(x, mask) is None
    model = keras.Sequential([keras.Input((2, 1)), L.Masking(), L.Dense(1)])
    graph = keras.Model(model.input, model.output)
    expected = ops.convert_to_numpy(mask).tolist()
    assert ops.convert_to_numpy(graph.compute_mask(x)).tolist() == expected
    plain = keras.Sequential([keras.Input((2, 1)), L.Dense(1)])
    graph = keras.Model(plain.input, plain.output)
    assert graph.compute_mask(x) is None
    assert ops.convert_to_numpy(graph.compute_mask(x, mask)).tolist() == expected


@pytest.mark.page("Layer.input_spec")
def test_input_spec_may_be_set_in_the_constructor():
    class Images(L.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.input_spec = L.InputSpec(ndim=4)

        def call(self, x):
            return x

    layer = Images(name="images")
    assert layer.input_spec.ndim == 4
    words = "incompatible with the layer: expected ndim=4, found ndim=1. Full shape received"
    with pytest.raises(ValueError, match=f"'images'.*{words}"):
        layer(np.ones((2,), "float32"))
    with pytest.raises(ValueError, match=f"'images'.*{words}"):
        layer(keras.Input(batch_shape=(2,)))
    with pytest.raises(TypeError, match="input_spec must be InputSpec, got 4"):
        layer.input_spec = 4


@pytest.mark.page("Layer.get_config", "Layer.from_config")
def test_configs():
    class Plain(L.Layer):
        def __init__(self, units, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.units, self.factor = units, factor

    config = Plain(3, name="plain", trainable=False).get_config()
    assert config["units"] == 3 and config["name"] == "plain" and config["trainable"] is False
    again = Plain.from_config(config)
    assert (again.units, again.factor, again.name, again.trainable) == (3, 2.0, "plain", False)
    dense = L.Dense(2, activation="relu", activity_regularizer="l2")
    assert L.Dense.from_config(dense.get_config()).get_config() == dense.get_config()
    with pytest.raises(NotImplementedError, match="must override get_config"):
        Plain(object()).get_config()


@pytest.mark.page("Layer.__call__", "Layer.build")
def test_the_first_call_builds():
    class Own(L.Layer):
        built_for = ()

        def build(self, input_shape):
            self.built_for += (input_shape,)
            self.w = self.add_weight(shape=input_shape[-1:], initializer="ones")

        def call(self, x, scale=1.0):
            return x * self.w * scale

    layer = Own()
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(X, scale=2.0)), 2 * X)
    layer(X, 3.0)
    assert layer.built_for == ((2, 3),) and layer.built
    layer = Own()
    layer.build((None, 3))
    layer(X)
    assert layer.built_for == ((None, 3),)


# -- layers of layers ---------------------------------------------------------------------------


class Model(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(name="me", **kwargs)
        self.dense, self.spare = L.Dense(2, name="used"), None

    def call(self, x):
        return self.dense(x)


class TwoInputs(Model):
    def call(self, x, y):
        return self.dense(x) + y


class Spare(Model):
    def __init__(self):
        super().__init__()
        self.spare = L.Dense(2, name="unused")


class Integers(Model):
    def __init__(self):
        super().__init__()
        self.dense.input_spec = L.InputSpec(dtype="int32")


class Structured(Model):
    def call(self, x):
        left, right = (x["a"], x["b"]) if isinstance(x, dict) else x
        return self.dense(left) + self.dense(right)


@pytest.mark.page("Model.build", "Layer.build")
@pytest.mark.parametrize(
    "make, shape",
    [
        (Model, (None, 3)),
        (Model, [None, 3]),
        (Structured, [(None, 3), (None, 3)]),
        (Structured, {"a": (None, 3), "b": [4, 3]}),
    ],
)
def test_build_by_shapes(make, shape):
    model = make()
    model.build(shape)
    assert model.built and model.count_params() == 8


@pytest.mark.page("Model.build", "Layer.build")
@pytest.mark.parametrize(
    "make, shape, words",
    [
        (Model, 3, "expected a shape .*got 3"),
        (Model, "(2, 3)", "expected a shape"),
        (Model, None, "expected a shape"),
        (Model, (None, 3.5), "expected a shape"),
        (TwoInputs, (None, 3), "can't be built from the shape.*missing.*'y'"),
        (Spare, (None, 3), "leaves 'unused' unbuilt"),
        (Integers, (None, 3), "can't be built from the shape.*expected dtype=int32"),
    ],
)
def test_shapes_that_do_not_suffice(make, shape, words):
    with pytest.raises(ValueError, match=f"(?s)'me'.*{words}"):
        make().build(shape)


def test_layers_that_come_too_late():
    model = Model()
    model.extra = L.Dense(1)  # nothing is built yet
    model(X)
    for late in (L.Dense(1), [L.Dense(1)], {"a": L.Dense(1)}):
        with pytest.raises(ValueError, match=r"'me'.*is built; expected its layers.*'later' later"):
            model.later = late
    assert not hasattr(model, "later")
    model.same = model.dense  # no new one
    model.note, model.notes = "text", ["text", 1]

    class Builds(L.Layer):
        def build(self, input_shape):
            self.dense = L.Dense(2)
            self.dense.build(input_shape)

        def call(self, x):
            return self.dense(x)

    assert Builds().build((None, 3)) is None
