"""Threefry-2x32 on the NumPy backend: the host generator, with keys that are arrays."""

from typing import Any

import numpy as np

from multikeras.backends.threefry import stable_order, threefry_words

_STEP = np.array([0, 1], np.uint32)


def next_key(state: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the key that `state`, (seed, next stream), stands for, and the state after it."""
    return state, state + _STEP


def random_bits(key: Any, size: int) -> np.ndarray:
    """Return the first `size` words of `key`, shape `(2,)`, as flat `uint32` array."""
    seed, stream = key.tolist()
    return threefry_words(seed, stream, size)


def random_uniform_floats(key: Any, size: int) -> np.ndarray:
    """Return `size` `float32` numbers in [0, 1), the upper 24 bits of each word."""
    words = random_bits(key, size)
    words >>= np.uint32(8)
    floats = words.view(np.int32).astype(np.float32)
    floats *= np.float32(2.0**-24)
    return floats


def random_integers(key: Any, size: int, span: Any) -> np.ndarray:
    """Return `size` integers in [0, `span`), `uint32`: the upper half of word times `span`.

    `span` is an integer or a scalar integer array in [1, 2**32].
    """
    product = random_bits(key, size) * np.asarray(span).astype(np.uint64)
    product >>= np.uint64(32)
    return product.astype(np.uint32)


def random_keep_mask(key: Any, size: int, bound: int) -> np.ndarray:
    """Return `size` booleans: which words are at least `bound`, an integer in [0, 2**32)."""
    return random_bits(key, size) >= np.uint32(bound)


def random_permutation(key: Any, size: int) -> np.ndarray:
    """Return [0, `size`) in the stable order of the words of `key`, `int32`."""
    return stable_order(random_bits(key, size)).astype(np.int32)


def seed_framework(seed: int) -> None:
    """Nothing to do: NumPy's own generator is seeded on every backend."""
