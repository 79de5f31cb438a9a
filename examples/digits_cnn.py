"""Trains a small CNN on handwritten digits, on whichever backend MULTIKERAS_BACKEND names.

The same seed gives the same run on every backend.
"""

from __future__ import annotations

import argparse

import numpy as np

import multikeras as keras
from multikeras import layers


def build() -> keras.Model:
    """The model: two convolutions, dropout, a dense layer."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 16),
            layers.Conv2D(32, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def main() -> float:
    """Trains, evaluates and saves; gives the test accuracy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--save", default=None, help="a .keras file to write")
    arguments = parser.parse_args()

    keras.utils.set_random_seed(7)
    (x, y), (x_test, y_test) = keras.datasets.digits.load_data()
    x, x_test = x[..., np.newaxis], x_test[..., np.newaxis]
    model = build()
    model.summary()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=arguments.epochs, validation_split=0.1)
    accuracy = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["accuracy"]
    print(f"{keras.config.backend()}: test accuracy {accuracy:.4f}")
    if arguments.save:
        model.save(arguments.save)
    return accuracy


if __name__ == "__main__":
    main()
