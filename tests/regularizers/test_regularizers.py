"""Regularizers: values against NumPy, names, configs, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from multikeras import ops, regularizers

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")


def _orthogonal(x, factor, axis):
    x = x if axis else x.T
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    products = np.abs(unit @ unit.T)
    count = len(x)
    return factor * (products.sum() - np.trace(products)) / 2 / (count * (count - 1) / 2)


CASES = [
    (regularizers.L1(0.3), 0.3 * np.abs(X).sum()),
    (regularizers.L2(0.3), 0.3 * (X**2).sum()),
    (regularizers.L1L2(0.1, 0.2), 0.1 * np.abs(X).sum() + 0.2 * (X**2).sum()),
    (regularizers.OrthogonalRegularizer(0.3), _orthogonal(X, 0.3, 1)),
    (regularizers.OrthogonalRegularizer(0.3, "columns"), _orthogonal(X, 0.3, 0)),
]


@pytest.mark.parametrize(("regularizer", "expected"), CASES)
def test_value_and_config(regularizer, expected):
    got = regularizer(ops.convert_to_tensor(X))
    assert ops.dtype(got) == "float32" and tuple(got.shape) == ()
    np.testing.assert_allclose(ops.convert_to_numpy(got), expected, rtol=1e-5)
    again = regularizers.deserialize(regularizers.serialize(regularizer))
    assert type(again) is type(regularizer)
    assert again.get_config() == regularizer.get_config()


@pytest.mark.parametrize(
    ("name", "cls"),
    [("l1", "L1"), ("L2", "L2"), ("l1_l2", "L1L2"), ("l1l2", "L1L2"), ("L1L2", "L1L2"),
     ("orthogonal_regularizer", "OrthogonalRegularizer")],
)  # fmt: skip
def test_names(name, cls):
    assert type(regularizers.get(name)) is getattr(regularizers, cls)


def test_an_unknown_config_is_of_no_use():
    assert regularizers.get(None) is None
    assert float(regularizers.Regularizer()(X)) == 0.0
    with pytest.raises(NotImplementedError, match="get_config"):
        regularizers.Regularizer().get_config()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: regularizers.L2(-1.0), "l2"),
        (lambda: regularizers.L1("x"), "l1"),
        (lambda: regularizers.L1L2(l2=float("nan")), "l2"),
        (lambda: regularizers.OrthogonalRegularizer(mode="x"), "mode"),
        (lambda: regularizers.OrthogonalRegularizer()(np.ones(3, "float32")), "rank 2"),
        (lambda: regularizers.get("l3"), "l3"),
        (lambda: regularizers.get(3), "regularizer"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ValueError, match=words):
        make()
