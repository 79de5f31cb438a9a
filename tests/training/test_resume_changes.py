"""What a continued run refuses, falls back on, and tells."""

from __future__ import annotations

import json
import re
import zipfile

import h5py
import numpy as np
import pytest

import multikeras as keras
from multikeras import callbacks as C
from multikeras import layers
from multikeras.callbacks import backup_file
from multikeras.saving.container import CorruptFileError
from tests.training.resume_worker import Killed, assert_same, variables

RNG = np.random.default_rng(3)
X = RNG.normal(size=(24, 4)).astype(np.float32)
Y = X[:, :2].sum(1, keepdims=True)


class Stop(C.Callback):
    """Ends the run after so many batches."""

    def __init__(self, after):
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise Killed


def make(units=3, optimizer="adam", metrics=("mae",)):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(units), layers.Dense(1)])
    model.compile(optimizer, "mse", metrics=list(metrics))
    return model


def fit(folder, stop=None, model=None, data=None, more=(), backup=None, **options):
    """A run of three epochs of three batches, saved after each batch."""
    model = model or make()
    backup = C.BackupAndRestore(folder, **({"save_freq": 1} | (backup or {})))
    options = {"epochs": 3, "batch_size": 8, "verbose": 0} | options
    if data is None:
        options["y"] = Y
    else:
        del options["batch_size"]
    callbacks = [backup, *more, *([] if stop is None else [Stop(stop)])]
    x = X if data is None else data
    if stop is None:
        history = model.fit(x, callbacks=callbacks, **options).history
        return {"arrays": variables(model), "history": history}
    with pytest.raises(Killed):
        model.fit(x, callbacks=callbacks, **options)
    return None


# -- another run -------------------------------------------------------------------------------

CHANGES = {
    "batch size": ({"batch_size": 4}, "batch_size was 8, now it is 4"),
    "steps": ({"steps_per_epoch": 2}, "steps an epoch was 3, now it is 2"),
    "optimizer": (
        {"model": lambda: make(optimizer="sgd")},
        "the optimizer was 'Adam', now it is 'SGD'",
    ),
    "loss scaling": (
        {"model": lambda: make(optimizer=keras.optimizers.LossScaleOptimizer(
            keras.optimizers.Adam()))},
        "the optimizer was 'Adam', now it is 'LossScaleOptimizer of Adam'",
    ),
    "model": ({"model": lambda: make(units=5)}, r"(4, 5), in the file (4, 3)"),
    "metrics": (
        {"model": lambda: make(metrics=["mae", "mape"])},
        "there were loss [(), ()], mae [(), ()]; now there are",
    ),
    "order": ({"shuffle": False}, "its data was"),
    "rows": ({"validation_split": 1 / 24}, "its data was"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_another_run_is_refused_and_nothing_is_lost(tmp_path, change):
    options, message = CHANGES[change]
    expected = fit(tmp_path / "whole")
    fit(tmp_path / "b", stop=5)
    before = (tmp_path / "b" / "last.backup").read_bytes()
    options = {k: v() if callable(v) else v for k, v in options.items()}
    with pytest.raises(ValueError, match=re.escape(message)):
        fit(tmp_path / "b", **options)
    assert (tmp_path / "b" / "last.backup").read_bytes() == before
    assert_same(fit(tmp_path / "b"), expected)


def test_other_callbacks_are_told(tmp_path):
    fit(tmp_path / "b", stop=5, more=[C.ReduceLROnPlateau("loss")])
    with pytest.warns(UserWarning, match="EarlyStopping start anew; ReduceLROnPlateau are missing"):
        fit(tmp_path / "b", more=[C.EarlyStopping("loss", patience=9)])


def test_more_epochs_go_on(tmp_path):
    expected = fit(tmp_path / "whole", epochs=5)
    fit(tmp_path / "b", backup={"delete_checkpoint": False})
    assert (tmp_path / "b" / "last.backup").exists()
    assert_same(fit(tmp_path / "b", epochs=5), expected)
    assert not (tmp_path / "b").exists()


def test_a_run_that_was_done_stays_as_it_is(tmp_path):
    kept = {"delete_checkpoint": False}
    expected = fit(tmp_path / "b", backup=kept)
    assert_same(fit(tmp_path / "b", backup=kept), expected)


def test_other_files_of_the_folder_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    fit(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_refusals():
    with pytest.raises(ValueError, match="`backup_dir`"):
        C.BackupAndRestore("")
    for bad in (True, 0, -1, "batch", 1.5, None):
        with pytest.raises(ValueError, match="save_freq"):
            C.BackupAndRestore("b", save_freq=bad)
    unbuilt = keras.Sequential([layers.Dense(1)])
    unbuilt.compile("sgd", "mse")
    with pytest.raises(ValueError, match="must be built before fit"):
        unbuilt.fit(X, Y, verbose=0, callbacks=[C.BackupAndRestore("never")])
    with pytest.raises(ValueError, match="only one BackupAndRestore"):
        make().fit(X, Y, verbose=0, callbacks=[C.BackupAndRestore("a"), C.BackupAndRestore("b")])
    with pytest.raises(ValueError, match="none is under way"):
        C.CallbackList(C.BackupAndRestore("never"), model=make()).on_train_begin()


def test_a_state_that_is_no_data_is_refused(tmp_path):
    class Odd(C.Callback):
        def get_state(self):
            return {"best": [1, {2}]}

    with pytest.raises(TypeError, match=r"\['best'\]\[1\].*set"):
        fit(tmp_path / "b", more=[Odd()])


# -- the files ---------------------------------------------------------------------------------


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def scribble(path):
    path.write_bytes(b"no backup at all")


def without(member):
    def change(path):
        with zipfile.ZipFile(path) as archive:
            kept = {name: archive.read(name) for name in archive.namelist() if name != member}
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in kept.items():
                archive.writestr(name, data)

    return change


def of_the_future(path):
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    kept["state.json"] = json.dumps(json.loads(kept["state.json"]) | {"format": 99}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in kept.items():
            archive.writestr(name, data)


DAMAGES = [cut, scribble, without("state.json"), without("model.weights.h5"), of_the_future]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_and_the_backup_before_is_taken(tmp_path, damage):
    expected = fit(tmp_path / "whole")
    twice = {"double_checkpoint": True}
    fit(tmp_path / "b", stop=5, backup=twice)
    assert sorted(p.name for p in (tmp_path / "b").iterdir()) == ["before.backup", "last.backup"]
    damage(tmp_path / "b" / "last.backup")
    with pytest.raises(CorruptFileError):
        fit(tmp_path / "b")
    with pytest.warns(UserWarning, match="the one before is taken"):
        assert_same(fit(tmp_path / "b", backup=twice), expected)
    assert not (tmp_path / "b").exists()


def test_leftovers_of_a_killed_save_are_removed(tmp_path):
    folder = tmp_path / "b"
    fit(folder, stop=5)
    (folder / ".last.backup.0123456789ab.tmp").write_bytes(b"half")
    fit(folder, backup={"delete_checkpoint": False})
    assert [p.name for p in folder.iterdir()] == ["last.backup"]


def test_what_a_backup_holds(tmp_path):
    fit(tmp_path, stop=5)
    state = backup_file.read_state(tmp_path / "last.backup")
    assert (state["epoch"], state["step"], state["epochs_done"]) == (1, 1, 1)
    assert [name for name, _ in state["metrics"]] == ["loss", "mae"]
    with zipfile.ZipFile(tmp_path / "last.backup") as archive:
        names = set(archive.namelist())
        assert names == {"state.json", "arrays.h5", "model.weights.h5"}
        with archive.open("model.weights.h5") as file, h5py.File(file) as weights:
            assert weights["layers/dense/vars/0"].shape == (4, 3)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": [1, 2.5, None, True, "x", float("inf")], "b": {"c": [[]]}},
        {"array": np.arange(6, dtype=np.int8).reshape(2, 3), "empty": np.zeros((0, 3))},
        {"scalar": np.float32(0.1), "zero": np.array(3)},
    ],
)
def test_states_come_back_as_they_were(tmp_path, value):
    backup_file.write_backup(tmp_path / "b", make(), value)
    found = backup_file.read_state(tmp_path / "b")
    assert repr(found) == repr(value)


def test_paths_in_a_backup_lead_nowhere_else(tmp_path):
    victim = tmp_path / "events.out.tfevents.victim"
    victim.write_bytes(b"precious")
    board = C.TensorBoard(tmp_path / "logs" / "deep")
    for name in ("../../events.out.tfevents.victim", str(victim), "victim"):
        state = {
            "batches": 0,
            "writes_graph": False,
            "epoch_start": 0,
            "files": {"train": {"name": name, "size": 0}},
        }
        with pytest.raises(ValueError, match="no name of an event file"):
            board.set_state(state)
    assert victim.read_bytes() == b"precious"


class Batches(keras.utils.PyDataset):
    """Three batches."""

    def __init__(self, y=Y):
        super().__init__()
        self.y = y

    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(8 * index, 8 * index + 8)
        return X[rows], keras.tree.map_structure(lambda a: a[rows], self.y)


# -- generators --------------------------------------------------------------------------------


def generator():
    while True:
        for first in range(0, 24, 8):
            yield X[first : first + 8], Y[first : first + 8]


def test_a_generator_is_refused_or_skipped(tmp_path):
    steps = {"steps_per_epoch": 3}
    skipping = {"fast_forward": True}
    expected = fit(tmp_path / "whole", data=generator(), backup=skipping, **steps)
    with pytest.warns(UserWarning, match=r"can't be continued.*generator.*fast_forward"):
        fit(tmp_path / "b", stop=5, data=generator(), **steps)
    with pytest.raises(ValueError, match=r"can't be brought to a position.*PyDataset"):
        fit(tmp_path / "b", data=generator(), **steps)
    assert_same(fit(tmp_path / "b", data=generator(), backup=skipping, **steps), expected)


@pytest.mark.parametrize("after", [2, 4, 6, 8])
def test_a_generator_of_validation_data(tmp_path, after):
    def noisy():
        for index in range(100):
            yield X[:8] * (1 + index), Y[:8]

    def options():
        return {"data": Batches(), "validation_data": noisy(), "validation_steps": 2}

    skipping = {"fast_forward": True}
    expected = fit(tmp_path / "whole", backup=skipping, **options())
    fit(tmp_path / "b", stop=after, backup=skipping, **options())
    assert_same(fit(tmp_path / "b", backup=skipping, **options()), expected)
    if after > 4:  # with less, no batch of it was used when the run was saved
        with pytest.warns(UserWarning, match="can't be continued"):
            fit(tmp_path / "c", stop=after, **options())
        with pytest.raises(ValueError, match="fast_forward"):
            fit(tmp_path / "c", **options())


# -- what else a run is made of ----------------------------------------------------------------


class Own(keras.Model):
    """A step of its own, that makes its metrics at its first call."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)
        self.drop = layers.Dropout(0.5)
        self.tracker = keras.metrics.Mean(name="own")

    def call(self, x, training=None):
        return self.dense(self.drop(x, training=training))

    def train_step(self, data):
        x, y = data[:2]

        def loss_fn():
            return keras.ops.mean(keras.ops.square(y - self(x, training=True)))

        loss, gradients = keras.value_and_grad(loss_fn, self.trainable_variables)()
        self.optimizer.apply(gradients, self.trainable_variables)
        self.tracker.update_state(loss)
        return {"own": self.tracker.result()}


def own():
    keras.utils.set_random_seed(1)
    model = Own()
    model.build((None, 4))
    model.compile("adam", "mse")
    return model


def mixed():
    keras.utils.set_random_seed(1)
    policy = keras.dtype_policies.DTypePolicy("mixed_float16")
    x = keras.Input((4,))
    outputs = [layers.Dense(1, dtype=policy, name=name)(x) for name in "ab"]
    model = keras.Model(x, layers.Add(dtype="float32")(outputs))
    scaled = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.01, momentum=0.9), initial_scale=2.0, dynamic_growth_steps=2
    )
    model.compile(scaled, "mse")
    return model


def several():
    keras.utils.set_random_seed(1)
    x = keras.Input((4,))
    a, b = layers.Dense(1, name="a")(x), layers.Dense(1, name="b")(layers.Dropout(0.5)(x))
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    model = keras.Model(x, {"a": a, "b": b})
    model.compile(
        keras.optimizers.RMSprop(schedule, gradient_accumulation_steps=2),
        {"a": "mse", "b": "mae"},
        metrics={"a": ["mae"]},
    )
    return model


MODELS = {"own step": (own, Y), "loss scale": (mixed, Y), "outputs": (several, {"a": Y, "b": Y})}


@pytest.mark.parametrize("kind", MODELS)
def test_models(tmp_path, kind):
    build, y = MODELS[kind]
    expected = fit(tmp_path / "whole", model=build(), data=Batches(y))
    for stop in (2, 3, 5):
        fit(tmp_path / "b", stop=stop, model=build(), data=Batches(y))
        assert_same(fit(tmp_path / "b", model=build(), data=Batches(y)), expected)


def test_steps_that_run_together(tmp_path):
    def build():
        model = make()
        model.compile("adam", "mse", steps_per_execution=2)
        return model

    options = {"batch_size": 4}  # six batches
    expected = fit(tmp_path / "whole", model=build(), **options)
    fit(tmp_path / "b", stop=4, model=build(), **options)
    state = backup_file.read_state(tmp_path / "b" / "last.backup")
    assert (state["epoch"], state["step"]) == (1, 0) or state["step"] % 2 == 0
    assert_same(fit(tmp_path / "b", model=build(), **options), expected)
