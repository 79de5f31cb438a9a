"""Constraints: values against NumPy, names, configs, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from multikeras import constraints, ops

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")


def _norm(x, axis):
    return np.sqrt((x**2).sum(axis=axis, keepdims=True))


CASES = [
    (constraints.MaxNorm(0.5), X * np.minimum(_norm(X, 0), 0.5) / _norm(X, 0)),
    (constraints.MaxNorm(0.5, axis=1), X * np.minimum(_norm(X, 1), 0.5) / _norm(X, 1)),
    (
        constraints.MinMaxNorm(0.5, 1.0, rate=0.7),
        X * (0.7 * np.clip(_norm(X, 0), 0.5, 1.0) + 0.3 * _norm(X, 0)) / _norm(X, 0),
    ),
    (constraints.NonNeg(), np.maximum(X, 0)),
    (constraints.UnitNorm([0, 1]), X / _norm(X, (0, 1))),
]


@pytest.mark.parametrize(("constraint", "expected"), CASES)
def test_value_and_config(constraint, expected):
    got = constraint(ops.convert_to_tensor(X))
    assert ops.dtype(got) == "float32"
    np.testing.assert_allclose(ops.convert_to_numpy(got), expected, rtol=1e-5, atol=1e-6)
    again = constraints.deserialize(constraints.serialize(constraint))
    assert type(again) is type(constraint) and again.get_config() == constraint.get_config()


@pytest.mark.parametrize(
    ("name", "cls"),
    [("max_norm", "MaxNorm"), ("MinMaxNorm", "MinMaxNorm"), ("non_neg", "NonNeg"),
     ("unit_norm", "UnitNorm"), ("maxnorm", "MaxNorm")],
)  # fmt: skip
def test_names(name, cls):
    assert type(constraints.get(name)) is getattr(constraints, cls)


def test_get_takes_none_and_callables():
    assert constraints.get(None) is None
    assert constraints.get(abs) is abs


@pytest.mark.parametrize("bad", ["max", 3])
def test_refusals(bad):
    with pytest.raises(ValueError, match="constraint"):
        constraints.get(bad)
    with pytest.raises(NotImplementedError, match="__call__"):
        constraints.Constraint()(X)
