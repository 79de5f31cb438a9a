"""Random numbers, the same on every backend."""

from multikeras.random.seed_generator import SeedGenerator as SeedGenerator
