"""The errors that tf.keras 2 documents: each "Raises" row of the pages, in one table.

The kind of error is the documented one, and the message says what is wrong. Calls inside a
compiled function are in tests/training/test_single_batches.py, h5py missing in
tests/saving/test_legacy_hdf5.py. Older pages refuse `skip_mismatch` without `by_name`; the newest
tells what it does there, and holds.
"""

from __future__ import annotations

import collections
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers

X, Y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")


def stack(compiled=True):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, name="last")])
    if compiled:
        model.compile("sgd", "mse")
    return model


def stateful():
    model = keras.Sequential(
        [keras.Input(batch_shape=(2, 3, 1)), layers.GRU(1, stateful=True), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    return model


def two_inputs():
    inputs = [keras.Input((3,), name="a"), keras.Input((2,), name="b")]
    model = keras.Model(inputs, layers.Dense(1)(layers.Concatenate()(inputs)))
    model.compile("sgd", "mse")
    return model


Pair = collections.namedtuple("Pair", ["y", "x"])


class Pairs(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return Pair(Y, X)


class Several(keras.Model):
    def call(self, x, other):
        return x


def saved(folder: Path, name: str = "w.weights.h5") -> Path:
    stack().save_weights(folder / name)
    return folder / name


def sparse_targets_of_rank_2() -> Any:
    """Three steps of class indices without the last dimension of 1."""
    model = keras.Sequential([keras.Input((3,)), layers.RepeatVector(3), layers.Dense(4)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model.fit(X, np.ones((4, 3)), class_weight={0: 1.0, 1: 2.0}, verbose=0)


# name -> (what is called with a folder, the error, what the message holds)
ROWS: dict[str, tuple[Any, type[Exception], str]] = {
    # compile
    "compile: optimizer": (lambda f: stack(False).compile("nothing", "mse"), ValueError, "nothing"),
    "compile: loss": (lambda f: stack(False).compile("sgd", "nothing"), ValueError, "nothing"),
    "compile: metrics": (
        lambda f: stack(False).compile("sgd", "mse", metrics=["nothing"]),
        ValueError,
        "nothing",
    ),
    # fit
    "fit: never compiled": (lambda f: stack(False).fit(X, Y), RuntimeError, "not compiled"),
    "fit: input of another shape": (
        lambda f: stack().fit(X[:, :2], Y, verbose=0),
        ValueError,
        r"(?s)last.*\b3\b.*\b2\b",
    ),
    "fit: empty": (lambda f: stack().fit(X[:0], Y[:0], verbose=0), ValueError, "empty"),
    "fit: no data": (lambda f: stack().fit(verbose=0), ValueError, "no data"),
    "fit: rows that differ in number": (
        lambda f: stack().fit(X, Y[:3], verbose=0),
        ValueError,
        r"4.*3|3.*4",
    ),
    "fit: a named tuple": (lambda f: stack().fit(Pairs(), verbose=0), ValueError, "namedtuple"),
    "fit: targets beside a dataset": (
        lambda f: stack().fit(Pairs(), Y, verbose=0),
        ValueError,
        "`y` can't be given",
    ),
    "fit: batch_size beside a dataset": (
        lambda f: stack().fit(Pairs(), batch_size=2, verbose=0),
        ValueError,
        "`batch_size` can't be given",
    ),
    "fit: validation_split of a dataset": (
        lambda f: stack().fit(Pairs(), validation_split=0.5, verbose=0),
        ValueError,
        "validation_split",
    ),
    "fit: class_weight of ranks that don't say the class": (
        lambda f: sparse_targets_of_rank_2(),
        ValueError,
        "class_weight",
    ),
    # evaluate
    "evaluate: never compiled": (
        lambda f: stack(False).evaluate(X, Y),
        RuntimeError,
        "not compiled",
    ),
    "evaluate: input of another shape": (
        lambda f: stack().evaluate(X[:, :2], Y, verbose=0),
        ValueError,
        "last",
    ),
    # predict
    "predict: input of another shape": (
        lambda f: stack().predict(X[:, :2], verbose=0),
        ValueError,
        "last",
    ),
    "predict: a stateful model and a part of a batch": (
        lambda f: stateful().predict(np.ones((3, 3, 1)), batch_size=2, verbose=0),
        ValueError,
        "batch",
    ),
    "predict_on_batch: too few inputs": (
        lambda f: two_inputs().predict_on_batch([X]),
        ValueError,
        "2",
    ),
    # single batches
    "train_on_batch: never compiled": (
        lambda f: stack(False).train_on_batch(X, Y),
        RuntimeError,
        "not compiled",
    ),
    "train_on_batch: input of another shape": (
        lambda f: stack().train_on_batch(X[:, :2], Y),
        ValueError,
        "last",
    ),
    "test_on_batch: never compiled": (
        lambda f: stack(False).test_on_batch(X, Y),
        RuntimeError,
        "not compiled",
    ),
    "test_on_batch: input of another shape": (
        lambda f: stack().test_on_batch(X[:, :2], Y),
        ValueError,
        "last",
    ),
    # looking at a model
    "get_layer: an unknown name": (lambda f: stack().get_layer("nothing"), ValueError, "nothing"),
    "get_layer: an unknown index": (lambda f: stack().get_layer(index=7), ValueError, "7"),
    "get_layer: neither": (lambda f: stack().get_layer(), ValueError, "name|index"),
    "summary: not built": (
        lambda f: keras.Sequential([layers.Dense(1)]).summary(),
        ValueError,
        "built",
    ),
    "to_yaml: a risk": (lambda f: stack().to_yaml(), RuntimeError, "security risk"),
    # files
    "load_weights: no such file": (
        lambda f: stack().load_weights(f / "nothing.weights.h5"),
        (ValueError, FileNotFoundError),
        "nothing.weights.h5",
    ),
    "load_weights: by_name of a file that goes by structure": (
        lambda f: stack().load_weights(saved(f), by_name=True),
        ValueError,
        "by_name",
    ),
    "load_weights: options without a checkpoint": (
        lambda f: stack().load_weights(saved(f), options=object()),
        ValueError,
        "options",
    ),
    "save_weights: an unknown format": (
        lambda f: stack().save_weights(f / "w", save_format="npz"),
        ValueError,
        "save_format",
    ),
    "save: an unknown format": (
        lambda f: stack().save(f / "m", save_format="zip"),
        ValueError,
        "save_format",
    ),
    # Sequential
    "add: no layer": (lambda f: stack().add("Dense"), TypeError, "expected a layer"),
    "add: several outputs": (
        lambda f: keras.Sequential([keras.Input((3, 2))]).add(layers.LSTM(2, return_state=True)),
        ValueError,
        "several outputs",
    ),
    "pop: no layers": (lambda f: keras.Sequential().pop(), TypeError, "no layers"),
    # Layer
    "build: no shape": (lambda f: Several().build("wide"), ValueError, "expected a shape"),
    "build: call wants more": (lambda f: Several().build((None, 3)), ValueError, "other"),
    "count_params: not built": (lambda f: layers.Dense(2).count_params(), ValueError, "built"),
    "set_weights: another number": (
        lambda f: stack().set_weights([np.ones((3, 1))]),
        ValueError,
        "2.*1|1.*2",
    ),
    "set_weights: another shape": (
        lambda f: stack().set_weights([np.ones((2, 1)), np.ones(1)]),
        ValueError,
        "shape",
    ),
    "add_metric: no name": (lambda f: layers.Layer().add_metric(1.0), ValueError, "name"),
    "input: never called": (lambda f: layers.Dense(1).input, AttributeError, "(?i)called"),
    "output: never called": (lambda f: layers.Dense(1).output, AttributeError, "(?i)called"),
}

PAGES = [
    "Model.compile", "Model.fit", "Model.evaluate", "Model.predict", "Model.predict_on_batch",
    "Model.train_on_batch", "Model.test_on_batch", "Model.get_layer", "Model.summary",
    "Model.to_yaml", "Model.load_weights", "Model.save_weights", "Model.save", "Model.build",
    "Sequential.add", "Sequential.pop", "Layer.count_params", "Layer.set_weights",
    "Layer.add_metric", "Layer.input", "Layer.output",
]  # fmt: skip


@pytest.mark.page(*PAGES)
@pytest.mark.parametrize("row", ROWS)
def test_what_is_refused(row, tmp_path):
    call, error, message = ROWS[row]
    with pytest.raises(error, match=message):
        call(tmp_path)
