"""Weights as TensorFlow checkpoints: on that backend; elsewhere the refusal says what to do."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers

ON_TENSORFLOW = os.environ["MULTIKERAS_BACKEND"] == "tensorflow"
INSTALLED = importlib.util.find_spec("tensorflow") is not None
FOLDER = Path(__file__).parent / "tf_keras_files" / "checkpoint"
X = np.random.default_rng(7).normal(size=(8, 3)).astype(np.float32)


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(3), layers.BatchNormalization()]
        self.head = layers.Dense(2)

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def trained():
    model = Own()
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    model.fit(X, X[:, :2], batch_size=4, verbose=0, shuffle=False)
    return model


@pytest.mark.page("Model.save_weights", "Model.load_weights", "Sequential.save_weights")
def test_elsewhere_refused(tmp_path, monkeypatch):
    if ON_TENSORFLOW:
        return
    (tmp_path / "old.index").write_bytes(b"")
    if INSTALLED:
        for call in (
            lambda: trained().save_weights(tmp_path / "ckpt"),
            lambda: trained().load_weights(tmp_path / "old"),
        ):
            with pytest.raises(ValueError, match=r"does not know Own.*weights.h5"):
                call()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    model = trained()
    for path, save_format in (("ckpt", None), ("ckpt", "tf"), ("w.h5", "tf")):
        with pytest.raises(ValueError, match=r"MULTIKERAS_BACKEND=tensorflow.*weights.h5"):
            model.save_weights(tmp_path / path, save_format=save_format)
    with pytest.raises(ValueError, match=r"is a TensorFlow checkpoint.*weights.h5"):
        model.load_weights(tmp_path / "old")
    assert [path.name for path in tmp_path.iterdir()] == ["old.index"]


def like_tf_keras():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(4, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.0),
            layers.Dense(2),
        ]
    )
    model.compile("adam", "mse")
    return model


@pytest.mark.slow
@pytest.mark.page("Model.save_weights", "Model.load_weights")
@pytest.mark.skipif(not INSTALLED, reason="a checkpoint is TensorFlow's own")
def test_with_tensorflow_beside(tmp_path):
    model, same = like_tf_keras(), like_tf_keras()
    model.load_weights(FOLDER / "seq")
    assert int(model.optimizer.iterations.numpy()) == 2
    with np.load(FOLDER / "seq.npz") as stored:
        for weight, key in zip(model.get_weights(), stored, strict=True):
            np.testing.assert_array_equal(weight, stored[key])
    model.save_weights(tmp_path / "ckpt", save_format="tf")
    same.load_weights(tmp_path / "ckpt")
    for one, other in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.page("Model.load_weights", "Sequential.load_weights")
def test_a_checkpoint_of_tf_keras_2(tmp_path):
    if not ON_TENSORFLOW:
        return
    model, folder = like_tf_keras(), FOLDER
    model.load_weights(folder / "seq").assert_existing_objects_matched()
    with np.load(folder / "seq.npz") as stored:
        for weight, key in zip(model.get_weights(), stored, strict=True):
            np.testing.assert_array_equal(weight, stored[key])
    assert int(model.optimizer.iterations.numpy()) == 2
    tf = pytest.importorskip("tensorflow")
    model.save_weights(tmp_path / "again")
    names = [dict(tf.train.list_variables(str(p))) for p in (folder / "seq", tmp_path / "again")]
    assert names[0] == names[1]


@pytest.mark.page("Model.save_weights", "Model.load_weights", "Sequential.load_weights")
@pytest.mark.parametrize("path", ["ckpt", "run/cp-0001.ckpt"])
def test_on_tensorflow(tmp_path, path):
    if not ON_TENSORFLOW:
        return
    tf = pytest.importorskip("tensorflow")
    model, same, unbuilt = trained(), trained(), Own()
    prefix = str(tmp_path / path)
    model.save_weights(prefix, options=tf.train.CheckpointOptions())
    assert os.path.exists(f"{prefix}.index")
    assert tf.train.latest_checkpoint(os.path.dirname(prefix)) == prefix
    status = same.load_weights(prefix)
    status.assert_existing_objects_matched()
    for one, other in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    more = [m.fit(X, X[:, :2], batch_size=4, verbose=0, shuffle=False) for m in (model, same)]
    assert more[0].history == more[1].history  # the optimizer's state is there, too
    with pytest.raises(ValueError, match="by_name and skip_mismatch are not possible"):
        same.load_weights(prefix, by_name=True)
    with pytest.raises(FileExistsError):
        same.save_weights(prefix, overwrite=False)
    unbuilt.load_weights(prefix)  # takes its values when it is built
    unbuilt(X)
    names = [name for name, _ in tf.train.list_variables(prefix)]
    assert any(name.startswith("head/kernel") for name in names)
    stored = tf.train.load_variable(prefix, next(n for n in names if n.startswith("head/kernel")))
    np.testing.assert_array_equal(unbuilt.head.get_weights()[0], stored)
