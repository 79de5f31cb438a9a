"""Callbacks and kinds of data in a real `fit`."""

import numpy as np
import pytest

from multikeras import callbacks as C
from multikeras import layers, models, optimizers, utils
from multikeras.symbolic import KerasTensor

X = np.linspace(-1.0, 1.0, 40).reshape(20, 2).astype("float32")
Y = X.sum(1, keepdims=True)


def make(optimizer=None):
    utils.set_random_seed(3)
    model = models.Sequential([layers.Dense(1)])
    model.build((None, 2))
    model.compile(optimizer or "sgd", "mse")
    return model


class Batches(utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return X[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]


def generator():
    for index in range(5):
        yield Batches()[index]


@pytest.mark.parametrize(
    "data", [lambda: Batches(), lambda: Batches(workers=2), generator, lambda: list(generator())]
)
def test_kinds_of_data_train_alike(data):
    expected = make().fit(X, Y, batch_size=4, shuffle=False, verbose=0).history["loss"]
    given = data()
    given = iter(given) if isinstance(given, list) else given
    found = make().fit(given, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_hooks_in_order():
    events = []

    class Recorder(C.Callback):
        pass

    for name in (n for n in dir(C.Callback) if n.startswith("on_") and "batch_" not in n[:9]):

        def hook(self, *args, name=name, **kwargs):
            logs = args[-1] if args else kwargs.get("logs")
            assert all(isinstance(v, float) for k, v in logs.items() if k != "outputs"), logs
            events.append(name[3:])

        setattr(Recorder, name, hook)
    model = make()
    model.fit(X, Y, batch_size=10, verbose=0, validation_data=(X, Y), callbacks=[Recorder()])
    train = ["train_batch_begin", "train_batch_end"] * 2
    test = ["test_begin", *["test_batch_begin", "test_batch_end"] * 2, "test_end"]
    assert events == ["train_begin", "epoch_begin", *train, *test, "epoch_end", "train_end"]
    events.clear()
    model.predict(X, batch_size=10, verbose=0, callbacks=[Recorder()])
    batches = ["predict_batch_begin", "predict_batch_end"] * 2
    assert events == ["predict_begin", *batches, "predict_end"]


def test_best_weights_come_back():
    model = make(optimizers.SGD(5.0))  # far too large: the loss grows
    stopping = C.EarlyStopping(monitor="loss", patience=1, restore_best_weights=True)
    history = model.fit(X, Y, epochs=9, verbose=0, shuffle=False, callbacks=[stopping]).history
    assert len(history["loss"]) < 9
    again = make(optimizers.SGD(5.0))
    again.fit(X, Y, epochs=1 + int(np.argmin(history["loss"])), verbose=0, shuffle=False)
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_saved_weights_can_be_loaded(tmp_path):
    path = tmp_path / "{epoch}.weights.h5"
    model = make()
    model.fit(
        X, Y, epochs=2, verbose=0, callbacks=[C.ModelCheckpoint(path, save_weights_only=True)]
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1.weights.h5", "2.weights.h5"]
    again = make()
    again.load_weights(tmp_path / "2.weights.h5")
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_source_inputs_of_a_model():
    a, b = layers.Input((2,)), layers.Input((2,))
    out = layers.Dense(1)(a + b)
    assert isinstance(out, KerasTensor)
    assert utils.get_source_inputs(out) == [a, b]
