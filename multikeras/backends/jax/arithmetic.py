"""Functions of two tensors, element by element."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

add = jnp.add
subtract = jnp.subtract
multiply = jnp.multiply
divide = true_divide = jnp.divide
floor_divide = jnp.floor_divide
mod = jnp.mod
fmod = jnp.fmod
power = jnp.power
arctan2 = jnp.arctan2
maximum = jnp.maximum
minimum = jnp.minimum
fmax = jnp.fmax
fmin = jnp.fmin
logaddexp = jnp.logaddexp
isnan = jnp.isnan
isinf = jnp.isinf
isfinite = jnp.isfinite
equal = jnp.equal
not_equal = jnp.not_equal
greater = jnp.greater
greater_equal = jnp.greater_equal
less = jnp.less
less_equal = jnp.less_equal
logical_and = jnp.logical_and
logical_or = jnp.logical_or
logical_xor = jnp.logical_xor
logical_not = jnp.logical_not
isclose = jnp.isclose


def where(condition: Any, x1: Any, x2: Any) -> Any:
    return jnp.nonzero(condition) if x1 is None else jnp.where(condition, x1, x2)


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    return jnp.clip(x, x_min, x_max)


def divide_no_nan(x1: Any, x2: Any) -> Any:
    zero = x2 == 0
    return jnp.where(zero, jnp.zeros_like(x1), x1 / jnp.where(zero, jnp.ones_like(x2), x2))


divide_no_nan = jax.jit(divide_no_nan)


@jax.jit
def hypot(x1: jax.Array, x2: jax.Array) -> jax.Array:
    # The slope of jnp.hypot at (0, 0) is 1/2; here it is 0, as elsewhere.
    zero = (x1 == 0) & (x2 == 0)
    length = jnp.hypot(jnp.where(zero, jnp.ones_like(x1), x1), x2)
    return jnp.where(zero, jnp.zeros_like(length), length)
