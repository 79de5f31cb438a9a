"""Models served without the library: SavedModels on every backend, archives on TensorFlow's."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, ops

ON_TENSORFLOW = os.environ["MULTIKERAS_BACKEND"] == "tensorflow"
INSTALLED = importlib.util.find_spec("tensorflow") is not None
X = np.random.default_rng(6).normal(size=(5, 3)).astype(np.float32)

# Loads an artifact where this library is not, and compares.
SERVE = """
import sys, numpy as np, tensorflow as tf
folder, arrays, *structure = sys.argv[1:]
with np.load(arrays) as stored:
    stored = dict(stored)
loaded = tf.saved_model.load(folder)
inputs = {key[3:]: value for key, value in stored.items() if key.startswith("in_")}
argument = inputs if structure else next(iter(inputs.values()))
outputs = loaded.serve(argument)
outputs = outputs if isinstance(outputs, dict) else {"": outputs}
signature = loaded.signatures["serving_default"]
named = signature(**{key: tf.constant(value) for key, value in inputs.items()})
assert set(loaded.signatures) == {"serving_default", "serve"}
for key, value in outputs.items():
    np.testing.assert_allclose(value, stored["out_" + key], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(named[key or "output_0"], value, rtol=1e-5)
assert not [name for name in sys.modules if name.startswith("multikeras")]
"""


def check(tmp_path, folder, inputs, outputs):
    """Serves `inputs` in a process without the library; the outputs must be these."""
    arrays = {f"in_{key}": value for key, value in inputs.items()}
    outputs = outputs if isinstance(outputs, dict) else {"": outputs}
    arrays |= {f"out_{key}": np.asarray(value) for key, value in outputs.items()}
    np.savez(tmp_path / "a.npz", **arrays)
    structure = ["dict"] if len(inputs) > 1 else []
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(folder), str(tmp_path / "a.npz"), *structure],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def branched():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b", dtype="int32")
    x = layers.BatchNormalization()(layers.Dense(4, activation="gelu")(a))
    y = layers.Concatenate()([layers.Dropout(0.5)(x), ops.cast(b, "float32")])
    return keras.Model({"a": a, "b": b}, {"p": layers.Dense(2)(y), "q": y * 2})


def plain():
    return keras.Sequential([keras.Input((3,), name="x"), layers.Dense(2)])


needs_tensorflow = pytest.mark.skipif(not INSTALLED, reason="a SavedModel is TensorFlow's own")


@pytest.mark.slow
@pytest.mark.page("Model.export")
@needs_tensorflow
def test_export_is_served_without_the_library(tmp_path):
    model = branched()
    inputs = {"a": X, "b": np.arange(10, dtype=np.int32).reshape(5, 2)}
    assert model.export(tmp_path / "deep" / "served") is None
    check(tmp_path, tmp_path / "deep" / "served", inputs, model.predict(inputs, verbose=0))
    assert os.listdir(tmp_path / "deep") == ["served"]
    with pytest.raises(ValueError, match="holds no model that could be opened"):
        keras.models.load_model(tmp_path / "deep" / "served")


@pytest.mark.slow
@pytest.mark.page("Model.save", "Sequential.save")
@needs_tensorflow
def test_a_saved_model_opens_everywhere(tmp_path):
    model = plain()
    model.compile("adam", "mse")
    model.fit(X, X[:, :2], verbose=0)
    folder = tmp_path / "model"
    model.save(folder)  # no extension: a SavedModel
    check(tmp_path, folder, {"x": X}, model.predict(X, verbose=0))
    again, weights_only = keras.models.load_model(folder), plain()
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
    assert int(again.optimizer.iterations.numpy()) == 1
    weights_only.load_weights(folder)
    np.testing.assert_array_equal(weights_only.get_weights()[0], model.get_weights()[0])
    with pytest.raises(ValueError, match="by_name"):
        weights_only.load_weights(folder, by_name=True)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        model.save(folder, overwrite=False)
    (folder / "mine.txt").write_text("stays")
    model.save(folder, save_format="tf", include_optimizer=False)
    assert (folder / "mine.txt").exists()
    assert keras.models.load_model(folder).optimizer is None


@pytest.mark.page("Model.export", "Model.save")
def test_without_tensorflow(tmp_path, monkeypatch):
    if ON_TENSORFLOW:
        return
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install tensorflow.*model.save\('model.keras'\)"):
        plain().save(tmp_path / "m", save_format="tf")
    with pytest.raises(ImportError, match="pip install tensorflow"):
        plain().export(tmp_path / "m")
    assert not list(tmp_path.iterdir())


@keras.saving.register_keras_serializable("test_export")
class Twice(layers.Layer):
    def call(self, x):
        return x * 2


@pytest.mark.page("Model.export")
@needs_tensorflow
def test_classes_of_ones_own(tmp_path):
    model = keras.Sequential([keras.Input((3,), name="x"), Twice(), layers.Dense(1)])
    if ON_TENSORFLOW:
        model.export(tmp_path / "m")
        check(tmp_path, tmp_path / "m", {"x": X}, model.predict(X, verbose=0))
    else:
        with pytest.raises(ValueError, match=r"not know test_export>Twice.*BACKEND"):
            model.export(tmp_path / "m")
        assert not list(tmp_path.iterdir())


@pytest.mark.page("Model.export")
def test_refused(tmp_path):
    with pytest.raises(ValueError, match="'onnx' is not available; available: tf_saved_model"):
        plain().export(tmp_path / "m", format="onnx")
    with pytest.raises(ValueError, match="has not been built"):
        keras.Sequential([layers.Dense(2)]).export(tmp_path / "m")
    with pytest.raises(TypeError, match="unknown arguments"):
        plain().export(tmp_path / "m", colour=1)
    assert not list(tmp_path.iterdir())
    if INSTALLED:
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "letter.txt").write_text("dear")
        with pytest.raises(ValueError, match="holds something else"):
            plain().export(tmp_path / "full")
        with pytest.raises(ValueError, match="is a file"):
            plain().export(tmp_path / "full" / "letter.txt")
        assert os.listdir(tmp_path / "full") == ["letter.txt"]


def test_archives_are_tensorflows():
    if ON_TENSORFLOW:
        return
    with pytest.raises(NotImplementedError, match=r"ExportArchive needs.*Model.export"):
        keras.export.ExportArchive()


@pytest.mark.page("Model.save_spec", "Model.save", "Model.export")
def test_on_tensorflow(tmp_path):
    if not ON_TENSORFLOW:
        return
    tf = pytest.importorskip("tensorflow")
    model = plain()

    @tf.function
    def doubled(*args, **kwargs):
        return {"twice": model(*args, **kwargs) * 2}

    args, kwargs = model.save_spec()
    assert isinstance(args[0], tf.TensorSpec) and kwargs == {}
    signatures = {"serving_default": doubled.get_concrete_function(*args, **kwargs)}
    model.save(tmp_path / "m", save_format="tf", signatures=signatures, options=None)
    loaded = tf.saved_model.load(str(tmp_path / "m"))
    found = loaded.signatures["serving_default"](x=tf.constant(X))["twice"]
    np.testing.assert_allclose(found, model.predict(X, verbose=0) * 2, rtol=1e-5)
    np.testing.assert_allclose(loaded(X), model.predict(X, verbose=0), rtol=1e-5)

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x, y, scale=None):
            return self.dense(x) * scale + y

    model.export(tmp_path / "four", input_signature=[keras.InputSpec(shape=(4, 3), name="rows")])
    loaded = tf.saved_model.load(str(tmp_path / "four"))
    ((), named) = loaded.signatures["serve"].structured_input_signature
    assert named["rows"].shape == (4, 3)
    np.testing.assert_allclose(loaded.serve(X[:4]), model.predict(X[:4], verbose=0), rtol=1e-5)

    own = Own()
    own(X, X[:, :2], scale=ops.ones((5, 1)))
    own.export(tmp_path / "own")
    loaded = tf.saved_model.load(str(tmp_path / "own"))
    expected = own(X[:2], X[:2, :2], scale=ops.ones((2, 1)))
    np.testing.assert_allclose(
        loaded.serve(X[:2], X[:2, :2], scale=np.ones((2, 1), np.float32)), expected, rtol=1e-5
    )
    own.get_config = lambda: {}["no config"]
    with pytest.raises(KeyError):
        own.save(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_an_archive_with_endpoints_of_ones_own(tmp_path, capsys):
    if not ON_TENSORFLOW:
        return
    tf = pytest.importorskip("tensorflow")
    model = branched()
    archive = keras.export.ExportArchive()
    with pytest.raises(ValueError, match="no endpoints"):
        archive.write_out(tmp_path / "m")
    archive.track_and_add_endpoint("serve", model)
    head = plain()
    archive.track(head)
    archive.add_endpoint("head", lambda x: head(x), [keras.InputSpec(shape=(None, 3))])
    archive.add_variable_collection("kernels", [head.layers[0].kernel])
    assert archive.endpoints == ["serve", "head"]
    assert len(archive.variables) == len(model.variables) + 2
    assert len(archive.trainable_variables) == len(model.trainable_variables) + 2
    archive.write_out(tmp_path / "m")
    assert "serve, head" in capsys.readouterr().out
    loaded = tf.saved_model.load(str(tmp_path / "m"))
    np.testing.assert_allclose(loaded.head(X), head.predict(X, verbose=0), rtol=1e-5)
    np.testing.assert_array_equal(loaded.kernels[0], head.get_weights()[0])
    for call, message in (
        (lambda: archive.add_endpoint("head", head, [X]), "already is an endpoint"),
        (lambda: archive.add_endpoint("new", lambda x: x), "needs `input_signature`"),
        (lambda: archive.track("model"), "expected a model or layer"),
        (lambda: archive.track(keras.Sequential([layers.Dense(1)])), "has not been built"),
        (lambda: archive.add_variable_collection("v", [3]), "expected Variables"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
