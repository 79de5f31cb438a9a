"""The call: arguments, training flag, dtypes, errors, layers without a word about shapes."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers as L
from multikeras import ops
from multikeras.backends import native


class Probe(L.Layer):
    """Remembers the training flag and the dtype of its last call."""

    def call(self, x, training=None):
        self.seen = training, ops.dtype(x)
        return x


class Outer(L.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = [Probe(), Probe()]

    def call(self, x):  # does not ask for the flag, which reaches the layers inside all the same
        return self.inner[1](self.inner[0](x))


@pytest.mark.parametrize("flag", [True, False])
def test_the_training_flag_reaches_layers_inside(x, flag):
    outer = Outer()
    outer(x, training=flag)
    outer(x, training=flag)
    assert [probe.seen[0] for probe in outer.inner] == [flag, flag]
    outer(x)
    assert [probe.seen[0] for probe in outer.inner] == [None, None]


def test_a_layer_may_set_another_flag_for_those_inside(x):
    class Fixed(Outer):
        def call(self, x, training=None):
            return self.inner[1](self.inner[0](x, training=False))

    outer = Fixed()
    outer(x, training=True)
    assert [probe.seen[0] for probe in outer.inner] == [False, True]


class Weighted(L.Layer):
    """Two tensors and a setting."""

    def build(self, a_shape, b_shape):
        self.shapes = a_shape, b_shape
        self.w = self.add_weight(shape=b_shape[-1:], initializer="ones", name="w")

    def call(self, a, b, factor=1.0):
        return a + factor * b * self.w


def test_two_arguments_by_position_and_keyword(x):
    for call in (
        lambda layer: layer(x, x, 2.0),
        lambda layer: layer(x, b=x, factor=2.0),
        lambda layer: layer(a=x, b=x, factor=2.0),
    ):
        layer = Weighted()
        for _ in range(2):
            np.testing.assert_allclose(
                ops.convert_to_numpy(call(layer)), 3 * ops.convert_to_numpy(x), rtol=1e-6
            )
        assert layer.shapes == ((2, 3), (2, 3))


def test_two_arguments_in_a_model(x):
    a, b = keras.Input((3,)), keras.Input((3,))
    model = keras.Model([a, b], Weighted()(a, b, factor=2.0))
    np.testing.assert_allclose(
        model.predict([ops.convert_to_numpy(x)] * 2, verbose=0),
        3 * ops.convert_to_numpy(x),
        rtol=1e-6,
    )


def test_structures_come_in_and_go_out(x):
    class Both(L.Layer):
        def call(self, inputs):
            return {"sum": inputs["a"] + inputs["b"][0], "rest": [inputs["b"][1]]}

    out = Both()({"a": x, "b": [x, x]})
    assert sorted(out) == ["rest", "sum"]
    symbol = keras.Input((3,))
    spec = Both()({"a": symbol, "b": [symbol, symbol]})
    assert spec["sum"].shape == spec["rest"][0].shape == (None, 3)


@pytest.mark.parametrize("data", [[[1.0, 2.0]], np.ones((1, 2)), np.ones((1, 2), "float16")])
def test_array_likes_become_tensors_of_the_compute_dtype(data):
    probe = Probe()
    assert native.core.is_tensor(probe(data))
    assert probe.seen[1] == "float32"


@pytest.mark.parametrize(
    "policy, variable, compute",
    [
        ("float32", "float32", "float32"),
        ("mixed_bfloat16", "float32", "bfloat16"),
        (keras.dtype_policies.DTypePolicy("mixed_float16"), "float32", "float16"),
        ("bfloat16", "bfloat16", "bfloat16"),
    ],
)
def test_dtype_policies(x, policy, variable, compute):
    layer = L.Dense(2, dtype=policy)
    out = layer(x)
    assert (layer.variable_dtype, layer.compute_dtype) == (variable, compute)
    assert (layer.kernel.dtype, ops.dtype(out)) == (variable, compute)
    assert ops.dtype(layer.kernel.value) == variable  # cast inside calls only


def test_autocast_casts_floats_alone(x):
    probe = Probe(dtype="bfloat16")
    probe(x)
    assert probe.seen[1] == "bfloat16"
    probe(ops.cast(x, "int32"))
    assert probe.seen[1] == "int32"
    still = Probe(dtype="bfloat16", autocast=False)
    still(x)
    assert still.seen[1] == "float32"


def test_layers_inside_keep_their_own_policy(x):
    class Mixed(L.Layer):
        def __init__(self):
            super().__init__(dtype="mixed_bfloat16")
            self.inner, self.other = (
                L.Dense(2, dtype="float32"),
                L.Dense(2, dtype=self.dtype_policy),
            )

        def call(self, x):
            return self.inner(x), self.other(x)

    first, second = Mixed()(x)
    assert (ops.dtype(first), ops.dtype(second)) == ("float32", "bfloat16")


def test_a_call_without_a_word_about_shapes(x):
    class Ends(L.Layer):
        def call(self, x):
            return ops.concatenate([x[:, :1], x[:, -1:]], axis=-1), ops.sum(x)

    pair, total = Ends()(keras.Input((7,)))
    assert (pair.shape, total.shape) == ((None, 2), ())
    assert Ends().compute_output_shape((5, 7)) == ((5, 2), ())


def test_a_layer_of_layers_is_built_by_a_symbolic_call():
    outer = Outer()
    outer.inner[0] = L.Dense(4)
    out = outer(keras.Input((3,)))
    assert out.shape == (None, 4)
    assert outer.inner[0].kernel.shape == (3, 4)
    again = Outer()
    again.inner[0] = L.Dense(4)
    again.build((None, 3))
    assert again.built and len(again.weights) == 2


def test_lambda(x):
    double = L.Lambda(lambda v, by: v * by, arguments={"by": 2.0})
    np.testing.assert_allclose(ops.convert_to_numpy(double(x)), 2 * ops.convert_to_numpy(x))
    assert double(keras.Input((3,))).shape == (None, 3)
    flagged = L.Lambda(lambda v, training=None: v * (2.0 if training else 1.0))
    np.testing.assert_allclose(
        ops.convert_to_numpy(flagged(x, training=True)), 2 * ops.convert_to_numpy(x)
    )
    with pytest.raises(TypeError, match=r"\(Lambda\): expected a function, got 3"):
        L.Lambda(3)


def test_a_wrapper(x):
    class Twice(L.Wrapper):
        def call(self, inputs):
            return self.layer(self.layer(inputs))

    layer = Twice(L.Dense(3), name="twice")
    layer(x)
    assert [w.path for w in layer.weights] == ["twice/dense/kernel", "twice/dense/bias"]
    with pytest.raises(ValueError, match="expected a layer, got 'dense'"):
        L.Wrapper("dense")


def spec(**kwargs):
    layer = L.Identity(name="me")
    layer.input_spec = L.InputSpec(**kwargs)
    return layer


ONES = np.ones((2, 3), "float32")
BAD_INPUTS = [
    (lambda: spec(ndim=3), ONES, r"expected ndim=3, found ndim=2. Full shape received: \(2, 3\)"),
    (lambda: spec(min_ndim=3), ONES, "expected min_ndim=3, found ndim=2"),
    (lambda: spec(max_ndim=1), ONES, "expected max_ndim=1, found ndim=2"),
    (lambda: spec(axes={-1: 4}), ONES, "expected axis -1 of size 4, found size 3"),
    (lambda: spec(shape=(None, 5)), ONES, r"expected shape=\(None, 5\), found shape=\(2, 3\)"),
    (lambda: spec(dtype="int32"), ONES, "expected dtype=int32, found dtype=float32"),
    (lambda: spec(ndim=2), [ONES, ONES], "expected 1 inputs, got 2"),
    (lambda: spec(ndim=2), {"a": ONES}, r"expected a tensor, got a dict with keys \['a'\]"),
    (lambda: spec(ndim=2), None, "expected a tensor, got None"),
    (lambda: spec(ndim=2), "text", "expected a tensor, got str 'text'"),
    (lambda: spec(ndim=2), np.array([["a"]], object), "expected numbers, found an array of dtype"),
    (lambda: L.Conv2D(2, 2, name="me"), ONES, "expected ndim=4, found ndim=2"),
    (lambda: L.LSTM(2, name="me"), ONES, "expected ndim=3, found ndim=2"),
    (lambda: L.Add(name="me"), ONES, "expected a list of inputs"),
    (lambda: L.Add(name="me"), [ONES, np.ones((2, 4))], r"\(2, 3\) and \(2, 4\)"),
    (lambda: L.Reshape((4, 2), name="me"), ONES, r"on \(2, 3\).*\(4, 2\)"),
    (lambda: L.Attention(name="me"), ONES, r"expected \[query, value\].*got \(2, 3\)"),
]


@pytest.mark.parametrize("make, inputs, words", BAD_INPUTS)
def test_bad_inputs_are_told_by_the_layer(make, inputs, words):
    with pytest.raises(ValueError, match=f"(?s)'me'.*{words}"):
        make()(inputs)


def test_bad_inputs_are_told_after_good_ones(x):
    layer = L.Dense(2, name="me")
    layer(x)
    with pytest.raises(ValueError, match=r"'me'.*expected axis -1 of size 3"):
        layer(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"'me'.*expected axis -1 of size 3"):
        layer(keras.Input((4,)))


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda x: L.Dense(2, name="me")(x, x, x), "'me'.*too many positional"),
        (lambda x: L.Dense(2, name="me")(x, foo=1), "'me'.*'foo'"),
        (lambda x: L.MultiHeadAttention(1, 2, name="me")(x), "'me'.*'value'"),
    ],
)
def test_wrong_arguments_are_told_by_the_layer(x, call, words):
    with pytest.raises(TypeError, match=words):
        call(x)


def test_a_constructor_that_forgets_super(x):
    class Forgets(L.Layer):
        def __init__(self):
            self.size = 2

        def call(self, x):
            return x

    with pytest.raises(RuntimeError, match=r"Forgets.__init__ did not call super\(\)"):
        Forgets()(x)


def test_a_layer_without_call_or_with_unknown_arguments(x):
    with pytest.raises(NotImplementedError, match="has no call"):
        L.Layer()(x)
    with pytest.raises(ValueError, match=r"Dense: unknown argument\(s\) 'colour'"):
        L.Dense(2, colour="red")


# -- pure functions -----------------------------------------------------------------------------


def test_stateless_call_leaves_the_state_alone(x):
    layer = L.BatchNormalization(momentum=0.5)
    layer(x)
    before = layer.get_weights()
    trainable = [ops.convert_to_tensor(v.numpy() + 1) for v in layer.trainable_variables]
    frozen = [ops.convert_to_tensor(v.numpy()) for v in layer.non_trainable_variables]
    outputs, new, losses = layer.stateless_call(
        trainable, frozen, x, training=True, return_losses=True
    )
    for now, old in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, old)
    host = ops.convert_to_numpy(x)
    normal = (host - host.mean(0)) / np.sqrt(host.var(0) + 1e-3)
    np.testing.assert_allclose(ops.convert_to_numpy(outputs), 2 * normal + 1, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(new[0]), host.mean(0) / 2, rtol=1e-5)
    assert losses == []


def test_stateless_call_threads_seeds(x):
    layer = L.Dropout(0.5, seed=1)
    layer.build((2, 3))
    state = [v.value for v in layer.non_trainable_variables]
    ones = np.ones((20, 20), "float32")
    first, after = layer.stateless_call([], state, ones, training=True)
    again, _ = layer.stateless_call([], state, ones, training=True)
    second, _ = layer.stateless_call([], after, ones, training=True)
    first, again, second = map(ops.convert_to_numpy, (first, again, second))
    assert (first == again).all() and (first != second).any()


def test_stateless_call_counts_its_values(x):
    layer = L.Dense(2, name="me")
    with pytest.raises(ValueError, match=r"'me'.*build the layer first"):
        layer.stateless_call([], [], x)
    layer(x)
    with pytest.raises(ValueError, match=r"'me'.*expected 2 trainable_variables, got 1"):
        layer.stateless_call([layer.kernel.value], [], x)
