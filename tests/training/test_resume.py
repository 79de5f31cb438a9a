"""A run that is stopped, saved, loaded and continued equals, bit for bit, one that never stopped."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

import multikeras as keras
from multikeras import layers

RNG = np.random.default_rng(2)
X = RNG.normal(size=(52, 6)).astype(np.float32)
Y = X[:, :3].argmax(1).astype(np.int32)
EPOCHS, STOP = 4, 2
FIT = {"batch_size": 8, "verbose": 0}


def body():
    return [
        layers.Dense(12, activation="relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.4),
        layers.Dense(12, activation="tanh"),
        layers.Dropout(0.1),
        layers.Dense(3, activation="softmax"),
    ]


@keras.saving.register_keras_serializable("test_resume")
class Subclass(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.steps = body()

    def call(self, x, training=None):
        for layer in self.steps:
            x = layer(x) if isinstance(layer, layers.Dense) else layer(x, training=training)
        return x


def functional():
    x = inputs = keras.Input((6,))
    for layer in body():
        x = layer(x)
    return keras.Model(inputs, x)


MODELS = {
    "sequential": lambda: keras.Sequential(body()),
    "functional": functional,
    "subclass": Subclass,
}


def compiled(kind="sequential"):
    keras.utils.set_random_seed(5)
    model = MODELS[kind]()
    schedule = keras.optimizers.schedules.ExponentialDecay(0.02, 3, 0.9)
    model.compile(
        keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 6

    def __getitem__(self, index):
        return X[index * 8 : index * 8 + 8], Y[index * 8 : index * 8 + 8]


DATA = {
    "arrays": lambda: {"x": X, "y": Y, "batch_size": 8},
    "arrays by batches": lambda: {"x": X, "y": Y, "batch_size": 8, "shuffle": "batch"},
    "PyDataset": lambda: {"x": Batches(), "shuffle": True},
}


def assert_same_run(model, straight, history, straight_history):
    assert history == {key: values[STOP:] for key, values in straight_history.items()}
    for a, b in zip(model.weights, straight.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=b.path)
    own, other = model.optimizer.variables, straight.optimizer.variables
    for a, b in zip(own, other, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=b.path)


@pytest.mark.parametrize(
    ("kind", "data"),
    [*((kind, "arrays") for kind in MODELS), *(("sequential", data) for data in list(DATA)[1:])],
)
def test_a_loaded_model_goes_on_as_if_it_had_not_stopped(tmp_path, kind, data):
    straight = compiled(kind)
    whole = straight.fit(**DATA[data](), epochs=EPOCHS, verbose=0).history

    stopped = compiled(kind)
    stopped.fit(**DATA[data](), epochs=STOP, verbose=0)
    stopped.save(tmp_path / "run.keras")
    keras.utils.set_random_seed(99)  # what the process draws otherwise doesn't matter
    model = keras.saving.load_model(tmp_path / "run.keras")
    rest = model.fit(**DATA[data](), epochs=EPOCHS, initial_epoch=STOP, verbose=0).history

    assert_same_run(model, straight, rest, whole)


def test_weights_alone_carry_a_run_over(tmp_path):
    straight = compiled()
    whole = straight.fit(X, Y, epochs=EPOCHS, **FIT).history
    stopped = compiled()
    stopped.fit(X, Y, epochs=STOP, **FIT)
    stopped.save_weights(tmp_path / "run.weights.h5")

    model = compiled()
    keras.utils.set_random_seed(99)
    model.build((None, 6))
    model.load_weights(tmp_path / "run.weights.h5")
    rest = model.fit(X, Y, epochs=EPOCHS, initial_epoch=STOP, **FIT).history
    assert_same_run(model, straight, rest, whole)


def test_saving_twice_on_the_way_changes_nothing(tmp_path):
    straight = compiled()
    whole = straight.fit(X, Y, epochs=3, **FIT).history["loss"]
    model = compiled()
    losses = []
    for epoch in range(3):
        losses += model.fit(X, Y, epochs=epoch + 1, initial_epoch=epoch, **FIT).history["loss"]
        model.save(tmp_path / "run.keras")
        model = keras.saving.load_model(tmp_path / "run.keras")
    assert losses == whole


def test_without_the_training_state_the_order_is_a_new_one(tmp_path):
    model = compiled()
    model.fit(X, Y, epochs=1, **FIT)
    model.save(tmp_path / "run.keras")
    assert keras.saving.load_model(tmp_path / "run.keras", compile=False)._shuffle_seed is None
    model.save(tmp_path / "bare.keras", include_optimizer=False)
    assert keras.saving.load_model(tmp_path / "bare.keras")._shuffle_seed is None


def test_another_version_of_the_random_algorithm_is_told(tmp_path):
    model = compiled()
    model.fit(X, Y, epochs=1, **FIT)
    path = tmp_path / "run.weights.h5"
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        file["multikeras/random/algorithm_version"][()] = 999

    other = compiled()
    other.build((None, 6))
    with pytest.warns(UserWarning, match=r"version 999 of the random algorithm.*version 1"):
        other.load_weights(path)
    assert other._shuffle_seed is None
    for a, b in zip(other.weights, model.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    dropouts = [layer for layer in other.layers if isinstance(layer, layers.Dropout)]
    assert [layer.seed_generator.state.numpy()[1] for layer in dropouts] == [0, 0]  # none drawn
    other.fit(X, Y, epochs=1, **FIT)
