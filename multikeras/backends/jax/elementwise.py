"""Element-by-element functions."""

import jax.numpy as jnp

add = jnp.add
