"""Which hooks are called, in which order and with what, in fit, evaluate and predict."""

from __future__ import annotations

import numpy as np
import pytest

from multikeras import callbacks as C
from multikeras import layers, models

X = np.linspace(-1.0, 1.0, 28).reshape(14, 2).astype("float32")
Y = X.sum(1, keepdims=True)
BATCHES = 7


class Recorder(C.Callback):
    """Notes every hook with its number and the names (or shapes) in its logs."""

    def __init__(self):
        super().__init__()
        self.events = []


def _recording(name):
    def hook(self, *args, logs=None):
        *numbers, logs = (*args, logs) if len(args) < 2 and logs is not None else args
        if "outputs" in logs:
            outputs = logs["outputs"]
            assert type(outputs) is np.ndarray
            told = outputs.shape
        else:
            assert all(type(value) is float for value in logs.values()), logs
            told = sorted(logs)
        assert all(type(number) is int for number in numbers)
        self.events.append((name.removeprefix("on_"), *numbers, told))

    return hook


for _name in dir(C.Callback):
    if _name.startswith("on_") and _name not in ("on_batch_begin", "on_batch_end"):
        setattr(Recorder, _name, _recording(_name))


def make(together=1):
    model = models.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"], steps_per_execution=together)
    return model


def batches(mode, told, together=1, number=BATCHES):
    """The events of the batches of an epoch: each begins at the first, ends at the last."""
    found = []
    for first in range(0, number, together):
        last = min(first + together, number) - 1
        found.append((f"{mode}_batch_begin", first, []))
        found.append((f"{mode}_batch_end", last, told(first, last)))
    return found


def names(first, last):
    return ["loss", "mae"]


@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.page("Model.fit", "Model.compile")
def test_fit(together):
    recorder = Recorder()
    make(together).fit(
        X, Y, batch_size=2, epochs=2, verbose=0, validation_data=(X[:6], Y[:6]),
        callbacks=[recorder],
    )  # fmt: skip
    logs = ["loss", "mae", "val_loss", "val_mae"]
    epochs = [
        [
            ("epoch_begin", epoch, []),
            *batches("train", names, together),
            ("test_begin", []),
            *batches("test", names, together, number=3),
            ("test_end", ["loss", "mae"]),
            ("epoch_end", epoch, logs),
        ]
        for epoch in range(2)
    ]
    assert recorder.events == [("train_begin", []), *epochs[0], *epochs[1], ("train_end", logs)]


@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.page("Model.evaluate")
def test_evaluate(together):
    recorder = Recorder()
    make(together).evaluate(X, Y, batch_size=2, verbose=0, callbacks=[recorder])
    assert recorder.events == [
        ("test_begin", []),
        *batches("test", names, together),
        ("test_end", ["loss", "mae"]),
    ]


@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.page("Model.predict")
def test_predict(together):
    recorder = Recorder()
    make(together).predict(X, batch_size=2, verbose=0, callbacks=[recorder])
    expected = batches("predict", lambda first, last: (2 * (last - first + 1), 1), together)
    assert recorder.events == [("predict_begin", []), *expected, ("predict_end", [])]


def test_aliases_of_training():
    heard = []

    class Old(C.Callback):
        def on_batch_begin(self, batch, logs=None):
            heard.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            heard.append(("end", batch, sorted(logs)))

    model = make()
    model.fit(X, Y, batch_size=7, verbose=0, callbacks=[Old()])
    logs = ["loss", "mae"]
    assert heard == [("begin", 0), ("end", 0, logs), ("begin", 1), ("end", 1, logs)]
    model.evaluate(X, Y, verbose=0, callbacks=[Old()])
    model.predict(X, verbose=0, callbacks=[Old()])
    assert len(heard) == 4


def test_every_hook_as_a_function():
    heard = []
    hooks = [n for n in dir(C.Callback) if n.startswith("on_")]
    callback = C.LambdaCallback(**{n: lambda *args, n=n, **more: heard.append(n) for n in hooks})
    model = make()
    model.fit(X, Y, verbose=0, callbacks=[callback], validation_data=(X, Y))
    model.predict(X, verbose=0, callbacks=[callback])
    # A function in the place of on_train_batch_begin is called instead of on_batch_begin.
    assert set(hooks) - set(heard) <= {"on_batch_begin", "on_batch_end"}


@pytest.mark.page("Model.stop_training")
def test_stop_training_ends_the_epoch_and_the_run():
    class Enough(C.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                self.model.stop_training = True

    recorder, model = Recorder(), make()
    assert model.stop_training is False
    history = model.fit(
        X, Y, batch_size=2, epochs=5, verbose=0, callbacks=[Enough(), recorder],
        validation_data=(X, Y),
    )  # fmt: skip
    heard = [event[0] for event in recorder.events]
    assert heard.count("train_batch_end") == 3 and heard.count("epoch_end") == 1
    assert heard.count("test_end") == 1 and heard[-1] == "train_end"
    assert model.stop_training is True and history.epoch == [0]
    model.fit(X, Y, verbose=0)  # a new run begins with it off
    assert model.stop_training is False


@pytest.mark.parametrize("bar", [False, True])
def test_a_list_made_by_the_program(bar, capsys):
    model, recorder = make(), Recorder()
    calls = C.CallbackList([recorder], add_history=True, add_progbar=bar, model=model)
    history = model.fit(X, Y, verbose=1, callbacks=calls)
    assert history is calls.history and history.epoch == [0]
    assert ("loss" in capsys.readouterr().out) == bar
    assert [event[0] for event in recorder.events].count("epoch_end") == 1
    recorder.events.clear()
    model.evaluate(X, Y, verbose=0, callbacks=C.CallbackList([recorder], model=model))
    model.predict(X, verbose=0, callbacks=C.CallbackList([recorder], model=model))
    heard = [event[0] for event in recorder.events]
    assert heard.count("test_end") == heard.count("predict_end") == 1


def test_what_callbacks_are_told_of_the_run():
    seen = {}

    class Look(C.Callback):
        def on_train_begin(self, logs=None):
            seen.update(self.params, model=self.model)

    model = make()
    model.fit(X, Y, batch_size=2, epochs=3, verbose=0, callbacks=[Look()])
    assert seen == {"verbose": 0, "epochs": 3, "steps": 7, "model": model}
