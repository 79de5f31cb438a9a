"""Threefry-2x32 on TensorFlow: host words for eager CPU tensors, one XLA program elsewhere.

Some 130 small integer operations cost more as graph nodes than their arithmetic (3 ms for 65,536
words against 0.6 ms as one compiled program), so graphs and accelerators call a compiled
function, also from a step that is not compiled. Sizes may be tensors: a program is then made for
a rounded size, so that varying batches don't compile one each.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from multikeras.backends.threefry import stable_order, threefry_words

_PARITY = 0x1BD11BDA
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_STEP = np.array([0, 1], np.uint32)
_SIGNATURE = (tf.TensorSpec((2,), tf.uint32), tf.TensorSpec((), tf.int64))


def next_key(state: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the key that `state`, (seed, next stream), stands for, and the state after it."""
    return state, state + _STEP


def random_bits(key: Any, size: Any) -> tf.Tensor:
    """Return the first `size` words of `key`, shape `(2,)`, as flat `uint32` tensor."""
    words = _host_words(key, size)
    return _draw(_words_program, key, size) if words is None else tf.constant(words)


def random_uniform_floats(key: Any, size: Any) -> tf.Tensor:
    """Return `size` `float32` numbers in [0, 1), the upper 24 bits of each word."""
    words = _host_words(key, size)
    if words is None:
        return _draw(_floats_program, key, size)
    words >>= np.uint32(8)
    floats = words.view(np.int32).astype(np.float32)
    floats *= np.float32(2.0**-24)
    return tf.constant(floats)


def random_integers(key: Any, size: Any, span: Any) -> tf.Tensor:
    """Return `size` integers in [0, `span`), `uint32`: the upper half of word times `span`.

    `span` is an integer or a scalar integer tensor in [1, 2**32].
    """
    product = tf.cast(random_bits(key, size), tf.uint64) * tf.cast(span, tf.uint64)
    return tf.cast(tf.bitwise.right_shift(product, tf.constant(32, tf.uint64)), tf.uint32)


def random_keep_mask(key: Any, size: Any, bound: int) -> tf.Tensor:
    """Return `size` booleans: which words are at least `bound`, an integer in [0, 2**32)."""
    words = _host_words(key, size)
    if words is None:
        return _draw(_mask_program, key, size, _word(bound))
    return tf.constant(words >= np.uint32(bound))


def random_permutation(key: Any, size: Any) -> tf.Tensor:
    """Return [0, `size`) in the stable order of the words of `key`, `int32`."""
    words = _host_words(key, size)
    if words is None:
        # Signed words in the same order: not all devices sort unsigned ones.
        signed = tf.bitcast(random_bits(key, size), tf.int32) ^ tf.int32.min
        return tf.argsort(signed, stable=True)
    return tf.constant(stable_order(words).astype(np.int32))


def seed_framework(seed: int) -> None:
    """Seed TensorFlow's own generators, for code that uses them."""
    tf.random.set_seed(seed)


def _host_words(key: Any, size: Any) -> np.ndarray | None:
    """NumPy's words, or None inside a graph and for a key on another device."""
    if not tf.executing_eagerly():
        return None
    key = tf.convert_to_tensor(key)
    if "CPU" not in key.device:
        return None
    seed, stream = key.numpy().tolist()
    return threefry_words(seed, stream, int(size))


def _draw(program: Any, key: Any, size: Any, *settings: Any) -> tf.Tensor:
    key = tf.cast(key, tf.uint32)
    static = size if isinstance(size, int) else tf.get_static_value(size)
    if static is not None:
        return tf.ensure_shape(
            program(key, tf.constant(int(static), tf.int64), *settings), (int(static),)
        )
    size = tf.cast(size, tf.int64)
    return program(key, _rounded(size), *settings)[:size]


def _rounded(size: tf.Tensor) -> tf.Tensor:
    """Round up to one of four sizes an octave (1,024 at least): at most a quarter too much."""
    # An octave by floating point may be one too high just below a power of two; no harm done.
    octave = tf.math.log(tf.cast(tf.maximum(size, 1024), tf.float64)) / np.log(2.0)
    step = tf.bitwise.left_shift(tf.constant(1, tf.int64), tf.cast(octave, tf.int64) - 2)
    return tf.maximum((size + step - 1) // step * step, 1024)


@tf.function(input_signature=_SIGNATURE, jit_compile=True, autograph=False)
def _words_program(key: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    return _device_words(key, size)


@tf.function(input_signature=_SIGNATURE, jit_compile=True, autograph=False)
def _floats_program(key: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    words = tf.bitwise.right_shift(_device_words(key, size), _word(8))
    return tf.cast(words, tf.float32) * 2.0**-24


@tf.function(
    input_signature=(*_SIGNATURE, tf.TensorSpec((), tf.uint32)), jit_compile=True, autograph=False
)
def _mask_program(key: tf.Tensor, size: tf.Tensor, bound: tf.Tensor) -> tf.Tensor:
    return _device_words(key, size) >= bound


def _word(value: int) -> tf.Tensor:
    return tf.constant(value, tf.uint32)


def _device_words(key: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    xor, left, right = tf.bitwise.bitwise_xor, tf.bitwise.left_shift, tf.bitwise.right_shift
    schedule = (key[0], key[1], xor(xor(key[0], key[1]), _word(_PARITY)))
    counters = tf.range((size + 1) // 2, dtype=tf.int64)
    x0 = tf.cast(counters, tf.uint32) + schedule[0]
    x1 = tf.cast(right(counters, tf.constant(32, tf.int64)), tf.uint32) + schedule[1]
    for group in range(5):
        for turn in _ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1 = xor(xor(left(x1, _word(turn)), right(x1, _word(32 - turn))), x0)
        x0 = x0 + schedule[(group + 1) % 3]
        x1 = x1 + (schedule[(group + 2) % 3] + _word(group + 1))
    return tf.reshape(tf.stack([x0, x1], axis=1), [-1])[:size]
