"""One backend's part of the logs test: trains small models and writes what each one logged.

Usage: python logs_worker.py FOLDER [MODEL...], with MULTIKERAS_BACKEND set; all models, if none is
named. Writes FOLDER/<backend>.json:
the history of each model by name, all epochs and all logs, and the results of `evaluate`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import multikeras as keras
from multikeras import layers, ops

History = dict[str, list[float]]
PROGRAMMES: dict[str, Callable[[], History]] = {}
ROWS = 48


def programme(function: Callable[[], History]) -> Callable[[], History]:
    """Lists a function of this file among the models to train."""
    PROGRAMMES[function.__name__] = function
    return function


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def tokens(*shape: int, below: int = 12, seed: int = 0) -> np.ndarray:
    """Ids with zeros (padding) at the ends of the rows."""
    rng = np.random.default_rng(seed)
    found = rng.integers(1, below, shape).astype(np.int32)
    lengths = rng.integers(2, shape[1] + 1, shape[0])
    found[np.arange(shape[1])[None] >= lengths[:, None]] = 0
    return found


def targets(x: np.ndarray, outputs: int = 1) -> np.ndarray:
    """Something to learn from numbers: a bent linear map."""
    flat = x.reshape(len(x), -1)
    return np.tanh(flat @ numbers(flat.shape[1], outputs, seed=9) / 2)


def classes(x: np.ndarray, count: int = 3) -> np.ndarray:
    return targets(x.astype(np.float32), count).argmax(axis=1).astype(np.int32)


def trained(model: Any, x: Any, y: Any = None, epochs: int = 2, **arguments: Any) -> History:
    """The history of a fit, and what `evaluate` gives after it."""
    given = (
        {"batch_size": 16, **arguments} if isinstance(x, (np.ndarray, dict, list)) else arguments
    )
    history = model.fit(x, y, epochs=epochs, verbose=0, **given).history
    if isinstance(x, (np.ndarray, dict, list)):
        found = model.evaluate(x, y, batch_size=16, verbose=0, return_dict=True)
        history = history | {f"evaluate_{name}": [value] for name, value in found.items()}
    return {name: [float(value) for value in values] for name, values in history.items()}


def mlp(*body: Any, outputs: int = 1, activation: str | None = None, size: int = 6) -> Any:
    return keras.Sequential(
        [keras.Input((size,)), *body, layers.Dense(outputs, activation=activation)]
    )


# -- kinds of models ------------------------------------------------------------------------


@programme
def sequential() -> History:
    x = numbers(ROWS, 6)
    model = mlp(layers.Dense(16, activation="relu"), outputs=3, activation="softmax")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy", "ce"])
    return trained(model, x, classes(x), validation_split=0.25)


@programme
def delayed_sequential() -> History:
    x = numbers(ROWS, 6)
    model = keras.Sequential([layers.Dense(8, activation="elu"), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return trained(model, x, targets(x), validation_data=(numbers(8, 6, seed=1), np.zeros((8, 1))))


@programme
def multi_output() -> History:
    x = numbers(ROWS, 6)
    inputs = keras.Input((6,))
    hidden = layers.Dense(8, activation="tanh")(inputs)
    model = keras.Model(
        inputs,
        {
            "kind": layers.Dense(3, name="kind")(hidden),
            "size": layers.Dense(1, name="size")(hidden),
        },
    )
    model.compile(
        "adam",
        {"kind": keras.losses.SparseCategoricalCrossentropy(from_logits=True), "size": "mae"},
        loss_weights={"kind": 0.3, "size": 2.0},
        metrics={"kind": ["accuracy"], "size": ["mse", "mae"]},
    )
    return trained(model, x, {"kind": classes(x), "size": targets(x)}, validation_split=0.25)


@programme
def shared_layer() -> History:
    a, b = numbers(ROWS, 6), numbers(ROWS, 6, seed=1)
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    encode = layers.Dense(5, activation="tanh", name="encode")
    distance = encode(left) - encode(right)
    model = keras.Model([left, right], layers.Dense(1, activation="sigmoid")(distance))
    model.compile("rmsprop", "binary_crossentropy", metrics=["acc", "auc"])
    return trained(model, [a, b], (targets(a) > targets(b)).astype(np.float32))


@programme
def one_layer_two_outputs() -> History:
    x = numbers(ROWS, 6)
    inputs = keras.Input((6,))
    dense = layers.Dense(2, name="out")
    model = keras.Model(inputs, [dense(inputs), dense(layers.Dense(6)(inputs))])
    model.compile("adam", "mse", metrics=["mae", "acc"])
    return trained(model, x, [targets(x, 2), targets(x, 2)])


class Residual(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.first = layers.Dense(6, activation="gelu")
        self.normalize = layers.BatchNormalization()
        self.drop = layers.Dropout(0.3, seed=5)
        self.last = layers.Dense(1)

    def call(self, x: Any, training: bool = False) -> Any:
        """A residual block with everything that training changes."""
        y = self.normalize(self.first(x), training=training)
        return self.last(x + self.drop(y, training=training))


@programme
def subclass_with_normalization_and_dropout() -> History:
    x = numbers(ROWS, 6)
    model = Residual()
    model.compile("nadam", "huber", metrics=["mae"])
    return trained(model, x, targets(x), validation_split=0.25, epochs=3)


@programme
def cnn() -> History:
    (x, y), _ = keras.datasets.digits.load_data()
    x = x[: 2 * ROWS, ..., None].astype(np.float32) / 16
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return trained(model, x, y[: 2 * ROWS])


@programme
def attention() -> History:
    x = numbers(ROWS, 5, 8)
    inputs = keras.Input((5, 8))
    y = layers.LayerNormalization()(inputs)
    y = layers.Add()([inputs, layers.MultiHeadAttention(2, 4, dropout=0.1, seed=3)(y, y)])
    model = keras.Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(y)))
    model.compile("adamw", "mse", metrics=["mae"])
    return trained(model, x, targets(x))


# -- sequences ------------------------------------------------------------------------------


@programme
def masked_lstm() -> History:
    x = tokens(ROWS, 7)
    model = keras.Sequential(
        [
            keras.Input((7,), dtype="int32"),
            layers.Embedding(12, 6, mask_zero=True),
            layers.LSTM(5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return trained(model, x, (x.sum(axis=1) % 2).astype(np.float32)[:, None])


@programme
def masked_gru_with_weights_of_steps() -> History:
    x = tokens(ROWS, 6)
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(12, 6, mask_zero=True),
            layers.GRU(5, return_sequences=True),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        "adam",
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=["accuracy"],
    )
    weights = np.abs(numbers(ROWS, 6, seed=3))
    return trained(model, x, x % 3, sample_weight=weights)


@programme
def bidirectional_rnn() -> History:
    x = numbers(ROWS, 5, 3)
    model = keras.Sequential(
        [keras.Input((5, 3)), layers.Bidirectional(layers.SimpleRNN(4)), layers.Dense(1)]
    )
    model.compile("adagrad", "mse", metrics=["mae"])
    return trained(model, x, targets(x))


@programme
def stateful_rnn() -> History:
    x = numbers(ROWS, 4, 3)
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(16, 4, 3)),
            layers.LSTM(4, stateful=True, return_sequences=True),
            layers.GRU(3, stateful=True),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return trained(model, x, targets(x), epochs=3, shuffle=False)


# -- weights --------------------------------------------------------------------------------


@programme
def sample_weights() -> History:
    x = numbers(ROWS, 6)
    model = mlp(layers.Dense(8, activation="relu"))
    model.compile("adam", "mse", metrics=["mae"], weighted_metrics=["mae", "mse"])
    weights = np.abs(numbers(ROWS, seed=4))
    return trained(model, x, targets(x), sample_weight=weights, validation_split=0.25)


@programme
def class_weights() -> History:
    x = numbers(ROWS, 6)
    model = mlp(layers.Dense(8, activation="relu"), outputs=3, activation="softmax")
    model.compile(
        "adam",
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=["accuracy"],
    )
    return trained(model, x, classes(x), class_weight={0: 1.0, 1: 3.0, 2: 0.25})


# -- losses beside the compiled one ---------------------------------------------------------


@programme
def regularized_and_constrained() -> History:
    x = numbers(ROWS, 6)
    hidden = layers.Dense(
        8,
        activation="tanh",
        kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02),
        bias_regularizer="l2",
        kernel_constraint="max_norm",
    )
    model = mlp(hidden)
    model.compile("sgd", "mse", metrics=["mse"])
    return trained(model, x, targets(x), validation_split=0.25)


@programme
def activity_regularized() -> History:
    x = numbers(ROWS, 6)
    model = mlp(
        layers.Dense(8, activation="relu", activity_regularizer=keras.regularizers.L2(0.05)),
    )
    model.compile("adam", "mse", metrics=["mse"])
    return trained(model, x, targets(x))


class Sparse(layers.Layer):
    def call(self, x: Any) -> Any:
        """Hands on what comes, and asks for it to be small."""
        self.add_loss(0.1 * ops.mean(ops.abs(x)))
        return x


@programme
def added_loss() -> History:
    x = numbers(ROWS, 6)
    model = mlp(layers.Dense(8), Sparse())
    model.compile("adam", "mse", metrics=["mse"])
    return trained(model, x, targets(x), validation_split=0.25)


@programme
def added_metrics_and_losses_of_the_graph() -> History:
    x = numbers(ROWS, 6)
    inputs = keras.Input((6,))
    hidden = layers.Dense(8, activation="tanh")
    seen = hidden(inputs)
    model = keras.Model(inputs, layers.Dense(1)(seen))
    model.add_loss(0.1 * ops.mean(ops.square(seen)))
    model.add_loss(lambda: 0.01 * ops.sum(ops.abs(hidden.kernel)))
    model.add_metric(ops.sum(seen), name="total", aggregation="mean")
    model.add_metric(ops.max(seen), name="peak")
    model.compile("adam", "mse", metrics=["mae"])
    return trained(model, x, targets(x), validation_split=0.25)


class Watched(layers.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.mean = keras.metrics.Mean(name="mean_seen")

    def call(self, x: Any) -> Any:
        """Hands on what comes, and shows two things of it."""
        self.add_metric(self.mean(x))
        self.add_metric(ops.std(x), name="spread", aggregation="mean")
        return x


@programme
def added_metrics() -> History:
    x = numbers(ROWS, 6)
    model = mlp(layers.Dense(8), Watched())
    model.compile("adam", "mse")
    return trained(model, x, targets(x))


# -- own steps ------------------------------------------------------------------------------


class OwnStep(keras.Model):
    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of two learning rates, the same source on every backend."""
        x, y = data[:2]

        def loss_fn() -> tuple[Any, Any]:
            y_pred = self(x, training=True)
            return ops.mean(ops.square(y - y_pred)) + sum(self.losses), y_pred

        variables = self.trainable_variables
        (loss, y_pred), gradients = keras.value_and_grad(loss_fn, variables, has_aux=True)()
        self.optimizer.apply([0.5 * gradient for gradient in gradients], variables)
        logs = self.compute_metrics(x, y, y_pred, None)
        return {**logs, "loss": loss}


@programme
def own_train_step() -> History:
    x = numbers(ROWS, 6)
    inputs = keras.Input((6,))
    hidden = layers.Dense(8, activation="relu", kernel_regularizer="l2")(inputs)
    model = OwnStep(inputs, layers.Dense(1)(hidden))
    model.compile("adam", "mse", metrics=["mae"])
    return trained(model, x, targets(x))


class OwnLoss(keras.Model):
    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None
    ) -> Any:
        """The fourth power of the error."""
        return ops.mean(ops.power(y - y_pred, 4.0))

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """The usual ones and one more."""
        logs = super().compute_metrics(x, y, y_pred, sample_weight)
        return {**logs, "peak": ops.max(ops.abs(y_pred))}


@programme
def own_loss_and_metrics() -> History:
    x = numbers(ROWS, 6)
    inputs = keras.Input((6,))
    model = OwnLoss(inputs, layers.Dense(1)(layers.Dense(8, activation="silu")(inputs)))
    model.compile("adam", metrics=["mae"])
    return trained(model, x, targets(x))


# -- optimizers and precision ---------------------------------------------------------------


def trained_by(optimizer: Any, **arguments: Any) -> History:
    x = numbers(ROWS, 6)
    model = mlp(layers.Dense(8, activation="relu"), layers.Dense(8, activation="tanh"))
    model.compile(optimizer, "mse", metrics=["mae"], **arguments)
    return trained(model, x, targets(x), epochs=3, validation_split=0.25)


@programme
def moving_average_of_weights() -> History:
    return trained_by(
        keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=4)
    )


@programme
def accumulated_gradients() -> History:
    return trained_by(keras.optimizers.SGD(0.05, momentum=0.9, gradient_accumulation_steps=2))


@programme
def clipped_decayed_and_scheduled() -> History:
    schedule = keras.optimizers.schedules.CosineDecay(0.02, 8)
    return trained_by(keras.optimizers.AdamW(schedule, global_clipnorm=0.5, weight_decay=0.05))


@programme
def several_steps_in_one() -> History:
    return trained_by("adam", steps_per_execution=2)


@programme
def uncompiled() -> History:
    x = numbers(ROWS, 6)
    model = mlp(activation="tanh")
    model.compile("lion", "mse", metrics=["mae"], run_eagerly=True)
    return trained(model, x, targets(x), epochs=1)


def in_precision(policy: str) -> History:
    x = numbers(ROWS, 6)
    keras.config.set_dtype_policy(policy)
    try:
        model = keras.Sequential(
            [
                keras.Input((6,)),
                layers.Dense(8, activation="relu"),
                layers.LayerNormalization(),
                layers.Dense(3),
                layers.Activation("softmax", dtype="float32"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return trained(model, x, classes(x))
    finally:
        keras.config.set_dtype_policy("float32")


@programme
def mixed_bfloat16() -> History:
    return in_precision("mixed_bfloat16")


@programme
def mixed_float16() -> History:
    return in_precision("mixed_float16")


# -- data -----------------------------------------------------------------------------------


@programme
def frozen_layer_from_a_generator() -> History:
    x = numbers(ROWS, 6)
    y = targets(x)

    def batches() -> Any:
        while True:
            for start in range(0, ROWS, 12):
                yield x[start : start + 12], y[start : start + 12], np.full(12, 0.5, np.float32)

    frozen = layers.Dense(8, activation="relu", trainable=False)
    model = mlp(frozen)
    model.compile("adam", "mse", metrics=["mae"], weighted_metrics=["mae"])
    return trained(
        model,
        batches(),
        epochs=3,
        steps_per_epoch=3,
        validation_data=(x[:8], y[:8]),
        validation_freq=[2],
    )


class Shards(keras.utils.PyDataset):
    """Batches of rows with their weights, of unequal size."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        x = numbers(10 if index < 3 else 6, 6, seed=index)
        return x, classes(x), np.abs(numbers(len(x), seed=9))


@programme
def dataset_of_workers() -> History:
    model = mlp(outputs=3, activation="softmax")
    model.compile(
        "adam",
        "sparse_categorical_crossentropy",
        metrics=["acc"],
        weighted_metrics=["crossentropy"],
    )
    class_weight = {0: 2.0, 1: 1.0, 2: 0.5}
    return trained(model, Shards(), workers=2, class_weight=class_weight, epochs=3)


@programme
def single_batches() -> History:
    x = numbers(ROWS, 6)
    y = targets(x)
    model = mlp(layers.Dense(8, activation="relu"))
    model.compile("adam", "mse", metrics=["mae"])
    found: History = {"anew": [], "on": []}
    for start in range(0, ROWS, 12):
        batch = x[start : start + 12], y[start : start + 12]
        found["anew"] += model.train_on_batch(*batch)
        found["on"] += model.test_on_batch(*batch, reset_metrics=start == 0)
    return {name: [float(value) for value in values] for name, values in found.items()}


def main(folder: Path, *names: str) -> None:
    found, seconds = {}, {}
    for name in names or PROGRAMMES:
        keras.utils.clear_session()
        keras.utils.set_random_seed(17)
        start = time.perf_counter()
        found[name] = PROGRAMMES[name]()
        seconds[name] = round(time.perf_counter() - start, 2)
    backend = keras.config.backend()
    (folder / f"{backend}.json").write_text(json.dumps({"logs": found, "seconds": seconds}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
