"""The portable random generator on the host: the words of Threefry-2x32, by NumPy.

Every random number of multikeras is a pure function of a key and a position, so that all
backends draw the same numbers. A key is a pair of 32-bit words, `(seed, stream)`. The raw words
of a key are the output of Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw,
"Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011) for the counters 0, 1, 2, ..., each
counter split in `(low, high)` words; a counter gives two words, which follow each other. Here is
the NumPy implementation, which some backends take their words from; each backend's `random.py`
makes the same words of its own tensors.

Holds no state. Refuses seeds and streams that don't fit in 32 bits; `fold_seed` makes one fit.
"""

from typing import Any

import numpy as np

# Written to model files: a file that was trained with another generator can be told apart.
ALGORITHM = "threefry2x32-20"
ALGORITHM_VERSION = 1

_PARITY = 0x1BD11BDA
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_WORD = 0xFFFFFFFF
# (left, right) shifts of each round. Arrays of rank 0 spare each call the making of a scalar.
_SHIFTS = tuple(
    tuple((np.array(turn, np.uint32), np.array(32 - turn, np.uint32)) for turn in group)
    for group in _ROTATIONS
)
# Counters worked on at a time: few calls, and both halves and the scratch (384 KiB) stay in the
# second-level cache. Measured: 4,096 takes twice as long, 65,536 and more a tenth longer.
_CHUNK = 32768
# Up to here Python integers are quicker than arrays.
_FEW = 8


def _check_word(value: Any, what: str) -> int:
    number = int(value)
    if number != value or not 0 <= number <= _WORD:
        raise ValueError(f"random: `{what}` must be an integer in [0, 2**32), got {value!r}")
    return number


def fold_seed(seed: int) -> int:
    """Return `seed` as one 32-bit word, so that any Python integer can be a seed.

    Integers in [0, 2**32) stay as they are. Others (negative, or of more bits) go through
    Threefry word by word, so that different seeds rarely meet.

    Args:
        seed: Any integer.

    Returns:
        An integer in [0, 2**32).

    Example:
        >>> fold_seed(1337)
        1337
        >>> 0 <= fold_seed(-1) < 2**32
        True
    """
    number = int(seed)
    if 0 <= number <= _WORD:
        return number
    folded = 1 if number < 0 else 2
    number = abs(number)
    while number:
        folded = int(threefry_words(folded, number & _WORD, 1)[0])
        number >>= 32
    return folded


def threefry_2x32(
    key: tuple[int, int], low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Encrypt counters with Threefry-2x32, 20 rounds.

    Args:
        key: Two integers in [0, 2**32).
        low: `uint32` array, the first word of each counter.
        high: `uint32` array of the same shape, the second word of each counter.

    Returns:
        Two `uint32` arrays of the shape of `low`: the first and the second output words.

    Raises:
        ValueError: If a word of the key is out of range.

    Example:
        >>> zero = np.zeros(1, "uint32")
        >>> first, second = threefry_2x32((0, 0), zero, zero)
        >>> hex(first[0]), hex(second[0])
        ('0x6b200159', '0x99ba4efe')
    """
    x0 = np.array(low, np.uint32)
    x1 = np.array(high, np.uint32)
    _rounds(_schedule(key), x0, x1, np.empty_like(x0))
    return x0, x1


def _schedule(key: tuple[int, int]) -> tuple[int, int, int]:
    seed = _check_word(key[0], "seed")
    stream = _check_word(key[1], "stream")
    return seed, stream, _PARITY ^ seed ^ stream


def _rounds(schedule: tuple[int, int, int], x0: Any, x1: Any, scratch: Any) -> None:
    """Run the 20 rounds in place on `x0` and `x1`."""
    x0 += np.uint32(schedule[0])
    x1 += np.uint32(schedule[1])
    add, xor, left, right = np.add, np.bitwise_xor, np.left_shift, np.right_shift
    for group in range(5):
        for up, down in _SHIFTS[group % 2]:
            add(x0, x1, x0)
            left(x1, up, scratch)
            right(x1, down, x1)
            # The two halves of the rotated word share no bit: xor joins them like an or would.
            xor(scratch, x0, scratch)
            xor(x1, scratch, x1)
        x0 += np.uint32(schedule[(group + 1) % 3])
        x1 += np.uint32((schedule[(group + 2) % 3] + group + 1) & _WORD)


def threefry_words(seed: int, stream: int, size: int, start: int = 0) -> np.ndarray:
    """Make `size` raw words of the key `(seed, stream)`.

    Args:
        seed: Integer in [0, 2**32).
        stream: Integer in [0, 2**32). Different streams of one seed are unrelated.
        size: How many words.
        start: Position of the first one, an even number. Defaults to 0.

    Returns:
        A `uint32` array of shape `(size,)`. A longer draw begins with the shorter one.

    Raises:
        ValueError: If `seed` or `stream` is no 32-bit word, `size` is negative, or `start` is
            negative or odd.

    Example:
        >>> [hex(word) for word in threefry_words(0, 0, 2)]
        ['0x6b200159', '0x99ba4efe']
    """
    schedule = _schedule((seed, stream))
    size = int(size)
    if size < 0:
        raise ValueError(f"random: `size` must not be negative, got {size}")
    if start < 0 or start % 2:
        raise ValueError(f"random: `start` must be even and not negative, got {start}")
    counters = (size + 1) // 2
    if counters <= _FEW:
        return np.array(_few_words(schedule, counters, start // 2), np.uint32)[:size]
    words = np.empty((counters, 2), np.uint32)
    chunk = min(_CHUNK, counters)
    x0, x1, scratch = np.empty((3, chunk), np.uint32)
    steps = np.arange(chunk, dtype=np.uint64)
    for begin in range(0, counters, chunk):
        count = min(chunk, counters - begin)
        low, high = x0[:count], x1[:count]
        first = start // 2 + begin
        if (first + count) >> 32:
            position = steps[:count] + np.uint64(first)
            low[...] = position & np.uint64(_WORD)
            high[...] = position >> np.uint64(32)
        else:
            np.add(steps[:count], np.uint64(first), low, casting="unsafe")
            high[...] = 0
        _rounds(schedule, low, high, scratch[:count])
        words[begin : begin + count, 0] = low
        words[begin : begin + count, 1] = high
    return words.reshape(-1)[:size]


def _few_words(schedule: tuple[int, int, int], counters: int, first: int) -> list[int]:
    """The same with Python integers, which are quicker than a hundred calls on tiny arrays."""
    words: list[int] = []
    for counter in range(first, first + counters):
        x0 = ((counter & _WORD) + schedule[0]) & _WORD
        x1 = ((counter >> 32) + schedule[1]) & _WORD
        for group in range(5):
            for turn in _ROTATIONS[group % 2]:
                x0 = (x0 + x1) & _WORD
                x1 = ((x1 << turn) & _WORD | x1 >> (32 - turn)) ^ x0
            x0 = (x0 + schedule[(group + 1) % 3]) & _WORD
            x1 = (x1 + schedule[(group + 2) % 3] + group + 1) & _WORD
        words += (x0, x1)
    return words


def stable_order(words: np.ndarray) -> np.ndarray:
    """Return the indices that sort `words`, equal ones in their order.

    Args:
        words: `uint32` array of shape `(size,)`, `size` up to 2**32.

    Returns:
        An `int64` array of shape `(size,)`.

    Example:
        >>> stable_order(np.array([7, 1, 7, 0], "uint32")).tolist()
        [3, 1, 0, 2]
    """
    # Word and position in one integer: sorting that is much quicker than a stable argsort.
    order = words.astype(np.uint64)
    order <<= np.uint64(32)
    order |= np.arange(words.size, dtype=np.uint64)
    order.sort()
    order &= np.uint64(_WORD)
    return order.view(np.int64)
