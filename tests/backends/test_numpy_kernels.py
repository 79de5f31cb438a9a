"""The NumPy backend's fused kernels.

Every kernel: its gradient against central differences in float64 along random directions, its
values and gradients against PyTorch where that is installed, and its dtypes.
"""

from __future__ import annotations

import math

import autograd.numpy as anp
import ml_dtypes
import numpy as np
import pytest

from multikeras.backends.numpy import (
    _gradients,
    _windows,
    convolution,
    neural,
    recurrent,
    reductions,
)


def arrays(*shapes, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(s) * scale for s in shapes]


def probabilities(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0.1, 0.9, shape)


LABELS = np.array([2, 0, 1, 2])
MASK = np.array([[0, 1, 1, 0, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]], bool)
ATTENTION_MASK = np.random.default_rng(5).uniform(size=(2, 1, 3, 5)) > 0.3
ATTENTION_MASK[0, 0, 1] = False


def conv_case(name, x, kernel, *rest, function=convolution.conv_nd):
    return name, function, arrays(x, kernel), rest, {}


def recurrent_cases():
    cases = []
    x, h, c, k4, r4, b4, k3, r3, b3, b23, k1, r1, b1 = arrays(
        (3, 5, 4), (3, 2), (3, 2), (4, 8), (2, 8), (8,), (4, 6), (2, 6), (6,), (2, 6), (4, 2),
        (2, 2), (2,), scale=0.7,
    )  # fmt: skip
    for mask in (None, MASK):
        for backwards in (False, True):
            tag = f"{'masked' if mask is not None else ''}{'_backwards' if backwards else ''}"
            flow = {"mask": mask, "go_backwards": backwards}
            cases += [
                (f"lstm_{tag}", recurrent.lstm, [x, h, c, k4, r4, b4], (), flow),
                (f"lstm_no_bias_{tag}", recurrent.lstm, [x, h, c, k4, r4], (None,), flow),
                (f"gru_{tag}", recurrent.gru, [x, h, k3, r3, b23], (), flow),
                (
                    f"gru_reset_before_{tag}",
                    recurrent.gru,
                    [x, h, k3, r3, b3],
                    (),
                    {**flow, "reset_after": False},
                ),
            ]
            cases += [
                (
                    f"rnn_{activation}_{tag}",
                    recurrent.simple_rnn,
                    [x, h, k1, r1, b1],
                    (),
                    {**flow, "activation": activation},
                )
                for activation in sorted(recurrent.RNN_ACTIVATIONS)
            ]
    return cases


def attention_case(name, query=(2, 3, 4, 6), heads=4, extra=(), **kwargs):
    shapes = [query, (2, 5, heads, 6), (2, 5, heads, 6), *extra]
    return name, neural.dot_product_attention, arrays(*shapes), (), kwargs


# name, function, differentiated leading arguments, further positional arguments, keywords
CASES = [
    *(
        (f"dense_{a}_{len(s)}d", neural.dense, arrays(s, (4, 3), (3,)), (a,), {})
        for a in (None, "linear", "relu", "tanh", "sigmoid", "softmax")
        for s in ((5, 4), (2, 3, 4), (4,))
    ),
    ("dense_no_bias", neural.dense, arrays((5, 4), (4, 3)), (), {}),
    *(
        (f.__name__, f, arrays((3, 4), scale=2.0), (), {})
        for f in (neural.relu, neural.sigmoid, neural.softplus, neural.silu, neural.erf)
    ),
    ("gelu_tanh", neural.gelu, arrays((3, 4), scale=2.0), (True,), {}),
    ("gelu_exact", neural.gelu, arrays((3, 4), scale=2.0), (False,), {}),
    *(
        (f"{f.__name__}_{axis}", f, arrays((3, 4, 2)), (axis,), {})
        for f in (neural.softmax, neural.log_softmax)
        for axis in (-1, 0, (0, 2))
    ),
    *(
        (
            f"{f.__name__}_{logits}",
            f,
            [probabilities(4, 3), probabilities(4, 3, seed=1)],
            (logits,),
            {},
        )
        for f in (neural.categorical_crossentropy, neural.binary_crossentropy)
        for logits in (False, True)
    ),
    (
        "categorical_crossentropy_axis",
        neural.categorical_crossentropy,
        [probabilities(2, 3, 4), probabilities(2, 3, 4, seed=1)],
        (False, 1),
        {},
    ),
    *(
        (
            f"batch_normalization_{axis}_{bool(extra)}",
            neural.batch_normalization,
            [*arrays((3, 4, 4)), *arrays((4,)), probabilities(4)],
            (axis,),
            dict(zip(("offset", "scale"), arrays((4,), (4,), seed=3), strict=True))
            if extra
            else {},
        )
        for axis in (-1, 1)
        for extra in (False, True)
    ),
    (
        "batch_normalization_train",
        neural.batch_normalization_train,
        arrays((5, 2, 3), (3,), (3,)),
        ((0, 1), 1e-3),
        {},
    ),
    (
        "batch_normalization_train_channels_first",
        neural.batch_normalization_train,
        arrays((5, 3, 2), (3,), (3,)),
        ((0, 2), 1e-3),
        {},
    ),
    (
        "batch_normalization_train_plain",
        neural.batch_normalization_train,
        arrays((6, 3)),
        (None, None, (0,), 1e-3),
        {},
    ),
    *(
        (f"layer_normalization_{axis}", neural.layer_normalization, arrays(*s), (axis, 1e-3), {})
        for axis, s in (
            (-1, ((3, 4, 5), (5,), (5,))),
            (1, ((3, 4, 5), (4,), (4,))),
            ((1, 2), ((3, 4, 5), (4, 5), (4, 5))),
        )
    ),
    ("layer_normalization_plain", neural.layer_normalization, arrays((3, 5)), (), {}),
    ("rms_normalization", neural.rms_normalization, arrays((3, 4, 5), (5,)), (-1, 1e-3), {}),
    ("rms_normalization_axis", neural.rms_normalization, arrays((3, 4, 5), (4,)), (1,), {}),
    attention_case("attention"),
    attention_case("attention_grouped", heads=2),
    attention_case("attention_bias", extra=((2, 4, 3, 5),)),
    attention_case("attention_bias_broadcast", heads=2, extra=((1, 1, 3, 5),)),
    attention_case("attention_causal", is_causal=True, scale=0.3),
    attention_case("attention_masked", mask=ATTENTION_MASK, heads=1, is_causal=True),
    conv_case("conv1d_causal", (2, 9, 3), (3, 3, 4), (2,), "causal", "channels_last", (1,)),
    conv_case("conv1d_dilated", (2, 9, 3), (3, 3, 4), (1,), "same", "channels_last", (2,)),
    conv_case("conv2d", (3, 7, 6, 2), (3, 3, 2, 4), (1, 1), "valid", "channels_last", (1, 1)),
    conv_case("conv2d_wide", (2, 5, 5, 8), (3, 3, 8, 3), (1, 1), "same", "channels_last", (1, 1)),
    conv_case(
        "conv2d_wide_dilated", (2, 7, 8, 18), (2, 3, 18, 3), (1, 1), "same", "channels_last", (2, 2)
    ),
    conv_case(
        "conv2d_strided", (3, 7, 6, 2), (3, 2, 2, 4), (2, 3), "same", "channels_last", (1, 1)
    ),
    conv_case("conv2d_first", (3, 2, 7, 6), (3, 3, 2, 4), (2, 1), "same", "channels_first", (1, 1)),
    conv_case("conv2d_1x1", (3, 5, 6, 2), (1, 1, 2, 4), (1, 1), "same", "channels_last", (1, 1)),
    conv_case(
        "conv2d_1x1_strided", (3, 5, 6, 2), (1, 1, 2, 4), (2, 2), "same", "channels_last", (1, 1)
    ),
    conv_case(
        "conv2d_grouped", (2, 5, 6, 4), (3, 3, 2, 6), (1, 1), "same", "channels_last", (1, 1)
    ),
    conv_case(
        "conv3d", (2, 4, 5, 3, 2), (2, 2, 2, 2, 3), (1, 2, 1), "same", "channels_last", (1, 1, 1)
    ),
    *(
        conv_case(
            f"depthwise_{m}_{p}",
            (2, 6, 5, 3),
            (3, 2, 3, m),
            (s, s),
            p,
            "channels_last",
            (1, 1),
            function=convolution.depthwise_conv_nd,
        )
        for m, p, s in ((1, "same", 1), (2, "valid", 2))
    ),
    conv_case(
        "depthwise_first",
        (2, 3, 6, 5),
        (3, 2, 3, 2),
        (1, 1),
        "same",
        "channels_first",
        (1, 1),
        function=convolution.depthwise_conv_nd,
    ),
    *(
        conv_case(f"transposed_{i}", shape, kernel, *rest, function=convolution.conv_transpose_nd)
        for i, (shape, kernel, *rest) in enumerate(
            (
                ((2, 4, 3, 3), (3, 3, 2, 3), (2, 2), "same", None, "channels_last", (1, 1)),
                ((2, 4, 3, 3), (3, 2, 2, 3), (2, 1), "valid", (1, 0), "channels_last", (1, 1)),
                ((2, 3, 4, 3), (4, 3, 2, 3), (3, 2), "same", (2, 1), "channels_first", (1, 1)),
                ((2, 5, 3), (1, 2, 3), (2,), "valid", None, "channels_last", (1,)),
                ((2, 5, 3), (3, 2, 3), (1,), "same", None, "channels_last", (2,)),
                (
                    (1, 2, 3, 2, 2),
                    (2, 2, 2, 3, 2),
                    (2, 2, 2),
                    "same",
                    None,
                    "channels_last",
                    (1, 1, 1),
                ),
            )
        )
    ),
    *(
        (f"{f.__name__.removesuffix('_nd')}_{i}", f, arrays(shape), rest, {})
        for f in (convolution.max_pool_nd, convolution.average_pool_nd)
        for i, (shape, *rest) in enumerate(
            (
                ((2, 6, 4, 3), (2, 2), (2, 2), "valid", "channels_last"),
                ((2, 7, 5, 3), (2, 2), (2, 2), "valid", "channels_last"),
                ((2, 7, 5, 3), (2, 2), (2, 2), "same", "channels_last"),
                ((2, 7, 5, 3), (3, 3), (1, 2), "same", "channels_last"),
                ((2, 7, 5, 3), (2, 1), (3, 2), "valid", "channels_last"),
                ((2, 3, 6, 4), (3, 2), (2, 2), "same", "channels_first"),
                ((2, 9, 3), (3,), (2,), "same", "channels_last"),
                ((1, 4, 5, 4, 2), (2, 2, 2), (2, 2, 2), "same", "channels_last"),
            )
        )
    ),
    *recurrent_cases(),
]
BY_NAME = {case[0]: case for case in CASES}
assert len(BY_NAME) == len(CASES)


def projected_loss(outputs, weights):
    """A scalar that depends on every element of every differentiable output."""
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return sum(anp.sum(y * w) for y, w in zip(outputs, weights, strict=False))


def weights_for(function, values, rest, kwargs):
    answer = function(*values, *rest, **kwargs)
    answer = answer if isinstance(answer, tuple) else (answer,)
    # Statistics of a batch are constants to the gradient: only what is traced is weighed.
    count = 1 if function is neural.batch_normalization_train else len(answer)
    return arrays(*(y.shape for y in answer[:count]), seed=9)


@pytest.mark.parametrize("name", BY_NAME)
def test_gradient_matches_central_differences(name):
    _, function, values, rest, kwargs = BY_NAME[name]
    weights = weights_for(function, values, rest, kwargs)

    def loss(v):
        return projected_loss(function(*v, *rest, **kwargs), weights)

    value, _, gradients = _gradients.run(lambda v: (loss(v), None), values)
    np.testing.assert_allclose(value, loss(values), rtol=1e-12)
    step = 1e-6
    for i, (v, g) in enumerate(zip(values, gradients, strict=True)):
        assert g.shape == v.shape
        for direction in arrays(v.shape, v.shape, seed=20 + i):
            ends = [loss([*values[:i], v + s * direction, *values[i + 1 :]]) for s in (step, -step)]
            numeric = (ends[0] - ends[1]) / (2 * step)
            np.testing.assert_allclose(np.sum(g * direction), numeric, rtol=2e-6, atol=2e-7)


@pytest.mark.parametrize("name", BY_NAME)
def test_float32_stays_float32_and_raw_function_agrees(name):
    _, function, values, rest, kwargs = BY_NAME[name]
    weights = [w.astype("float32") for w in weights_for(function, values, rest, kwargs)]
    single = [v.astype("float32") for v in values]
    kwargs = {k: v.astype("float32") if _is_float(v) else v for k, v in kwargs.items()}
    seen = []

    def loss(v):
        y = function(*v, *rest, **kwargs)
        seen.extend(y if isinstance(y, tuple) else (y,))
        return projected_loss(y, weights), y

    value, aux, gradients = _gradients.run(loss, single)
    assert value.dtype == np.float32
    assert all(y.dtype == np.float32 for y in seen)
    assert all(g.dtype == np.float32 for g in gradients)
    raw = function.fun(*single, *rest, **kwargs)
    for a, b in zip(
        aux if isinstance(aux, tuple) else (aux,),
        raw if isinstance(raw, tuple) else (raw,),
        strict=True,
    ):
        assert type(a) is np.ndarray
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def _is_float(x):
    return isinstance(x, np.ndarray) and x.dtype == np.float64


HALF_CASES = [
    "dense_relu_2d",
    "relu",
    "gelu_exact",
    "conv2d",
    "max_pool_0",
    "lstm_",
    "attention",
    "layer_normalization_-1",
    "batch_normalization_train",
    "categorical_crossentropy_True",
]


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", HALF_CASES)
def test_16_bit_floats_are_computed_in_float32_and_rounded(name, dtype):
    _, function, values, rest, kwargs = BY_NAME[name]
    narrow = [v.astype(dtype) for v in values]
    wide = [v.astype(np.float32) for v in narrow]
    expected = function(*wide, *rest, **kwargs)
    answer = function(*narrow, *rest, **kwargs)
    pairs = zip(*(a if isinstance(a, tuple) else (a,) for a in (answer, expected)), strict=True)
    for a, e in pairs:
        assert a.dtype == dtype
        np.testing.assert_array_equal(a, e.astype(dtype))

    def loss(v):
        y = function(*v, *rest, **kwargs)
        y = y[0] if isinstance(y, tuple) else y
        return anp.sum(y * y * y), None

    _, _, gradients = _gradients.run(loss, narrow)
    _, _, exact = _gradients.run(loss, wide)
    for g, e in zip(gradients, exact, strict=True):
        assert g.dtype == dtype
        scale = np.abs(e).max()
        np.testing.assert_allclose(g.astype("float32"), e, atol=0.02 * scale)


# --------------------------------------------------------------------------------------- values


def test_erf_against_the_c_library():
    x = np.concatenate([np.linspace(-7, 7, 4001), [0.46875, 4.0, np.inf, -np.inf]])
    exact = np.array([math.erf(v) for v in x])
    np.testing.assert_allclose(neural.erf(x), exact, rtol=0, atol=3e-16)
    single = neural.erf(x.astype("float32"))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, exact, rtol=0, atol=4e-7)
    assert np.isnan(neural.erf(np.array([np.nan]))).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_extreme_inputs_stay_finite_and_silent(dtype):
    x = np.array([-6e4, -100.0, 0.0, 100.0, 6e4], dtype)
    with np.errstate(all="raise", under="ignore"):
        for f, expected in (
            (neural.sigmoid, [0, 0, 0.5, 1, 1]),
            (neural.softmax, [0, 0, 0, 0, 1]),
            (neural.softplus, [0, 0, math.log(2), 100, 6e4]),
            (neural.silu, [0, 0, 0, 100, 6e4]),
        ):
            np.testing.assert_allclose(f(x), np.array(expected), rtol=2e-3, atol=1e-7)
    assert neural.sigmoid(np.array([-80.0], "float32"))[0] == pytest.approx(math.exp(-80), rel=1e-5)


def test_nan_is_not_hidden():
    x = np.array([[1.0, np.nan]], "float32")
    for f in (neural.relu, neural.sigmoid, neural.softmax, neural.softplus, neural.gelu):
        assert np.isnan(f(x)).any()


# From the meaning of the losses, worked by hand: probabilities divided by their sum, then kept
# 1e-7 away from 0 and 1.
@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_crossentropy_of_probabilities(shape):
    p = np.array([[0.2, 0.3, 0.1], [0.9, 0.0, 0.3], [0.0, 0.0, 1.0]], "float32")
    target = np.array([1, 1, 2])
    expected = [math.log(2), -math.log(1e-7), -math.log(1 - 1e-7)]
    one_hot = np.eye(3, dtype="float32")[target]
    sparse = neural.sparse_categorical_crossentropy(target.reshape(shape), p)
    np.testing.assert_allclose(sparse, expected, atol=2e-7, rtol=1e-6)
    dense = neural.categorical_crossentropy(one_hot, p)
    np.testing.assert_allclose(dense, expected, atol=2e-7, rtol=1e-6)
    across = neural.sparse_categorical_crossentropy(target, p.T.copy(), axis=0)
    np.testing.assert_allclose(across, expected, atol=2e-7, rtol=1e-6)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_sparse_crossentropy_is_the_dense_one_of_one_hot_labels(from_logits, axis):
    output = np.moveaxis(probabilities(2, 2, 3), -1, axis)
    labels = LABELS.reshape(2, 2)
    one_hot = np.moveaxis(np.eye(3)[labels], -1, axis)
    (w,) = arrays((2, 2))
    runs = [
        _gradients.run(
            lambda v, f=f, t=t: (anp.sum(w * f(t, v[0], from_logits, axis)), None), [output]
        )
        for f, t in (
            (neural.sparse_categorical_crossentropy, labels),
            (neural.categorical_crossentropy, one_hot),
        )
    ]
    np.testing.assert_allclose(runs[0][0], runs[1][0], rtol=1e-12)
    np.testing.assert_allclose(runs[0][2][0], runs[1][2][0], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("label", [-1, 3])
def test_labels_outside_the_classes_are_refused(label):
    with pytest.raises(ValueError, match=r"labels must be in \[0, 3\).*got"):
        neural.sparse_categorical_crossentropy(np.array([0, label]), probabilities(2, 3))
    with pytest.raises(ValueError, match="shape of output without its class axis"):
        neural.sparse_categorical_crossentropy(np.array([0, 1, 2]), probabilities(2, 3))


def test_fully_masked_attention_row_is_the_mean_of_the_values():
    q, k, v = arrays((1, 2, 1, 4), (1, 3, 1, 4), (1, 3, 1, 4))
    mask = np.array([[[[True, True, True], [False, False, False]]]])
    y = neural.dot_product_attention(q, k, v, mask=mask)
    np.testing.assert_allclose(y[0, 1, 0], v[0, :, 0].mean(0))


def test_equal_maxima_give_the_gradient_to_the_first():
    x = np.zeros((1, 4, 4, 1))
    for strides in ((2, 2), (1, 1)):
        _, _, (g,) = _gradients.run(
            lambda v, s=strides: (
                anp.sum(convolution.max_pool_nd(v[0], (2, 2), s, "valid", "channels_last")),
                None,
            ),
            [x],
        )
        expected = np.zeros((4, 4))
        expected[: 4 - (strides[0] == 1) : strides[0], : 4 - (strides[1] == 1) : strides[1]] = 1
        np.testing.assert_array_equal(g[0, :, :, 0], expected)


def test_leading_masked_steps_answer_zero_and_keep_the_state():
    _, _, (x, h, c, k, r, b), _, _ = BY_NAME["lstm_masked"]
    outputs, last_h, last_c = recurrent.lstm(x, h, c, k, r, b, mask=MASK)
    np.testing.assert_array_equal(outputs[0, 0], 0)
    np.testing.assert_array_equal(outputs[0, 3], outputs[0, 2])
    np.testing.assert_array_equal(outputs[2], 0)
    np.testing.assert_array_equal(last_h[2], h[2])
    np.testing.assert_array_equal(last_c[2], c[2])
    np.testing.assert_array_equal(last_h[0], outputs[0, -1])


def test_going_backwards_is_going_forwards_over_reversed_steps():
    _, _, (x, h, k, r, b), _, _ = BY_NAME["gru_masked"]
    a = recurrent.gru(x, h, k, r, b, mask=MASK, go_backwards=True)
    e = recurrent.gru(x[:, ::-1], h, k, r, b, mask=MASK[:, ::-1])
    for left, right in zip(a, e, strict=True):
        np.testing.assert_array_equal(left, right)


# The answer to [1, 0, 100] under the kernel [1, 2, ...].
@pytest.mark.parametrize(
    ("size", "stride", "padding", "output_padding", "dilation", "expected"),
    [
        (2, 1, "valid", None, 1, [1, 2, 100, 200]),
        (2, 3, "valid", None, 1, [1, 2, 0, 0, 0, 0, 100, 200, 0]),
        (2, 3, "valid", 0, 1, [1, 2, 0, 0, 0, 0, 100, 200]),
        (3, 2, "valid", 1, 1, [1, 2, 3, 0, 100, 200, 300, 0]),
        (2, 2, "same", None, 1, [1, 2, 0, 0, 100, 200]),
        (2, 2, "same", 0, 1, [2, 0, 0, 100]),
        (2, 2, "same", 1, 1, [1, 2, 0, 0, 100]),
        (4, 2, "same", None, 1, [2, 3, 4, 100, 200, 300]),
        (4, 3, "same", 1, 1, [2, 3, 4, 0, 0, 100, 200]),
        (4, 1, "same", None, 2, [0, 203, 0]),
    ],
)
def test_where_a_transposed_convolution_puts_things(
    size, stride, padding, output_padding, dilation, expected
):
    x = np.array([1.0, 0.0, 100.0]).reshape(1, 3, 1)
    kernel = np.arange(1.0, size + 1).reshape(size, 1, 1)
    rest = ((stride,), padding, output_padding, "channels_last", (dilation,))
    np.testing.assert_array_equal(
        convolution.conv_transpose_nd(x, kernel, *rest)[0, :, 0], expected
    )


def test_sums_over_many_rows():
    x, k, b = arrays((200, 3), (3, 4), (4,))
    _, _, grads = _gradients.run(lambda v: (anp.sum(neural.dense(*v) ** 2), None), [x, k, b])
    np.testing.assert_allclose(grads[2], 2 * (x @ k + b).sum(0))
    _, _, grads = _gradients.run(
        lambda v: (anp.sum(neural.layer_normalization(*v, epsilon=1e-3) ** 2), None),
        [x, *arrays((3,), (3,))],
    )
    np.testing.assert_allclose(
        grads[2], 2 * neural.layer_normalization(x, *arrays((3,), (3,)), epsilon=1e-3).sum(0)
    )


def test_large_batches_run_in_blocks(monkeypatch):
    _, _, (x, kernel), rest, _ = BY_NAME["conv2d_strided"]
    _, _, (wide, wide_kernel), wide_rest, _ = BY_NAME["conv2d_wide"]
    for a, k, r in ((x, kernel, rest), (wide, wide_kernel, wide_rest)):
        results = []
        for size in (1 << 22, 1, 2500):
            monkeypatch.setattr(_windows, "BLOCK_BYTES", size)
            results.append(
                _gradients.run(
                    lambda v, r=r: (anp.sum(convolution.conv_nd(*v, *r) ** 2), None), [a, k]
                )
            )
        for value, _, gradients in results[1:]:
            np.testing.assert_allclose(value, results[0][0])
            for g, e in zip(gradients, results[0][2], strict=True):
                np.testing.assert_allclose(g, e)


def test_kernel_and_channels_that_do_not_fit_are_refused():
    x, k = arrays((1, 5, 5, 3), (3, 3, 2, 4))
    with pytest.raises(ValueError, match="conv: a kernel of shape"):
        convolution.conv_nd(x, k, (1, 1), "valid", "channels_last", (1, 1))


# ---------------------------------------------------------------------------------- against torch


def conv_by_torch(torch, x, k, strides, padding, data_format, dilation, groups=1, depthwise=False):
    n = len(strides)
    if data_format == "channels_last":
        x = torch.movedim(x, -1, 1)
    if depthwise:
        groups = k.shape[-2]
        w = k.permute(n, n + 1, *range(n)).reshape(-1, 1, *k.shape[:n])
    else:
        groups = x.shape[1] // k.shape[-2]
        w = k.permute(n + 1, n, *range(n))
    pads = _windows.pads_of(x.shape[2:], k.shape[:n], strides, dilation, padding)
    flat = [p for pair in reversed(pads) for p in pair]
    f = getattr(torch.nn.functional, f"conv{n}d")
    y = f(torch.nn.functional.pad(x, flat), w, None, strides, 0, dilation, groups)
    return torch.movedim(y, 1, -1) if data_format == "channels_last" else y


def lstm_by_torch(torch, x, h, c, k, r, b):
    cell = lambda *a: torch._VF.lstm(*a)  # noqa: E731
    flat = [k.T, r.T, b, torch.zeros_like(b)]
    y, hn, cn = cell(x, (h[None], c[None]), flat, True, 1, 0.0, False, False, True)
    return y, hn[0], cn[0]


def gru_by_torch(torch, x, h, k, r, b):
    def swap(w):
        z, reset, candidate = w.chunk(3, -1)
        return torch.cat([reset, z, candidate], -1)

    flat = [swap(k).T, swap(r).T, swap(b[0]), swap(b[1])]
    y, hn = torch._VF.gru(x, h[None], flat, True, 1, 0.0, False, False, True)
    return y, hn[0]


def attention_by_torch(torch, q, k, v, bias=None, **kwargs):
    q, k, v = (t.transpose(1, 2) for t in (q, k, v))
    mask = kwargs.pop("mask", None)
    if mask is not None:
        raise AssertionError
    f = torch.nn.functional.scaled_dot_product_attention
    y = f(q, k, v, attn_mask=bias, enable_gqa=True, **kwargs)
    return y.transpose(1, 2)


TORCH = {
    "dense_relu_2d": lambda t, x, k, b, _: t.relu(x @ k + b),
    "dense_softmax_3d": lambda t, x, k, b, _: t.softmax(x @ k + b, -1),
    "sigmoid": lambda t, x: t.sigmoid(x),
    "softplus": lambda t, x: t.nn.functional.softplus(x),
    "silu": lambda t, x: t.nn.functional.silu(x),
    "erf": lambda t, x: t.erf(x),
    "gelu_tanh": lambda t, x, _: t.nn.functional.gelu(x, approximate="tanh"),
    "gelu_exact": lambda t, x, _: t.nn.functional.gelu(x),
    "log_softmax_0": lambda t, x, _: t.log_softmax(x, 0),
    "categorical_crossentropy_True": lambda t, y, x, _: -(y * t.log_softmax(x, -1)).sum(-1),
    "binary_crossentropy_True": lambda t, y, x, _: (
        t.nn.functional.binary_cross_entropy_with_logits(x, y, reduction="none")
    ),
    "binary_crossentropy_False": lambda t, y, x, _: (
        -(y * t.log(x) + (1 - y) * t.log(1 - x))
    ),
    "batch_normalization_train": lambda t, x, o, s, *_: t.movedim(
        t.nn.functional.batch_norm(
            t.movedim(x, -1, 1), None, None, s, o, training=True, eps=1e-3
        ), 1, -1,
    ),
    "layer_normalization_-1": lambda t, x, g, b, *_: (
        t.nn.functional.layer_norm(x, (5,), g, b, 1e-3)
    ),
    "rms_normalization": lambda t, x, s, *_: t.nn.functional.rms_norm(x, (5,), s, 1e-3),
    "attention": attention_by_torch,
    "attention_grouped": attention_by_torch,
    "attention_bias": attention_by_torch,
    "attention_causal": attention_by_torch,
    **{name: conv_by_torch for name in BY_NAME if name.startswith("conv")},
    **{
        name: lambda t, *a: conv_by_torch(t, *a, depthwise=True)
        for name in BY_NAME
        if name.startswith("depthwise")
    },
    "max_pool_0": lambda t, x, *_: t.movedim(
        t.nn.functional.max_pool2d(t.movedim(x, -1, 1), 2), 1, -1
    ),
    "average_pool_1": lambda t, x, *_: t.movedim(
        t.nn.functional.avg_pool2d(t.movedim(x, -1, 1), 2), 1, -1
    ),
    "lstm_": lambda t, *a, **_: lstm_by_torch(t, *a),
    "gru_": lambda t, *a, **_: gru_by_torch(t, *a),
}  # fmt: skip


@pytest.mark.parametrize("name", TORCH)
def test_values_and_gradients_match_torch(name):
    torch = pytest.importorskip("torch")
    _, function, values, rest, kwargs = BY_NAME[name]
    weights = weights_for(function, values, rest, kwargs)

    def loss(v):
        y = function(*v, *rest, **kwargs)
        return projected_loss(y, weights), y

    _, answer, gradients = _gradients.run(loss, values)
    tensors = [torch.tensor(v, requires_grad=True) for v in values]
    expected = TORCH[name](torch, *tensors, *rest, **kwargs)
    expected = expected if isinstance(expected, tuple) else (expected,)
    total = sum((e * torch.tensor(w)).sum() for e, w in zip(expected, weights, strict=True))
    total.backward()
    for a, e in zip(answer if isinstance(answer, tuple) else (answer,), expected, strict=False):
        np.testing.assert_allclose(a, e.detach().numpy(), rtol=1e-9, atol=1e-12)
    for g, t in zip(gradients, tensors, strict=True):
        np.testing.assert_allclose(g, t.grad.numpy(), rtol=1e-8, atol=1e-12)


# --------------------------------------------------------------------------- higher derivatives


@pytest.mark.parametrize("name", BY_NAME)
def test_second_derivatives_of_kernels_with_a_composed_form(name):
    _, function, values, rest, kwargs = BY_NAME[name]
    weights = weights_for(function, values, rest, kwargs)

    def inner(v):
        _, _, grads = _gradients.run(
            lambda u: (projected_loss(function(*u, *rest, **kwargs), weights), None), v
        )
        return sum(anp.sum(g * g) for g in grads)

    _, _, gradients = _gradients.run(lambda v: (inner(v), None), values)
    step = 1e-6
    for i, (v, g) in enumerate(zip(values, gradients, strict=True)):
        (direction,) = arrays(v.shape, seed=3)
        ends = [inner([*values[:i], v + s * direction, *values[i + 1 :]]) for s in (step, -step)]
        np.testing.assert_allclose(
            np.sum(g * direction), (ends[0] - ends[1]) / (2 * step), rtol=1e-5, atol=1e-7
        )


def test_second_derivatives_without_one_are_refused():
    (x,) = arrays((4,))

    def inner(v):
        _, _, (g,) = _gradients.run(
            lambda u: (anp.sum(reductions._cumprod(u[0], 0) ** 2), None), [v[0]]
        )
        return anp.sum(g * g), None

    with pytest.raises(NotImplementedError, match="_cumprod: only first derivatives"):
        _gradients.run(inner, [x])
