"""`add_loss` and `losses`: tensors in calls, functions of weights, tensors of a model's graph."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers as L
from multikeras import ops

X = np.arange(24, dtype="float32").reshape(8, 3) / 10
Y = X.sum(1, keepdims=True)


class Watched(L.Layer):
    """Adds the size of its inputs' mean to the loss."""

    def call(self, inputs):
        self.add_loss(ops.abs(ops.mean(inputs)))
        return inputs


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.watched, self.last = L.Dense(4), Watched(), L.Dense(1)

    def call(self, inputs):
        return self.last(self.watched(self.first(inputs)))


def functional():
    x = keras.Input((3,))
    return keras.Model(x, L.Dense(1)(Watched()(L.Dense(4)(x))))


MODELS = {
    "subclassed": Subclassed,
    "functional": functional,
    "sequential": lambda: keras.Sequential([L.Dense(4), Watched(), L.Dense(1)]),
}


def numbers(losses):
    return [float(ops.convert_to_numpy(loss)) for loss in losses]


@pytest.mark.page("Layer.add_loss", "Layer.losses")
def test_a_loss_of_the_inputs_is_that_of_the_last_call():
    layer = Watched()
    layer(np.ones((10, 1), "float32"))
    assert numbers(layer.losses) == [1.0]
    layer(np.full((10, 1), -3.0, "float32"))
    assert numbers(layer.losses) == [3.0]


@pytest.mark.page("Layer.add_loss")
@pytest.mark.parametrize(
    "add, expected",
    [
        (lambda layer, x: layer.add_loss([ops.sum(x), ops.max(x)]), [6.0, 1.0]),
        (lambda layer, x: layer.add_loss((ops.sum(x),), inputs=x), [6.0]),
        (lambda layer, x: layer.add_loss(losses=ops.sum(x), inputs=True), [6.0]),
        (lambda layer, x: layer.add_loss(loss=ops.sum(x)), [6.0]),
        (lambda layer, x: layer.add_loss(lambda: 2 * ops.sum(x)), [12.0]),
        (lambda layer, x: layer.add_loss(2.5), [2.5]),
    ],
)
def test_what_add_loss_takes_in_a_call(add, expected):
    class Adds(L.Layer):
        def call(self, x):
            add(self, x)
            return x

    layer = Adds()
    for _ in range(2):
        layer(np.ones((2, 3), "float32"))
        assert numbers(layer.losses) == expected


def train(model, **kwargs):
    model.compile(keras.optimizers.SGD(0.01), "mse", **kwargs)
    return model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history["loss"]


@pytest.mark.page("Layer.add_loss")
@pytest.mark.parametrize("kind", MODELS)
def test_losses_of_calls_and_functions_enter_the_training_loss(kind):
    found = []
    for eager in (False, True):
        keras.utils.set_random_seed(1)
        model = MODELS[kind]()
        model(X)
        kernel = model.trainable_weights[0]
        model.add_loss(lambda kernel=kernel: ops.sum(ops.square(kernel.value)))
        hidden = X @ kernel.numpy()
        expected = abs(hidden.mean()) + (kernel.numpy() ** 2).sum()
        predicted = model.predict(X, verbose=0)
        model.compile(keras.optimizers.SGD(0.01), "mse", run_eagerly=eager)
        loss = model.evaluate(X, Y, batch_size=8, verbose=0)
        np.testing.assert_allclose(loss, ((predicted - Y) ** 2).mean() + expected, rtol=1e-5)
        found.append(train(model, run_eagerly=eager))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)


@pytest.mark.page("Layer.add_loss", "Layer.losses")
def test_a_function_is_called_anew_each_time_and_gradients_flow():
    x = keras.Input((10,))
    dense = L.Dense(10, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.5))
    model = keras.Model(x, L.Dense(1)(dense(x)))
    model.add_loss(lambda: ops.mean(dense.kernel.value))
    assert numbers(model.losses) == [1.0, 50.0]
    _, (gradient,) = keras.value_and_grad(lambda: sum(model.losses), [dense.kernel])()
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), np.full((10, 10), 1.01), rtol=1e-6)
    dense.kernel.assign(np.full((10, 10), 2.0))
    assert numbers(model.losses) == [2.0, 200.0]
    assert "loss" not in " ".join(model.get_config())


@pytest.mark.page("Layer.add_loss")
def test_a_function_given_after_compile_counts():
    model = functional()
    train(model)
    before = model.evaluate(X, Y, verbose=0)
    model.layers[1].add_loss(lambda: 5.0)
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), before + 5.0, rtol=1e-5)


@pytest.mark.page("Layer.add_loss")
def test_a_function_given_in_build_stays():
    class Own(L.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(), initializer="ones", name="w")
            self.add_loss(lambda: 3.0 * self.w.value)

        def call(self, x):
            return x * self.w

    layer = Own()
    for _ in range(3):
        layer(X)
    assert numbers(layer.losses) == [3.0]


# -- on a functional model ----------------------------------------------------------------------


def with_graph_losses():
    """A model with two losses of its graph; one needs a layer that no output needs."""
    x = keras.Input((3,), name="x")
    hidden = L.Dense(4, name="hidden")(x)
    model = keras.Model(x, L.Dense(1, name="out")(hidden), name="model")
    assert len(model.losses) == 0
    model.add_loss(ops.abs(ops.mean(hidden)))
    assert len(model.losses) == 1
    model.add_loss([0.1 * ops.sum(ops.square(L.Dense(2, name="beside")(hidden)))])
    assert len(model.losses) == 2
    return model


def graph_losses(model):
    hidden = X @ model.get_layer("hidden").kernel.numpy()
    beside = hidden @ model.get_layer("beside").kernel.numpy()
    return [abs(hidden.mean()), 0.1 * (beside**2).sum()]


@pytest.mark.page("Layer.add_loss", "Layer.losses")
def test_symbolic_losses_are_computed_in_every_call():
    keras.utils.set_random_seed(2)
    model = with_graph_losses()
    assert [layer.name for layer in model.layers] == ["x", "hidden", "out", "beside"]
    assert len(model.trainable_weights) == 6
    predicted = model(X)
    np.testing.assert_allclose(numbers(model.losses), graph_losses(model), rtol=1e-5)
    assert ops.shape(predicted) == (8, 1)
    outer = keras.Sequential([keras.Input((3,)), model])
    outer(X)
    np.testing.assert_allclose(numbers(outer.losses), graph_losses(model), rtol=1e-5)


@pytest.mark.page("Layer.add_loss")
@pytest.mark.parametrize("eager", [False, True])
def test_symbolic_losses_enter_the_training_loss(eager):
    keras.utils.set_random_seed(2)
    model = with_graph_losses()
    model.compile(keras.optimizers.SGD(0.01), "mse", run_eagerly=eager)
    error = ((model.predict(X, verbose=0) - Y) ** 2).mean()
    loss = model.evaluate(X, Y, batch_size=8, verbose=0)
    np.testing.assert_allclose(loss, error + sum(graph_losses(model)), rtol=1e-5)
    before = model.get_layer("beside").kernel.numpy().copy()
    train(model, run_eagerly=eager)
    assert (before != model.get_layer("beside").kernel.numpy()).all()


@pytest.mark.page("Layer.add_loss")
@pytest.mark.parametrize("way", ["config", "json", "file", "clone"])
def test_symbolic_losses_come_back(way, tmp_path):
    model = with_graph_losses()
    train(model)
    if way == "config":
        again = keras.Model.from_config(model.get_config())
    elif way == "json":
        again = keras.models.model_from_json(model.to_json())
    elif way == "clone":
        again = keras.models.clone_model(model)
    else:
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
    assert len(again.losses) == 2 and again.count_params() == model.count_params()
    again.set_weights(model.get_weights())
    if way != "file":
        again.compile("sgd", "mse")
    expected = model.evaluate(X, Y, verbose=0)
    np.testing.assert_allclose(again.evaluate(X, Y, verbose=0), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda added: added.pop("metrics"), "is no graph"),
        (lambda added: added.pop("layers"), "is no graph"),
        (lambda added: added["metrics"].append({"name": "a"}), "does not fit"),
        (lambda added: added["metrics"].append({"name": "a", "aggregation": None}), "does not fit"),
        (lambda added: added["output_layers"].pop(), "does not fit"),
        (lambda added: added["layers"].pop(), "not in it|never made"),
    ],
)
def test_configurations_that_do_not_fit(change, words):
    config = with_graph_losses().get_config()
    change(config["multikeras_additions"])
    with pytest.raises(ValueError, match=words):
        keras.Model.from_config(config)


@pytest.mark.page("Layer.add_loss")
def test_a_model_without_any_other_loss_trains():
    x = keras.Input((3,))
    model = keras.Model(x, L.Dense(2)(x))
    model.add_loss(ops.mean(ops.square(model.output)))
    model.compile(keras.optimizers.SGD(0.05))
    history = model.fit(X, epochs=3, verbose=0).history["loss"]
    assert history[2] < history[1] < history[0]


@pytest.mark.page("Layer.add_loss")
@pytest.mark.parametrize(
    "add, words",
    [
        (lambda m: m.add_loss(ops.ones(())), "'m'.*expected symbolic tensors.*or functions"),
        (lambda m: m.add_loss(ops.mean(keras.Input((2,)))), "'m'.*come from the model's inputs"),
        (lambda m: L.Dense(1, name="d").add_loss(m.output), "'d'.*only a functional model"),
    ],
)
def test_losses_that_belong_to_no_graph(add, words):
    x = keras.Input((3,))
    model = keras.Model(x, L.Dense(2)(x), name="m")
    with pytest.raises(ValueError, match=f"(?s){words}"):
        add(model)
    assert model.losses == []
    with pytest.raises(TypeError, match=r"unknown argument\(s\) 'scale'"):
        model.add_loss(lambda: 1.0, scale=2)


@pytest.mark.page("Layer.activity_regularizer")
def test_the_activity_regularizer_may_be_set():
    layer = L.Dense(2, kernel_initializer="ones")
    x = np.ones((4, 3), "float32")
    layer(x)
    assert layer.activity_regularizer is None and layer.losses == []
    layer.activity_regularizer = keras.regularizers.L1(0.1)
    layer(x)
    np.testing.assert_allclose(numbers(layer.losses), [0.1 * 2 * 3], rtol=1e-6)
    layer.activity_regularizer = None
    layer(x)
    assert layer.losses == []
    layer = L.Dense(1, activity_regularizer="l2")
    assert isinstance(layer.activity_regularizer, keras.regularizers.L2)
