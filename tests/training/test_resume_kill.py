"""A run that is killed and started again ends as one that was never killed, bit for bit.

Most kills are an exception that nothing catches, in this process; some are the real signal in a
process of its own. The frameworks that compile get fewer points: each costs a compilation.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import multikeras as keras
from multikeras import callbacks as C
from multikeras.callbacks import backup_file
from multikeras.saving import atomic
from tests.training import resume_worker as worker
from tests.training.resume_worker import EVENTS, EVENTS_AN_EPOCH, Ending, Killed, assert_same

COMPILES = keras.config.backend() in ("jax", "tensorflow")
VALIDATION = EVENTS_AN_EPOCH - 6  # the event at which the first validation begins


def kill():
    raise Killed


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What the runs come to that nobody kills."""
    found = {
        frequency: worker.train(tmp_path_factory.mktemp("whole"), frequency)
        for frequency in (("epoch", 3) if COMPILES else ("epoch", 3, 1))
    }
    assert found["epoch"]["callbacks"][0] == worker.EPOCHS
    assert not found["epoch"]["left"]  # the backup of a run that is done is deleted
    return found


def test_saving_changes_nothing(expected):
    results = list(expected.values())
    for result in results[1:]:
        assert_same(result, results[0])


if COMPILES:
    POINTS = [(3, (VALIDATION + 3, 9)), ("epoch", (EVENTS_AN_EPOCH + 5, 2 * EVENTS_AN_EPOCH + 2))]
else:
    POINTS = [
        *((3, (at,)) for at in range(1, EVENTS + 1)),
        *((1, (at,)) for at in range(2, EVENTS + 1, 5)),
        *(("epoch", (at,)) for at in range(1, EVENTS + 1, 4)),
        # Killed, continued, killed again (its own events count from there), continued.
        *((3, (at, again)) for at, again in ((7, 3), (10, 12), (16, 1), (17, 9), (20, 20))),
        (1, (5, 5, 5, 5, 5, 5)),
        (3, (10, 2, 2, 2, 30)),
    ]


@pytest.mark.parametrize(("save_freq", "points"), POINTS, ids=str)
def test_killed_at_an_event(tmp_path, expected, save_freq, points):
    for at in points:
        with pytest.raises(Killed):
            worker.train(tmp_path, save_freq, Ending(at, kill))
    assert_same(worker.train(tmp_path, save_freq), expected[save_freq])


SAVING = {
    "before the first byte": (backup_file, "_encoded"),
    "within the weights": (backup_file, "write_weights"),
    "before the new name": (os, "fsync"),
    "after the new name": (atomic, "_sync_folder"),
}


@pytest.mark.skipif(COMPILES, reason="the file is the same on every backend")
@pytest.mark.parametrize("place", SAVING)
@pytest.mark.parametrize("nth", [1, 2, 4])
def test_killed_while_saving(tmp_path, expected, monkeypatch, place, nth):
    module, name = SAVING[place]
    original, calls = getattr(module, name), []

    def cut_short(*args, **kwargs):
        calls.append(name)
        if len(calls) == nth:
            raise Killed
        return original(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, cut_short)
        with pytest.raises(Killed):
            worker.train(tmp_path, 3)
    assert_same(worker.train(tmp_path, 3), expected[3])


# -- signals -----------------------------------------------------------------------------------


def start(folder: Path, *arguments: object) -> int:
    """Runs the worker in a process of its own."""
    result = subprocess.run(
        [sys.executable, worker.__file__, str(folder), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode in (0, -signal.SIGKILL, -signal.SIGTERM), result.stderr[-3000:]
    return result.returncode


@pytest.mark.parametrize(
    ("save_freq", "at"),
    [(3, EVENTS_AN_EPOCH + 7)] if COMPILES else [(3, 9), (2, 30), ("epoch", 20)],
)
def test_sigkill(tmp_path, save_freq, at):
    (tmp_path / "whole").mkdir()
    if save_freq == 3 and not COMPILES:
        assert start(tmp_path / "whole", save_freq) == 0
        expected = worker.read(tmp_path / "whole")
    else:
        expected = worker.train(tmp_path / "whole", save_freq)
    assert start(tmp_path, save_freq, "SIGKILL", at) == -signal.SIGKILL
    assert start(tmp_path, save_freq) == 0
    assert_same(worker.read(tmp_path), expected)


@pytest.mark.parametrize("at", [6] if COMPILES else [6, 10, VALIDATION + 2, EVENTS - 3])
def test_sigterm_saves_first(tmp_path, expected, at):
    assert start(tmp_path, "never", "SIGTERM", at) == -signal.SIGTERM
    assert (tmp_path / "backup").exists()
    assert_same(worker.train(tmp_path, False), expected["epoch"])


def test_sigterm_calls_a_handler_of_the_program(tmp_path, expected):
    heard = []

    def handler(number, frame):
        heard.append((tmp_path / "backup" / "last.backup").exists())

    before = signal.signal(signal.SIGTERM, handler)
    try:
        ends = [Ending(at, lambda: signal.raise_signal(signal.SIGTERM)) for at in (6, 13)]
        result = worker.train(tmp_path, False, *ends)
        assert heard == [True, True] and signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)
    assert_same(result, expected["epoch"])


def test_a_second_sigterm_ends_at_once(tmp_path):
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(len(heard)))

    def twice():
        signal.raise_signal(signal.SIGTERM)
        assert not heard
        signal.raise_signal(signal.SIGTERM)
        assert heard == [0]

    try:
        worker.train(tmp_path, False, Ending(5, twice))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [0] and not (tmp_path / "backup").exists()


@pytest.fixture
def interruptible():
    """Ctrl-C reaches Python; a process started in the background would ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("at", [6] if COMPILES else [5, 6, 10, VALIDATION, VALIDATION + 3])
def test_ctrl_c_saves_first(tmp_path, expected, at, interruptible):
    with pytest.raises(KeyboardInterrupt):
        worker.train(tmp_path, False, Ending(at, lambda: signal.raise_signal(signal.SIGINT)))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert_same(worker.train(tmp_path, False), expected["epoch"])


def test_without_a_backup_sigterm_is_left_alone():
    seen = []

    class Look(C.Callback):
        def on_train_begin(self, logs=None):
            seen.append(signal.getsignal(signal.SIGTERM))

    model = worker.make_model()
    model.fit(worker.X, worker.Y, verbose=0, callbacks=[Look()])
    assert seen == [signal.getsignal(signal.SIGTERM)]


# -- data --------------------------------------------------------------------------------------


class Batches(keras.utils.PyDataset):
    """Long enough that frameworks which compile run several batches in one dispatch."""

    size = 40

    def __init__(self, end_at=None, **options):
        super().__init__(**options)
        self.end_at, self.made = end_at, 0

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        self.made += 1
        if self.made == self.end_at:
            raise Killed
        rows = np.arange(4 * index, 4 * index + 4) % len(worker.X)
        return worker.X[rows] * np.random.uniform(0.5, 1.5), worker.Y[rows]


def fit(folder, data, save_freq, **options):
    model = worker.make_model()
    backup = C.BackupAndRestore(folder / "backup", save_freq, **options.pop("backup", {}))
    options = {"epochs": 2, "verbose": 0, "shuffle": True} | options
    history = model.fit(data, callbacks=[backup], **options).history
    return {"arrays": worker.variables(model), "history": history}


@pytest.mark.parametrize("at", [57] if COMPILES else [2, 12, 40, 41, 57, 80])
def test_without_listeners(tmp_path, at):
    (tmp_path / "whole").mkdir()
    expected = fit(tmp_path / "whole", Batches(), 7)
    with pytest.raises(Killed):
        fit(tmp_path, Batches(at), 7)
    assert_same(fit(tmp_path, Batches(), 7), expected)
    if not COMPILES:  # there, a backup cuts the groups of batches otherwise
        assert_same(fit(tmp_path, Batches(), "epoch"), expected)


class Drawing(Batches):
    """Draws the order of its batches itself, as user's data sets do."""

    def on_epoch_end(self):
        self.order = np.random.permutation(self.size)

    def __getitem__(self, index):
        order = getattr(self, "order", None)
        return super().__getitem__(index if order is None else order[index])

    def get_state(self):
        return {"order": getattr(self, "order", None)}

    def set_state(self, state):
        if state["order"] is not None:
            self.order = state["order"]


@pytest.mark.parametrize("at", [50] if COMPILES else [30, 41, 50])
def test_a_data_set_with_a_state(tmp_path, at):
    (tmp_path / "whole").mkdir()
    expected = fit(tmp_path / "whole", Drawing(), 5, shuffle=False)
    with pytest.raises(Killed):
        fit(tmp_path, Drawing(at), 5, shuffle=False)
    assert_same(fit(tmp_path, Drawing(), 5, shuffle=False), expected)


@pytest.mark.parametrize("shuffle", [True] if COMPILES else [True, False, "batch"])
def test_epochs_of_fixed_steps_share_a_pass(tmp_path, shuffle):
    """Two epochs of 2 batches to a pass of 4: passes and epochs don't coincide."""
    options = {"y": worker.Y, "batch_size": 8, "steps_per_epoch": 2, "epochs": 4}
    (tmp_path / "whole").mkdir()
    expected = fit(tmp_path / "whole", worker.X, 1, shuffle=shuffle, **options)
    for at in (3,) if COMPILES else range(2, 9):
        count = [0]

        class Last(C.Callback):
            def on_train_batch_end(self, batch, logs=None, at=at, count=count):
                count[0] += 1
                if count[0] == at:
                    raise Killed

        folder = tmp_path / str(at)
        model = worker.make_model()
        backup = C.BackupAndRestore(folder, 1)
        with pytest.raises(Killed):
            model.fit(worker.X, shuffle=shuffle, verbose=0, callbacks=[backup, Last()], **options)
        folder.rename(tmp_path / "backup")
        assert_same(fit(tmp_path, worker.X, 1, shuffle=shuffle, **options), expected)
