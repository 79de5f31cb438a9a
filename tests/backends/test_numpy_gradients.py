"""The NumPy backend's gradient engine: what it returns, refuses and keeps in float32."""

from __future__ import annotations

import autograd.numpy as anp
import ml_dtypes
import numpy as np
import pytest

from multikeras.backends.numpy import _gradients, neural


def arrays(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(s) for s in shapes]


def test_run_returns_value_aux_and_gradients_of_every_value():
    x, y, unused = np.array([1.0, 2.0], "f"), np.array(3.0, "f"), np.ones((2, 2), "float16")

    def fn(v):
        product = v[0] * v[1]
        return anp.sum(product), {"product": [product, None], "plain": 4}

    value, aux, gradients = _gradients.run(fn, [x, y, unused])
    assert (value, value.dtype) == (9.0, np.float32)
    np.testing.assert_array_equal(aux["product"][0], [3.0, 6.0])
    assert type(aux["product"][0]) is np.ndarray
    assert aux["product"][1] is None and aux["plain"] == 4
    for g, e in zip(gradients, ([3.0, 3.0], 3.0, np.zeros((2, 2))), strict=True):
        np.testing.assert_array_equal(g, e)
    assert [g.dtype.name for g in gradients] == ["float32", "float32", "float16"]


def test_loss_that_depends_on_nothing_has_zero_gradients():
    value, aux, (g,) = _gradients.run(lambda v: (np.float32(2.0), None), [np.ones(3, "f")])
    assert value == 2.0 and aux is None
    np.testing.assert_array_equal(g, np.zeros(3))


FLOAT32_GRAPHS = {
    "power": lambda x: anp.sum(x**2.5),
    "power_of_array": lambda x: anp.sum(x ** anp.abs(x)),
    "mean_var_std": lambda x: anp.mean(x) + anp.var(x) + anp.std(x),
    "logsumexp": lambda x: anp.log(anp.sum(anp.exp(x))),
    "sqrt_abs": lambda x: anp.sum(anp.sqrt(anp.abs(x) + 1.0)),
    "where": lambda x: anp.sum(anp.where(x > 0, x, 0.1 * x)),
    "prod": lambda x: anp.prod(x),
    "norm": lambda x: anp.linalg.norm(x),
    "sinc_arctan2": lambda x: anp.sum(anp.sinc(x) + anp.arctan2(x, x + 3.0)),
    "concatenate": lambda x: anp.sum(anp.concatenate([x, x * 2.0]) ** 3),
    "getitem": lambda x: anp.sum(x[np.array([0, 0, 1])] * x[1:2]) + x[0] * x[2],
    "cast": lambda x: anp.sum(x.astype("float32") * 2.0),
}


@pytest.mark.parametrize("name", FLOAT32_GRAPHS)
def test_no_float32_gradient_is_carried_in_float64(name):
    x = np.array([0.5, -1.5, 2.0], "float32")
    x = np.abs(x) if name.startswith("power") else x
    f = FLOAT32_GRAPHS[name]
    _, _, (wide,) = _gradients.run(lambda v: (f(v[0]), None), [x.astype("float64")])
    _, _, (g,) = _gradients.run(lambda v: (f(v[0]), None), [x])
    assert g.dtype == np.float32
    np.testing.assert_allclose(g, wide, rtol=1e-4)
    # What a rule of autograd answers in float64 is brought back at the node it arrives at.
    seen = []

    def spy(node, result):
        original = node.vjp
        node.vjp = lambda g: (seen.append(g.dtype), original(g))[1]
        return result

    def traced(v):
        y = f(v[0] * 1.0)
        for node in v[0]._node.tape:
            spy(node, None)
        return y, None

    _gradients.run(traced, [x])
    assert set(seen) == {np.dtype("float32")}


def test_a_value_used_many_times_adds_up_without_touching_shared_gradients():
    x = np.ones(3)
    _, _, (g, h) = _gradients.run(
        lambda v: (anp.sum((v[0] + v[1]) + (v[0] + v[0]) + v[0][1:2] + v[0][0]), None), [x, x]
    )
    np.testing.assert_array_equal(g, [6.0, 6.0, 3.0])
    np.testing.assert_array_equal(h, [1.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("values", "fn", "error", "message"),
    [
        ([np.arange(3)], lambda v: (0.0, None), TypeError, "floating-point array.*int64"),
        ([3.0], lambda v: (v[0], None), TypeError, "floating-point array"),
        ([np.ones(3)], lambda v: (v[0] * 2, None), ValueError, r"scalar loss; got shape \(3,\)"),
    ],
)
def test_what_cannot_be_differentiated_is_refused(values, fn, error, message):
    with pytest.raises(error, match=message):
        _gradients.run(fn, values)


def test_an_exception_inside_leaves_the_trace_clean():
    level = _gradients.trace_stack.top
    with pytest.raises(RuntimeError, match="boom"):
        _gradients.run(lambda v: (_ for _ in ()).throw(RuntimeError("boom")), [np.ones(2)])
    assert _gradients.trace_stack.top == level


def test_traced_arguments_by_keyword_are_seen():
    x, k, b = arrays((2, 4), (4, 3), (3,))
    _, _, grads = _gradients.run(lambda v: (anp.sum(neural.dense(x, k, bias=v[0]) ** 2), None), [b])
    np.testing.assert_allclose(grads[0], 2 * (x @ k + b).sum(0))
    _, _, (g,) = _gradients.run(
        lambda v: (anp.sum(neural.layer_normalization(x, beta=v[0])), None), [arrays((4,))[0]]
    )
    np.testing.assert_allclose(g, np.full(4, 2.0))


def test_bfloat16_graph():
    x = np.array([1.0, 2.0], ml_dtypes.bfloat16)
    value, _, (g,) = _gradients.run(lambda v: (anp.sum(v[0] * v[0]), None), [x])
    assert value.dtype == g.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(g.astype("f"), [2.0, 4.0])
