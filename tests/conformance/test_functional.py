"""Derivatives along a direction, and functions of elements made functions of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from multikeras import ops, tree
from multikeras.symbolic import KerasTensor

x = np.float32([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]])
v = np.float32([[1.0, 0.5, -2.0], [0.1, 3.0, 1.0]])


def arrays(structure: Any) -> Any:
    return tree.map_structure(ops.convert_to_numpy, structure)


def numeric(fun: Any, step: float = 1e-2) -> np.ndarray:
    """The change along `v` by central differences of float32 values."""
    ahead, behind = (ops.convert_to_numpy(fun(ops.array(x + s * v))) for s in (step, -step))
    return (ahead.astype(float) - behind) / (2 * step)


DIFFERENTIABLE = {
    "square": ops.square,
    "chain": lambda a: ops.exp(ops.sin(a)) / (1.0 + ops.square(a)),
    "reduction": lambda a: ops.logsumexp(a, axis=1),
    "matmul": lambda a: ops.matmul(a, ops.transpose(a)),
    "softmax": ops.softmax,
    "gelu": ops.gelu,
    "normalization": lambda a: ops.layer_normalization(a, axis=-1),
    "pooling": lambda a: ops.max_pool(ops.reshape(a, (1, 2, 3, 1)), 2, 1),
    "dense": lambda a: ops.relu(ops.matmul(a, ops.ones((3, 2)))),
    "indexing": lambda a: ops.take(a, [2, 0], axis=1),
    "transform": lambda a: ops.rfft(a)[1],
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_jvp_is_the_change_along_the_direction(name):
    fun = DIFFERENTIABLE[name]
    value, change = arrays(ops.jvp(fun, (x,), (v,)))
    np.testing.assert_allclose(value, ops.convert_to_numpy(fun(ops.array(x))), rtol=1e-5)
    assert change.shape == value.shape and change.dtype == value.dtype
    np.testing.assert_allclose(change, numeric(fun), rtol=2e-2, atol=2e-2)


def test_jvp_of_structures():
    def fun(a: Any, pair: Any) -> Any:
        return {"product": a * pair[0], "total": ops.sum(pair[1])}, a + 1.0

    value, change, aux = arrays(ops.jvp(fun, (x, (x, x)), (v, (0 * v, v)), has_aux=True))
    np.testing.assert_allclose(value["product"], x * x, rtol=1e-6)
    np.testing.assert_allclose(change["product"], v * x, rtol=1e-6)
    np.testing.assert_allclose(change["total"], v.sum(), rtol=1e-6)
    np.testing.assert_allclose(aux, x + 1, rtol=1e-6)


def test_jvp_of_what_does_not_depend_on_the_point():
    value, change = arrays(ops.jvp(lambda a: ops.ones((2,)), (x,), (v,)))
    assert value.tolist() == [1, 1] and change.tolist() == [0, 0]


def test_jvp_of_symbolic_tensors():
    symbol = KerasTensor((None, 3))
    value, change = ops.jvp(lambda a: ops.sum(a, axis=1), (symbol,), (symbol,))
    assert value.shape == change.shape == (None,)


@pytest.mark.parametrize(
    ("primals", "tangents", "error", "says"),
    [
        (x, x, TypeError, "`primals`"),
        ((x,), x, TypeError, "`tangents`"),
        ((x,), (), ValueError, "0 tensors for 1"),
        ((x,), (x[0],), ValueError, r"\(3,\) for \(2, 3\)"),
        ((np.int32([1]),), (np.int32([1]),), TypeError, "int32"),
    ],
)
def test_jvp_refuses(primals, tangents, error, says):
    with pytest.raises(error, match=says):
        ops.jvp(ops.square, primals, tangents)


def dot(a: Any, b: Any) -> Any:
    return ops.sum(a * b)


VECTORIZED = {
    "elements": (lambda a, b: a + 2 * b, {}, (x, x[0]), lambda a, b: a + 2 * b),
    "branches": (lambda a: ops.where(a > 0, a, 0 * a), {}, (x,), lambda a: np.maximum(a, 0)),
    "dot": (dot, {"signature": "(n),(n)->()"}, (x, x[0]), lambda a, b: a @ b),
    "columns": (dot, {"signature": "(n),(n)->()"}, (x[:, None], x), lambda a, b: a[:, 0] @ b.T),
    "matmul": (
        ops.matmul,
        {"signature": "(m,n),(n,k)->(m,k)"},
        (x, np.stack([x.T, v.T])),
        np.matmul,
    ),
    "excluded": (lambda a, k: a * k["by"], {"excluded": {1}}, (x, {"by": 3.0}), lambda a, k: 3 * a),
    "integers": (lambda a: a + 1, {}, (np.int32([[1, 2]]),), lambda a: a + 1),
    "scalar": (lambda a: a + 1, {}, (2.0,), lambda a: np.float32(3)),
}


@pytest.mark.parametrize("name", VECTORIZED)
def test_vectorize(name):
    fun, settings, args, expected = VECTORIZED[name]
    result = ops.convert_to_numpy(ops.vectorize(fun, **settings)(*args))
    wanted = np.asarray(expected(*args))
    assert result.shape == wanted.shape and result.dtype.kind == wanted.dtype.kind
    np.testing.assert_allclose(result, wanted, rtol=1e-5)


def test_vectorize_with_several_results_and_names():
    @ops.vectorize(signature="(n)->(n),()", excluded=["scale"])
    def fun(row: Any, scale: Any = 1) -> Any:
        return row * scale, ops.sum(row)

    rows, totals = arrays(fun(x, scale=3))
    np.testing.assert_allclose(rows, 3 * x, rtol=1e-6)
    np.testing.assert_allclose(totals, x.sum(1), rtol=1e-5)
    by_name = ops.vectorize(lambda a, b=1.0: a * b)(x, b=v)
    np.testing.assert_allclose(ops.convert_to_numpy(by_name), x * v, rtol=1e-6)


def test_vectorize_on_symbolic_tensors():
    fun = ops.vectorize(dot, signature="(n),(n)->()")
    result = fun(KerasTensor((None, 1, 3)), KerasTensor((4, 3)))
    assert result.shape == (None, 4) and result.dtype == "float32"


@pytest.mark.parametrize(
    ("fun", "settings", "args", "error", "says"),
    [
        (3, {}, (), TypeError, "pyfunc"),
        (dot, {"signature": "n,n->"}, (x, x), ValueError, "signature"),
        (dot, {"signature": "(n),(n)->()"}, (x,), TypeError, "2 arguments, got 1"),
        (dot, {"signature": "(n),(n)->()"}, (x, x[:, :2]), ValueError, "'n' is 3 and 2"),
        (dot, {"signature": "(m,n),(n)->()"}, (x[0], x[0]), ValueError, "lacks dimensions"),
        (lambda a: a, {"signature": "(n)->()"}, (x,), ValueError, "promises"),
        (dot, {"excluded": [1.5]}, (x, x), TypeError, "excluded"),
    ],
)
def test_vectorize_refuses(fun, settings, args, error, says):
    with pytest.raises(error, match=says):
        ops.vectorize(fun, **settings)(*args)
