"""A generative adversarial network (Goodfellow et al. 2014) with one `train_step` for all backends.

Two networks with an optimizer each: the generator makes digits from noise, the discriminator
tells them from real ones. Each gets its own gradients through `multikeras.value_and_grad`.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import multikeras as keras
from multikeras import layers, ops


class GAN(keras.Model):
    """Two networks that train each other.

    Args:
        latent_dim: how many numbers a digit is made from.
    """

    def __init__(self, latent_dim: int = 16, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        self.generator = keras.Sequential(
            [
                keras.Input((latent_dim,)),
                layers.Dense(64),
                layers.LeakyReLU(0.2),
                layers.Dense(64, activation="sigmoid"),
            ],
            name="generator",
        )
        self.discriminator = keras.Sequential(
            [
                keras.Input((64,)),
                layers.Dense(64),
                layers.LeakyReLU(0.2),
                layers.Dropout(0.2, seed=1),
                layers.Dense(1),
            ],
            name="discriminator",
        )
        self.noise = keras.random.SeedGenerator(7)
        self.discriminator_loss = keras.metrics.Mean(name="discriminator_loss")
        self.generator_loss = keras.metrics.Mean(name="generator_loss")
        self.real_accuracy = keras.metrics.Mean(name="real_accuracy")

    def compile(self, discriminator_optimizer: Any, generator_optimizer: Any) -> None:
        """Takes an optimizer for each network."""
        super().compile(optimizer=discriminator_optimizer)
        self.generator_optimizer = keras.optimizers.get(generator_optimizer)
        self.generator_optimizer.build(self.generator.trainable_variables)

    def call(self, noise: Any, training: bool = False) -> Any:
        """Digits from noise."""
        return self.generator(noise, training=training)

    def train_step(self, data: Any) -> dict[str, Any]:
        """A step of the discriminator, then one of the generator."""
        real = data[0] if isinstance(data, tuple) else data
        count = ops.shape(real)[0]

        def entropy(logits: Any, label: float) -> Any:
            return ops.mean(
                ops.binary_crossentropy(ops.full_like(logits, label), logits, from_logits=True)
            )

        def draw() -> Any:
            return keras.random.normal((count, self.latent_dim), seed=self.noise)

        fake = ops.stop_gradient(self.generator(draw(), training=True))

        def discriminate() -> tuple[Any, Any]:
            logits = self.discriminator(real, training=True)
            loss = entropy(logits, 0.9) + entropy(self.discriminator(fake, training=True), 0.0)
            return loss, ops.mean(ops.cast(logits > 0, "float32"))

        variables = self.discriminator.trainable_variables
        compute = keras.value_and_grad(discriminate, variables, has_aux=True)
        (discriminator_loss, accuracy), gradients = compute()
        self.optimizer.apply(gradients, variables)

        noise = draw()

        def deceive() -> Any:
            return entropy(self.discriminator(self.generator(noise, training=True)), 1.0)

        variables = self.generator.trainable_variables
        generator_loss, gradients = keras.value_and_grad(deceive, variables)()
        self.generator_optimizer.apply(gradients, variables)

        self.discriminator_loss.update_state(discriminator_loss)
        self.generator_loss.update_state(generator_loss)
        self.real_accuracy.update_state(accuracy)
        return self.get_metrics_result()


def distance(made: np.ndarray, real: np.ndarray) -> float:
    """How far made digits are from real ones: their mean images and deviations compared."""
    means = np.abs(made.mean(axis=0) - real.mean(axis=0)).mean()
    return float(means + np.abs(made.std(axis=0) - real.std(axis=0)).mean())


def main() -> tuple[float, float]:
    """Trains on the digits; gives how far the made digits were from real ones before and after."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15)
    arguments = parser.parse_args()

    keras.utils.set_random_seed(5)
    (x, _), _ = keras.datasets.digits.load_data()
    x = (x.reshape(len(x), 64) / 16).astype(np.float32)
    model = GAN()
    model.compile(keras.optimizers.Adam(1e-3, 0.5), keras.optimizers.Adam(2e-3, 0.5))
    noise = np.random.default_rng(0).normal(size=(256, model.latent_dim)).astype(np.float32)
    before = distance(model.predict(noise, verbose=0), x)
    history = model.fit(x, batch_size=64, epochs=arguments.epochs, verbose=0).history
    after = distance(model.predict(noise, verbose=0), x)
    losses = zip(history["discriminator_loss"], history["generator_loss"])
    for epoch, (discriminator_loss, generator_loss) in enumerate(losses):
        print(
            f"{keras.config.backend()} epoch {epoch + 1}: discriminator loss "
            f"{discriminator_loss:.4f}, generator {generator_loss:.4f}"
        )
    print(f"{keras.config.backend()}: distance of made from real digits {before:.4f}, {after:.4f}")
    return before, after


if __name__ == "__main__":
    main()
