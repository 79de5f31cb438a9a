"""What each documented argument of `compile`, `fit`, `evaluate`, `predict` and `*_on_batch` does.

One function an argument, listed by `@shows(method, argument)`; a test looks that none is missing.
Most use one model whose single weight matrix is all ones and whose learning rate is 0: for rows
`x` it answers `x.sum()`, so that losses tell which rows were seen, how often and in which order.
"""

from __future__ import annotations

import ast
import contextlib
import io
import threading
from collections.abc import Callable

import numpy as np
import pytest

import multikeras as keras
from multikeras import data as data_room
from multikeras import layers, ops
from tests.architecture.api_names import MODEL

ROWS = 10
X = np.arange(2 * ROWS, dtype="float32").reshape(ROWS, 2)
Y = X.sum(axis=1, keepdims=True) + np.sqrt(np.arange(1, ROWS + 1, dtype="float32"))[:, None]
# Row i, alone in a batch, has loss i + 1.
METHODS = (
    "compile",
    "fit",
    "evaluate",
    "predict",
    "train_on_batch",
    "test_on_batch",
    "predict_on_batch",
)
SHOWN: dict[tuple[str, str], Callable] = {}


def shows(*pairs: tuple[str, str]):
    def listed(function):
        for method, argument in pairs:
            assert (method, argument) not in SHOWN
            SHOWN[method, argument] = function
        return function

    return listed


def stack(outputs=1, **compiled):
    dense = layers.Dense(outputs, kernel_initializer="ones", use_bias=False)
    model = keras.Sequential([keras.Input((2,)), dense])
    given = {"optimizer": keras.optimizers.SGD(0.0), "loss": "mse", "metrics": ["mae"]} | compiled
    model.compile(**given)
    return model


@pytest.fixture(scope="module")
def shared():
    return stack()


class Watch(keras.callbacks.Callback):
    """The losses of the batches, and how many batches each loop had."""

    def __init__(self):
        super().__init__()
        self.losses, self.tested, self.predicted, self.epochs = [], 0, 0, []

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs.append(epoch)

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"])

    def on_test_batch_end(self, batch, logs=None):
        self.tested += 1

    def on_predict_batch_end(self, batch, logs=None):
        self.predicted += 1


def order(model, x=X, y=Y, **arguments):
    """The rows in the order in which a fit of one row a batch saw them."""
    watch = Watch()
    # The loss shown after a batch is the mean of the epoch so far.
    model.fit(x, y, batch_size=1, verbose=0, callbacks=[watch], **arguments)
    means = np.array(watch.losses, np.float64)
    sums = means * np.arange(1, len(means) + 1)
    return np.rint(np.diff(sums, prepend=0)).astype(int) - 1


def printed(function, *args, **kwargs):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        function(*args, **kwargs)
    return out.getvalue()


class Rows(keras.utils.PyDataset):
    """Five batches of two rows; knows the threads that made them, and how many were made."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.threads, self.made = set(), 0

    def __len__(self):
        return 5

    def __getitem__(self, index):
        self.threads.add(threading.current_thread())
        self.made += 1
        return X[2 * index : 2 * index + 2], Y[2 * index : 2 * index + 2]


def endless():
    while True:
        yield X[:2], Y[:2]


# -- compile --------------------------------------------------------------------------------


@shows(("compile", "optimizer"))
def optimizer(shared, monkeypatch):
    assert type(stack(optimizer="adam").optimizer) is keras.optimizers.Adam
    own = keras.optimizers.SGD(0.5)
    assert stack(optimizer=own).optimizer is own
    with pytest.raises(ValueError, match="no_such"):
        stack(optimizer="no_such")


@shows(("compile", "loss"))
def loss(shared, monkeypatch):
    error = Y - X.sum(axis=1, keepdims=True)
    for given, expected in {
        "mae": np.abs(error).mean(),
        keras.losses.MeanSquaredError(): (error**2).mean(),
        keras.losses.MeanSquaredError(reduction=None): (error**2).mean(),
        (lambda y, y_pred: ops.abs(y - y_pred)): np.abs(error).mean(),
        (lambda y, y_pred: ops.max(ops.abs(y - y_pred))): np.abs(error).max(),
    }.items():
        model = stack(loss=given, metrics=None)
        assert model.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=1e-5)
        history = model.fit(X, Y, verbose=0).history
        assert history == {"loss": [pytest.approx(expected, rel=1e-5)]}


def two_outputs(**compiled):
    inputs = keras.Input((2,))
    outputs = [layers.Dense(1, name=name, kernel_initializer="ones")(inputs) for name in ("a", "b")]
    model = keras.Model(inputs, outputs)
    model.compile(**{"optimizer": keras.optimizers.SGD(0.0)} | compiled)
    return model


@shows(("compile", "metrics"))
def metrics(shared, monkeypatch):
    names = ["loss", "a_loss", "b_loss", "a_mae", "b_mae", "b_mse"]
    for given in (
        (["mae"], ["mae", "mse"]),
        {"a": "mae", "b": ["mae", "mse"]},
        ["mae", ["mae", "mse"]],
    ):
        given = list(given) if isinstance(given, tuple) else given
        model = two_outputs(loss="mse", metrics=given)
        logs = model.evaluate(X, [Y, Y], verbose=0, return_dict=True)
        assert list(logs) == names
    model = stack(metrics=[keras.metrics.MeanAbsoluteError(name="own"), lambda y, p: ops.max(p)])
    assert len(model.evaluate(X, Y, verbose=0)) == 3


@shows(("compile", "loss_weights"))
def loss_weights(shared, monkeypatch):
    for weights in ([2.0, 0.5], {"a": 2.0, "b": 0.5}):
        logs = two_outputs(loss=["mse", "mae"], loss_weights=weights).evaluate(
            X, [Y, Y], verbose=0, return_dict=True
        )
        assert logs["loss"] == pytest.approx(2 * logs["a_loss"] + 0.5 * logs["b_loss"], rel=1e-5)


@shows(("compile", "weighted_metrics"), ("evaluate", "sample_weight"))
def weighted_metrics(shared, monkeypatch):
    model = stack(metrics=["mse"], weighted_metrics=[keras.metrics.MeanSquaredError(name="w")])
    weights = np.zeros(ROWS)
    weights[3] = 2.0
    logs = model.evaluate(X, Y, sample_weight=weights, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(2 * 4 / ROWS, rel=1e-4)
    assert logs["w"] == pytest.approx(4, rel=1e-4)
    assert logs["mse"] == pytest.approx((ROWS + 1) / 2, rel=1e-4)


@shows(("compile", "run_eagerly"))
def run_eagerly(shared, monkeypatch):
    calls = []

    class Counted(layers.Layer):
        def call(self, x):
            calls.append(0)
            return x

    counts = {}
    for eager in (True, False):
        model = keras.Sequential([keras.Input((2,)), Counted(), layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=eager)
        assert model.run_eagerly is eager
        calls.clear()
        model.fit(X, Y, batch_size=1, epochs=2, verbose=0)
        counts[eager] = len(calls)
    assert counts[True] >= 2 * ROWS >= counts[False] - 2


@shows(("compile", "steps_per_execution"), ("compile", "experimental_steps_per_execution"))
def steps_per_execution(shared, monkeypatch):
    for name in ("steps_per_execution", "experimental_steps_per_execution"):
        watch = Watch()
        model = stack(**{name: 4})
        model.fit(X, Y, batch_size=1, verbose=0, shuffle=False, callbacks=[watch])
        assert len(watch.losses) == 3  # after 4, 8 and 10 batches
        assert watch.losses[-1] == pytest.approx((ROWS + 1) / 2, rel=1e-4)


@shows(("compile", "jit_compile"))
def jit_compile(shared, monkeypatch):
    assert stack(jit_compile=False).jit_compile is False
    model = stack(jit_compile=False)
    assert model.evaluate(X, Y, verbose=0)[0] == pytest.approx((ROWS + 1) / 2, rel=1e-4)
    with pytest.raises(ValueError, match=r"run_eagerly.*jit_compile"):
        stack(jit_compile=True, run_eagerly=True)


@shows(("compile", "pss_evaluation_shards"))
def pss_evaluation_shards(shared, monkeypatch):
    found = stack(pss_evaluation_shards=0).evaluate(X, Y, verbose=0)
    assert found == pytest.approx(shared.evaluate(X, Y, verbose=0))


@shows(("compile", "sample_weight_mode"))
def sample_weight_mode(shared, monkeypatch):
    steps = np.ones((4, 3, 2), "float32")
    inputs = keras.Input((3, 2))
    outputs = layers.Dense(1, kernel_initializer="ones", use_bias=False)(inputs)
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mae", sample_weight_mode="temporal")
    weights = np.zeros((4, 3))
    weights[0, 0] = 6.0
    found = model.evaluate(steps, np.zeros((4, 3, 1)), sample_weight=weights, verbose=0)
    assert found == pytest.approx(2 * 6 / 12)


# -- data -----------------------------------------------------------------------------------


def inputs_of_all_kinds():
    tensors = ops.convert_to_tensor(X), ops.convert_to_tensor(Y)
    yield "arrays", (X, Y)
    yield "lists", (X.tolist(), Y.tolist())
    yield "tensors", tensors
    yield "PyDataset", (Rows(),)
    yield "generator", (((X[i : i + 2], Y[i : i + 2]) for i in range(0, ROWS, 2)),)


@shows(("fit", "x"), ("evaluate", "x"), ("fit", "y"), ("evaluate", "y"))
def x_and_y(shared, monkeypatch):
    expected = (ROWS + 1) / 2
    for kind, given in inputs_of_all_kinds():
        found = shared.evaluate(*given, verbose=0)
        assert found[0] == pytest.approx(expected, rel=1e-4), kind
    for kind, given in inputs_of_all_kinds():
        found = shared.fit(*given, verbose=0).history["loss"]
        assert found == [pytest.approx(expected, rel=1e-4)], kind


@shows(("predict", "x"))
def predict_x(shared, monkeypatch):
    for kind, given in inputs_of_all_kinds():
        found = shared.predict(given[0], verbose=0)
        assert isinstance(found, np.ndarray), kind
        np.testing.assert_allclose(found, X.sum(axis=1, keepdims=True), rtol=1e-6, err_msg=kind)


@shows(("fit", "batch_size"), ("evaluate", "batch_size"), ("predict", "batch_size"))
def batch_size(shared, monkeypatch):
    for size, batches in ((4, 3), (None, 1)):
        watch = Watch()
        shared.fit(X, Y, batch_size=size, verbose=0, callbacks=[watch])
        shared.evaluate(X, Y, batch_size=size, verbose=0, callbacks=[watch])
        shared.predict(X, batch_size=size, verbose=0, callbacks=[watch])
        assert (len(watch.losses), watch.tested, watch.predicted) == (batches,) * 3


@shows(("fit", "epochs"), ("fit", "initial_epoch"))
def epochs(shared, monkeypatch):
    watch = Watch()
    history = shared.fit(X, Y, epochs=3, initial_epoch=1, verbose=0, callbacks=[watch])
    assert history.epoch == watch.epochs == [1, 2] and len(history.history["loss"]) == 2


@shows(("fit", "verbose"), ("evaluate", "verbose"), ("predict", "verbose"))
def verbose(shared, monkeypatch):
    calls = {
        "fit": lambda **given: shared.fit(X, Y, epochs=2, **given),
        "evaluate": lambda **given: shared.evaluate(X, Y, **given),
        "predict": lambda **given: shared.predict(X, **given),
    }
    for name, call in calls.items():
        assert printed(call, verbose=0) == "", name
        assert "━" in printed(call, verbose=1), name
        assert "━" in printed(call, verbose="auto") and "━" in printed(call), name
        lines = printed(call, verbose=2)
        assert "━" not in lines and "1/1" in lines, name
    assert len(printed(calls["fit"], verbose=2).splitlines()) == 4  # epoch and results, twice


@shows(("fit", "callbacks"), ("evaluate", "callbacks"), ("predict", "callbacks"))
def callbacks(shared, monkeypatch):
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: seen.append("train"),
        on_test_begin=lambda logs: seen.append("test"),
        on_predict_begin=lambda logs: seen.append("predict"),
    )
    history = shared.fit(X, Y, verbose=0, callbacks=[watch])
    assert isinstance(history, keras.callbacks.History)
    shared.evaluate(X, Y, verbose=0, callbacks=[watch])
    shared.predict(X, verbose=0, callbacks=[watch])
    assert seen == ["train", "test", "predict"]


# -- validation -----------------------------------------------------------------------------


@shows(("fit", "validation_split"))
def validation_split(shared, monkeypatch):
    logs = shared.fit(X, Y, validation_split=0.2, verbose=0).history
    assert logs["loss"] == [pytest.approx(4.5, rel=1e-4)]  # rows 1 to 8
    assert logs["val_loss"] == [pytest.approx(9.5, rel=1e-4)]  # rows 9 and 10


@shows(("fit", "validation_data"))
def validation_data(shared, monkeypatch):
    held = X[:2], Y[:2]
    weights = np.array([0.0, 1.0])
    for given, expected in (
        (held, 1.5),
        ((*held, weights), 1.0),
        (Rows(), 5.5),
        (iter([held]), 1.5),
    ):
        logs = shared.fit(X, Y, validation_data=given, validation_split=0.2, verbose=0).history
        assert logs["val_loss"] == [pytest.approx(expected, rel=1e-4)]
        assert logs["loss"] == [pytest.approx(5.5, rel=1e-4)]  # nothing was split off


@shows(("fit", "validation_steps"), ("fit", "validation_batch_size"))
def validation_steps(shared, monkeypatch):
    watch = Watch()
    shared.fit(X, Y, validation_data=(X, Y), validation_batch_size=4, verbose=0, callbacks=[watch])
    assert (len(watch.losses), watch.tested) == (1, 3)
    watch = Watch()
    logs = shared.fit(
        X, Y, epochs=2, validation_data=Rows(), validation_steps=2, verbose=0, callbacks=[watch]
    ).history
    assert watch.tested == 4
    # From the beginning each time: rows 1 to 4.
    assert logs["val_loss"] == [pytest.approx(2.5, rel=1e-4)] * 2


@shows(("fit", "validation_freq"))
def validation_freq(shared, monkeypatch):
    for frequency, times in ((2, 2), ([1, 3, 4], 3), ((4,), 1)):
        logs = shared.fit(
            X, Y, epochs=4, validation_data=(X, Y), validation_freq=frequency, verbose=0
        ).history
        assert (len(logs["loss"]), len(logs["val_loss"])) == (4, times)


# -- order, weights, steps ------------------------------------------------------------------


@shows(("fit", "shuffle"))
def shuffle(shared, monkeypatch):
    rows = list(range(ROWS))
    assert order(shared, shuffle=False).tolist() == rows
    mixed = order(shared).tolist()
    assert sorted(mixed) == rows != mixed
    watch = Watch()
    shared.fit(X, Y, batch_size=2, shuffle="batch", verbose=0, callbacks=[watch])
    sums = np.diff(np.array(watch.losses) * np.arange(1, 6), prepend=0)
    chunks = np.rint(2 * sums).astype(int)  # rows 2 i and 2 i + 1: losses 2 i + 1 and 2 i + 2
    assert sorted(chunks.tolist()) == [3, 7, 11, 15, 19]


@shows(("fit", "class_weight"), ("train_on_batch", "class_weight"))
def class_weight(shared, monkeypatch):
    model = stack(outputs=2, loss="mse", metrics=None)
    x = np.array([[1, 0], [2, 0]], "float32")
    weights = {0: 3.0, 1: 0.5}
    y = np.eye(2, dtype="float32")
    each = ((x.sum(axis=1, keepdims=True) - y) ** 2).mean(axis=1)
    expected = (3 * each[0] + 0.5 * each[1]) / 2
    found = model.fit(x, y, class_weight=weights, verbose=0).history["loss"]
    assert found == [pytest.approx(expected, rel=1e-5)]
    assert model.train_on_batch(x, y, class_weight=weights) == pytest.approx(expected, rel=1e-5)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(each.mean(), rel=1e-5)


@shows(("fit", "sample_weight"))
def sample_weight(shared, monkeypatch):
    weights = np.zeros(ROWS)
    weights[[0, 9]] = 5.0
    logs = shared.fit(X, Y, sample_weight=weights, verbose=0).history
    assert logs["loss"] == [pytest.approx(5 * (1 + 10) / 10, rel=1e-4)]
    assert logs["mae"] == [pytest.approx(np.sqrt(np.arange(1, 11)).mean(), rel=1e-4)]


@shows(("fit", "steps_per_epoch"), ("evaluate", "steps"), ("predict", "steps"))
def steps(shared, monkeypatch):
    watch = Watch()
    history = shared.fit(
        endless(), epochs=2, steps_per_epoch=3, verbose=0, callbacks=[watch]
    ).history
    assert len(watch.losses) == 6 and len(history["loss"]) == 2
    assert shared.evaluate(endless(), steps=4, verbose=0, callbacks=[watch])[0] == pytest.approx(
        1.5, rel=1e-4
    )
    assert shared.predict(endless(), steps=5, verbose=0, callbacks=[watch]).shape == (10, 1)
    assert (watch.tested, watch.predicted) == (4, 5)

    class Enough(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch >= 7

    logs = shared.fit(endless(), steps_per_epoch=-1, verbose=0, callbacks=[Enough()]).history
    assert len(logs["loss"]) == 1


# -- workers --------------------------------------------------------------------------------

LOOPS = ("fit", "evaluate", "predict")


@shows(*((loop, "workers") for loop in LOOPS))
def workers(shared, monkeypatch):
    for loop in LOOPS:
        for count, elsewhere in ((0, False), (2, True)):
            dataset = Rows()
            getattr(shared, loop)(dataset, workers=count, verbose=0)
            assert (threading.main_thread() not in dataset.threads) == elsewhere
            assert dataset.made >= 5


@shows(*((loop, "max_queue_size") for loop in LOOPS))
def max_queue_size(shared, monkeypatch):
    class Ahead(keras.callbacks.Callback):
        def __init__(self, dataset):
            super().__init__()
            self.dataset, self.most = dataset, 0

        def look(self, batch, logs=None):
            self.most = max(self.most, self.dataset.made - batch - 1)

        on_train_batch_end = on_test_batch_end = on_predict_batch_end = look

    for loop in LOOPS:
        dataset = Rows()
        ahead = Ahead(dataset)
        getattr(shared, loop)(dataset, workers=2, max_queue_size=1, verbose=0, callbacks=[ahead])
        assert ahead.most <= 1 + 2  # waiting, and with the workers


@shows(*((loop, "use_multiprocessing") for loop in LOOPS))
def use_multiprocessing(shared, monkeypatch):
    # That workers become processes is shown in tests/data; here, that the loops ask for it.
    asked = []
    make = data_room.make_source

    def spy(*args, **kwargs):
        asked.append(kwargs.pop("use_multiprocessing"))
        return make(*args, **kwargs)

    monkeypatch.setattr(data_room, "make_source", spy)
    for loop in LOOPS:
        getattr(shared, loop)(Rows(), use_multiprocessing=True, verbose=0)
    assert asked == [True] * 3


# -- what comes back ------------------------------------------------------------------------


@shows(("evaluate", "return_dict"))
def return_dict(shared, monkeypatch):
    listed = shared.evaluate(X, Y, verbose=0)
    named = shared.evaluate(X, Y, verbose=0, return_dict=True)
    assert list(named) == ["loss", "mae"] and list(named.values()) == listed


@shows(("train_on_batch", "x"), ("train_on_batch", "y"), ("test_on_batch", "x"))
def batch_x_and_y(shared, monkeypatch):
    for given in (X, Y), (ops.convert_to_tensor(X), ops.convert_to_tensor(Y)):
        for method in (shared.train_on_batch, shared.test_on_batch):
            assert method(*given)[0] == pytest.approx(5.5, rel=1e-4)


@shows(("test_on_batch", "y"), ("test_on_batch", "sample_weight"))
def batch_weights(shared, monkeypatch):
    weights = np.arange(ROWS) == 9
    found = shared.test_on_batch(X, Y, sample_weight=weights.astype("float32"))
    assert found[0] == pytest.approx(1.0, rel=1e-4)


@shows(("train_on_batch", "sample_weight"))
def train_weights(shared, monkeypatch):
    weights = np.arange(ROWS) == 9
    found = shared.train_on_batch(X, Y, sample_weight=weights.astype("float32"))
    assert found[0] == pytest.approx(1.0, rel=1e-4)


@shows(("train_on_batch", "reset_metrics"), ("test_on_batch", "reset_metrics"))
def reset_metrics(shared, monkeypatch):
    for method in (shared.train_on_batch, shared.test_on_batch):
        method(X[:2], Y[:2])
        assert method(X[2:4], Y[2:4])[0] == pytest.approx(3.5, rel=1e-4)
        assert method(X[:2], Y[:2], reset_metrics=False)[0] == pytest.approx(2.5, rel=1e-4)


@shows(("train_on_batch", "return_dict"), ("test_on_batch", "return_dict"))
def batch_return_dict(shared, monkeypatch):
    for method in (shared.train_on_batch, shared.test_on_batch):
        assert list(method(X, Y, return_dict=True)) == ["loss", "mae"]
        assert isinstance(method(X, Y), list)


@shows(("predict_on_batch", "x"))
def predict_batch(shared, monkeypatch):
    found = shared.predict_on_batch(X)
    np.testing.assert_allclose(found, X.sum(axis=1, keepdims=True), rtol=1e-6)


# -------------------------------------------------------------------------------------------

FUNCTIONS = list(dict.fromkeys(SHOWN.values()))
COMPATIBLE = {("compile", "experimental_steps_per_execution"), ("compile", "sample_weight_mode")}
PAGES = [f"{owner}.{method}" for method in METHODS for owner in ("Model", "Sequential")]


@pytest.mark.page(*PAGES)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_what_an_argument_does(function, shared, monkeypatch):
    function(shared, monkeypatch)


def test_every_documented_argument_is_shown():
    documented = set(COMPATIBLE)
    for method in METHODS:
        arguments = ast.parse(f"def f({MODEL[method]}): ...").body[0].args.args
        documented.update((method, argument.arg) for argument in arguments)
    assert set(SHOWN) == documented
