"""`OrbaxCheckpoint` writes what Orbax reads, and `saving.orbax` reads it back."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from multikeras import callbacks as C
from multikeras import layers, models, saving, utils
from multikeras.saving.orbax import is_orbax_folder, load_orbax_weights

X = np.linspace(-1.0, 1.0, 28).reshape(14, 2).astype("float32")
Y = X.sum(1, keepdims=True)


def test_without_the_package_it_says_what_to_install(tmp_path, monkeypatch):
    for name in [n for n in sys.modules if n.partition(".")[0] == "orbax"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "orbax", None)
    with pytest.raises(ImportError, match=r"multikeras\[orbax\].*ModelCheckpoint"):
        C.OrbaxCheckpoint(tmp_path)


def installed() -> bool:
    try:
        import orbax.checkpoint  # noqa: F401
    except ImportError:
        return False
    return True


needs_orbax = pytest.mark.skipif(not installed(), reason="Orbax is an optional package")


def make(units=3):
    model = models.Sequential(
        [
            layers.Input((2,)),
            layers.Dense(units),
            layers.Dense(units),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def fit(callback, model=None, epochs=3):
    model = model or make()
    model.fit(X, Y, batch_size=2, epochs=epochs, verbose=0, callbacks=callback)
    return model


def names(folder):
    return sorted((p.name for p in folder.iterdir()), key=int)


@needs_orbax
@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, "2"),
        ({"max_to_keep": 2}, "1 2"),
        ({"max_to_keep": None, "save_on_background": False}, "0 1 2"),
        ({"save_freq": 4, "max_to_keep": 9}, "4 8 12 16 20"),
        ({"save_freq": 7, "max_to_keep": 2}, "14 21"),
        (
            {"save_best_only": True, "monitor": "loss", "initial_value_threshold": 0.0},
            "",
        ),
    ],
)
def test_which_checkpoints_are_kept(tmp_path, options, steps):
    fit(C.OrbaxCheckpoint(tmp_path, **options))
    assert names(tmp_path) == steps.split()
    assert is_orbax_folder(tmp_path) == bool(steps)


@needs_orbax
def test_the_whole_state_comes_back(tmp_path):
    model = fit(C.OrbaxCheckpoint(tmp_path))
    utils.clear_session(free_memory=False)
    for folder in (tmp_path, tmp_path / "2"):
        again = make()  # the second one has other automatic names
        load_orbax_weights(again, folder)
        for ours, theirs in zip(
            [*again.variables, *again.optimizer.variables],
            [*model.variables, *model.optimizer.variables],
            strict=True,
        ):
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), err_msg=ours.path)


@needs_orbax
def test_a_step_can_be_chosen(tmp_path):
    model = make()
    seen = []

    class Keep(C.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append([np.array(w) for w in self.model.get_weights()])

    fit([Keep(), C.OrbaxCheckpoint(tmp_path, max_to_keep=None)], model)
    load_orbax_weights(model, tmp_path, step=1)
    for ours, theirs in zip(model.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(FileNotFoundError, match=r"of step 7.*\[0, 1, 2\]"):
        load_orbax_weights(model, tmp_path, step=7)


@needs_orbax
def test_weights_alone(tmp_path):
    model = fit(C.OrbaxCheckpoint(tmp_path, save_weights_only=True))
    again = make()
    load_orbax_weights(again, tmp_path)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert int(np.asarray(again.optimizer.iterations)) == 0
    with pytest.raises(ValueError, match="weights only"):
        saving.load_model(tmp_path)


@needs_orbax
def test_the_model_comes_back(tmp_path):
    model = fit(C.OrbaxCheckpoint(tmp_path))
    again = saving.load_model(tmp_path)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert again.compiled and int(np.asarray(again.optimizer.iterations)) == 21
    assert not saving.load_model(tmp_path, compile=False).compiled
    other = make()
    other.load_weights(tmp_path)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    with pytest.raises(ValueError, match="skip_mismatch"):
        other.load_weights(tmp_path, skip_mismatch=True)


@needs_orbax
def test_another_model_is_refused(tmp_path):
    fit(C.OrbaxCheckpoint(tmp_path))
    other = make(units=4)
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"nothing was changed(.|\n)*\(4, 1\), there \(3, 1\)"):
        load_orbax_weights(other, tmp_path)
    small = models.Sequential([layers.Input((2,)), layers.Dense(1)])
    with pytest.raises(ValueError, match="not in the model"):
        load_orbax_weights(small, tmp_path)
    for ours, theirs in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@needs_orbax
def test_a_second_run_takes_its_place(tmp_path):
    fit(C.OrbaxCheckpoint(tmp_path))
    model = fit(C.OrbaxCheckpoint(tmp_path))
    again = make()
    load_orbax_weights(again, tmp_path)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


@needs_orbax
def test_it_says_what_it_does(tmp_path, capsys):
    fit(C.OrbaxCheckpoint(tmp_path, verbose=1, save_best_only=True, monitor="loss"), epochs=2)
    assert "Step 0: saving a checkpoint in" in capsys.readouterr().out


@needs_orbax
@pytest.mark.parametrize(
    ("options", "message"),
    [({"save_freq": "batch"}, "save_freq"), ({"max_to_keep": 0}, "max_to_keep")],
)
def test_refusals(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        C.OrbaxCheckpoint(tmp_path, **options)
    with pytest.raises(FileNotFoundError, match="no Orbax checkpoint"):
        load_orbax_weights(make(), tmp_path)
