"""A Wasserstein GAN with a gradient penalty (Gulrajani et al. 2017), one source for all backends.

The critic's slope between real and made points is held near 1: a gradient of a gradient, by
`multikeras.value_and_grad` inside itself. The points lie on a ring of eight clusters.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import multikeras as keras
from multikeras import layers, ops


class WassersteinGAN(keras.Model):
    """A generator of points, and a critic that scores how real points are.

    Args:
        latent_dim: how many numbers a point is made from.
        weight: how much the gradient penalty counts.
        critic_steps: steps of the critic for one of the generator.
    """

    def __init__(
        self, latent_dim: int = 4, weight: float = 1.0, critic_steps: int = 5, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.latent_dim, self.weight, self.critic_steps = latent_dim, weight, critic_steps
        hidden = {"activation": "relu", "kernel_initializer": "he_normal"}
        self.generator = keras.Sequential(
            [
                keras.Input((latent_dim,)),
                layers.Dense(32, **hidden),
                layers.Dense(32, **hidden),
                layers.Dense(2),
            ],
            name="generator",
        )
        self.critic = keras.Sequential(
            [
                keras.Input((2,)),
                layers.Dense(32, activation="relu"),
                layers.Dense(32, activation="relu"),
                layers.Dense(1),
            ],
            name="critic",
        )
        self.noise = keras.random.SeedGenerator(7)
        self.gap = keras.metrics.Mean(name="gap")
        self.slope = keras.metrics.Mean(name="slope")

    def compile(self, critic_optimizer: Any, generator_optimizer: Any) -> None:
        """Takes an optimizer for each network."""
        super().compile(optimizer=critic_optimizer)
        self.generator_optimizer = keras.optimizers.get(generator_optimizer)
        self.generator_optimizer.build(self.generator.trainable_variables)

    def call(self, noise: Any) -> Any:
        """Points from noise."""
        return self.generator(noise)

    def slopes(self, points: Any) -> Any:
        """How steep the critic is at each point."""
        _, gradient = keras.value_and_grad(lambda x: ops.sum(self.critic(x)), argnums=0)(points)
        return ops.sqrt(ops.sum(ops.square(gradient), axis=1) + 1e-12)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Some steps of the critic, then one of the generator."""
        real = data[0] if isinstance(data, tuple) else data
        count = ops.shape(real)[0]
        for _ in range(self.critic_steps):
            self.train_critic(real, count)
        noise = keras.random.normal((count, self.latent_dim), seed=self.noise)
        variables = self.generator.trainable_variables
        _, gradients = keras.value_and_grad(
            lambda: -ops.mean(self.critic(self.generator(noise))), variables
        )()
        self.generator_optimizer.apply(gradients, variables)
        return self.get_metrics_result()

    def train_critic(self, real: Any, count: Any) -> None:
        """One step of the critic: scores apart, slope near 1."""
        noise = keras.random.normal((count, self.latent_dim), seed=self.noise)
        fake = ops.stop_gradient(self.generator(noise))
        share = keras.random.uniform((count, 1), seed=self.noise)
        between = share * real + (1 - share) * fake

        def critic_loss() -> tuple[Any, Any]:
            gap = ops.mean(self.critic(real)) - ops.mean(self.critic(fake))
            slopes = self.slopes(between)
            return self.weight * ops.mean(ops.square(slopes - 1)) - gap, (gap, ops.mean(slopes))

        variables = self.critic.trainable_variables
        (_, (gap, slope)), gradients = keras.value_and_grad(critic_loss, variables, True)()
        self.optimizer.apply(gradients, variables)
        self.gap.update_state(gap)
        self.slope.update_state(slope)


def ring(count: int, seed: int = 0) -> np.ndarray:
    """Points of eight clusters on a ring."""
    rng = np.random.default_rng(seed)
    angles = rng.integers(0, 8, count) * np.pi / 4
    points = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return (points + 0.1 * rng.normal(size=points.shape)).astype(np.float32)


def off_the_ring(points: np.ndarray) -> float:
    """The mean distance of points from the ring."""
    return float(np.abs(np.linalg.norm(points, axis=1) - 2).mean())


def main() -> tuple[float, float]:
    """Trains; gives how far made points were from the ring before and after."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15)
    arguments = parser.parse_args()

    keras.utils.set_random_seed(9)
    model = WassersteinGAN()
    model.compile(keras.optimizers.Adam(1e-2, 0.0, 0.9), keras.optimizers.Adam(1e-2, 0.0, 0.9))
    noise = np.random.default_rng(1).normal(size=(512, model.latent_dim)).astype(np.float32)
    before = off_the_ring(model.predict(noise, verbose=0))
    history = model.fit(ring(1024), batch_size=64, epochs=arguments.epochs, verbose=0).history
    after = off_the_ring(model.predict(noise, verbose=0))
    for epoch, (gap, slope) in enumerate(zip(history["gap"], history["slope"])):
        print(f"{keras.config.backend()} epoch {epoch + 1}: gap {gap:.4f}, slope {slope:.4f}")
    print(
        f"{keras.config.backend()}: distance of made points from the ring {before:.4f}, {after:.4f}"
    )
    return before, after


if __name__ == "__main__":
    main()
