"""Threefry-2x32 on JAX: the portable random words through JAX's own implementation.

Sizes are static, as all shapes are in JAX. Keys may be traced.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.random import threefry_2x32


@jax.jit
def next_key(state: Any) -> tuple[jax.Array, jax.Array]:
    """Return the key that `state`, (seed, next stream), stands for, and the state after it."""
    return state, state.at[1].add(1)


@functools.partial(jax.jit, static_argnums=1)
def random_bits(key: Any, size: int) -> jax.Array:
    """Return the first `size` words of `key`, shape `(2,)`, as flat `uint32` array."""
    counters = (size + 1) // 2
    if counters == 0:
        return jnp.zeros((0,), jnp.uint32)
    if counters > 1 << 32:
        raise ValueError(f"random: {size} words in one draw are too many, the limit is 2**33")
    # JAX pairs the first half of what it is given with the second half.
    low = jax.lax.iota(jnp.uint32, counters)
    words = threefry_2x32(jnp.asarray(key, jnp.uint32), jnp.concatenate([low, jnp.zeros_like(low)]))
    return jnp.stack([words[:counters], words[counters:]], axis=1).reshape(-1)[:size]


@functools.partial(jax.jit, static_argnums=1)
def random_uniform_floats(key: Any, size: int) -> jax.Array:
    """Return `size` `float32` numbers in [0, 1), the upper 24 bits of each word."""
    return (random_bits(key, size) >> 8).astype(jnp.float32) * jnp.float32(2.0**-24)


def random_integers(key: Any, size: int, span: Any) -> jax.Array:
    """Return `size` integers in [0, `span`), `uint32`: the upper half of word times `span`.

    `span` is an integer or a scalar integer array in [1, 2**32]; in a 32-bit array 0 stands for
    2**32, which doesn't fit one.
    """
    if isinstance(span, int):
        span = np.uint32(span & 0xFFFFFFFF)
    return _integers(key, size, span)


@functools.partial(jax.jit, static_argnums=1)
def _integers(key: Any, size: int, span: Any) -> jax.Array:
    words = random_bits(key, size)
    # JAX has no 64-bit integers by default: the product is put together from half words.
    span = jnp.asarray(span).astype(jnp.uint32)
    word_high, word_low = words >> 16, words & 0xFFFF
    span_high, span_low = span >> 16, span & 0xFFFF
    middle = word_high * span_low + (word_low * span_low >> 16)
    carry = (middle & 0xFFFF) + word_low * span_high
    high = word_high * span_high + (middle >> 16) + (carry >> 16)
    return jnp.where(span == 0, words, high)


@functools.partial(jax.jit, static_argnums=(1, 2))
def random_keep_mask(key: Any, size: int, bound: int) -> jax.Array:
    """Return `size` booleans: which words are at least `bound`, an integer in [0, 2**32)."""
    return random_bits(key, size) >= jnp.uint32(bound)


@functools.partial(jax.jit, static_argnums=1)
def random_permutation(key: Any, size: int) -> jax.Array:
    """Return [0, `size`) in the stable order of the words of `key`, `int32`."""
    return jnp.argsort(random_bits(key, size), stable=True).astype(jnp.int32)


def seed_framework(seed: int) -> None:
    """Nothing to do: JAX has no global generator."""
