"""Threefry-2x32 on PyTorch: host words for CPU tensors, integer operations elsewhere.

PyTorch lacks most arithmetic on unsigned 32-bit integers, so words live in `int64` tensors with
values in [0, 2**32). Keys may be of any integer dtype; a negative word of a signed key counts as
its two's complement. Random words have no gradient.
"""

from typing import Any

import numpy as np
import torch

from multikeras.backends.threefry import stable_order, threefry_words

_MASK = 0xFFFFFFFF
_STEP = torch.tensor([0, 1])
_PARITY = 0x1BD11BDA
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def next_key(state: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the key that `state`, (seed, next stream), stands for, and the state after it."""
    # Variables are written in place: the key has to be a copy.
    key = state.to(torch.int64, copy=True)
    if state.dtype is not torch.uint32:
        key &= _MASK
    # After the last stream the first one follows: the write to 32 bits drops the carry.
    return key, key + (_STEP if key.is_cpu else _STEP.to(key.device))


def random_bits(key: Any, size: int) -> torch.Tensor:
    """Return the first `size` words of `key`, shape `(2,)`, as flat `int64` tensor."""
    words = _host_words(key, size)
    if words is None:
        return _device_words(key, size)
    return torch.from_numpy(words.astype(np.int64))


def random_uniform_floats(key: Any, size: int) -> torch.Tensor:
    """Return `size` `float32` numbers in [0, 1), the upper 24 bits of each word."""
    words = _host_words(key, size)
    if words is None:
        return (_device_words(key, size) >> 8).to(torch.float32) * 2.0**-24
    words >>= np.uint32(8)
    # 24 bits fit in a signed word, whose conversion PyTorch does in one vectorised pass.
    return torch.from_numpy(words.view(np.int32)).to(torch.float32).mul_(2.0**-24)


def random_integers(key: Any, size: int, span: Any) -> torch.Tensor:
    """Return `size` integers in [0, `span`), `int64`: the upper half of word times `span`.

    `span` is an integer or a scalar integer tensor in [1, 2**32].
    """
    words = random_bits(key, size)
    # The product of two 32-bit words doesn't fit a signed 64-bit one: carry on by half words.
    return ((words >> 16) * span + ((words & 0xFFFF) * span >> 16)) >> 16


def random_keep_mask(key: Any, size: int, bound: int) -> torch.Tensor:
    """Return `size` booleans: which words are at least `bound`, an integer in [0, 2**32)."""
    words = _host_words(key, size)
    if words is None:
        return _device_words(key, size) >= bound
    return torch.from_numpy(words >= np.uint32(bound))


def random_permutation(key: Any, size: int) -> torch.Tensor:
    """Return [0, `size`) in the stable order of the words of `key`, `int32`."""
    words = _host_words(key, size)
    if words is None:
        return torch.argsort(_device_words(key, size), stable=True).to(torch.int32)
    return torch.from_numpy(stable_order(words).astype(np.int32))


def seed_framework(seed: int) -> None:
    """Seed PyTorch's own generators, for code that uses them."""
    torch.manual_seed(seed)


def _host_words(key: torch.Tensor, size: int) -> np.ndarray | None:
    """NumPy's words, or None for what can't be read now: traced, fake, on another device."""
    # Asked first: a tracer may not get as far as reading the key.
    if torch.compiler.is_compiling() or type(key) is not torch.Tensor or not key.is_cpu:
        return None
    seed, stream = key.tolist()
    return threefry_words(seed & _MASK, stream & _MASK, size)


def _device_words(key: torch.Tensor, size: int) -> torch.Tensor:
    key = key.to(torch.int64) & _MASK
    schedule = (key[0], key[1], key[0] ^ key[1] ^ _PARITY)
    counters = torch.arange((size + 1) // 2, dtype=torch.int64, device=key.device)
    x0 = ((counters & _MASK) + schedule[0]) & _MASK
    x1 = ((counters >> 32) + schedule[1]) & _MASK
    for group in range(5):
        for turn in _ROTATIONS[group % 2]:
            x0 = (x0 + x1) & _MASK
            x1 = (((x1 << turn) & _MASK) | (x1 >> (32 - turn))) ^ x0
        x0 = (x0 + schedule[(group + 1) % 3]) & _MASK
        x1 = (x1 + (schedule[(group + 2) % 3] + (group + 1))) & _MASK
    return torch.stack((x0, x1), dim=1).reshape(-1)[:size]
