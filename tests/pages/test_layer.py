"""What tf.keras 2 documents of `Layer` by example, on the selected backend."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, ops

BACKEND = keras.config.backend()
# The functions of an example in `call`: ours, and with TensorFlow selected its own.
FUNCTIONS = [
    pytest.param("multikeras", id="multikeras"),
    pytest.param(
        "tensorflow",
        id="tensorflow",
        marks=pytest.mark.skipif(BACKEND != "tensorflow", reason="needs tensorflow"),
    ),
]


def abs_of_mean(functions):
    if functions == "tensorflow":
        tf = importlib.import_module("tensorflow")
        return lambda x: tf.abs(tf.reduce_mean(x))
    return lambda x: ops.abs(ops.mean(x))


def value(tensor):
    return float(ops.convert_to_numpy(tensor))


@pytest.mark.page("Layer.losses", "Layer.add_loss")
@pytest.mark.parametrize("functions", FUNCTIONS)
def test_a_loss_added_in_call(functions):
    size = abs_of_mean(functions)

    class MyLayer(layers.Layer):
        def call(self, inputs):
            self.add_loss(size(inputs))
            return inputs

    layer = MyLayer()
    layer(np.ones((10, 1)))
    assert [value(loss) for loss in layer.losses] == [1.0]
    layer(np.full((10, 1), -3.0))
    assert [value(loss) for loss in layer.losses] == [3.0]


@pytest.mark.page("Layer.losses", "Layer.add_loss")
def test_a_loss_of_a_tensor_of_the_graph():
    inputs = keras.Input(shape=(10,))
    x = layers.Dense(10)(inputs)
    model = keras.Model(inputs, layers.Dense(1)(x))
    assert len(model.losses) == 0
    model.add_loss(ops.abs(ops.mean(x)))
    assert len(model.losses) == 1
    again = keras.Model.from_config(model.get_config())
    assert len(again.losses) == 1


@pytest.mark.page("Layer.losses", "Layer.add_loss")
def test_a_loss_of_a_weight_is_a_function():
    inputs = keras.Input(shape=(10,))
    dense = layers.Dense(10, kernel_initializer="ones")
    model = keras.Model(inputs, layers.Dense(1)(dense(inputs)))
    model.add_loss(lambda: ops.mean(dense.kernel))
    assert [value(loss) for loss in model.losses] == [1.0]
    dense.kernel.assign(np.full((10, 10), 4.0))
    assert [value(loss) for loss in model.losses] == [4.0]


@pytest.mark.page("Layer.add_metric", "Layer.metrics")
def test_metrics_added_in_call():
    class MyMetricLayer(layers.Layer):
        def __init__(self):
            super().__init__(name="my_metric_layer")
            self.mean = keras.metrics.Mean(name="metric_1")

        def call(self, inputs):
            self.add_metric(self.mean(inputs))
            self.add_metric(ops.sum(inputs), name="metric_2")
            return inputs

    layer = MyMetricLayer()
    layer(np.full((3, 2), 2.0, "float32"))
    assert [(m.name, value(m.result())) for m in layer.metrics] == [
        ("metric_1", 2.0),
        ("metric_2", 12.0),
    ]
    model = keras.Sequential([layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    found = model.evaluate(np.ones((4, 2)), np.ones((4, 1)), verbose=0, return_dict=True)
    assert list(found)[-2:] == ["metric_1", "metric_2"]
    assert [found["metric_1"], found["metric_2"]] == [1.0, 8.0]


@pytest.mark.page("Layer.add_metric")
def test_a_metric_of_a_tensor_of_the_graph():
    inputs = keras.Input(shape=(10,))
    x = layers.Dense(10)(inputs)
    model = keras.Model(inputs, layers.Dense(1)(x))
    model.add_metric(ops.sum(x), name="metric_1")
    model.compile("sgd", "mse")
    found = model.evaluate(np.ones((4, 10)), np.ones((4, 1)), verbose=0, return_dict=True)
    assert list(found) == ["loss", "metric_1"]


@pytest.mark.page("Layer.add_metric")
def test_a_metric_objects_result_is_none_of_the_graph():
    inputs = keras.Input(shape=(10,))
    x = layers.Dense(10)(inputs)
    model = keras.Model(inputs, layers.Dense(1)(x))
    with pytest.raises(ValueError, match="metric"):
        model.add_metric(keras.metrics.Mean()(x), name="metric_1")


@pytest.mark.page("Layer.input_spec")
def test_inputs_that_do_not_fit_the_spec():
    with pytest.raises(ValueError, match=r"conv2d.*ndim=4.*ndim=1"):
        layers.Conv2D(2, 3, name="conv2d")(np.ones((2,)))


@pytest.mark.page("Layer.submodules")
def test_modules_below_modules():
    a, b, c = layers.Layer(), layers.Layer(), layers.Layer()
    a.b = b
    b.c = c
    assert list(a.submodules) == [b, c]
    assert list(b.submodules) == [c]
    assert list(c.submodules) == []


@pytest.mark.page("Layer.set_weights", "Layer.get_weights")
def test_weights_go_from_one_layer_to_another():
    layer_a = layers.Dense(1, kernel_initializer=keras.initializers.Constant(1.0))
    layer_a(ops.convert_to_tensor([[1.0, 2.0, 3.0]]))
    layer_b = layers.Dense(1, kernel_initializer=keras.initializers.Constant(2.0))
    layer_b(ops.convert_to_tensor([[10.0, 20.0, 30.0]]))
    assert [w.tolist() for w in layer_a.get_weights()] == [[[1.0], [1.0], [1.0]], [0.0]]
    assert [w.tolist() for w in layer_b.get_weights()] == [[[2.0], [2.0], [2.0]], [0.0]]
    layer_b.set_weights(layer_a.get_weights())
    assert [w.tolist() for w in layer_b.get_weights()] == [[[1.0], [1.0], [1.0]], [0.0]]


@pytest.mark.page("Layer.with_name_scope", "Layer.__call__")
def test_variables_made_in_the_name_scope():
    class MyModule(layers.Layer):
        @layers.Layer.with_name_scope
        def project(self, x):
            if not hasattr(self, "w"):
                self.w = keras.Variable(keras.random.normal([x.shape[1], 3]), name="w")
            return ops.matmul(x, self.w)

    module = MyModule(name="my_module")
    assert module.project(ops.ones([1, 2])).shape == (1, 3)
    assert module.w.path == "my_module/w" and module.w.shape == (2, 3)
