"""Files in the HDF5 layout of tf.keras 2: written, read back, read by name, and refused.

`tf_keras_files` holds files that tf.keras 2.21 wrote, and the outputs and losses that it had.
"""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, saving

FILES = Path(__file__).parent / "tf_keras_files"
X = np.random.default_rng(5).normal(size=(8, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def known():
    with np.load(FILES / "outputs.npz") as stored:
        return dict(stored)


def flat(outputs):
    return [np.asarray(keras.ops.convert_to_numpy(o)) for o in keras.tree.flatten(outputs)]


def close(found, expected, tolerance=1e-5):
    for one, other in zip(flat(found), flat(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


# -- files of tf.keras 2 -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        ("sequential", "x", ["seq"]),
        ("functional", "x", ["fun0", "fun1"]),
        ("conv", "img", ["conv"]),
    ],
)
def test_models_of_tf_keras_2_compute_the_same(known, name, inputs, outputs):
    model = keras.models.load_model(FILES / f"{name}.h5")
    close(model.predict(known[inputs], verbose=0), [known[key] for key in outputs])


@pytest.mark.parametrize(
    ("name", "targets", "after"),
    [("sequential", ["y"], "seq_after"), ("functional", ["y", "y6"], "fun_after")],
)
def test_training_goes_on_where_tf_keras_2_stopped(known, name, targets, after):
    model = keras.models.load_model(FILES / f"{name}.h5")
    y = [known[key] for key in targets]
    history = model.fit(
        known["x"], y if len(y) > 1 else y[0], epochs=2, batch_size=4, verbose=0, shuffle=False
    )
    close(history.history["loss"], known[after].tolist(), 1e-4)
    names = {"sequential": {"loss", "mae"}, "functional": {"out_mae", "soft_acc"}}[name]
    assert names <= set(history.history)


@pytest.mark.parametrize(("name", "short"), [("sequential", "seq"), ("functional", "fun")])
def test_keras_files_of_tf_keras_2(name, short):
    with np.load(FILES / "keras_outputs.npz") as stored:
        known = dict(stored)
    outputs = [known[key] for key in sorted(known) if key.startswith(short) and key[-1].isdigit()]
    y = [known["y"], known["y6"]] if name == "functional" else known["y"]
    path = FILES / f"{name}.keras"
    model = keras.models.load_model(path)
    close(model.predict(known["x"], verbose=0), outputs)
    history = model.fit(known["x"], y, epochs=2, batch_size=4, verbose=0, shuffle=False)
    close(history.history["loss"], known[f"{short}_after"].tolist(), 1e-4)
    model.load_weights(path)  # weights and optimizer go back
    close(model.predict(known["x"], verbose=0), outputs)
    again = model.fit(known["x"], y, epochs=2, batch_size=4, verbose=0, shuffle=False)
    close(again.history["loss"], known[f"{short}_after"].tolist(), 1e-4)


@pytest.mark.page("Model.to_json", "Sequential.to_json")
@pytest.mark.parametrize("name", ["sequential", "functional", "conv"])
def test_json_of_tf_keras_2(name):
    with h5py.File(FILES / f"{name}.h5") as file:
        text = file.attrs["model_config"]
    model, same = keras.models.model_from_json(text), keras.models.load_model(FILES / f"{name}.h5")
    assert [w.shape for w in model.weights] == [w.shape for w in same.weights]
    assert [layer.name for layer in model.layers] == [layer.name for layer in same.layers]


@keras.saving.register_keras_serializable("test_legacy_hdf5")
class Fused(layers.Layer):
    """Its argument has the name of one that built-in layers had."""

    def __init__(self, fused=False, **kwargs):
        super().__init__(**kwargs)
        self.fused = fused

    def call(self, x):
        return x * 2 if self.fused else x

    def get_config(self):
        return super().get_config() | {"fused": self.fused}


def test_layers_of_ones_own_keep_their_arguments(tmp_path):
    x = keras.Input((6,))
    model = keras.Model([x], [Fused(fused=True)(x)])
    model.save(tmp_path / "m.h5")
    for again in (
        keras.models.load_model(tmp_path / "m.h5"),
        keras.models.model_from_json(model.to_json()),
    ):
        assert again.layers[1].fused is True
        assert isinstance(again.input, list) and isinstance(again.output, list)


@pytest.fixture(scope="module")
def more():
    with np.load(FILES / "more_outputs.npz") as stored:
        return dict(stored)


@pytest.mark.parametrize("file", ["states.h5", "states.keras", "schedule.keras", "convolutions.h5"])
def test_layers_that_were_called_or_configured_otherwise(more, file):
    model = keras.models.load_model(FILES / file)
    name = file.split(".")[0].replace("convolutions", "conv")
    close(model(more[f"{name}_x"], training=False), [more[f"{name}_y"]], 1e-4)
    if name == "schedule":
        assert type(model.optimizer.get_config()["learning_rate"]) is dict
        assert int(model.optimizer.iterations.numpy()) == 1


def test_several_inputs_and_attention(more):
    model = keras.models.load_model(FILES / "multi.h5")
    found = model({key: more[f"multi_x_{key}"] for key in "ab"})
    assert set(found) == set("opr")
    for key, value in found.items():
        close(value, [more[f"multi_y_{key}"]], 1e-4)


def test_functions_of_tensorflow_are_ops(tmp_path):
    with np.load(FILES / "functions.npz") as stored:
        known = dict(stored)
    model = keras.models.load_model(FILES / "functions.h5")
    expected = [known[f"y{i}"] for i in range(len(known) - 1)]
    close(model(known["x"]), expected)
    for name in ("m.h5", "m.keras"):
        model.save(tmp_path / name)
        close(keras.models.load_model(tmp_path / name)(known["x"]), expected)


def test_a_function_that_changed_is_told():
    with pytest.warns(UserWarning, match="hard_sigmoid is clip") as caught:
        keras.models.load_model(FILES / "acts.h5")
    assert caught[0].filename == __file__


def test_compile_false_leaves_training_out():
    model = keras.models.load_model(FILES / "sequential.h5", compile=False)
    assert not model.compiled and model.optimizer is None


def like_the_file():
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(4, activation="relu", name="d1"),
            layers.BatchNormalization(name="bn"),
            layers.Flatten(),  # has no weights, so is not counted
            layers.Dense(2, name="d2"),
        ]
    )


@pytest.mark.page("Model.load_weights", "Sequential.load_weights")
@pytest.mark.parametrize("file", ["sequential_weights.h5", "sequential.h5"])
@pytest.mark.parametrize("by_name", [False, True])
def test_weights_of_tf_keras_2(known, file, by_name):
    model = like_the_file()
    assert model.load_weights(FILES / file, by_name=by_name) is None
    close(model.predict(known["x"], verbose=0), known["seq"])


# -- loading weights ---------------------------------------------------------------------------


def changed():
    """Another second layer than the file's, and one that the file has not."""
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(4, name="d1"),
            layers.Dense(3, name="d2"),
            layers.Dense(2, name="new"),
        ]
    )


@pytest.mark.page("Model.load_weights")
def test_by_name_passes_over_what_only_one_side_has():
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(4, name="d1"), layers.Dense(7, name="new")]
    )
    before = model.layers[1].get_weights()
    model.load_weights(FILES / "sequential_weights.h5", by_name=True)
    with h5py.File(FILES / "sequential_weights.h5") as file:
        np.testing.assert_array_equal(model.layers[0].get_weights()[0], file["d1/d1/kernel:0"])
    close(model.layers[1].get_weights(), before, 0)


@pytest.mark.page("Model.load_weights")
def test_a_mismatch_changes_nothing_or_is_skipped():
    model = changed()
    before = model.get_weights()
    with pytest.raises(saving.WeightsMismatchError, match=r"'d2'.*\(4, 3\).*in the file.*\(4, 2\)"):
        model.load_weights(FILES / "sequential_weights.h5", by_name=True)
    close(model.get_weights(), before, 0)
    with pytest.warns(UserWarning, match="skipped layer 'd2'") as caught:
        model.load_weights(FILES / "sequential_weights.h5", by_name=True, skip_mismatch=True)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert (model.get_weights()[0] != before[0]).any()
    close(model.get_weights()[2:], before[2:], 0)
    with pytest.warns(UserWarning) as caught:  # in order: bn and d2 stand elsewhere
        model.load_weights(FILES / "sequential_weights.h5", skip_mismatch=True)
    assert len(caught) == 2


def test_another_number_of_layers_is_refused():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(4, name="d1")])
    with pytest.raises(ValueError, match=r"3 layers with weights \(d1, bn, d2\).*has 1 \(d1\)"):
        model.load_weights(FILES / "sequential_weights.h5")
    late = keras.Sequential([layers.Dense(4)])
    with pytest.raises(ValueError, match="not built yet"):
        late.load_weights(FILES / "sequential_weights.h5")


@pytest.mark.page("Model.load_weights")
@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_other_formats_have_no_names(tmp_path, name):
    model = like_the_file()
    (model.save if name.endswith(".keras") else model.save_weights)(tmp_path / name)
    with pytest.raises(ValueError, match="by_name is only possible"):
        model.load_weights(tmp_path / name, by_name=True)
    with pytest.raises(ValueError, match="options can only be given"):
        model.load_weights(tmp_path / name, options=object())


# -- writing and reading -----------------------------------------------------------------------


@keras.saving.register_keras_serializable("test_legacy_hdf5")
class Own(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units)

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(), initializer="ones", name="gain")
        self.dense.build(input_shape)

    def call(self, x):
        return self.dense(x) * self.gain


def functional():
    x = keras.Input((6,), name="x")
    inner = keras.Sequential(
        [keras.Input((6,)), layers.Dense(6), layers.BatchNormalization(), layers.Dense(6)]
    )
    inner.layers[0].trainable = False
    y = layers.Dropout(0.5)(inner(inner(x) * 2.0))
    return keras.Model(x, {"a": layers.Dense(2, name="a")(y), "b": y + x}, name="whole")


def own():
    model = Own(2, name="mine")
    model.build((None, 6))
    return model


MODELS = {"sequential": like_the_file, "functional": functional, "subclass": own}


@pytest.mark.page("Model.save", "Sequential.save")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("way", ["old.h5", "old.hdf5", "as h5"])
def test_whole_models(tmp_path, name, way):
    model = MODELS[name]()
    for index, weight in enumerate(model.weights):
        weight.assign(np.random.default_rng(index).random(weight.shape))
    path = tmp_path / way
    model.save(path, save_format="h5" if way == "as h5" else None)
    with h5py.File(path) as file:
        assert json.loads(file.attrs["model_config"])["config"]["name"] == model.name
        assert list(file["model_weights"].attrs["layer_names"]) == [x.name for x in model.layers]
    again = keras.models.load_model(path)
    assert type(again) is type(model) and again.name == model.name
    for one, other in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    close(again.predict(X, verbose=0), model.predict(X, verbose=0), 1e-6)


@pytest.mark.page("Model.save", "Sequential.save")
@pytest.mark.parametrize("include_optimizer", [True, False])
def test_training_goes_on(tmp_path, include_optimizer):
    model = like_the_file()
    model.compile(
        keras.optimizers.Adam(0.02), keras.losses.Huber(), metrics=["mae"], weighted_metrics=["mse"]
    )
    model.fit(X, X[:, :2], batch_size=4, verbose=0, shuffle=False)
    model.save(tmp_path / "m.h5", include_optimizer=include_optimizer)
    again = keras.models.load_model(tmp_path / "m.h5")
    assert again.compiled == include_optimizer
    if include_optimizer:
        more = [m.fit(X, X[:, :2], batch_size=4, verbose=0, shuffle=False) for m in (model, again)]
        assert more[0].history == more[1].history


@pytest.mark.page("Model.save_weights", "Sequential.save_weights")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("path", ["w.h5", "w.keras", "as h5"])
def test_weights(tmp_path, name, path):
    model, same = MODELS[name](), MODELS[name]()
    path_ = tmp_path / path
    assert model.save_weights(path_, save_format="h5" if path == "as h5" else None) is None
    with h5py.File(path_) as file:
        names = list(file.attrs["layer_names"])
        assert names == [layer.name for layer in model.layers]
        for layer in model.layers:
            listed = list(file[layer.name].attrs["weight_names"])
            assert [file[layer.name][n].shape for n in listed] == [
                w.shape for w in (*layer.trainable_weights, *layer.non_trainable_weights)
            ]
    same.load_weights(path_)
    close(same.get_weights(), model.get_weights(), 0)


@pytest.mark.page("Model.save_weights")
def test_the_suffix_tells_the_layout(tmp_path):
    model = like_the_file()
    for name, group in (("w.weights.h5", "layers"), ("w.h5", "d1")):
        model.save_weights(tmp_path / name)
        with h5py.File(tmp_path / name) as file:
            assert group in file
    with pytest.raises(ValueError, match=r"end in '.weights.h5'"):
        model.save_weights(tmp_path / "w.h5", save_format="keras")
    with pytest.raises(ValueError, match=r"'keras', 'h5' or 'tf'.*'yaml'"):
        model.save_weights(tmp_path / "w.h5", save_format="yaml")


def test_names_of_many_layers_are_split(tmp_path, monkeypatch):
    monkeypatch.setattr("multikeras.saving.hdf5._NAMES_PER_ATTRIBUTE", 2)
    model, same = like_the_file(), like_the_file()
    model.save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5") as file:
        assert {"layer_names0", "layer_names1"} <= set(file.attrs)
    same.load_weights(tmp_path / "w.h5")
    close(same.get_weights(), model.get_weights(), 0)


# -- overwriting -------------------------------------------------------------------------------


class Terminal:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.questions = []

    def isatty(self):
        return True

    def ask(self, question):
        self.questions.append(question)
        return self.answers.pop(0)


@pytest.mark.page("Model.save", "Model.save_weights", "Sequential.save")
@pytest.mark.parametrize("way", ["m.keras", "m.h5", "m.weights.h5", "w.h5"])
def test_overwrite_false_asks(tmp_path, monkeypatch, capsys, way):
    path = tmp_path / way
    model = like_the_file()
    save = model.save_weights if "w" in way else model.save
    save(path, overwrite=False)  # there is nothing yet
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        save(path, overwrite=False)  # nobody there to be asked
    terminal = Terminal("", "what?", "n")
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("builtins.input", terminal.ask)
    save(path, overwrite=False)
    assert path.read_bytes() == b"old" and "nothing was saved" in capsys.readouterr().out
    assert len(terminal.questions) == 3 and way in terminal.questions[0]
    terminal.answers = ["y"]
    save(path, overwrite=False)
    assert path.read_bytes() != b"old"
    save(path)
    assert not terminal.answers and len(terminal.questions) == 4


@pytest.mark.page("Model.save_weights", "Model.load_weights")
def test_without_h5py(tmp_path, monkeypatch):
    model = like_the_file()
    model.save_weights(tmp_path / "w.h5")
    monkeypatch.setattr("multikeras.saving.hdf5.h5py", None)
    for call in (
        lambda: model.save_weights(tmp_path / "new.h5"),
        lambda: model.save(tmp_path / "new.h5"),
        lambda: model.load_weights(tmp_path / "w.h5"),
    ):
        with pytest.raises(ImportError, match="pip install h5py"):
            call()
    assert [path.name for path in tmp_path.iterdir()] == ["w.h5"]


# -- files that are not as they should be ------------------------------------------------------


def edited(tmp_path, edit):
    path = tmp_path / "edited.h5"
    path.write_bytes((FILES / "sequential.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        edit(file)
    return path


def _config(change):
    def edit(file):
        config = json.loads(file.attrs["model_config"])
        change(config["config"]["layers"])
        file.attrs["model_config"] = json.dumps(config)

    return edit


def _link(file):
    del file["model_weights/d1/d1/kernel:0"]
    file["model_weights/d1/d1/kernel:0"] = h5py.ExternalLink("/etc/passwd", "/")


REFUSED = {
    "no config": (lambda f: f.attrs.__delitem__("model_config"), "holds no model"),
    "no JSON": (lambda f: f.attrs.__setitem__("model_config", "{"), "no valid JSON"),
    "a link": (_link, "link"),
    "a missing array": (lambda f: f.__delitem__("model_weights/d1/d1/kernel:0"), "is missing"),
    "a missing layer": (lambda f: f.__delitem__("model_weights/d1"), "no group"),
    "names that are numbers": (
        lambda f: f["model_weights"].attrs.__setitem__("layer_names", [1, 2]),
        "no list of names",
    ),
    "names that leave": (
        lambda f: f["model_weights/d1"].attrs.__setitem__(
            "weight_names", ["../bn/bn/gamma:0", "d1/bias:0"]
        ),
        "is missing",
    ),
    "a layer twice": (
        lambda f: f["model_weights"].attrs.__setitem__("layer_names", ["d1", "d1"]),
        "lists a layer twice",
    ),
    "an unknown class": (
        _config(lambda layers_: layers_[1].update(class_name="os.system")),
        "nobody has declared",
    ),
    "a function of TensorFlow": (
        _config(
            lambda layers_: layers_.append(
                {"class_name": "TFOpLambda", "config": {"function": "signal.fft"}, "name": "f"}
            )
        ),
        "signal.fft.*load_weights",
    ),
    "bytecode": (
        _config(
            lambda layers_: layers_.append(
                {"class_name": "Lambda", "config": {"function": ["4wEAAAA=", None, None]}}
            )
        ),
        "Lambda|bytecode",
    ),
    "an argument that went away": (
        _config(lambda layers_: layers_[1]["config"].update(time_major=True)),
        "time_major=True",
    ),
    "another shape": (
        _config(lambda layers_: layers_[1]["config"].update(units=5)),
        r"\(6, 5\), in the file \(6, 4\)",
    ),
    "a huge layer": (
        _config(lambda layers_: layers_[1]["config"].update(units=10**9)),
        "bytes",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path, case):
    edit, message = REFUSED[case]
    path = edited(tmp_path, edit)
    with pytest.raises((ValueError, TypeError), match=message):
        keras.models.load_model(path)


def test_names_may_not_take_all_memory(monkeypatch):
    # Each of a thousand names may be the one text of a megabyte that the file holds.
    monkeypatch.setattr("multikeras.saving.hdf5.MAX_NAMES_BYTES", 10_000)
    with pytest.raises(saving.CorruptFileError, match="too much memory"):
        keras.models.load_model(FILES / "sequential.h5")


def test_an_optimizer_that_does_not_fit_starts_anew(tmp_path):
    def edit(file):
        del file["optimizer_weights/Adam/m/d1/kernel:0"]
        file["optimizer_weights/Adam/m/d1/kernel:0"] = np.zeros((2, 2))

    with pytest.warns(UserWarning, match="state of the optimizer does not fit"):
        model = keras.models.load_model(edited(tmp_path, edit))
    assert int(model.optimizer.iterations.numpy()) == 0


def test_a_cut_file_is_refused(tmp_path):
    data = (FILES / "sequential.h5").read_bytes()
    path = tmp_path / "cut.h5"
    for length in range(0, len(data), 997):
        path.write_bytes(data[:length])
        with pytest.raises(saving.CorruptFileError):
            keras.models.load_model(path)
