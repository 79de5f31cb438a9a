"""What `fit`, `evaluate` and `predict` do with every kind of input and argument."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, ops

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 6)).astype(np.float32)
Y = (X[:, :3].argmax(1)).astype(np.int32)


def classifier(dropout: float = 0.0) -> keras.Model:
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def batches(size: int = 10):
    for start in range(0, len(X), size):
        yield X[start : start + size], Y[start : start + size]


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        rows = slice(index * 10, index * 10 + 10)
        return X[rows], Y[rows]


def native(array):
    return ops.convert_to_tensor(array)


INPUTS = {
    "arrays": lambda: {"x": X, "y": Y, "batch_size": 10, "shuffle": False},
    "lists": lambda: {"x": X.tolist(), "y": Y.tolist(), "batch_size": 10, "shuffle": False},
    "native tensors": lambda: {
        "x": native(X), "y": native(Y), "batch_size": 10, "shuffle": False,
    },
    "generator": lambda: {"x": batches()},
    "PyDataset": lambda: {"x": Batches(), "shuffle": False},
}  # fmt: skip


@pytest.mark.parametrize("kind", INPUTS)
def test_every_kind_of_input_trains_the_same(kind):
    expected = classifier().fit(**INPUTS["arrays"](), epochs=1, verbose=0).history
    found = classifier().fit(**INPUTS[kind](), epochs=1, verbose=0).history
    assert found.keys() == expected.keys() == {"loss", "accuracy"}
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [
        {"run_eagerly": True},
        {"steps_per_execution": 2},
        {"steps_per_execution": 7},
        {"jit_compile": False},
    ],
    ids=str,
)
def test_ways_to_run_agree(arguments):
    def history(**arguments):
        model = classifier(0.5)
        loss = "sparse_categorical_crossentropy"
        model.compile("sgd", loss, metrics=["accuracy"], **arguments)
        return model.fit(X, Y, batch_size=8, epochs=2, verbose=0).history

    a, b = history(), history(**arguments)
    np.testing.assert_allclose(a["loss"], b["loss"], rtol=1e-4)
    np.testing.assert_allclose(a["accuracy"], b["accuracy"], rtol=1e-4)


@pytest.mark.parametrize("kinds", [(int, float), (float, int)], ids=["int first", "float first"])
def test_batches_of_other_dtypes_keep_their_values(kinds):
    def stream():
        for row in range(0, 40, 10):
            y = X[row : row + 10, :1] * 3
            yield X[row : row + 10], y.astype(np.float32 if kinds[row // 10 % 2] is float else int)

    def losses(**arguments):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", **arguments)
        return model.fit(stream(), epochs=1, verbose=0).history["loss"]

    grouped = losses(steps_per_execution=4)
    np.testing.assert_allclose(grouped, losses(run_eagerly=True), rtol=1e-5)


def test_listening_to_batches_changes_nothing():
    class Listener(keras.callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, batch, logs=None):
            assert isinstance(logs["loss"], float)
            Listener.seen += 1

    x, y = np.tile(X, (8, 1)), np.tile(Y, 8)
    a = classifier().fit(x, y, batch_size=10, epochs=2, verbose=0).history
    b = classifier().fit(x, y, batch_size=10, epochs=2, verbose=0, callbacks=[Listener()]).history
    assert Listener.seen == 80
    np.testing.assert_allclose(a["loss"], b["loss"], rtol=1e-5)


def test_validation_split_takes_the_last_rows():
    model = classifier()
    split = model.fit(X, Y, epochs=1, verbose=0, validation_split=0.2).history
    given = classifier().fit(
        X[:40], Y[:40], epochs=1, verbose=0, validation_data=(X[40:], Y[40:])
    ).history
    assert set(split) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    np.testing.assert_allclose(split["val_loss"], given["val_loss"], rtol=1e-5)


def test_validation_freq():
    history = classifier().fit(
        X, Y, epochs=4, verbose=0, validation_data=(X, Y), validation_freq=2
    ).history
    assert len(history["loss"]) == 4 and len(history["val_loss"]) == 2


def test_sample_weight_of_zero_leaves_rows_out():
    weights = np.zeros(50, np.float32)
    weights[:20] = 1.0
    model = classifier()
    weighted = model.evaluate(X, Y, sample_weight=weights, batch_size=50, verbose=0)[0]
    alone = model.evaluate(X[:20], Y[:20], batch_size=20, verbose=0)[0]
    np.testing.assert_allclose(weighted * 50, alone * 20, rtol=1e-5)


def test_class_weight_is_the_sample_weight_of_the_class():
    table = {0: 1.0, 1: 0.0, 2: 3.0}
    a = classifier().fit(X, Y, class_weight=table, shuffle=False, verbose=0).history
    weights = np.array([table[label] for label in Y], np.float32)
    b = classifier().fit(X, Y, sample_weight=weights, shuffle=False, verbose=0).history
    np.testing.assert_allclose(a["loss"], b["loss"], rtol=1e-6)


def test_steps_per_epoch_continues_the_data():
    class Count(keras.callbacks.Callback):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            Count.steps += 1

    def endless():
        while True:
            yield from batches()

    model = classifier()
    model.fit(endless(), steps_per_epoch=3, epochs=2, verbose=0, callbacks=[Count()])
    assert Count.steps == 6
    assert int(ops.convert_to_numpy(model.optimizer.iterations)) == 6


def test_dict_inputs_and_outputs():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    hidden = layers.Concatenate()([a, b])
    model = keras.Model(
        {"a": a, "b": b},
        {"class": layers.Dense(3, activation="softmax")(hidden), "sum": layers.Dense(1)(hidden)},
    )
    model.compile(
        "adam",
        loss={"class": "sparse_categorical_crossentropy", "sum": "mse"},
        loss_weights={"class": 2.0, "sum": 0.5},
        metrics={"class": ["accuracy"], "sum": ["mae"]},
    )
    x = {"a": X[:, :3], "b": X[:, 3:]}
    y = {"class": Y, "sum": X.sum(1, keepdims=True)}
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    assert set(logs) == {"loss", "class_loss", "sum_loss", "class_accuracy", "sum_mae"}
    total = 2.0 * logs["class_loss"] + 0.5 * logs["sum_loss"]
    np.testing.assert_allclose(logs["loss"], total, rtol=1e-5)
    history = model.fit(x, y, epochs=20, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    predictions = model.predict(x, verbose=0)
    assert predictions["class"].shape == (50, 3) and predictions["sum"].shape == (50, 1)


def test_predict_gives_all_rows_in_order():
    model = classifier()
    whole = ops.convert_to_numpy(model(X))
    np.testing.assert_allclose(model.predict(X, batch_size=7, verbose=0), whole, atol=1e-6)
    np.testing.assert_allclose(model.predict_on_batch(X), whole, atol=1e-6)


def test_single_batches():
    model = classifier()
    loss, accuracy = model.train_on_batch(X[:10], Y[:10])
    assert isinstance(loss, float) and 0 <= accuracy <= 1
    assert set(model.test_on_batch(X[:10], Y[:10], return_dict=True)) == {"loss", "accuracy"}
    assert int(ops.convert_to_numpy(model.optimizer.iterations)) == 1


def test_the_shuffle_follows_the_seed_and_the_epoch():
    class Order(keras.callbacks.Callback):
        pass

    def first_losses(shuffle):
        model = classifier()
        return model.fit(X, Y, batch_size=5, epochs=3, verbose=0, shuffle=shuffle).history["loss"]

    assert first_losses(True) == first_losses(True)
    assert first_losses(True) != first_losses(False)


def test_mixed_precision_trains():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(16, activation="relu", dtype="mixed_bfloat16"),
            layers.Dense(3, activation="softmax", dtype="float32"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    history = model.fit(X, Y, epochs=15, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0]
    assert {v.dtype for v in model.weights} == {"float32"}


def test_float16_scales_the_loss():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
        model.compile("sgd", "mse")
    finally:
        keras.config.set_dtype_policy("float32")
    assert type(model.optimizer).__name__ == "LossScaleOptimizer"
    model.fit(X, X[:, :3], epochs=1, verbose=0)


# -- masks ----------------------------------------------------------------------------------


def test_masks_reach_the_loss():
    tokens = np.array([[1, 2, 0, 0], [3, 1, 2, 0]], np.int32)
    targets = np.ones((2, 4, 2), np.float32)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [layers.Embedding(5, 3, mask_zero=True), layers.Dense(2)]
    )
    model.compile("sgd", "mse")
    masked = model.evaluate(tokens, targets, verbose=0)
    outputs = ops.convert_to_numpy(model(tokens))
    errors = ((outputs - targets) ** 2).mean(-1)
    np.testing.assert_allclose(masked, errors[tokens != 0].mean(), rtol=1e-5)


# -- regularizers and losses of layers ------------------------------------------------------


def test_losses_of_layers_and_weights_are_added():
    class Penalty(layers.Layer):
        def call(self, x):
            self.add_loss(ops.sum(ops.abs(x)) * 0.1)
            return x

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(3, kernel_regularizer=keras.regularizers.L2(0.1)),
            Penalty(),
        ]
    )
    model.compile("sgd", "mse")
    found = model.evaluate(X, X[:, :3], batch_size=50, verbose=0)
    outputs = ops.convert_to_numpy(model(X))
    expected = (
        ((outputs - X[:, :3]) ** 2).mean()
        + 0.1 * np.abs(outputs).sum()
        + 0.1 * (model.layers[0].kernel.numpy() ** 2).sum()
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    model.fit(X, X[:, :3], epochs=1, verbose=0)
    assert len(model.losses) <= 2


# -- errors ---------------------------------------------------------------------------------


def uncompiled():
    return keras.Sequential([keras.Input((6,)), layers.Dense(3)])


ERRORS = {
    "uncompiled": (lambda: uncompiled().fit(X, Y), "not compiled"),
    "empty": (lambda: classifier().fit(X[:0], Y[:0], verbose=0), "(?i)empty|no data|no rows|0 "),
    "lengths": (lambda: classifier().fit(X, Y[:10], verbose=0), "50.*10|10.*50"),
    "rank": (lambda: classifier().fit(X[:, :, None, None], Y, verbose=0), "Dense|sequential|dense"),
    "features": (lambda: classifier().fit(X[:, :4], Y, verbose=0), "6.*4"),
    "y with a generator": (lambda: classifier().fit(batches(), Y, verbose=0), "`?y`?"),
    "both eager and jit": (
        lambda: uncompiled().compile("sgd", "mse", run_eagerly=True, jit_compile=True),
        "run_eagerly",
    ),
    "steps_per_execution": (
        lambda: uncompiled().compile("sgd", "mse", steps_per_execution=0),
        "steps_per_execution",
    ),
    "unknown loss": (
        lambda: uncompiled().compile("sgd", "no_such_loss") or uncompiled_fit(),
        "no_such_loss",
    ),
    "unknown metric output": (lambda: bad_metric_output(), "nowhere"),
    "namedtuple": (lambda: classifier().fit(named_batches(), verbose=0), "(?i)tuple"),
    "evaluate uncompiled": (lambda: uncompiled().evaluate(X, Y), "not compiled"),
}


def uncompiled_fit():
    model = uncompiled()
    model.compile("sgd", "no_such_loss")
    model.fit(X, Y, verbose=0)


def bad_metric_output():
    model = uncompiled()
    model.compile("sgd", "mse", metrics={"nowhere": ["mae"]})
    model.fit(X, X[:, :3], verbose=0)


def named_batches():
    import collections

    pair = collections.namedtuple("pair", ["a", "b"])
    for x, y in batches():
        yield pair(x, y)


@pytest.mark.parametrize("name", ERRORS)
def test_bad_input_gets_one_clear_error(name):
    action, text = ERRORS[name]
    with pytest.raises((ValueError, TypeError, RuntimeError), match=text):
        action()


def test_nan_stops_training():
    model = classifier()
    x = X.copy()
    x[:] = np.nan
    history = model.fit(
        x, Y, epochs=5, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()]
    ).history
    assert len(history["loss"]) == 1


@pytest.fixture
def interruptible():
    """Ctrl-C reaches Python; a process started in the background would ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name == "nt", reason="signals are sent the POSIX way")
def test_ctrl_c_leaves_a_usable_model(interruptible):
    model = classifier()

    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=10, epochs=50, verbose=0, callbacks=[Interrupt()])
    assert int(ops.convert_to_numpy(model.optimizer.iterations)) == 2
    assert np.isfinite(model.evaluate(X, Y, verbose=0)[0])
    model.fit(X, Y, epochs=1, verbose=0)
