"""What layers of tf.keras 2 had and Keras 3 dropped."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers as L
from multikeras import ops


class Nest(L.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = L.Dense(2, name="inner")
        self.more = [L.Bidirectional(L.SimpleRNN(2))]

    def call(self, x):
        return self.inner(x)


@pytest.mark.page("Layer.submodules")
def test_submodules_are_the_layers_below():
    nest = Nest()
    both = nest.more[0]
    assert nest.submodules[:2] == (nest.inner, both)
    assert set(nest.submodules) >= {both.forward_layer, both.backward_layer}
    assert nest not in nest.submodules and nest.inner.submodules == ()
    a, b, c = L.Layer(), L.Layer(), L.Layer()
    a.b, b.c = b, c
    assert (a.submodules, b.submodules, c.submodules) == ((b, c), (c,), ())


@pytest.mark.page("Layer.name_scope", "Layer.with_name_scope")
def test_name_scopes_nest_and_open_again():
    class Scale(L.Layer):
        @L.Layer.with_name_scope
        def make(self, name):
            return keras.Variable(1.0, name=name)

        def call(self, x):
            return x

    layer = Scale(name="scale")
    scope = layer.name_scope
    with scope:
        first = keras.Variable(1.0, name="first")
        with scope:
            second = keras.Variable(1.0, name="second")
    paths = [first.path, second.path, layer.make("third").path, keras.Variable(1.0, name="x").path]
    assert paths == ["scale/first", "scale/second", "scale/third", "x"]
    assert scope.name == "scale"
    assert Scale.make.__name__ == "make"
    with pytest.raises(KeyError), layer.name_scope:
        raise KeyError
    assert keras.Variable(1.0, name="y").path == "y"


@pytest.mark.page("Layer.with_name_scope")
def test_a_call_may_run_in_the_name_scope():
    class Own(L.Layer):
        @L.Layer.with_name_scope
        def call(self, x):
            if not hasattr(self, "w"):
                self.w = keras.Variable(np.ones((2, 3), "float32"), name="w")
            return ops.matmul(x, self.w)

    layer = Own(name="own")
    assert ops.shape(layer(np.ones((1, 2), "float32"))) == (1, 3)
    assert layer.w.path == "own/w" and layer.weights == [layer.w]


@pytest.mark.page("Layer.updates")
def test_updates_happen_at_once():
    seen = keras.Variable(0.0)
    layer = L.Dense(1)
    layer.add_update([lambda: seen.assign_add(1.0), seen.assign_add(1.0), None])
    assert layer.updates == [] and float(seen.numpy()) == 2.0
    assert keras.Sequential([layer]).updates == []


@pytest.mark.page("Layer.dynamic")
def test_a_dynamic_layer_makes_models_run_eagerly():
    class Host(L.Layer):
        """Needs real values."""

        def call(self, x):
            self.seen = [float(v) for v in ops.convert_to_numpy(ops.stop_gradient(x)).sum(1)]
            return x

        def compute_output_shape(self, input_shape):
            return input_shape

    x = np.ones((4, 3), "float32")
    model = keras.Sequential([keras.Input((3,)), Host(dynamic=True), L.Dense(1)])
    assert model.dynamic and model.layers[0].dynamic and not model.layers[1].dynamic
    model.compile("sgd", "mse")
    assert model.run_eagerly
    model.fit(x, np.ones((4, 1)), batch_size=2, verbose=0)
    assert model.layers[0].seen == [3.0, 3.0]
    assert not keras.Sequential([L.Dense(1)]).dynamic


def test_other_attributes_of_old():
    assert L.Dense(1).stateful is False
    assert L.LSTM(1, stateful=True).stateful


# -- calls on symbolic tensors ------------------------------------------------------------------


@pytest.mark.page("Layer.input", "Layer.output")
def test_a_layer_called_once_has_an_input_and_an_output():
    x = keras.Input((3,))
    dense = L.Dense(2)
    y = dense(x)
    assert dense.input is x and dense.output is y
    assert dense.input_shape == (None, 3) and dense.output_shape == (None, 2)
    assert dense.get_input_at(0) is x and dense.get_output_at(0) is y
    joined = L.Add()
    joined([y, y])
    assert joined.input == [y, y] and joined.input_shape == [(None, 2), (None, 2)]
    assert dense.outbound_nodes == joined.inbound_nodes
    assert keras.Model(x, y).input_shape == (None, 3)


@pytest.mark.page("Layer.input", "Layer.output")
def test_a_layer_called_twice_has_two():
    a, b, c = keras.Input((3,)), keras.Input((3,)), keras.Input((5, 3))
    dense = L.Dense(2, name="me")
    first, second = dense(a), dense(b)
    for name in ("input", "output"):
        with pytest.raises(AttributeError, match=f"'me' was 2 times called.*`{name}`"):
            getattr(dense, name)
    assert dense.get_input_at(1) is b and dense.get_output_at(-1) is second
    assert dense.get_output_at(0) is first
    assert dense.input_shape == (None, 3)
    dense(c)
    assert dense.get_input_shape_at(2) == (None, 5, 3)
    assert dense.get_output_shape_at(2) == (None, 5, 2)
    with pytest.raises(AttributeError, match=r"'me'.*no single `output_shape`.*3 calls differ"):
        _ = dense.output_shape
    with pytest.raises(ValueError, match=r"'me'.*one of its 3 call.*got 3"):
        dense.get_input_at(3)


@pytest.mark.page("Layer.input", "Layer.output")
@pytest.mark.parametrize("name", ["input", "output", "input_shape", "output_shape"])
def test_a_layer_never_called_has_none(name):
    dense = L.Dense(2, name="me")
    dense(np.ones((1, 3), "float32"))  # a call on values is none of a graph
    with pytest.raises(AttributeError, match=r"'me'.*never called"):
        getattr(dense, name)
    with pytest.raises(RuntimeError, match=r"'me'.*never called on symbolic tensors"):
        dense.get_input_at(0)


def test_layers_may_have_attributes_of_these_names():
    class Own(L.Layer):
        def __init__(self):
            super().__init__()
            self.output_shape, self.input_shape = (3,), "any"

        def call(self, x):
            return x

    layer = Own()
    layer(np.ones((1, 3), "float32"))
    assert (layer.output_shape, layer.input_shape) == ((3,), "any")


# -- weights ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        {"use_resource": True, "synchronization": "on_read", "collections": ["a"]},
        {"getter": None, "partitioner": None, "caching_device": None},
        {"experimental_autocast": False},
    ],
)
def test_add_weight_takes_the_arguments_of_old(arguments):
    weight = L.Layer().add_weight("w", (2, 3), "float32", "ones", **arguments)
    assert (weight.name, weight.shape, weight.dtype) == ("w", (2, 3), "float32")
    assert weight.autocast is arguments.get("experimental_autocast", True)
    assert weight.numpy().sum() == 6


@pytest.mark.parametrize(
    "args",
    [
        ((2, 3), "ones", "float32", False),
        ("w", (2, 3), "float32", "ones", None, False),
        ("w", (2, 3), None, keras.initializers.Ones(), "l2", False, "non_neg"),
        ("w", (2, 3), "ones", "float32"),
    ],
)
def test_add_weight_by_position(args):
    weight = L.Layer().add_weight(*args)
    assert (weight.shape, weight.dtype, weight.numpy().sum()) == ((2, 3), "float32", 6)
    assert weight.trainable is (False not in args)
    assert (weight.regularizer is None, weight.constraint is None) == ("l2" not in args,) * 2
    if isinstance(args[0], str):
        assert weight.name == "w"


def test_add_weight_takes_no_more():
    with pytest.raises(TypeError, match=r"'me'.*expected at most 4 arguments by position"):
        L.Layer(name="me").add_weight((2,), "ones", "float32", True, True)


@pytest.mark.parametrize("name", ["getter", "partitioner", "colour"])
def test_add_weight_refuses_what_would_change_the_weight(name):
    with pytest.raises(TypeError, match=f"'me'.*add_weight.*{name}"):
        L.Layer(name="me").add_weight("w", (2, 3), **{name: lambda: 0})
