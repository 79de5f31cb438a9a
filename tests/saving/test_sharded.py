"""Weights in several files of a limited size."""

from __future__ import annotations

import json
import os

import h5py
import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, saving

X = np.random.default_rng(8).normal(size=(4, 100)).astype(np.float32)
SMALL = 50e3 / 2**30  # 50 KB in GB


def make():
    model = keras.Sequential(
        [
            keras.Input((100,)),
            layers.Dense(100, name="a"),
            layers.Dropout(0.1, seed=3),
            layers.Dense(100, name="b"),
            layers.BatchNormalization(),
        ]
    )
    model.compile("sgd", "mse")
    return model


@pytest.fixture
def saved(tmp_path):
    model = make()
    model.fit(X, X, verbose=0)
    model.save_weights(tmp_path / "w.weights.json", max_shard_size=SMALL)
    return model, tmp_path / "w.weights.json"


@pytest.mark.page("Model.save_weights")
def test_round_trip(saved):
    model, path = saved
    assert sorted(os.listdir(path.parent)) == [
        "w.weights.json", "w_00000.weights.h5", "w_00001.weights.h5",
    ]  # fmt: skip
    assert all(os.path.getsize(path.parent / f"w_0000{i}.weights.h5") < 60e3 for i in (0, 1))
    content = json.loads(path.read_text())
    assert content["weight_map"]["/layers/dense/vars"] == ["w_00000.weights.h5"]
    assert content["weight_map"]["/layers/dense_1/vars"] == ["w_00001.weights.h5"]
    size = sum(4 * int(np.prod(w.shape)) for w in (*model.weights, *model.optimizer.variables))
    assert content["metadata"]["total_size"] == size
    again = make()
    again.load_weights(path)
    for one, other in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    more = [m.fit(X, X, verbose=0, epochs=2).history["loss"] for m in (model, again)]
    assert more[0] == more[1]  # the states of optimizer and random generators are there, too


@pytest.mark.page("Model.save_weights")
def test_paths(tmp_path):
    with pytest.warns(UserWarning, match=r"m.weights.json' is written instead"):
        make().save_weights(tmp_path / "m.weights.h5", max_shard_size=1.0)
    assert sorted(os.listdir(tmp_path)) == ["m.weights.json", "m_00000.weights.h5"]
    for name, size, message in (
        ("n.weights.json", None, "needs `max_shard_size`"),
        ("n.h5", 1.0, "must end in '.weights.json'"),
        ("n.weights.json", 0, "above 0, got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            make().save_weights(tmp_path / name, max_shard_size=size)
    assert len(os.listdir(tmp_path)) == 2


def named(path, *names):
    content = json.loads(path.read_text())
    content["weight_map"]["/vars"] = list(names)
    path.write_text(json.dumps(content))


def twice(path):
    second = path.parent / "w_00001.weights.h5"
    with h5py.File(second, "a") as file:
        file["layers/dense/vars/0"] = np.zeros((100, 100), np.float32)


REFUSED = {
    "elsewhere": (lambda p: named(p, "../x.weights.h5"), "is no name of its files"),
    "absolute": (lambda p: named(p, "/etc/x.weights.h5"), "is no name of its files"),
    "hidden": (lambda p: named(p, ".x.weights.h5"), "is no name of its files"),
    "no weights": (lambda p: named(p, "passwd"), "is no name of its files"),
    "missing": (lambda p: named(p, "w_00007.weights.h5"), "is missing"),
    "no JSON": (lambda p: p.write_text("{"), "no valid JSON"),
    "no map": (lambda p: p.write_text("[]"), "no weight_map"),
    "an array twice": (twice, "two of its files hold"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(saved, case):
    _, path = saved
    edit, message = REFUSED[case]
    edit(path)
    with pytest.raises(saving.CorruptFileError, match=message):
        make().load_weights(path)


def test_a_link_is_no_shard(saved):
    _, path = saved
    shard = path.parent / "w_00001.weights.h5"
    os.rename(shard, path.parent / "real")
    os.symlink(path.parent / "real", shard)
    with pytest.raises(saving.CorruptFileError, match="is missing"):
        make().load_weights(path)
