"""Models by subclassing: building, what is found in attributes, configs, graphs handed over."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, ops

RNG = np.random.default_rng(2)
X = RNG.normal(size=(4, 6)).astype(np.float32)


class Mlp(keras.Model):
    """The constructor's arguments are the config; nothing else is needed."""

    def __init__(self, units=3, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(units, activation=activation)
        self.head = layers.Dense(2)

    def call(self, x):
        return self.head(self.hidden(x))


class Nested(keras.Model):
    """Layers in lists, dicts and tuples, and a weight of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.Dense(3), [layers.Dense(3)]]
        self.table = {"last": layers.Dense(2), "pair": (layers.Dense(2), None, 5)}
        self.inner = keras.Sequential([layers.Dense(2), layers.BatchNormalization()])

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(input_shape[-1],), initializer="ones")

    def call(self, x, training=None):
        x = self.blocks[1][0](self.blocks[0](x * self.scale))
        x = self.table["last"](x) + self.table["pair"][0](x)
        return self.inner(x, training=training)


@pytest.mark.parametrize("how", ["call", "build", "fit", "evaluate", "predict", "symbolic"])
def test_the_first_use_builds(how):
    model = Mlp()
    assert not model.built and model.weights == []
    if how == "call":
        model(X)
    elif how == "build":
        model.build((None, 6))
    elif how == "symbolic":
        x = keras.Input((6,))
        assert model(x).shape == (None, 2)
    elif how == "predict":
        model.predict(X, verbose=0)
    else:
        model.compile("sgd", "mse")
        getattr(model, how)(X, X[:, :2], verbose=0)
    assert [w.path for w in model.weights] == [
        f"{model.name}/{layer.name}/{name}"
        for layer in (model.hidden, model.head)
        for name in ("kernel", "bias")
    ]
    assert model.count_params() == 6 * 3 + 3 + 3 * 2 + 2


def test_layers_are_found_in_attributes_of_every_kind():
    model = Nested()
    model(X)
    assert [type(layer).__name__ for layer in model.layers] == ["Dense"] * 4 + ["Sequential"]
    assert len(model.weights) == 1 + 4 * 2 + 2 + 4
    assert len(model.trainable_weights) == 1 + 4 * 2 + 2 + 2
    model.table["pair"][0].trainable = False
    assert len(model.trainable_weights) == 1 + 3 * 2 + 2 + 2
    model.trainable = False
    assert model.trainable_weights == [] and not model.inner.layers[1].trainable
    with pytest.raises(ValueError, match="is built; expected its layers to be made in __init__"):
        model.extra = layers.Dense(1)


def test_layers_is_read_only():
    with pytest.raises(AttributeError, match="read-only"):
        Mlp().layers = []


def test_dict_and_list_inputs():
    class Joined(keras.Model):
        def __init__(self):
            super().__init__()
            self.left, self.right = layers.Dense(2), layers.Dense(2)

        def call(self, inputs):
            first, second = inputs["pair"]
            return {"sum": self.left(first) + self.right(second), "rest": inputs["rest"]}

    model = Joined()
    data = {"pair": [X[:, :3], X[:, 3:]], "rest": X}
    outputs = model(data)
    assert set(outputs) == {"sum", "rest"} and tuple(outputs["sum"].shape) == (4, 2)
    predicted = model.predict(data, verbose=0, batch_size=3)
    np.testing.assert_allclose(predicted["sum"], ops.convert_to_numpy(outputs["sum"]), rtol=1e-5)
    model.compile("sgd", {"sum": "mse"})
    history = model.fit(data, {"sum": X[:, :2]}, epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]


def test_build_from_a_dict_of_shapes():
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs["a"]) * inputs["b"]

    model = Two()
    model.build({"a": (None, 3), "b": (None, 2)})
    assert model.built and model.dense.kernel.shape == (3, 2)


def test_config_from_the_constructors_arguments():
    model = Mlp(5, activation="tanh", name="mine", trainable=False)
    config = model.get_config()
    assert config["units"] == 5 and config["activation"] == "tanh" and config["name"] == "mine"
    again = Mlp.from_config(config)
    assert (again.name, again.hidden.units, again.trainable) == ("mine", 5, False)
    assert again.hidden.activation is model.hidden.activation


def test_a_constructor_with_objects_needs_a_config():
    class Wraps(keras.Model):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

    with pytest.raises(NotImplementedError, match=r"override get_config.*`inner`"):
        Wraps(layers.Dense(2)).get_config()


def test_a_subclass_that_hands_over_a_graph_is_functional():
    class Graph(keras.Model):
        def __init__(self, units):
            x = keras.Input((6,))
            super().__init__(x, layers.Dense(units)(x), name="graph")
            self.units = units

        def twice(self, x):
            return self(x) * 2

    model = Graph(3)
    assert model.built and model.output_shape == (None, 3) and isinstance(model, Graph)
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Dense"]
    assert tuple(model.twice(X).shape) == (4, 3)
    model.compile("sgd", "mse")
    model.fit(X, X[:, :3], verbose=0)


def test_a_step_of_ones_own_on_a_graph():
    class Counted(keras.Model):
        def train_step(self, data):
            return super().train_step(data) | {"own": 1.0}

    x = keras.Input((6,))
    model = Counted(x, layers.Dense(2)(x))
    model.compile("sgd", "mse")
    assert model.fit(X, X[:, :2], verbose=0).history["own"] == [1.0]
    again = Counted.from_config(model.get_config())
    assert isinstance(again, Counted) and again.output_shape == (None, 2)


def test_several_arguments_and_unknown_ones():
    class Blend(keras.Model):
        def call(self, first, second, factor=0.5):
            return first * factor + second * (1 - factor)

    found = ops.convert_to_numpy(Blend()(X, 2 * X, factor=0.25))
    np.testing.assert_allclose(found, 1.75 * X, rtol=1e-6)
    with pytest.raises((TypeError, ValueError), match="unknown"):
        Mlp(nothing=3)


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda: keras.Model()(X), NotImplementedError, r"Model.*call\(\)"),
        (lambda: Mlp().save("x.keras"), ValueError, "has not been built"),
        (lambda: Mlp().count_params(), ValueError, "not built"),
        (lambda: Mlp().fit(X, X), RuntimeError, r"compile\(optimizer, loss\) first"),
        (lambda: Mlp().build(None), ValueError, "shape"),
    ],
)
def test_refused(use, error, message):
    with pytest.raises(error, match=message):
        use()


def test_forgetting_super_init_is_told():
    class Forgetful(keras.Model):
        def __init__(self):
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    with pytest.raises(RuntimeError, match=r"Forgetful.*super\(\).__init__\(\)"):
        Forgetful()(X)


def test_models_inside_models():
    outer = keras.Sequential([Mlp(), Nested()])
    outer.build((None, 6))
    assert tuple(outer(X).shape) == (4, 2)
    x = keras.Input((6,))
    graph = keras.Model(x, outer(x))
    assert len(graph.weights) == len(outer.weights) == 4 + 15
    np.testing.assert_allclose(
        ops.convert_to_numpy(graph(X)), ops.convert_to_numpy(outer(X)), rtol=1e-5
    )
