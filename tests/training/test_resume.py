"""A run stopped, saved, loaded and continued equals, bit for bit, one that never stopped."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

import multikeras as keras
from multikeras import layers

RNG = np.random.default_rng(2)
X = RNG.normal(size=(52, 6)).astype(np.float32)
Y = X[:, :3].argmax(1).astype(np.int32)
EPOCHS, STOP = 4, 2


def body():
    return [
        layers.Dense(12, activation="relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.4),
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


def run(folder, kind="sequential", data="arrays"):
    """A run that goes on after it was saved on the way, with its files and the rest of its logs."""
    model = compiled(kind)
    first = model.fit(**DATA[data](), epochs=STOP, verbose=0).history
    model.save(folder / "run.keras")
    model.save_weights(folder / "run.weights.h5")
    at_stop = [np.array(v.numpy()) for v in model.weights]
    history = model.fit(**DATA[data](), epochs=EPOCHS, initial_epoch=STOP, verbose=0).history
    return SimpleNamespace(
        model=model, first=first, history=history, at_stop=at_stop, folder=folder, data=data
    )


@pytest.fixture(scope="module")
def sequential_run(tmp_path_factory):
    return run(tmp_path_factory.mktemp("run"))


def assert_goes_on(model, run):
    history = model.fit(**DATA[run.data](), epochs=EPOCHS, initial_epoch=STOP, verbose=0).history
    assert history == run.history
    variables = [*run.model.weights, *run.model.optimizer.variables]
    for a, b in zip([*model.weights, *model.optimizer.variables], variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=b.path)


def test_a_loaded_model_goes_on_as_if_it_had_not_stopped(sequential_run):
    keras.utils.set_random_seed(99)  # what the process draws otherwise doesn't matter
    assert_goes_on(keras.saving.load_model(sequential_run.folder / "run.keras"), sequential_run)


@pytest.mark.parametrize(
    ("kind", "data"), [("functional", "arrays by batches"), ("subclass", "PyDataset")]
)
def test_so_do_other_models_on_other_data(tmp_path, kind, data):
    stopped = run(tmp_path, kind, data)
    keras.utils.set_random_seed(99)
    assert_goes_on(keras.saving.load_model(tmp_path / "run.keras"), stopped)


def test_weights_alone_carry_a_run_over(sequential_run):
    model = compiled()
    keras.utils.set_random_seed(99)
    model.build((None, 6))
    model.load_weights(sequential_run.folder / "run.weights.h5")
    assert_goes_on(model, sequential_run)


def test_stopping_or_not_makes_no_difference(sequential_run):
    history = compiled().fit(**DATA["arrays"](), epochs=EPOCHS, verbose=0).history
    for name, values in history.items():
        assert values == sequential_run.first[name] + sequential_run.history[name]


def test_without_the_training_state_the_order_is_a_new_one(sequential_run, tmp_path):
    path = sequential_run.folder / "run.keras"
    assert keras.saving.load_model(path)._shuffle_seed == sequential_run.model._shuffle_seed
    assert keras.saving.load_model(path, compile=False)._shuffle_seed is None
    sequential_run.model.save(tmp_path / "bare.keras", include_optimizer=False)
    assert keras.saving.load_model(tmp_path / "bare.keras")._shuffle_seed is None


def test_another_version_of_the_random_algorithm_is_told(sequential_run, tmp_path):
    path = tmp_path / "run.weights.h5"
    shutil.copy(sequential_run.folder / "run.weights.h5", path)
    with h5py.File(path, "r+") as file:
        assert file["multikeras/random/algorithm_version"][()] == 1
        file["multikeras/random/algorithm_version"][()] = 999

    model = compiled()
    model.build((None, 6))
    with pytest.warns(UserWarning, match=r"version 999 of the random algorithm.*version 1"):
        model.load_weights(path)
    for variable, expected in zip(model.weights, sequential_run.at_stop, strict=True):
        np.testing.assert_array_equal(variable.numpy(), expected)
    assert model._shuffle_seed is None
    dropout = next(layer for layer in model.layers if isinstance(layer, layers.Dropout))
    assert dropout.seed_generator.state.numpy()[1] == 0  # a generator of its own, still unused
