"""The JAX backend: state is threaded through pure functions, steps are compiled by XLA."""

from multikeras.backends.jax import core as core

from multikeras.backends.jax import elementwise as elementwise

UNSUPPORTED: dict[str, str] = {}
