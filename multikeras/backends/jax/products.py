"""Products of vectors, matrices and tensors."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from multikeras.backends.contractions import contracted_axes, split_subscripts

matmul = jnp.matmul


def tensordot(x1: jax.Array, x2: jax.Array, axes: Any = 2) -> jax.Array:
    return jnp.tensordot(x1, x2, contracted_axes(axes, x1.ndim, x2.ndim))


def einsum_of(subscripts: str, operands: Any) -> jax.Array:
    split_subscripts(subscripts, tuple(x.ndim for x in operands))
    return jnp.einsum(subscripts, *operands)
