"""Activations: how they are named, found and written; values are those of the ops."""

from __future__ import annotations

import numpy as np
import pytest

from multikeras import activations, ops, registry

X = np.array([[-3.0, -0.5, 0.0, 0.5], [1.0, 3.0, 7.0, 20.0]], "float32")


@pytest.mark.parametrize(
    ("kwargs", "reference"),
    [
        ({}, lambda x: np.maximum(x, 0)),
        ({"negative_slope": 0.5}, lambda x: np.where(x > 0, x, 0.5 * x)),
        ({"max_value": 6}, lambda x: np.clip(x, 0, 6)),
        ({"max_value": 2.0}, lambda x: np.clip(x, 0, 2)),
        ({"threshold": 1.5}, lambda x: np.where(x > 1.5, x, 0)),
        (
            {"negative_slope": 0.1, "max_value": 2.0, "threshold": 0.3},
            lambda x: np.where(x >= 2, 2, np.where(x > 0.3, x, 0.1 * (x - 0.3))),
        ),
    ],
)
def test_relu_in_all_its_forms(kwargs, reference):
    got = ops.convert_to_numpy(activations.relu(X, **kwargs))
    np.testing.assert_allclose(got, reference(X), rtol=1e-6, atol=1e-7)


def test_mish():
    expected = X * np.tanh(np.log1p(np.exp(X.astype("float64"))))
    np.testing.assert_allclose(ops.convert_to_numpy(activations.mish(X)), expected, rtol=1e-5)


NAMES = [n for n in activations.__all__ if n not in ("get", "serialize", "deserialize")]


@pytest.mark.parametrize("name", NAMES)
def test_found_by_name_and_written_as_one(name):
    function = getattr(activations, name)
    assert activations.get(name) is function
    assert activations.deserialize(activations.serialize(function)) is function
    assert registry.find_function(name) is function
    if name not in ("threshold", "glu"):
        assert tuple(function(ops.convert_to_tensor(X)).shape) == X.shape


def test_get_takes_none_callables_and_dicts():
    def own(x):
        return x

    assert activations.get(None) is activations.linear
    assert activations.get(own) is own
    entry = {"module": "builtins", "class_name": "function", "config": "relu"}
    assert activations.get(entry) is activations.relu
    with registry.CustomObjectScope({"own": own}):
        assert activations.get("own") is own


@pytest.mark.parametrize("bad", ["rleu", 3, {"name": "relu"}])
def test_refusals(bad):
    with pytest.raises(ValueError, match="activation"):
        activations.get(bad)
    with pytest.raises(ValueError, match="'relu'"):
        activations.get("rleu")
