"""Callbacks on a stand-in for a model: what they do at which turning point."""

import json
import logging
import math
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from multikeras import callbacks as C
from multikeras import config
from multikeras.callbacks.progbar import _clock
from multikeras.optimizers import SGD
from multikeras.variables import Variable


class Model:
    """Has what callbacks ask of a model."""

    built = True
    metrics = ()

    def __init__(self, optimizer=None):
        self.variable = Variable([1.0, 2.0], name="v")
        self.trainable_variables = [self.variable]
        self.optimizer = optimizer or SGD(0.5)
        self.optimizer.build(self.trainable_variables)
        self.stop_training = False
        self.history = None
        self.saved = []

    def get_weights(self):
        return [np.array(self.variable.numpy())]

    def set_weights(self, weights):
        self.variable.assign(weights[0])

    def save(self, path, overwrite=True):
        self.saved.append(str(path))

    def save_weights(self, path, overwrite=True):
        self.saved.append(str(path))
        np.save(f"{path}.npy", self.variable.numpy())

    def load_weights(self, path):
        self.variable.assign(np.load(f"{path}.npy"))


def run(callback, values, model=None, name="val_loss", batches=0, **params):
    """Plays epochs whose logs have these values; gives the model and the numbers of epochs."""
    model = model or Model()
    calls = C.CallbackList(callback, add_history=True, model=model, epochs=len(values), **params)
    calls.on_train_begin()
    for epoch, value in enumerate(values):
        calls.on_epoch_begin(epoch)
        for batch in range(batches):
            calls.on_train_batch_begin(batch)
            calls.on_train_batch_end(batch, {"loss": value})
        model.variable.assign(np.full(2, epoch + 1.0))
        calls.on_epoch_end(epoch, {name: value})
        if model.stop_training:
            break
    calls.on_train_end()
    return model, calls.history.epoch


class Recorder(C.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []


for _name in [n for n in dir(C.Callback) if n.startswith("on_")]:

    def _hook(self, *args, name=_name, **kwargs):
        self.calls.append((name, *args, *kwargs.values()))

    setattr(Recorder, _name, _hook)


@pytest.mark.parametrize("mode", ["train", "test", "predict"])
def test_hooks_are_called_with_a_dict(mode):
    recorder = Recorder()
    calls = C.CallbackList([[recorder]], model=Model(), steps=2)
    getattr(calls, f"on_{mode}_begin")()
    getattr(calls, f"on_{mode}_batch_begin")(0)
    getattr(calls, f"on_{mode}_batch_end")(0, {"loss": 1.0})
    getattr(calls, f"on_{mode}_end")()
    assert recorder.calls == [
        (f"on_{mode}_begin", {}),
        (f"on_{mode}_batch_begin", 0, {}),
        (f"on_{mode}_batch_end", 0, {"loss": 1.0}),
        (f"on_{mode}_end", {}),
    ]
    assert recorder.params == {"steps": 2} and recorder.model is calls.model


def test_batch_aliases():
    class Old(C.Callback):
        seen = ()

        def on_batch_end(self, batch, logs=None):
            self.seen += (batch,)

    old = Old()
    calls = C.CallbackList(old)
    calls.on_train_batch_end(3, {})
    calls.on_batch_end(4, {})
    calls.on_test_batch_end(5, {})
    assert old.seen == (3, 4)
    assert [calls.listens_to_batches(m) for m in ("train", "test", "predict")] == [
        True,
        False,
        False,
    ]


class TestListener(C.Callback):
    __test__ = False

    def on_test_batch_begin(self, batch, logs=None):
        pass


@pytest.mark.parametrize(
    ("make", "modes"),
    [
        (lambda: None, ""),
        (C.Callback, ""),
        (C.History, ""),
        (C.ProgbarLogger, ""),
        (C.EarlyStopping, ""),
        (lambda: C.ModelCheckpoint("a.keras"), ""),
        (lambda: C.ModelCheckpoint("a.keras", save_freq=3), "train"),
        (lambda: C.BackupAndRestore("a"), ""),
        (lambda: C.BackupAndRestore("a", save_freq=3), ""),  # the run asks it
        (C.TerminateOnNaN, "train"),
        (TestListener, "test"),
        (Recorder, "train test predict"),
        (lambda: C.LambdaCallback(on_epoch_end=print), ""),
        (lambda: C.LambdaCallback(on_train_batch_end=print), "train"),
        (lambda: C.LambdaCallback(on_predict_batch_begin=print), "predict"),
    ],
)
def test_who_listens_to_batches(make, modes):
    calls = C.CallbackList(make(), add_history=True, add_progbar=True)
    found = [m for m in ("train", "test", "predict") if calls.listens_to_batches(m)]
    assert " ".join(found) == modes


@pytest.mark.parametrize("bad", ["early", C.History, print])
def test_callback_list_refuses_what_is_no_callback(bad):
    with pytest.raises(TypeError, match="expected Callback objects"):
        C.CallbackList([bad])


def test_own_history_and_progress_bar_are_used():
    history, bar = C.History(), C.ProgbarLogger()
    calls = C.CallbackList([history, bar], add_history=True, add_progbar=True, model=Model())
    assert calls.callbacks == [history, bar]
    assert calls.history is history is calls.model.history and calls.progress is bar


# -- stopping and rates ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "values", "epochs"),
    [
        ({}, [3, 2, 1], 3),
        ({}, [1, 2, 3], 2),
        ({"patience": 2}, [1, 2, 0.5, 2, 2, 2], 5),
        ({"min_delta": 1}, [3, 2.5, 1], 2),
        ({"min_delta": -1}, [3, 2.5, 1], 2),
        ({"mode": "max"}, [1, 2, 3, 1, 1], 4),
        ({"baseline": 2, "patience": 2}, [5, 4, 4.5, 1], 3),
        ({"baseline": 2, "patience": 2}, [5, 1, 0.5], 3),
        ({"start_from_epoch": 2}, [1, 2, 3, 4, 5], 4),
    ],
)
def test_early_stopping(options, values, epochs):
    stopping = C.EarlyStopping(**options)
    model, seen = run(stopping, values)
    assert len(seen) == epochs
    assert model.stop_training == (epochs < len(values)) == (stopping.stopped_epoch > 0)


@pytest.mark.parametrize(("values", "best"), [([2, 1, 3], 2), ([3, 2, 1], 3), ([math.nan] * 2, 1)])
def test_early_stopping_restores_the_best_weights(values, best):
    model, _ = run(C.EarlyStopping(patience=5, restore_best_weights=True), values)
    assert model.variable.numpy().tolist() == [best, best]


def test_early_stopping_says_so(capsys):
    run(C.EarlyStopping(verbose=1, restore_best_weights=True), [1, 2])
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 2: early stopping",
        "Restoring the weights of the best epoch: 1.",
    ]


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("out_loss", "min"),
        ("val_accuracy", "max"),
        ("out_acc", "max"),
        ("auc_1", "max"),
        ("val_mae", "min"),
        ("mean_squared_error", "min"),
        ("sparse_categorical_crossentropy", "min"),
        ("false_positives", "min"),
        ("f1_score", "max"),
    ],
)
def test_direction_by_name(name, direction):
    assert C.EarlyStopping(monitor=name).direction() == direction


def test_direction_by_metric():
    class Metric:
        name, _direction = "quality", "up"

    class BinaryAccuracy:
        name = "share"

    model = Model()
    model.metrics = [Metric(), BinaryAccuracy()]
    for name in ("val_quality", "share"):
        stopping = C.EarlyStopping(monitor=name)
        stopping.set_model(model)
        assert stopping.direction() == "max"
    with pytest.raises(ValueError, match="mode='min' or mode='max'"):
        C.EarlyStopping(monitor="what").direction()


def test_monitor_warns():
    with pytest.warns(UserWarning, match="'val_loss', which is not in the logs; there is: loss"):
        run(C.EarlyStopping(), [1.0], name="loss")
    with pytest.warns(UserWarning, match="unknown mode 'least'"):
        assert C.EarlyStopping(mode="least").mode == "auto"


def rates(callback, values, **kwargs):
    model = Model()
    run(callback, values, model=model, **kwargs)
    return model.history.history["learning_rate"]


@pytest.mark.parametrize(
    ("options", "values", "expected"),
    [
        ({"patience": 1}, [1, 1, 1], [0.5, 0.5, 0.05]),
        ({"patience": 2}, [1, 1, 1, 1], [0.5, 0.5, 0.5, 0.05]),
        ({"patience": 1, "factor": 0.5, "min_lr": 0.2}, [1] * 5, [0.5, 0.5, 0.25, 0.2, 0.2]),
        ({"patience": 1, "cooldown": 2}, [1] * 5, [0.5, 0.5, 0.05, 0.05, 0.005]),
        ({"patience": 1, "mode": "max"}, [1, 2, 3], [0.5] * 3),
        ({"patience": 1, "min_delta": 1.0}, [3, 2.5, 1], [0.5, 0.5, 0.05]),
    ],
)
def test_reduce_lr_on_plateau(options, values, expected):
    found = rates(C.ReduceLROnPlateau(**options), values)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_reduce_lr_on_plateau_refuses_growth():
    with pytest.raises(ValueError, match="`factor` must be below 1, got 2"):
        C.ReduceLROnPlateau(factor=2)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (lambda epoch: 1.0 / (epoch + 1), [1.0, 0.5]),
        (lambda epoch, rate: rate * 0.5, [0.25, 0.125]),
        (lambda epoch: np.float64(epoch), [0.0, 1.0]),
        (lambda epoch: np.array(0.25, "float32"), [0.25, 0.25]),
    ],
)
def test_learning_rate_scheduler(schedule, expected):
    np.testing.assert_allclose(rates(C.LearningRateScheduler(schedule), [1, 1]), expected)


@pytest.mark.parametrize("value", [1, True, None, "fast", np.ones(2)])
def test_learning_rate_scheduler_refuses_what_is_no_float(value):
    with pytest.raises(ValueError, match="must return a float, got"):
        run(C.LearningRateScheduler(lambda epoch: value), [1])


def test_callbacks_need_an_optimizer_with_a_rate():
    model = Model()
    model.optimizer = None
    with pytest.raises(ValueError, match="no `learning_rate`"):
        run(C.LearningRateScheduler(lambda epoch: 0.1), [1], model=model)


def test_terminate_on_nan(capsys):
    _model, epochs = run(C.TerminateOnNaN(), [1.0, math.inf, 1.0], batches=1)
    assert len(epochs) == 2 and "Batch 0: invalid loss" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="the loss is nan after batch 0"):
        run(C.TerminateOnNaN(raise_error=True), [math.nan], batches=1)


def test_lambda_callback():
    seen = []
    callback = C.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(("begin", epoch)),
        on_train_end=lambda logs: seen.append("end"),
        on_test_begin=lambda logs: seen.append("test"),
    )
    run(callback, [1])
    assert seen == [("begin", 0), "end"]
    with pytest.raises(TypeError, match="no hook 'on_lunch'"):
        C.LambdaCallback(on_lunch=print)


# -- files -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "values", "names"),
    [
        ({}, [3, 4], ["01-3.0.keras", "02-4.0.keras"]),
        ({"save_best_only": True}, [3, 4, 2], ["01-3.0.keras", "03-2.0.keras"]),
        ({"save_best_only": True, "mode": "max"}, [3, 4, 2], ["01-3.0.keras", "02-4.0.keras"]),
        ({"save_best_only": True, "initial_value_threshold": 2.5}, [3, 2], ["02-2.0.keras"]),
    ],
)
def test_model_checkpoint(tmp_path, options, values, names):
    path = tmp_path / "new" / "{epoch:02d}-{val_loss:.1f}.keras"
    model, _ = run(C.ModelCheckpoint(path, **options), values)
    assert model.saved == [str(tmp_path / "new" / name) for name in names]


def test_model_checkpoint_every_so_many_batches(tmp_path):
    path = str(tmp_path / "{epoch}-{batch}.weights.h5")
    checkpoint = C.ModelCheckpoint(path, save_freq=4, save_weights_only=True)
    model, _ = run(checkpoint, [1, 1], batches=10)
    found = [name.removeprefix(str(tmp_path))[1:].split(".")[0] for name in model.saved]
    assert found == ["1-4", "1-8", "2-2", "2-6", "2-10"]


def test_model_checkpoint_says_so(tmp_path, capsys):
    path = tmp_path / "m.keras"
    run(C.ModelCheckpoint(path, verbose=1, save_best_only=True), [0.5, 0.75])
    assert capsys.readouterr().out.splitlines() == [
        f"Epoch 1: val_loss improved from none to 0.50000, saving model to {path}",
        "Epoch 2: val_loss did not improve from 0.50000",
    ]


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("m.h5", {}, "must end in '.keras'"),
        ("m.keras", {"save_weights_only": True}, "'.weights.h5' with save_weights_only=True"),
        ("m.keras", {"save_freq": "hour"}, "save_freq must be 'epoch' or a positive number"),
        ("m.keras", {"save_freq": 0}, "save_freq"),
    ],
)
def test_model_checkpoint_refusals(path, options, message):
    with pytest.raises(ValueError, match=message):
        C.ModelCheckpoint(path, **options)


def test_model_checkpoint_refusals_when_saving(tmp_path):
    with pytest.raises(KeyError, match="mentions 'acc', but there is only val_loss, epoch"):
        run(C.ModelCheckpoint(tmp_path / "{acc}.keras"), [1])
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        run(C.ModelCheckpoint(tmp_path / "folder.keras"), [1])


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"

    def play(append):
        calls = C.CallbackList(C.CSVLogger(path, append=append))
        calls.on_train_begin()
        calls.on_epoch_end(0, {"loss": 0.5, "m": np.array([1, 2])})
        calls.on_epoch_end(1, {"loss": 0.25, "m": 1.0, "val_loss": 2.0, "val_m": 0.0})
        calls.on_train_end()
        return path.read_text().splitlines()

    lines = ["epoch,loss,m,val_loss,val_m", '0,0.5,"[1, 2]",NA,NA', "1,0.25,1.0,2.0,0.0"]
    assert play(False) == play(False) == lines
    assert play(True) == lines + lines[1:]


# -- averages, servers -------------------------------------------------------------------------


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_swap_ema_weights(swap_on_epoch):
    model = Model(SGD(0.5, use_ema=True, ema_momentum=0.5))
    seen = {}

    class Look(C.Callback):
        def on_test_begin(self, logs=None):
            seen["test"] = self.model.get_weights()[0].tolist()

        def on_epoch_end(self, epoch, logs=None):
            seen["epoch"] = self.model.get_weights()[0].tolist()

    calls = C.CallbackList([C.SwapEMAWeights(swap_on_epoch), Look()], model=model)
    calls.on_train_begin()
    calls.on_epoch_begin(0)
    for _ in range(2):
        model.optimizer.apply([model.variable.value * 0.0 + 2.0], [model.variable])
    trained = model.get_weights()[0].tolist()
    average = model.optimizer._averages[0].numpy().tolist()
    assert trained != average
    calls.on_test_begin()
    calls.on_test_end()
    assert model.get_weights()[0].tolist() == trained
    calls.on_epoch_end(0)
    calls.on_epoch_begin(1)
    assert model.get_weights()[0].tolist() == trained
    assert seen == {"test": average, "epoch": average if swap_on_epoch else trained}


def test_swap_ema_weights_needs_averages():
    with pytest.raises(ValueError, match="use_ema=True"):
        run(C.SwapEMAWeights(), [1])


@pytest.mark.parametrize("as_json", [False, True])
def test_remote_monitor(as_json):
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, self.headers["Content-Type"], self.headers["X-A"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        root = f"http://127.0.0.1:{server.server_port}"
        run(C.RemoteMonitor(root, headers={"X-A": "b"}, send_as_json=as_json), [0.5])
        thread.join()
    ((path, kind, header, body),) = received
    assert path == "/publish/epoch/end/" and header == "b"
    if as_json:
        assert kind == "application/json" and json.loads(body) == {"epoch": 0, "val_loss": 0.5}
    else:
        assert body == "data=%7B%22epoch%22%3A+0%2C+%22val_loss%22%3A+0.5%7D"


def test_remote_monitor_without_a_server_warns():
    with pytest.warns(UserWarning, match="could not reach"):
        run(C.RemoteMonitor("http://127.0.0.1:9"), [0.5])


# -- the progress bar --------------------------------------------------------------------------


def play_fit(verbose, epochs=2, steps=3):
    calls = C.CallbackList(add_progbar=True, verbose=verbose, epochs=epochs, steps=steps)
    calls.on_train_begin()
    for epoch in range(epochs):
        calls.on_epoch_begin(epoch)
        for batch in range(3):
            calls.progress.update(batch + 1, {"loss": 1.0 / (batch + 1)})
        calls.on_test_begin()
        calls.on_test_end({"loss": 9.0})
        calls.on_epoch_end(epoch, {"loss": 1 / 3, "val_loss": 1e-5})
    calls.on_train_end()


LINE = r"3/3 %s \d+s?.* - loss: 0.3333 - val_loss: 1.0000e-05"


@pytest.mark.parametrize(("verbose", "bar"), [(1, "━{20}"), ("auto", "━{20}"), (2, "-")])
@pytest.mark.parametrize("steps", [3, None])
def test_progress_in_a_file(capsys, verbose, bar, steps):

    play_fit(verbose, steps=steps)
    lines = capsys.readouterr().out.splitlines()
    assert [lines[0], lines[2]] == ["Epoch 1/2", "Epoch 2/2"] and len(lines) == 4
    for line in (lines[1], lines[3]):
        assert re.fullmatch(LINE % bar, line), line


def test_progress_is_silent(capsys):
    play_fit(0)
    assert capsys.readouterr().out == ""


def test_one_epoch_has_no_title(capsys):
    play_fit(2, epochs=1)
    assert capsys.readouterr().out.startswith("3/3")


@pytest.mark.parametrize("mode", ["test", "predict"])
def test_progress_of_evaluation(capsys, mode):
    calls = C.CallbackList(add_progbar=True, verbose=2, epochs=1, steps=2)
    getattr(calls, f"on_{mode}_begin")()
    calls.progress.update(1, {})
    calls.progress.update(2, {"loss": 0.5} if mode == "test" else {}, finished=True)
    getattr(calls, f"on_{mode}_end")({})
    out = capsys.readouterr().out
    assert out.startswith("2/2 - 0s - ") and out.count("\n") == 1
    assert out.endswith("/step - loss: 0.5000\n" if mode == "test" else "/step\n")


def test_progress_refuses_other_verbosities():
    with pytest.raises(ValueError, match="verbose: expected 0, 1, 2 or 'auto', got 3"):
        C.CallbackList(add_progbar=True, verbose=3)


class Terminal:
    encoding = "utf-8"

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def isatty(self):
        return True


def test_progress_on_a_terminal_is_drawn_over_and_not_too_often(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    asked = []

    def logs():
        asked.append(1)
        return {"loss": 0.5}

    bar = C.Progbar(1000, interval=60.0)
    for step in range(1000):
        bar.update(step + 1, logs)
    assert len(asked) == 2
    assert terminal.text.count("\r") == 2 and terminal.text.count("\n") == 1
    assert "1/1000" in terminal.text and "1000/1000" in terminal.text
    bar.update(1001, logs)
    assert len(asked) == 2


def test_progress_of_an_unknown_number_of_steps(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    bar = C.Progbar(None, interval=0.0)
    bar.add(1)
    bar.add(1)
    bar.update(2, finalize=True)
    assert "2/Unknown" in terminal.text and "2/2" in terminal.text


def test_a_long_line_is_cut_to_the_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    C.Progbar(10).update(1, {f"metric_{i}": 1.0 for i in range(9)})
    visible = terminal.text
    for code in ("\x1b[1m", "\x1b[0m", "\x1b[32m", "\x1b[37m", "\x1b[K", "\r"):
        visible = visible.replace(code, "")
    assert len(visible) <= 60


def test_progress_goes_to_logging(caplog, capsys):
    config.disable_interactive_logging()
    try:
        with caplog.at_level(logging.INFO, logger="multikeras"):
            play_fit(1)
    finally:
        config.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    assert len(caplog.messages) == 4 and caplog.messages[0] == "Epoch 1/2"


@pytest.mark.parametrize(
    ("seconds", "clock"), [(0.4, "0s"), (59.9, "59s"), (61, "1:01"), (3661, "1:01:01")]
)
def test_clock(seconds, clock):

    assert _clock(seconds) == clock
