"""One step of the quickstart, in a process of its own because a process has one backend.

    python -m multikeras.cli.quickstart_worker train MODEL RESULT EPOCHS SEED
    python -m multikeras.cli.quickstart_worker open MODEL RESULT

`MODEL` is the `.keras` file, written by `train` and read by `open`; `RESULT` is an `.npz` file with
what the step found. Not meant to be called by hand; `multikeras quickstart` is.
"""

import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

import multikeras
from multikeras import layers
from multikeras.datasets import digits


def build_model() -> multikeras.Sequential:
    """A convolutional network of 29,066 weights for `(8, 8, 1)` images, compiled."""
    model = multikeras.Sequential(
        [
            multikeras.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )
    model.compile(
        optimizer=multikeras.optimizers.Adam(learning_rate=2e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def train(model_path: str, result_path: str, epochs: int, seed: int) -> None:
    """Train on the digits, save the model, and record the history and the test predictions."""
    (x, y), (x_test, y_test) = digits.load_data()
    multikeras.utils.set_random_seed(seed)
    model = build_model()
    start = time.perf_counter()
    history = model.fit(
        _scaled(x),
        y,
        batch_size=32,
        epochs=epochs,
        validation_split=0.1,
        verbose=1 if sys.stdout.isatty() else 2,
    ).history
    seconds = time.perf_counter() - start
    model.save(model_path)
    _record(result_path, model, x_test, y_test, seconds, history)


def reopen(model_path: str, result_path: str) -> None:
    """Open the saved model on this process's backend and record its test predictions."""
    _, (x_test, y_test) = digits.load_data()
    start = time.perf_counter()
    model = multikeras.saving.load_model(model_path)
    model.predict(_scaled(x_test), verbose=0)
    _record(result_path, model, x_test, y_test, time.perf_counter() - start, {})


def _scaled(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images as the network takes them: float32 from 0 to 1, with a channel."""
    return (images.astype(np.float32) / np.float32(16))[..., np.newaxis]


def _record(
    path: str,
    model: multikeras.Sequential,
    x_test: NDArray[np.uint8],
    y_test: NDArray[np.uint8],
    seconds: float,
    history: dict[str, list[float]],
) -> None:
    predictions = np.asarray(model.predict(_scaled(x_test), verbose=0))
    accuracy = float(np.mean(predictions.argmax(axis=-1) == y_test))
    found: dict[str, Any] = {"predictions": predictions, "accuracy": accuracy, "seconds": seconds}
    found |= {f"history_{name}": values for name, values in history.items()}
    np.savez(path, **found)


if __name__ == "__main__":
    step, model_file, result_file, *rest = sys.argv[1:]
    if step == "train":
        train(model_file, result_file, *(int(number) for number in rest))
    else:
        reopen(model_file, result_file)
