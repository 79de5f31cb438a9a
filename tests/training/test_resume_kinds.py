"""Continued runs with further callbacks, states of layers, and frameworks' own data sets."""

from __future__ import annotations

import signal

import numpy as np
import pytest

import multikeras as keras
from multikeras import callbacks as C
from multikeras import layers
from tests.training.resume_worker import Ending, Killed, assert_same, variables

BACKEND = keras.config.backend()
RNG = np.random.default_rng(4)
X = RNG.normal(size=(24, 5, 4)).astype(np.float32)
Y = X[:, 0, :2].sum(1, keepdims=True)


def kill():
    raise Killed


def stateful():
    """Carries states of its recurrence from batch to batch; a validation moves them, too."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input(batch_shape=(8, 5, 4))
    hidden = layers.GRU(3, stateful=True)(inputs)
    model = keras.Model(inputs, layers.Dense(1)(layers.Dropout(0.3)(hidden)))
    model.compile("adam", "mse")
    return model


def flat():
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [keras.Input((5, 4)), layers.Flatten(), layers.Dropout(0.3), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    return model


def fit(folder, model, *more, x=X, save_freq=1, **options):
    if x is X:
        options |= {"y": Y, "batch_size": 8}
    backup = C.BackupAndRestore(folder / "backup", save_freq)
    history = model.fit(x, epochs=3, verbose=0, callbacks=[backup, *more], **options)
    return {"arrays": variables(model), "history": history.history, "epochs": history.epoch}


@pytest.mark.parametrize("at", [5, 8, 11, 12, 20])
def test_states_of_a_recurrence(tmp_path, at):
    options = {"shuffle": False, "validation_data": (X[:16], Y[:16]), "validation_batch_size": 8}
    expected = fit(tmp_path / "whole", stateful(), **options)
    with pytest.raises(Killed):
        fit(tmp_path, stateful(), Ending(at, kill), **options)
    assert_same(fit(tmp_path, stateful(), **options), expected)


def test_a_validation_that_was_cut_short_leaves_no_traces(tmp_path):
    options = {"shuffle": False, "validation_data": (X[:16], Y[:16]), "validation_batch_size": 8}
    expected = fit(tmp_path / "whole", stateful(), save_freq=False, **options)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            press = Ending(11, lambda: signal.raise_signal(signal.SIGINT))
            fit(tmp_path, stateful(), press, save_freq=False, **options)
    finally:
        signal.signal(signal.SIGINT, before)
    found = fit(tmp_path, stateful(), save_freq=False, **options)
    assert found["history"] == expected["history"]
    assert_same(found, expected)


@pytest.mark.parametrize("at", [5, 9, 14, 17])
def test_rates_and_checkpoints(tmp_path, at):
    def callbacks(folder):
        folder.mkdir(exist_ok=True)
        path = folder / "{epoch}-{batch}.weights.h5"
        best = {"save_best_only": True, "monitor": "loss", "save_weights_only": True}
        return [
            C.LearningRateScheduler(lambda epoch, rate: rate * 0.5),
            C.ModelCheckpoint(path, save_freq=4, save_weights_only=True),
            C.ModelCheckpoint(folder / "best-{epoch}.weights.h5", **best),
            C.TerminateOnNaN(),
        ]

    expected = fit(tmp_path / "whole", flat(), *callbacks(tmp_path / "a"))
    with pytest.raises(Killed):
        fit(tmp_path, flat(), *callbacks(tmp_path / "b"), Ending(at, kill))
    assert_same(fit(tmp_path, flat(), *callbacks(tmp_path / "b")), expected)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == sorted(
        p.name for p in (tmp_path / "b").iterdir()
    )


@pytest.mark.skipif(BACKEND != "tensorflow", reason="needs TensorFlow's data sets")
@pytest.mark.parametrize("at", [5, 9, 15])
def test_tf_data(tmp_path, at):
    import tensorflow as tf

    def data():
        pairs = tf.data.Dataset.from_tensor_slices((X, Y))
        return pairs.shuffle(24, seed=7, reshuffle_each_iteration=False).batch(8)

    expected = fit(tmp_path / "whole", flat(), x=data())
    with pytest.raises(Killed):
        fit(tmp_path, flat(), Ending(at, kill), x=data())
    assert_same(fit(tmp_path, flat(), x=data()), expected)


@pytest.mark.skipif(BACKEND != "torch", reason="needs PyTorch's loaders")
@pytest.mark.parametrize("at", [5, 9, 15, 19])
def test_data_loader(tmp_path, at):
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    def data(own=True):
        pairs = TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
        order = torch.Generator().manual_seed(3) if own else None
        return DataLoader(pairs, batch_size=8, shuffle=True, generator=order)

    expected = fit(tmp_path / "whole", flat(), x=data())
    with pytest.raises(Killed):
        fit(tmp_path, flat(), Ending(at, kill), x=data())
    assert_same(fit(tmp_path, flat(), x=data()), expected)
    with pytest.warns(UserWarning, match="can't be continued.*generator=torch"):
        with pytest.raises(Killed):
            fit(tmp_path, flat(), Ending(at, kill), x=data(own=False))
    with pytest.raises(ValueError, match="generator=torch"):
        fit(tmp_path, flat(), x=data(own=False))
