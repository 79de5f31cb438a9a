"""One backend's half of the portability tests: runs a fixed programme and writes what it saw.

Usage: python run_worker.py FOLDER, with MULTIKERAS_BACKEND set. Writes FOLDER/<backend>.npz and
FOLDER/<backend>.keras.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import multikeras as keras
from multikeras import layers, ops


class BatchLosses(keras.callbacks.Callback):
    """Keeps the loss of every batch."""

    def __init__(self):
        super().__init__()
        self.losses = []

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"])


def digits_cnn() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(32, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def mixed_model() -> keras.Model:
    """Several inputs and outputs, an embedding with a mask, normalization, recurrence."""
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    numbers = keras.Input((5,), name="numbers")
    x = layers.Embedding(12, 8, mask_zero=True)(tokens)
    x = layers.LSTM(7)(x)
    y = layers.BatchNormalization()(layers.Dense(7, activation="tanh")(numbers))
    merged = layers.LayerNormalization()(layers.Add()([x, y]))
    return keras.Model(
        {"tokens": tokens, "numbers": numbers},
        {"class": layers.Dense(3)(merged), "value": layers.Dense(1)(merged)},
    )


def initial(found: dict[str, np.ndarray]) -> None:
    """Initial weights by every initializer that draws, and dropout masks."""
    for name in (
        "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform",
        "lecun_normal", "random_normal", "random_uniform", "truncated_normal", "orthogonal",
    ):  # fmt: skip
        keras.utils.set_random_seed(5)
        found[f"exact/initializer/{name}"] = keras.Variable(
            keras.initializers.get(name), shape=(7, 9)
        ).numpy()
    generator = keras.random.SeedGenerator(3)
    ones = ops.ones((64, 33))
    for draw in range(3):
        mask = keras.random.dropout(ones, 0.4, seed=generator)
        found[f"exact/mask/{draw}"] = ops.convert_to_numpy(mask) > 0
    found["exact/uniform"] = ops.convert_to_numpy(keras.random.uniform((100,), seed=8))
    found["exact/randint"] = ops.convert_to_numpy(keras.random.randint((100,), 0, 97, seed=8))
    found["close/normal"] = ops.convert_to_numpy(keras.random.normal((100,), seed=8))


def train_digits(found: dict[str, np.ndarray], folder: Path, backend: str) -> None:
    """50 steps of the digits CNN: order of the data, losses, weights; then the file."""
    keras.utils.set_random_seed(21)
    (x, y), (x_test, _) = keras.datasets.digits.load_data()
    x, x_test = (a[..., np.newaxis].astype(np.float32) / 16 for a in (x, x_test))
    model = digits_cnn()
    for index, weight in enumerate(model.get_weights()):
        found[f"exact/digits/initial/{index}"] = weight
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    losses = BatchLosses()
    model.fit(x[:800], y[:800], batch_size=32, epochs=2, verbose=0, callbacks=[losses])
    found["close/digits/losses"] = np.array(losses.losses)
    assert len(losses.losses) == 50
    # Without a listener several steps may go in one dispatch: the losses are the same.
    history = model.fit(x[:800], y[:800], batch_size=32, epochs=1, verbose=0).history
    found["close/digits/epoch"] = np.array(history["loss"] + history["accuracy"])
    found["close/digits/predictions"] = model.predict(x_test[:64], verbose=0)
    model.save(folder / f"{backend}.keras")


def train_mixed(found: dict[str, np.ndarray]) -> None:
    """Outputs, gradients and optimizer steps of a model with many kinds of layers."""
    keras.utils.set_random_seed(22)
    generator = np.random.default_rng(0)
    x = {
        "tokens": generator.integers(0, 12, (40, 6)).astype(np.int32),
        "numbers": generator.normal(size=(40, 5)).astype(np.float32),
    }
    y = {
        "class": generator.integers(0, 3, 40).astype(np.int32),
        "value": generator.normal(size=(40, 1)).astype(np.float32),
    }
    model = mixed_model()
    outputs = model(x)
    for name in outputs:
        found[f"close/mixed/output/{name}"] = ops.convert_to_numpy(outputs[name])

    def loss_fn():
        outputs = model(x, training=True)
        return ops.mean(ops.square(outputs["class"])) + ops.mean(ops.abs(outputs["value"]))

    _, gradients = keras.value_and_grad(loss_fn, model.trainable_variables)()
    for variable, gradient in zip(model.trainable_variables, gradients):
        found[f"close/mixed/gradient/{variable.path}"] = ops.convert_to_numpy(gradient)
    model.compile(
        keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(1e-2, 20), clipnorm=1.0),
        loss={
            "class": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "value": "mse",
        },
        loss_weights={"class": 1.0, "value": 0.5},
        metrics={"class": ["accuracy"]},
    )
    history = model.fit(x, y, batch_size=16, epochs=3, verbose=0).history
    for name, values in history.items():
        found[f"close/mixed/history/{name}"] = np.array(values)
    for variable in model.weights:
        found[f"close/mixed/weight/{variable.path}"] = variable.numpy()


def main(folder: Path) -> None:
    backend = keras.config.backend()
    found: dict[str, np.ndarray] = {}
    initial(found)
    train_digits(found, folder, backend)
    train_mixed(found)
    np.savez(folder / f"{backend}.npz", **found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
