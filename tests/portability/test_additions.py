"""Losses and metrics of a functional model's graph are in its file, and Keras opens the file."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

import multikeras as keras
from multikeras import layers, ops

X = np.arange(12, dtype="float32").reshape(4, 3) / 10
OPEN = """
import sys, keras, numpy as np
model = keras.models.load_model(sys.argv[1])
x = np.arange(12, dtype="float32").reshape(4, 3) / 10
np.save(sys.argv[2], model.predict(x, verbose=0))
print([layer.name for layer in model.layers], model.evaluate(x, x[:, :1], verbose=0))
"""


def test_keras_passes_by_what_was_added(tmp_path):
    x = keras.Input((3,), name="x")
    hidden = layers.Dense(4, name="hidden")(x)
    model = keras.Model(x, layers.Dense(1, name="out")(hidden))
    model.add_loss(ops.mean(layers.Dense(2, name="beside")(hidden)))
    model.add_metric(ops.sum(hidden), name="total")
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], verbose=0)
    model.save(tmp_path / "model.keras")
    done = subprocess.run(
        [sys.executable, "-c", OPEN, tmp_path / "model.keras", tmp_path / "outputs.npy"],
        env=os.environ | {"KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "['x', 'hidden', 'out']" in done.stdout
    outputs = np.load(tmp_path / "outputs.npy")
    np.testing.assert_allclose(outputs, model.predict(X, verbose=0), rtol=1e-5)
    again = keras.models.load_model(tmp_path / "model.keras")
    assert [layer.name for layer in again.layers] == ["x", "hidden", "out", "beside"]
