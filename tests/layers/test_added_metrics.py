"""`add_metric` and `metrics`: values and metric objects in calls, tensors of a model's graph."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers as L
from multikeras import ops

X = np.arange(24, dtype="float32").reshape(8, 3) / 10
Y = X.sum(1, keepdims=True)


class Metered(L.Layer):
    """A metric object, a value that is averaged and one that is not."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.mean = keras.metrics.Mean(name="mean_input")

    def call(self, inputs):
        self.add_metric(self.mean(inputs))
        self.add_metric(ops.sum(inputs), name="sum_input")
        self.add_metric(ops.sum(inputs), name="last_sum", aggregation=None)
        return inputs


class Shaped(Metered):
    """The same, with a word about shapes: models don't run its call to know them."""

    def compute_output_shape(self, input_shape):
        return input_shape


class Subclassed(keras.Model):
    def __init__(self, cls):
        super().__init__()
        self.metered, self.out = cls(), L.Dense(1)

    def call(self, inputs):
        return self.out(self.metered(inputs))


def functional(cls):
    x = keras.Input((3,))
    return keras.Model(x, L.Dense(1)(cls()(x)))


MODELS = {
    "subclassed": Subclassed,
    "functional": functional,
    "sequential": lambda cls: keras.Sequential([cls(), L.Dense(1)]),
}
EXPECTED = {  # batches of 4: sums of the two halves
    "mean_input": X.mean(),
    "sum_input": (X[:4].sum() + X[4:].sum()) / 2,
    "last_sum": X[4:].sum(),
}


@pytest.mark.page("Layer.add_metric", "Layer.metrics")
def test_metrics_of_a_layer():
    layer = Metered()
    assert layer.metrics == [layer.mean]
    for part in (X[:4], X[4:]):
        layer(part)
    assert {m.name: float(m.result()) for m in layer.metrics} == pytest.approx(EXPECTED)
    assert layer.weights == [] and len(layer.metrics) == 3


@pytest.mark.page("Layer.add_metric", "Layer.metrics")
@pytest.mark.parametrize("cls", [Metered, Shaped])
@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("kind", MODELS)
def test_added_metrics_are_in_the_logs(kind, eager, cls):
    model = MODELS[kind](cls)
    model.compile("sgd", "mse", metrics=["mae"], run_eagerly=eager)
    history = model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    for name, expected in EXPECTED.items():  # two epochs alike: the metrics start anew
        assert history[name] == pytest.approx([expected] * 2)
    assert {"loss", "mae", *EXPECTED} == {metric.name for metric in model.metrics}
    logs = model.evaluate(X, Y, batch_size=4, verbose=0, return_dict=True)
    assert {name: logs[name] for name in EXPECTED} == pytest.approx(EXPECTED)


@pytest.mark.page("Layer.add_metric")
def test_metrics_do_not_hinder_files(tmp_path):
    model = Subclassed(Metered)
    model(X)
    model.save_weights(tmp_path / "m.weights.h5")
    other = Subclassed(Metered)
    other.build((None, 3))
    other.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(other.out.kernel.numpy(), model.out.kernel.numpy())


@pytest.mark.page("Layer.add_metric")
def test_a_metric_object_of_elsewhere_is_taken_up():
    metric = keras.metrics.Sum(name="elsewhere")

    class Uses(L.Layer):
        def call(self, x):
            first = metric(x)
            self.add_metric(ops.mean(x), name="between")
            self.add_metric(first)
            return x

    layer = Uses()
    layer(np.ones((2, 2), "float32"))
    layer(np.ones((2, 2), "float32"))
    assert {m.name: float(m.result()) for m in layer.metrics} == {"elsewhere": 8.0, "between": 1.0}
    assert metric in layer.metrics


@pytest.mark.page("Layer.add_metric")
@pytest.mark.parametrize(
    "arguments, error, words",
    [
        ({}, ValueError, "'me'.*add_metric: expected a name"),
        ({"name": 3}, ValueError, "'me'.*add_metric: expected a name.*got 3"),
        (
            {"name": "a", "aggregation": "max"},
            ValueError,
            "'me'.*expected aggregation 'mean' or None, got 'max'",
        ),
        ({"name": "a", "axis": 1}, TypeError, r"'me'.*unknown argument\(s\) 'axis'"),
    ],
)
def test_values_that_are_refused(arguments, error, words):
    class Adds(L.Layer):
        def call(self, x):
            self.add_metric(ops.sum(x), **arguments)
            return x

    with pytest.raises(error, match=words):
        Adds(name="me")(X)


# -- on a functional model ----------------------------------------------------------------------


def with_graph_metrics():
    x = keras.Input((3,))
    hidden = L.Dense(4, kernel_initializer="ones", name="hidden")(x)
    model = keras.Model(x, L.Dense(1)(hidden), name="m")
    model.add_metric(ops.sum(hidden), name="hidden_sum", aggregation="mean")
    model.add_metric(ops.max(hidden), name="hidden_peak", aggregation=None)
    return model


def graph_metrics(hidden):
    return {"hidden_sum": (hidden[:4].sum() + hidden[4:].sum()) / 2, "hidden_peak": hidden.max()}


@pytest.mark.page("Layer.add_metric", "Layer.metrics")
@pytest.mark.parametrize("eager", [False, True])
def test_tensors_of_the_graph(eager):
    model = with_graph_metrics()
    assert [metric.name for metric in model.metrics] == ["hidden_sum", "hidden_peak"]
    model.get_layer("hidden").trainable = False
    model.compile("sgd", "mse", run_eagerly=eager)
    history = model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    for name, value in graph_metrics(X @ np.ones((3, 4))).items():
        assert history[name] == pytest.approx([value] * 2)


@pytest.mark.page("Layer.add_metric")
def test_they_are_saved_with_the_model(tmp_path):
    model = with_graph_metrics()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    expected = model.evaluate(X, Y, batch_size=4, verbose=0, return_dict=True)
    assert {"hidden_sum", "hidden_peak"} < set(expected)
    found = again.evaluate(X, Y, batch_size=4, verbose=0, return_dict=True)
    assert found == pytest.approx(expected)


@pytest.mark.page("Layer.add_metric")
@pytest.mark.parametrize(
    "add, words",
    [
        (
            lambda m: m.add_metric(keras.metrics.Mean()(m.output), name="a"),
            "result of calling a metric object can't be traced back",
        ),
        (lambda m: m.add_metric(m.output), "expected a name"),
        (lambda m: m.add_metric(ops.ones(()), name="a"), "expected a symbolic tensor"),
        (lambda m: m.add_metric(keras.Input((2,)), name="a"), "must come from the model's inputs"),
        (lambda m: m.add_metric(m.output, name="hidden_sum"), "a metric 'hidden_sum' already"),
    ],
)
def test_what_a_functional_model_refuses(add, words):
    model = with_graph_metrics()
    with pytest.raises(ValueError, match=f"(?s)'m'.*{words}"):
        add(model)
    assert [metric.name for metric in model.metrics] == ["hidden_sum", "hidden_peak"]
