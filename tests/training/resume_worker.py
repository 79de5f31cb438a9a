"""A small training with everything that a continued run must put back, and ways to end it.

As a program, `python resume_worker.py FOLDER SAVE_FREQ [END AT]` trains, and with END (a signal's
name) sends itself that signal at the event numbered AT. What the run came to is written to
FOLDER/result.npz and FOLDER/result.json.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

import multikeras as keras
from multikeras import callbacks as C
from multikeras import layers

RNG = np.random.default_rng(2)
X = RNG.normal(size=(30, 6)).astype(np.float32)
Y = np.eye(3, dtype=np.float32)[X[:, :3].argmax(1)]
EPOCHS, BATCHES, VALIDATION_BATCHES = 3, 4, 2
# What a callback hears in an epoch, and in the whole run.
EVENTS_AN_EPOCH = 1 + 2 * BATCHES + 2 + 2 * VALIDATION_BATCHES + 1
EVENTS = EVENTS_AN_EPOCH * EPOCHS + 2


class Killed(BaseException):
    """Ends a run as abruptly as can be within a process."""


class Ending(C.Callback):
    """Ends the run at an event: a hook of training or validation that is called."""

    def __init__(self, at: int, end: Any) -> None:
        super().__init__()
        self.at, self.end, self.count = at, end, 0

    def _event(self, *args: Any, **kwargs: Any) -> None:
        self.count += 1
        if self.count == self.at:
            self.end()

    on_train_begin = on_epoch_begin = on_train_batch_begin = on_train_batch_end = _event
    on_test_begin = on_test_batch_begin = on_test_batch_end = on_test_end = _event
    on_epoch_end = on_train_end = _event


class Counter(C.Callback):
    """A user's callback with a state of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.seen, self.sum = 0, np.zeros(2)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        assert logs is not None
        self.seen += 1
        self.sum = self.sum + [logs["loss"], logs["val_loss"]]

    def get_state(self) -> dict[str, Any]:
        return {"seen": self.seen, "sum": self.sum}

    def set_state(self, state: dict[str, Any]) -> None:
        self.seen, self.sum = state["seen"], state["sum"]


def make_model() -> keras.Model:
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.4),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.9),
        "categorical_crossentropy",
        metrics=["accuracy", keras.metrics.F1Score(average="macro")],
    )
    return model


def variables(model: keras.Model) -> dict[str, np.ndarray]:
    """What a model and its optimizer hold; a second model has other names, but the same order."""
    found = {}
    for kind, group in (("model", model.variables), ("optimizer", model.optimizer.variables)):
        for index, variable in enumerate(group):
            found[f"{kind}/{index}"] = np.array(variable.numpy())
    return found


def train(folder: Path, save_freq: Any = "epoch", *more: Any, **options: Any) -> dict[str, Any]:
    """Trains, or goes on; gives what the run came to."""
    model = make_model()
    counter, stopping = Counter(), C.EarlyStopping(patience=2, restore_best_weights=True)
    plateau = C.ReduceLROnPlateau(patience=1, factor=0.5, min_delta=0.2)
    history = model.fit(
        X,
        Y,
        batch_size=8,
        epochs=EPOCHS,
        validation_data=(X[:16], Y[:16]),
        verbose=0,
        callbacks=[
            C.BackupAndRestore(folder / "backup", save_freq),
            C.SwapEMAWeights(swap_on_epoch=True),
            stopping,
            plateau,
            counter,
            C.CSVLogger(folder / "log.csv"),
            # Without the graph: its size depends on the layers' automatic names.
            C.TensorBoard(folder / "board", update_freq=3, write_graph=False),
            *more,
        ],
        **options,
    )
    return {
        "arrays": variables(model) | {"counter": counter.sum},
        "history": history.history,
        "epochs": history.epoch,
        "callbacks": [counter.seen, stopping.wait, stopping.best, plateau.wait, plateau.best],
        "drawn": [float(np.random.random()), float(keras.random.uniform((), seed=None))],
        "csv": (folder / "log.csv").read_text(),
        "board": {p.parent.name: p.stat().st_size for p in sorted(folder.glob("board/*/*"))},
        "left": sorted(p.name for p in (folder / "backup").glob("*")),
    }


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Bit for bit."""
    assert found.keys() == expected.keys()
    for name in expected:
        if name != "arrays":
            assert found[name] == expected[name], name
    assert found["arrays"].keys() == expected["arrays"].keys()
    for name, array in expected["arrays"].items():
        np.testing.assert_array_equal(found["arrays"][name], array, err_msg=name)


def write(folder: Path, result: dict[str, Any]) -> None:
    np.savez(folder / "result.npz", **result["arrays"])
    rest = {name: value for name, value in result.items() if name != "arrays"}
    (folder / "result.json").write_text(json.dumps(rest))


def read(folder: Path) -> dict[str, Any]:
    rest = json.loads((folder / "result.json").read_text())
    with np.load(folder / "result.npz") as arrays:
        return {"arrays": dict(arrays)} | rest


def main(folder: str, save_freq: str, name: str = "", at: str = "0") -> None:
    path = Path(folder)
    if save_freq == "never":
        frequency: Any = False
    else:
        frequency = int(save_freq) if save_freq.isdigit() else save_freq
    more = []
    if name:
        number = getattr(signal, name)
        more.append(Ending(int(at), lambda: os.kill(os.getpid(), number)))
    write(path, train(path, frequency, *more))


if __name__ == "__main__":
    main(*sys.argv[1:])
