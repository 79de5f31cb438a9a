"""The bundled digits: what they are, that a split is deterministic, and that no network is used."""

import hashlib
import socket
from importlib import resources

import numpy as np
import pytest

from multikeras.datasets import digits


def _pairs(x, y):
    """The (image, label) pairs as bytes, to compare splits as collections."""
    return sorted(image.tobytes() + bytes([label]) for image, label in zip(x, y))


def test_shapes_and_dtypes():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1437, 8, 8)
    assert y_train.shape == (1437,)
    assert x_test.shape == (360, 8, 8)
    assert y_test.shape == (360,)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}


def test_values_are_the_published_ones():
    (x, y), (x_none, y_none) = digits.load_data(test_split=0)
    assert len(x_none) == len(y_none) == 0
    assert x.min() == 0 and x.max() == 16
    assert int(x.sum()) == 561718
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


@pytest.mark.parametrize("seed", [0, 1, 113])
def test_every_class_is_in_the_test_part(seed):
    _, (_, y_test) = digits.load_data(seed=seed)
    assert np.bincount(y_test, minlength=10).min() >= 20


def test_parts_are_disjoint_and_complete():
    (x, y), _ = digits.load_data(test_split=0)
    (x_train, y_train), (x_test, y_test) = digits.load_data(test_split=0.3, seed=5)
    joined = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    assert _pairs(*joined) == _pairs(x, y)


def test_seed_decides_the_split():
    (a, _), _ = digits.load_data(seed=1)
    (b, _), _ = digits.load_data(seed=1)
    (c, _), _ = digits.load_data(seed=2)
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_default_split_is_pinned():
    """A changed shuffle would silently change every published accuracy."""
    _, (_, y_test) = digits.load_data()
    assert hashlib.sha256(y_test.tobytes()).hexdigest()[:16] == "00ddc10e2d0f0ce2"


def test_arrays_belong_to_the_caller():
    (x, _), _ = digits.load_data()
    x[:] = 0
    (again, _), _ = digits.load_data()
    assert again.any()


def test_no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("load_data opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    digits.load_data()


def test_attribution_stands_beside_the_data():
    text = resources.files("multikeras.datasets").joinpath("digits.LICENSE.txt").read_text()
    assert "CC BY 4.0" in text and "Alpaydin" in text


@pytest.mark.parametrize("test_split", [-0.1, 1, 1.5, True, float("nan"), 0.9999, "0.2"])
def test_bad_split_is_named(test_split):
    with pytest.raises(ValueError, match="test_split"):
        digits.load_data(test_split=test_split)


@pytest.mark.parametrize("seed", [-1, 1.0, None, True])
def test_bad_seed_is_named(seed):
    with pytest.raises(ValueError, match="seed"):
        digits.load_data(seed=seed)
