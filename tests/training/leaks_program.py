"""A program that makes, trains and forgets many models, and says how its memory went.

Usage: `python leaks_program.py {models|loops} ROUNDS`. A program of its own: what other tests
allocate must not be measured. Writes as JSON the resident memory and the number of Python objects
after each tenth of the rounds.
"""

import gc
import json
import logging
import sys
from pathlib import Path

import numpy as np

import multikeras as keras
from multikeras import layers, ops

ROWS = 8


class Batches(keras.utils.PyDataset):
    """The same arrays over and over, by threads."""

    def __init__(self, x, y):
        super().__init__(workers=2)
        self.x, self.y = x, y

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return self.x, self.y


class Custom(keras.Model):
    """A step of its own, by the portable gradients."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        x, y = data[:2]

        def loss():
            return self.compute_loss(x, y, self(x, training=True))

        value, gradients = keras.value_and_grad(loss, self.trainable_variables)()
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": value}


def dense():
    return keras.Sequential(
        [keras.Input((3,)), layers.Dense(2, activation="relu"), layers.Dense(1)]
    )


def regular():
    inputs = keras.Input((3,))
    x = layers.Dropout(0.3)(layers.BatchNormalization()(layers.Dense(2)(inputs)))
    return keras.Model(inputs, layers.Dense(1)(x))


def recurrent():
    inputs = keras.Input((3,))
    x = layers.LSTM(2)(layers.Reshape((3, 1))(inputs))
    return keras.Model(inputs, layers.Dense(1)(x))


MODELS = [dense, regular, Custom, recurrent]


def one_round(number):
    """Makes a model, trains it from every kind of data, evaluates, predicts and forgets it."""
    x, y = np.ones((ROWS, 3), "float32"), np.ones((ROWS, 1), "float32")
    # Compiling takes most of the time: every eighth round is enough for what it may keep.
    compiled, with_more = number % 8 == 0, number % 8 < 2
    model = MODELS[number // 8 % len(MODELS)]()
    optimizer, metrics = ("adam", ["mae"]) if with_more else ("sgd", None)
    model.compile(optimizer, "mse", metrics=metrics, run_eagerly=not compiled)
    model.fit(x, y, batch_size=ROWS, verbose=0)
    if with_more:
        model.fit(Batches(x, y), verbose=0)
        model.fit(iter([(x, y)] * 3), steps_per_epoch=2, workers=2, verbose=0)
        model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    del model
    keras.utils.clear_session()


def loops(number):
    """Runs each loop of `ops` uncompiled, with a body that was never seen before."""
    x = ops.ones((4, 3)) * number
    ops.scan(lambda carry, a: (carry + a, carry), x[0], x)
    ops.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a + x), (0, x))
    ops.fori_loop(0, 3, lambda i, a: a + x, x)
    ops.map(lambda a: a + x[0], x)
    ops.switch(1, [lambda a: a * 2, lambda a: a + x], x)
    ops.cond(ops.sum(x) > 0, lambda: x * 2, lambda: x * 3)


def resident():
    """Resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def main():
    what, rounds = sys.argv[1], int(sys.argv[2])
    each = one_round if what == "models" else loops
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # retracing is what is asked for
    gc.freeze()  # what is there already needn't be looked at in each round
    for number in range(8 * len(MODELS)):
        if number % 8 < 3:  # every model, compiled too
            each(number)
    gc.collect()
    gc.freeze()
    told = []
    for number in range(rounds):
        if number % (rounds // 10) == 0:
            gc.collect()
            told.append((resident(), len(gc.get_objects())))
        each(number)
    gc.collect()
    told.append((resident(), len(gc.get_objects())))
    print(json.dumps({"memory": [m for m, _ in told], "objects": [n for _, n in told]}))


if __name__ == "__main__":
    main()
