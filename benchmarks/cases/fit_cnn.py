"""Training a small convolutional network."""

from __future__ import annotations

from typing import Any

from benchmarks import fitting
from benchmarks.case import Case, Repetition, fit_budgets, fit_rivals

CASE = Case(
    name="fit_cnn",
    title="fit of conv32-pool-conv64-pool-dense on 28 x 28 x 1, batches of 32, Adam",
    metrics={"fit": "samples/s"},
    rivals=fit_rivals(),
    budgets=fit_budgets(numpy=0.25, torch=3, jax=1, tensorflow=1.5),
    repetitions=5,
)
FLAT = 5 * 5 * 64


def build(keras: Any) -> Any:
    """The model, of multikeras or of Keras."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(fitting.CLASSES),
        ]
    )


def _torch() -> Any:
    from torch import nn

    first = (nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2))
    second = (nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2))
    return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(FLAT, fitting.CLASSES))


def _weights() -> list[Any]:
    return fitting.weights(
        (3, 3, 1, 32), (32,), (3, 3, 32, 64), (64,), (FLAT, fitting.CLASSES), (fitting.CLASSES,)
    )


def _jax() -> Any:
    import jax

    def conv(x: Any, kernel: Any, bias: Any) -> Any:
        layout = ("NHWC", "HWIO", "NHWC")
        x = jax.lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=layout)
        return jax.nn.relu(x + bias)

    def pool(x: Any) -> Any:
        window = (1, 2, 2, 1)
        return jax.lax.reduce_window(x, -jax.numpy.inf, jax.lax.max, window, window, "VALID")

    def apply(params: list[Any], x: Any) -> Any:
        x = pool(conv(x, *params[:2]))
        x = pool(conv(x, *params[2:4]))
        return x.reshape(len(x), -1) @ params[4] + params[5]

    return [jax.numpy.asarray(w) for w in _weights()], apply


def _tensorflow() -> Any:
    import tensorflow as tf

    variables = [tf.Variable(w) for w in _weights()]

    def block(x: Any, kernel: Any, bias: Any) -> Any:
        x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "VALID"), bias))
        return tf.nn.max_pool2d(x, 2, 2, "VALID")

    def apply(x: Any) -> Any:
        x = block(x, *variables[:2])
        x = block(x, *variables[2:4])
        return tf.reshape(x, (-1, FLAT)) @ variables[4] + variables[5]

    return variables, apply


BARE = {"torch": _torch, "jax": _jax, "tensorflow": _tensorflow}


def prepare(library: str, backend: str, tiny: bool) -> Repetition:
    """A repetition is an epoch over 2,048 images.

    Channels come last, as both libraries take them by default; by hand on PyTorch they come first.
    """
    x, y = fitting.random_data(40 if tiny else 2048, (28, 28, 1))
    if (library, backend) == ("bare", "torch"):
        x = x.reshape(-1, 1, 28, 28)
    return fitting.prepare_fit(library, backend, (x, y), build, BARE, 32, 1)
