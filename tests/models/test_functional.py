"""Functional models: every shape of graph, what it takes and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, ops

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6)).astype(np.float32)
A, B = X[:, :3].copy(), X[:, 3:].copy()


def numpy(outputs):
    return keras.tree.map_structure(ops.convert_to_numpy, outputs)


def two_inputs(structure):
    """A model of two inputs a and b, whose output is a - 2 b, for inputs in a given structure."""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    return keras.Model(structure(a, b), a - 2 * b)


STRUCTURES = {
    "list": (lambda a, b: [a, b]),
    "tuple": (lambda a, b: (a, b)),
    "dict": (lambda a, b: {"a": a, "b": b}),
    "dict of other keys": (lambda a, b: {"second": b, "first": a}),
    "nested": (lambda a, b: {"pair": [a, b]}),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_inputs_of_every_structure(name):
    structure = STRUCTURES[name]
    model = two_inputs(structure)
    np.testing.assert_allclose(numpy(model(structure(A, B))), A - 2 * B, rtol=1e-6)
    np.testing.assert_allclose(model.predict(structure(A, B), verbose=0), A - 2 * B, rtol=1e-6)
    assert type(model.input) is type(structure(A, B))
    assert sorted(model.input_names) == ["a", "b"]


def test_a_dict_by_input_names_feeds_a_list_of_inputs():
    model = two_inputs(STRUCTURES["list"])
    np.testing.assert_allclose(numpy(model({"b": B, "a": A})), A - 2 * B, rtol=1e-6)


def test_more_keys_than_asked_for_are_passed_over():
    model = two_inputs(STRUCTURES["dict"])
    np.testing.assert_allclose(numpy(model({"a": A, "b": B, "c": X})), A - 2 * B, rtol=1e-6)


@pytest.mark.parametrize("outputs", [list, tuple, "dict", "nested"], ids=str)
def test_outputs_of_every_structure(outputs):
    x = keras.Input((6,))
    small, large = x * 0.5, x * 2.0
    packed = {
        list: [small, large],
        tuple: (small, large),
        "dict": {"small": small, "large": large},
        "nested": {"both": [small, {"large": large}]},
    }[outputs]
    model = keras.Model(x, packed)
    found = numpy(model(X))
    keras.tree.assert_same_structure(found, packed)
    assert [t.shape for t in keras.tree.flatten(packed)] == [t.shape for t in model.outputs]
    expected = keras.tree.map_structure(lambda t: X * (0.5 if t is small else 2.0), packed)
    for a, b in zip(keras.tree.flatten(found), keras.tree.flatten(expected)):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_an_input_may_be_an_output():
    x = keras.Input((6,))
    same, double = keras.Model(x, [x, x + x])(X)
    np.testing.assert_array_equal(numpy(same), X)
    np.testing.assert_allclose(numpy(double), 2 * X)


def test_a_shared_layer_has_one_set_of_weights():
    a, b = keras.Input((3,)), keras.Input((3,))
    dense = layers.Dense(2)
    model = keras.Model([a, b], layers.Concatenate()([dense(a), dense(b)]))
    assert len(model.weights) == 2 and len(model.layers) == 4
    found = numpy(model([A, B]))
    np.testing.assert_allclose(found[:, :2], numpy(dense(A)), rtol=1e-5)
    np.testing.assert_allclose(found[:, 2:], numpy(dense(B)), rtol=1e-5)
    with pytest.raises(AttributeError, match=r"Dense.*2 times called"):
        _ = dense.output


def test_a_model_from_intermediate_tensors():
    x = keras.Input((6,))
    first, second = layers.Dense(5, activation="tanh"), layers.Dense(2)
    hidden = first(x)
    whole = keras.Model(x, second(hidden))
    head = keras.Model(hidden, whole.output)
    body = keras.Model(whole.input, whole.layers[1].output)
    assert head.input_shape == (None, 5) and len(head.weights) == 2
    np.testing.assert_allclose(numpy(head(body(X))), numpy(whole(X)), rtol=1e-5)
    assert head.weights[0] is second.kernel


def test_models_in_models_and_called_twice():
    x = keras.Input((3,))
    inner = keras.Model(x, layers.Dense(3, activation="tanh")(x), name="inner")
    y = keras.Input((3,))
    outer = keras.Model(y, inner(inner(y)), name="outer")
    assert [layer.name for layer in outer.layers][1:] == ["inner"]
    assert len(outer.weights) == 2
    once = numpy(inner(A))
    np.testing.assert_allclose(numpy(outer(A)), numpy(inner(once)), rtol=1e-5)
    assert outer.get_layer("inner") is inner


def test_unknown_dimensions():
    x = keras.Input((None, 3))
    model = keras.Model(x, layers.Dense(2)(x))
    assert model.output_shape == (None, None, 2)
    for steps in (1, 5):
        assert tuple(model(np.zeros((2, steps, 3), np.float32)).shape) == (2, steps, 2)
    assert model.compute_output_shape((7, 4, 3)) == (7, 4, 2)
    symbolic = model(keras.KerasTensor((None, 8, 3)))
    assert symbolic.shape == (None, 8, 2)


OPS = {
    "operators": (
        lambda x: -(x + 1) * x / (x * x + 2) - 3,
        lambda x: -(x + 1) * x / (x * x + 2) - 3,
    ),
    "reflected": (lambda x: 1 - (2 / (3 + x**2)), lambda x: 1 - (2 / (3 + x**2))),
    "matmul": (lambda x: x @ ops.transpose(x), lambda x: x @ x.T),
    "slice": (lambda x: x[:, 1:4], lambda x: x[:, 1:4]),
    "ellipsis and new axis": (lambda x: x[..., None, ::2], lambda x: x[..., None, ::2]),
    "index": (lambda x: x[:, -1], lambda x: x[:, -1]),
    "compare": (lambda x: ops.where(x > 0, x, 0.1 * x), lambda x: np.where(x > 0, x, 0.1 * x)),
    "keywords": (lambda x: ops.sum(x, axis=1, keepdims=True), lambda x: x.sum(1, keepdims=True)),
    "list argument": (
        lambda x: ops.concatenate([x, 2 * x], axis=-1),
        lambda x: np.concatenate([x, 2 * x], axis=-1),
    ),
    "several results": (lambda x: ops.split(x, 2, axis=1)[1], lambda x: np.split(x, 2, axis=1)[1]),
    "array constant": (lambda x: x * np.arange(6.0), lambda x: x * np.arange(6.0)),
    "method shape": (lambda x: ops.reshape(x, (-1, 2, 3)), lambda x: x.reshape(-1, 2, 3)),
}


@pytest.mark.parametrize("name", OPS)
def test_ops_are_nodes(name):
    symbolic, expected = OPS[name]
    x = keras.Input((6,))
    model = keras.Model(x, symbolic(x))
    found = numpy(model(X))
    np.testing.assert_allclose(found, expected(X), rtol=1e-5, atol=1e-6)
    assert len(model.output_shape) == found.ndim
    again = keras.Model.from_config(model.get_config())
    np.testing.assert_array_equal(numpy(again(X)), found)


def test_tensors_in_keyword_arguments():
    class Scaled(layers.Layer):
        def call(self, x, scale=None, shift=0.0):
            return x * scale + shift

    x, factor = keras.Input((3,)), keras.Input((3,))
    model = keras.Model([x, factor], Scaled()(x, scale=factor, shift=2.0))
    np.testing.assert_allclose(numpy(model([A, B])), A * B + 2, rtol=1e-5)


def test_training_reaches_the_layers():
    x = keras.Input((6,))
    model = keras.Model(x, layers.Dropout(0.5, seed=1)(x))
    np.testing.assert_array_equal(numpy(model(X)), X)
    assert (numpy(model(X, training=True)) == 0).any()
    fixed = keras.Model(x, layers.Dropout(0.5, seed=1)(x, training=True))
    assert (numpy(fixed(X)) == 0).any()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda: A, r"2 input\(s\).*'a'.*'b'.*got 1"),
        (lambda: [A, B, A], r"2 input\(s\).*got 3"),
        (lambda: [A, X], r"input 'b'.*expected shape \(None, 3\), got \(4, 6\)"),
        (lambda: [A[0], B], r"input 'a'.*expected shape \(None, 3\), got \(3,\)"),
        (lambda: {"a": A}, r"\['a', 'b'\].*got \['a'\].*\['b'\] missing"),
    ],
)
def test_wrong_inputs_are_told_by_name(given, message):
    model = two_inputs(STRUCTURES["list"])
    with pytest.raises(ValueError, match=message) as caught:
        model(given())
    assert model.name in str(caught.value)


def test_inputs_are_cast_and_fitted():
    x = keras.Input((3,))
    model = keras.Model(x, x * 2)
    for array in (A.astype(np.float64), A.astype(np.float16), A[..., None], A.tolist()):
        found = numpy(model(array))
        assert found.dtype == np.float32 and found.shape == (4, 3)
    integers = keras.Model(*[keras.Input((3,), dtype="int32")] * 2)
    assert numpy(integers(np.ones((2, 3), np.int64))).dtype == np.int32
    ids = keras.Input((1,), dtype="int32")
    assert tuple(keras.Model(ids, layers.Embedding(5, 2)(ids))(np.arange(4)).shape) == (4, 1, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x, other: keras.Model(x, other * 2), "not among"),
        (lambda x, other: keras.Model(x, np.ones(3)), "outputs.*KerasTensor"),
        (lambda x, other: keras.Model(X, x), "inputs.*KerasTensor"),
        (
            lambda x, other: keras.Model(x, [layers.ReLU(name="a")(x), layers.ReLU(name="a")(x)]),
            "name 'a' .*2 (operations|layers|times)",
        ),
    ],
)
def test_graphs_that_can_not_be(make, message):
    x, other = keras.Input((3,), name="x"), keras.Input((3,), name="other")
    with pytest.raises(ValueError, match=message):
        make(x, other)


def test_symbolic_tensors_have_no_values():
    x = keras.Input((3,), name="x")
    for use in (bool, float, int, np.asarray):
        with pytest.raises((ValueError, TypeError), match="symbolic"):
            use(x)
    with pytest.raises(TypeError, match="unknown"):
        iter(x)


# -- structure, weights ---------------------------------------------------------------------


def branched():
    x = keras.Input((6,), name="x")
    left = layers.Dense(3, name="left")(x)
    right = layers.Dense(3, name="right")(x)
    joined = layers.Add(name="sum")([left, right])
    return keras.Model(x, layers.Dense(2, name="head")(joined), name="branched")


def test_layers_and_weights_stand_in_the_graphs_order():
    model = branched()
    assert [layer.name for layer in model.layers] == ["x", "left", "right", "sum", "head"]
    assert [w.path for w in model.weights] == [
        f"{layer}/{weight}" for layer in ("left", "right", "head") for weight in ("kernel", "bias")
    ]
    assert model.count_params() == 2 * (6 * 3 + 3) + 3 * 2 + 2
    assert model.input_shape == (None, 6) and model.output_shape == (None, 2)
    assert model.output_names == ["head"]
    assert len(model.operations) == 5


def test_get_layer():
    model = branched()
    assert model.get_layer("left") is model.layers[1] is model.get_layer(index=1)
    assert model.get_layer(index=-1).name == "head"
    with pytest.raises(ValueError, match=r"'nobody'.*left, right"):
        model.get_layer("nobody")
    with pytest.raises(ValueError, match=r"9.*5 layers"):
        model.get_layer(index=9)
    assert model.get_layer("head", index=1).name == "left"  # the place counts
    with pytest.raises(ValueError, match="give `name` or `index`"):
        model.get_layer()


def test_freezing_a_nested_model():
    x = keras.Input((3,))
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3), layers.BatchNormalization()])
    model = keras.Model(x, layers.Dense(2)(inner(x)))
    assert len(model.trainable_weights) == 6 and len(model.non_trainable_weights) == 2
    inner.trainable = False
    assert not inner.layers[0].trainable
    assert len(model.trainable_weights) == 2 and len(model.weights) == 8
    model.compile("sgd", "mse")
    before = [np.array(w.numpy()) for w in model.weights]
    model.fit(A, B[:, :2], epochs=1, verbose=0)
    changed = [bool((a != w.numpy()).any()) for a, w in zip(before, model.weights)]
    # A frozen BatchNormalization runs in inference mode: its statistics stay.
    head = {id(w) for w in model.layers[-1].weights}
    assert changed == [id(w) in head for w in model.weights]
    model.trainable = True
    assert len(model.trainable_weights) == 6


def test_state_trees():
    model = branched()
    tree_ = model.get_state_tree("numpy_array")
    assert tree_["trainable_variables"]["left"]["kernel"].shape == (6, 3)
    tree_["trainable_variables"]["left"]["bias"] = np.full(3, 7.0, np.float32)
    model.set_state_tree(tree_)
    assert model.get_layer("left").bias.numpy().tolist() == [7, 7, 7]
    with pytest.raises(ValueError, match="nobody"):
        model.set_state_tree({"trainable_variables": {"nobody": {"kernel": 1.0}}})
    with pytest.raises(ValueError, match="value_format"):
        model.get_state_tree("list")
