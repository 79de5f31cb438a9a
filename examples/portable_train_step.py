"""A variational autoencoder (Kingma and Welling 2014) with one `train_step` for all backends.

The step takes its gradients through `multikeras.value_and_grad`; nothing in this file knows which
framework runs it.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import multikeras as keras
from multikeras import layers, ops


class Sampling(layers.Layer):
    """Draws `z` from a normal distribution given by its mean and log variance."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, mean: Any, log_variance: Any) -> Any:
        """`mean + exp(log_variance / 2) * noise`."""
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise


class VariationalAutoencoder(keras.Model):
    """Encodes images into `latent_dim` numbers and decodes them again.

    Args:
        latent_dim: the size of the code.
    """

    def __init__(self, latent_dim: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        self.hidden = layers.Dense(128, activation="relu")
        self.mean = layers.Dense(latent_dim)
        self.log_variance = layers.Dense(latent_dim)
        self.sampling = Sampling()
        self.decoder = keras.Sequential(
            [layers.Dense(128, activation="relu"), layers.Dense(64, activation="sigmoid")]
        )
        self.loss_metric = keras.metrics.Mean(name="loss")
        self.divergence_metric = keras.metrics.Mean(name="divergence")

    def call(self, x: Any, training: bool | None = None) -> tuple[Any, Any, Any]:
        """The reconstruction, the mean and the log variance of the code."""
        hidden = self.hidden(x)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        return self.decoder(self.sampling(mean, log_variance)), mean, log_variance

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step, the same source on every backend."""
        x = data[0] if isinstance(data, tuple) else data

        def loss_fn() -> tuple[Any, Any]:
            reconstruction, mean, log_variance = self(x, training=True)
            entropy = keras.losses.binary_crossentropy(x, reconstruction) * x.shape[-1]
            divergence = -0.5 * ops.sum(
                1 + log_variance - ops.square(mean) - ops.exp(log_variance), axis=-1
            )
            return ops.mean(entropy + divergence), ops.mean(divergence)

        variables = self.trainable_variables
        compute = keras.value_and_grad(loss_fn, variables, has_aux=True)
        (loss, divergence), gradients = compute()
        self.optimizer.apply(gradients, variables)
        self.loss_metric.update_state(loss)
        self.divergence_metric.update_state(divergence)
        return {"loss": self.loss_metric.result(), "divergence": self.divergence_metric.result()}


def main() -> list[float]:
    """Trains on the digits; gives the losses of the epochs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    arguments = parser.parse_args()

    keras.utils.set_random_seed(3)
    (x, _), _ = keras.datasets.digits.load_data()
    x = (x.reshape(len(x), 64) / 16).astype(np.float32)
    model = VariationalAutoencoder()
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    history = model.fit(x, batch_size=64, epochs=arguments.epochs, verbose=0).history
    for epoch, (loss, divergence) in enumerate(zip(history["loss"], history["divergence"])):
        print(f"{keras.config.backend()} epoch {epoch + 1}: loss {loss:.4f}, KL {divergence:.4f}")
    return history["loss"]


if __name__ == "__main__":
    main()
