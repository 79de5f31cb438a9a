"""Threefry-2x32 on the NumPy backend: the host generator, with keys that are arrays."""

from typing import Any

import numpy as np

from multikeras.backends.threefry import threefry_words

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
