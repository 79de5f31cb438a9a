"""`*_on_batch`, the functions that run steps, and how often batch hooks are called."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import multikeras as keras
from multikeras.backends import native

X = np.arange(24, dtype="float32").reshape(8, 3) / 24
Y = X.sum(1, keepdims=True)


def small(cls=keras.Sequential, **compiled):
    model = cls([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", **{"metrics": ["mae"]} | compiled)
    return model


@pytest.mark.page("Model.train_on_batch", "Sequential.train_on_batch")
def test_metrics_start_anew_with_each_batch_unless_told():
    model = small()
    model.optimizer.learning_rate = 0.0
    one = [model.train_on_batch(X[i : i + 1], Y[i : i + 1] + i) for i in range(3)]
    assert [loss for loss, _ in one] == pytest.approx([0, 1, 4], abs=1e-5)
    kept = [
        model.train_on_batch(X[i : i + 1], Y[i : i + 1] + i, reset_metrics=i == 0)
        for i in range(3)
    ]
    assert [loss for loss, _ in kept] == pytest.approx([0, 0.5, 5 / 3], abs=1e-5)
    logs = model.train_on_batch(X, Y, return_dict=True)
    assert list(logs) == ["loss", "mae"]


@pytest.mark.page("Model.test_on_batch", "Sequential.test_on_batch")
def test_test_on_batch():
    model = small()
    assert model.test_on_batch(X, Y + 2) == pytest.approx([4, 2], abs=1e-4)
    assert model.test_on_batch(X, Y, reset_metrics=False) == pytest.approx([2, 1], abs=1e-4)
    logs = model.test_on_batch(X, Y + 1, return_dict=True)
    assert logs == pytest.approx({"loss": 1, "mae": 1}, abs=1e-4)
    weighted = model.test_on_batch(X, Y + 2, sample_weight=np.full(8, 0.5), return_dict=True)
    assert weighted == pytest.approx({"loss": 2, "mae": 2}, abs=1e-4)


@pytest.mark.page("Model.train_on_batch")
def test_class_weight_and_sample_weight_multiply():
    x, y = np.eye(3, dtype="float32"), np.arange(3)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.0), loss)
    plain = [model.train_on_batch(x[i : i + 1], y[i : i + 1]) for i in range(3)]
    both = model.train_on_batch(
        x, y, sample_weight=np.array([1.0, 2.0, 3.0]), class_weight={0: 0.5, 2: 2.0}
    )
    expected = (0.5 * plain[0] + 2 * plain[1] + 6 * plain[2]) / 3
    assert both == pytest.approx(expected, rel=1e-5)


@pytest.mark.page("Model.predict_on_batch", "Sequential.predict_on_batch")
def test_predict_on_batch_gives_numpy_arrays():
    model = small()
    outputs = model.predict_on_batch(X)
    assert isinstance(outputs, np.ndarray) and outputs.shape == (8, 1)
    np.testing.assert_array_equal(model.predict_on_batch(X.tolist()), outputs)


METHODS = {
    "fit": lambda m: m.fit(X, Y, verbose=0),
    "evaluate": lambda m: m.evaluate(X, Y, verbose=0),
    "predict": lambda m: m.predict(X, verbose=0),
    "train_on_batch": lambda m: m.train_on_batch(X, Y),
    "test_on_batch": lambda m: m.test_on_batch(X, Y),
    "predict_on_batch": lambda m: m.predict_on_batch(X),
}
PAGES = [f"{cls}.{name}" for name in METHODS for cls in ("Model", "Sequential")]


@pytest.mark.page(*PAGES)
@pytest.mark.parametrize("method", METHODS)
def test_not_inside_a_compiled_function(method, monkeypatch):
    monkeypatch.setattr(native.engine, "tracing", lambda: True)
    with pytest.raises(RuntimeError, match=f"{method}: .* inside a compiled function"):
        METHODS[method](small())


COMPILERS = {"jax": "jit", "tensorflow": "function"}


@pytest.mark.skipif(
    keras.config.backend() not in COMPILERS, reason="nothing here runs Python while it compiles"
)
@pytest.mark.parametrize("method", METHODS)
def test_not_inside_the_frameworks_own_compiled_function(method):
    framework = importlib.import_module(keras.config.backend())
    compiled = getattr(framework, COMPILERS[keras.config.backend()])
    model = small()
    with pytest.raises(RuntimeError, match=f"{method}: .* inside a compiled function"):
        compiled(lambda: METHODS[method](model))()
    METHODS[method](model)  # nothing is left of it


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_not_before_compile(method):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    with pytest.raises(RuntimeError, match=f"{method}: .* not compiled"):
        METHODS[method](model)


@pytest.mark.page("Model.make_train_function", "Sequential.make_train_function")
@pytest.mark.page("Model.make_test_function", "Sequential.make_test_function")
@pytest.mark.page("Model.make_predict_function", "Sequential.make_predict_function")
def test_functions_run_a_step_on_an_iterators_next_batch():
    model = small()
    batches = iter([(X, Y)] * 4)
    assert list(model.make_train_function()(batches)) == ["loss", "mae"]
    assert list(model.make_test_function(force=True)(batches)) == ["loss", "mae"]
    outputs = model.make_predict_function()(batches)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(outputs), model.predict(X, verbose=0), rtol=1e-6
    )
    assert len(list(batches)) == 1


def test_overridden_functions_are_used_and_cached():
    made, ran = [], []

    class Own(keras.Sequential):
        def make_train_function(self, force=False):
            made.append("train")
            run = super().make_train_function(force)

            def function(iterator):
                ran.append("train")
                return dict(run(iterator), twice=2.0)

            return function

        def make_predict_function(self, force=False):
            return lambda iterator: self.predict_step(next(iterator)) * 0 + 7

    model = small(Own)
    history = model.fit(X, Y, batch_size=2, epochs=2, verbose=0).history
    assert history["twice"] == [2.0, 2.0] and set(history) == {"loss", "mae", "twice"}
    assert made == ["train"] and len(ran) == 8
    assert list(model.train_on_batch(X, Y, return_dict=True)) == ["loss", "mae", "twice"]
    assert model.predict(X, verbose=0).tolist() == [[7.0]] * 8
    assert model.predict_on_batch(X).tolist() == [[7.0]] * 8
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert made == ["train"] * 2


@pytest.mark.page("Model.compile")
@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize(("every", "heard"), [(1, [0, 1, 2, 3, 4]), (2, [1, 3, 4]), (9, [4])])
def test_hooks_are_called_every_steps_per_execution_batches(every, heard, eager):
    class Listener(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.began, self.ended, self.losses = [], [], []

        def on_train_batch_begin(self, batch, logs=None):
            self.began.append(batch)

        def on_train_batch_end(self, batch, logs=None):
            self.ended.append(batch)
            self.losses.append(logs["loss"])

    listener = Listener()
    model = small(steps_per_execution=every, run_eagerly=eager)
    x, y = np.resize(X, (10, 3)), np.resize(Y, (10, 1))
    history = model.fit(x, y, batch_size=2, verbose=0, callbacks=[listener], shuffle=False)
    assert listener.ended == heard
    assert listener.began == [0] + [b + 1 for b in heard[:-1]]
    assert listener.losses[-1] == pytest.approx(history.history["loss"][0], rel=1e-6)
    assert int(model.optimizer.iterations) == 5


@pytest.mark.page("Model.predict", "Sequential.predict")
def test_stateful_layers_want_whole_batches():
    model = keras.Sequential(
        [keras.Input((2, 3), batch_size=4), keras.layers.LSTM(2, stateful=True)]
    )
    assert model.predict(np.zeros((8, 2, 3)), verbose=0).shape == (8, 2)
    with pytest.raises(ValueError, match="6 samples are no multiple of the batch size 4"):
        model.predict(np.zeros((6, 2, 3)), verbose=0)


@pytest.mark.page("Model.compute_loss")
def test_without_a_loss_evaluation_still_gives_metrics():
    model = keras.Sequential([keras.Input((3,))])
    model.add(keras.layers.Dense(1, kernel_initializer="ones"))
    model.compile(metrics=["mae"])
    assert model.compute_loss(X, Y, model(X), training=False) is None
    assert model.evaluate(X, Y + 1, return_dict=True, verbose=0) == pytest.approx({"mae": 1.0})
    with pytest.raises(ValueError, match="no loss to compute"):
        model.fit(X, Y, verbose=0)


def test_loss_and_updates_are_a_pure_function():
    model = small()
    model.test_on_batch(X, Y)
    values = [
        [v.value for v in group]
        for group in (
            model.trainable_variables,
            model.non_trainable_variables,
            model.metrics_variables,
        )
    ]
    before = model.get_weights()
    scaled, (loss, y_pred, frozen, metrics) = model.compute_loss_and_updates(
        *values, X, Y + 1, None, training=True
    )
    values_of = [float(keras.ops.convert_to_numpy(v)) for v in (scaled, loss)]
    assert values_of == pytest.approx([1.0, 1.0], rel=1e-4)
    assert tuple(y_pred.shape) == (8, 1) and len(frozen) == 0 and len(metrics) == len(values[2])
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
    assert model.jax_state_sync() is None


def test_metrics_start_anew_with_every_one_of_many_batches():
    model = small()
    losses = [model.test_on_batch(X, Y + 1 + i % 2)[0] for i in range(20)]
    assert losses == pytest.approx([1, 4] * 10, rel=1e-4)
    assert model.test_on_batch(X, Y + 1, reset_metrics=False)[0] == pytest.approx(2.5, rel=1e-4)
