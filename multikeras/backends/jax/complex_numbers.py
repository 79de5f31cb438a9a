"""Complex tensors: their parts, and how they are made."""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax

real = jnp.real
imag = jnp.imag
conjugate = jnp.conjugate
join_complex = lax.complex
