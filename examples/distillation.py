"""Knowledge distillation (Hinton, Vinyals and Dean 2015), one source for all backends.

A small student learns from few labels and from the softened answers of a larger teacher that saw
all of them; the same student learns from the few labels alone, for comparison.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import multikeras as keras
from multikeras import layers, ops


class Distiller(keras.Model):
    """Trains a student on labels and on a teacher's answers.

    Args:
        student, teacher: models that give logits.
        temperature: how much the answers are softened.
        alpha: how much the labels count; the teacher's answers count 1 - alpha.
    """

    def __init__(
        self,
        student: Any,
        teacher: Any,
        temperature: float = 3.0,
        alpha: float = 0.3,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.student, self.teacher = student, teacher
        self.temperature, self.alpha = temperature, alpha
        teacher.trainable = False

    def call(self, x: Any, training: bool = False) -> Any:
        """The student's logits."""
        return self.student(x, training=training)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of the student. A label of -1 is unknown."""
        x, y = data[:2]
        known = ops.cast(y >= 0, "float32")
        answers = ops.softmax(self.teacher(x, training=False) / self.temperature)

        def loss_fn() -> tuple[Any, Any]:
            logits = self.student(x, training=True)
            labels = ops.sparse_categorical_crossentropy(
                ops.maximum(y, 0), logits, from_logits=True
            )
            softened = ops.log_softmax(logits / self.temperature)
            told = -ops.sum(answers * softened, axis=-1) * self.temperature**2
            loss = self.alpha * known * labels + (1 - self.alpha) * told
            return ops.mean(loss), logits

        variables = self.student.trainable_variables
        (loss, logits), gradients = keras.value_and_grad(loss_fn, variables, has_aux=True)()
        self.optimizer.apply(gradients, variables)
        logs = self.compute_metrics(x, y, logits, known)
        return {**logs, "loss": loss}


def network(size: int, name: str) -> keras.Model:
    """A network with one hidden layer, from pixels to logits."""
    return keras.Sequential(
        [keras.Input((64,)), layers.Dense(size, activation="relu"), layers.Dense(10)], name=name
    )


def main() -> tuple[float, float, float]:
    """Trains the three; gives the test accuracies of teacher, student alone, taught student."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15)
    arguments = parser.parse_args()

    keras.utils.set_random_seed(5)
    (x, y), (x_test, y_test) = keras.datasets.digits.load_data()
    x, x_test = ((a.reshape(len(a), 64) / 16).astype(np.float32) for a in (x, x_test))
    few = np.where(np.arange(len(y)) < 60, y.astype(np.int32), -1)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    fit = {"epochs": arguments.epochs, "batch_size": 32, "verbose": 0}

    def accuracy(model: Any) -> float:
        return model.evaluate(x_test, y_test, verbose=0, return_dict=True)["accuracy"]

    teacher = network(128, "teacher")
    teacher.compile("adam", loss, metrics=["accuracy"])
    teacher.fit(x, y, **fit)
    alone = network(24, "alone")
    alone.compile("adam", loss, metrics=["accuracy"])
    alone.fit(x[:60], y[:60], **{**fit, "epochs": 4 * arguments.epochs})
    distiller = Distiller(network(24, "student"), teacher)
    distiller.compile("adam", loss, weighted_metrics=["accuracy"])
    history = distiller.fit(x, few, **fit).history

    found = accuracy(teacher), accuracy(alone), accuracy(distiller)
    for epoch, value in enumerate(history["loss"]):
        print(f"{keras.config.backend()} epoch {epoch + 1}: loss {value:.4f},")
    print(
        f"{keras.config.backend()}: test accuracy of the teacher {found[0]:.4f}, "
        f"of a student alone {found[1]:.4f}, of the taught student {found[2]:.4f}"
    )
    return found


if __name__ == "__main__":
    main()
