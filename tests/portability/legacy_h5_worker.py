"""One process of the tests of legacy HDF5 files: writes them with a library, or reads them.

    python -m tests.portability.legacy_h5_worker LIBRARY REPORT write:FOLDER read:FOLDER ...

`write` makes, for each model, `NAME.h5` (the whole model), `NAME_weights.h5` where the library
writes such files, and `NAME.npz` (outputs, and losses of the training that follows). `read` opens
all of these: whole models, weights in order and by name.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.portability.keras_worker import load_library

X = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
TARGETS = {"sequential": X[:, :2], "functional": [X[:, :2], X]}


def sequential(k: Any) -> Any:
    model = k.models.Sequential(
        [
            k.layers.Input((6,)),
            k.layers.Dense(4, activation="relu", name="d1"),
            k.layers.BatchNormalization(name="bn"),
            k.layers.Dropout(0.0),
            k.layers.Dense(2, name="d2", kernel_regularizer="l2"),
        ],
        name="seq",
    )
    model.compile("adam", "mean_squared_error", metrics=["mae"])
    return model


def functional(k: Any) -> Any:
    i = k.layers.Input((6,), name="i")
    inner = k.models.Sequential(
        [
            k.layers.Input((6,)),
            k.layers.Dense(6, name="ia", activation="tanh"),
            k.layers.BatchNormalization(name="ibn"),
            k.layers.Dense(6, name="ic"),
        ],
        name="inner",
    )
    n = k.layers.Input((6,), name="n")
    nested = k.models.Model(n, k.layers.Dense(6, name="na")(n), name="nested")
    a = inner(i)
    sequence = k.layers.LSTM(3, return_sequences=True, name="lstm")(k.layers.Reshape((3, 2))(a))
    g = k.layers.Bidirectional(k.layers.GRU(3), name="bi")(sequence)
    s = k.layers.Add(name="add")([nested(inner(a)), i])
    out = k.layers.Dense(2, name="out")(k.layers.Concatenate(name="cat")([g, s]))
    model = k.models.Model(i, [out, nested(s)], name="fun")
    model.compile(
        k.optimizers.SGD(0.01, momentum=0.9),
        ["mean_squared_error", k.losses.Huber()],
        loss_weights=[1.0, 0.5],
        metrics=[["mae"], ["mae"]],
    )
    return model


MODELS = {"sequential": sequential, "functional": functional}


def fit(model: Any, name: str) -> list[float]:
    history = model.fit(X, TARGETS[name], epochs=2, verbose=0, batch_size=4, shuffle=False)
    return history.history["loss"]


def outputs(library: Any, model: Any) -> list[np.ndarray]:
    found = library.tree.flatten(model(X, training=False))
    return [np.asarray(library.ops.convert_to_numpy(o)) for o in found]


def write(library: Any, folder: Path) -> None:
    for name, build in MODELS.items():
        model = build(library)
        fit(model, name)
        model.save(folder / f"{name}.h5")
        if library.__name__ != "keras":  # Keras 3 reads such files but writes none
            model.save_weights(folder / f"{name}_weights.h5")
        arrays = {f"out_{i}": array for i, array in enumerate(outputs(library, model))}
        np.savez(folder / f"{name}.npz", **arrays, after=fit(model, name))


def read(library: Any, folder: Path) -> None:
    for name, build in MODELS.items():
        with np.load(folder / f"{name}.npz") as stored:
            after, known = stored["after"], [stored[k] for k in stored if k.startswith("out_")]

        def same(model: Any, known: Any = known) -> None:
            for one, other in zip(outputs(library, model), known, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)

        model = library.saving.load_model(folder / f"{name}.h5")
        same(model)
        if library.__name__ != "keras":
            # Keras 3 can't train a model that it loaded from such a file, its own neither.
            np.testing.assert_allclose(fit(model, name), after, rtol=1e-4)
        for file in (f"{name}.h5", f"{name}_weights.h5"):
            for by_name in (False, True) if (folder / file).exists() else ():
                model = build(library)
                model.load_weights(folder / file, by_name=by_name)
                same(model)


def main() -> None:
    library_name, report, *tasks = sys.argv[1:]
    library = load_library(library_name)
    for task in tasks:
        kind, folder = task.split(":", 1)
        {"write": write, "read": read}[kind](library, Path(folder))
    Path(report).write_text(json.dumps(tasks))


if __name__ == "__main__":
    main()
