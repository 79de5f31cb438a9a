"""Distributions on the host: what initial weights and shuffles are drawn from.

Pure functions of a key `(seed, stream)` over the words of `multikeras.backends.threefry`. They
work in double precision and round once at the end, so initial weights are the same bits on every
backend. Meant for values made once; what is drawn in every step is in `distributions.py`.
They refuse seeds and streams that don't fit in 32 bits.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multikeras.backends.threefry import stable_order, threefry_words

# Words turned into numbers of a distribution at a time: bounds the double precision scratch.
_BLOCK = 65536

# The standard normal's mass between 0 and 2.
_HALF_MASS_WITHIN_2 = 0.4772498680518208
# Numerators and denominators of the normal quantile, highest power first; see _normal_quantile.
_QUANTILE_MIDDLE = (
    (
        2.5090809287301226727e3,
        3.3430575583588128105e4,
        6.7265770927008700853e4,
        4.5921953931549871457e4,
        1.3731693765509461125e4,
        1.9715909503065514427e3,
        1.3314166789178437745e2,
        3.3871328727963666080e0,
    ),
    (
        5.2264952788528545610e3,
        2.8729085735721942674e4,
        3.9307895800092710610e4,
        2.1213794301586595867e4,
        5.3941960214247511077e3,
        6.8718700749205790830e2,
        4.2313330701600911252e1,
        1.0,
    ),
)
_QUANTILE_TAIL = (
    (
        7.74545014278341407640e-4,
        2.27238449892691845833e-2,
        2.41780725177450611770e-1,
        1.27045825245236838258e0,
        3.64784832476320460504e0,
        5.76949722146069140550e0,
        4.63033784615654529590e0,
        1.42343711074968357734e0,
    ),
    (
        1.05075007164441684324e-9,
        5.47593808499534494600e-4,
        1.51986665636164571966e-2,
        1.48103976427480074590e-1,
        6.89767334985100004550e-1,
        1.67638483018380384940e0,
        2.05319162663775882187e0,
        1.0,
    ),
)


def _size(shape: Any) -> tuple[tuple[int, ...], int]:
    dims = tuple(int(dim) for dim in shape)
    if any(dim < 0 for dim in dims):
        raise ValueError(f"random: a shape must not hold negative sizes, got {dims}")
    return dims, math.prod(dims)


def _fill(
    seed: int,
    stream: int,
    shape: Any,
    dtype: Any,
    transform: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Map the words of a key through `transform`, block by block to keep memory small."""
    dims, size = _size(shape)
    values = np.empty(size, dtype)
    for start in range(0, size, _BLOCK):
        count = min(_BLOCK, size - start)
        # Pairs of words belong together: an odd count gets a whole pair.
        words = threefry_words(seed, stream, count + count % 2, start)
        values[start : start + count] = transform(words)[:count]
    return values.reshape(dims)


def host_uniform(
    seed: int,
    stream: int,
    shape: Sequence[int],
    low: float = 0.0,
    high: float = 1.0,
    dtype: Any = "float32",
) -> np.ndarray:
    """Draw uniformly from [low, high), at 32 bits of resolution.

    Args:
        seed: Integer in [0, 2**32).
        stream: Integer in [0, 2**32).
        shape: Shape of the result.
        low: Smallest value. Defaults to 0.
        high: Bound above. Defaults to 1. Rounding to `dtype` may reach it.
        dtype: NumPy dtype of the result. Defaults to float32.

    Returns:
        An array of `shape` and `dtype`.

    Example:
        >>> host_uniform(1, 0, (2, 3), -1.0, 1.0).shape
        (2, 3)
    """
    scale = (float(high) - float(low)) * 2.0**-32

    def transform(words: np.ndarray) -> np.ndarray:
        return words * scale + float(low)

    return _fill(seed, stream, shape, dtype, transform)


def host_normal(
    seed: int,
    stream: int,
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = "float32",
) -> np.ndarray:
    """Draw from a normal distribution (Box and Muller, 1958: each pair of words makes two).

    Args:
        seed: Integer in [0, 2**32).
        stream: Integer in [0, 2**32).
        shape: Shape of the result.
        mean: Mean. Defaults to 0.
        stddev: Standard deviation. Defaults to 1.
        dtype: NumPy dtype of the result. Defaults to float32.

    Returns:
        An array of `shape` and `dtype`.

    Example:
        >>> bool(abs(host_normal(1, 0, (10000,)).mean()) < 0.05)
        True
    """

    def transform(words: np.ndarray) -> np.ndarray:
        # One is added to keep the logarithm's argument in (0, 1].
        radius = (words[0::2] + 1.0) * 2.0**-32
        np.log(radius, radius)
        radius *= -2.0 * float(stddev) ** 2
        np.sqrt(radius, radius)
        angle = words[1::2] * (2.0 * math.pi * 2.0**-32)
        pair = np.empty((radius.size, 2), np.float64)
        np.multiply(radius, np.cos(angle), pair[:, 0])
        np.multiply(radius, np.sin(angle), pair[:, 1])
        pair += float(mean)
        return pair.reshape(-1)

    return _fill(seed, stream, shape, dtype, transform)


def host_truncated_normal(
    seed: int,
    stream: int,
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = "float32",
) -> np.ndarray:
    """Draw from a normal distribution cut off two standard deviations from its mean.

    Args:
        seed: Integer in [0, 2**32).
        stream: Integer in [0, 2**32).
        shape: Shape of the result.
        mean: Mean. Defaults to 0.
        stddev: Standard deviation before the cut. Defaults to 1.
        dtype: NumPy dtype of the result. Defaults to float32.

    Returns:
        An array of `shape` and `dtype`.

    Example:
        >>> bool(abs(host_truncated_normal(1, 0, (10000,))).max() <= 2.0)
        True
    """

    def transform(words: np.ndarray) -> np.ndarray:
        # The middle of each word's interval, mapped to cdf - 1/2 in (-bound, bound).
        centred = (words + (0.5 - 2.0**31)) * (2.0**-31 * _HALF_MASS_WITHIN_2)
        values = _normal_quantile(centred)
        values *= float(stddev)
        values += float(mean)
        return values

    return _fill(seed, stream, shape, dtype, transform)


def _normal_quantile(centred: np.ndarray) -> np.ndarray:
    """Quantile of the standard normal at `centred + 1/2`, for abs(centred) up to 0.4999.

    Rational approximations good to 1e-16 by M. J. Wichura, "Algorithm AS 241: The Percentage
    Points of the Normal Distribution", Applied Statistics 37 (1988).
    """
    square = 0.180625 - centred * centred
    values = centred * _ratio(_QUANTILE_MIDDLE, square)
    outer = np.flatnonzero(square < 0.0)
    if outer.size:
        part = centred[outer]
        depth = np.sqrt(-np.log(0.5 - np.abs(part))) - 1.6
        values[outer] = np.copysign(_ratio(_QUANTILE_TAIL, depth), part)
    return values


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: np.ndarray) -> Any:
    parts = []
    for highest, *rest in coefficients:
        total = np.full_like(x, highest)
        for coefficient in rest:
            total *= x
            total += coefficient
        parts.append(total)
    return parts[0] / parts[1]


def host_integers(
    seed: int,
    stream: int,
    shape: Sequence[int],
    low: int,
    high: int,
    dtype: Any = "int32",
) -> np.ndarray:
    """Draw integers from [low, high): `low + (word * (high - low) >> 32)`.

    Args:
        seed: Integer in [0, 2**32).
        stream: Integer in [0, 2**32).
        shape: Shape of the result.
        low: Smallest value.
        high: Bound above, at most `low + 2**32`.
        dtype: NumPy dtype of the result. Defaults to int32.

    Returns:
        An array of `shape` and `dtype`.

    Raises:
        ValueError: If [low, high) is empty or holds more than 2**32 integers.

    Example:
        >>> sorted(set(host_integers(1, 0, (100,), 3, 6).tolist()))
        [3, 4, 5]
    """
    span = int(high) - int(low)
    if not 1 <= span <= 1 << 32:
        raise ValueError(
            f"random: [low, high) must hold between 1 and 2**32 integers, got [{low}, {high})"
        )

    def transform(words: np.ndarray) -> np.ndarray:
        offsets = words.astype(np.uint64) * np.uint64(span) >> np.uint64(32)
        return offsets.astype(np.int64) + int(low)

    return _fill(seed, stream, shape, dtype, transform)


def host_permutation(seed: int, stream: int, size: int) -> np.ndarray:
    """Return the integers of [0, size) in random order: the stable order of the key's words.

    Args:
        seed: Integer in [0, 2**32).
        stream: Integer in [0, 2**32).
        size: How many, at most 2**32.

    Returns:
        An `int64` array of shape `(size,)`.

    Raises:
        ValueError: If `size` is negative or above 2**32.

    Example:
        >>> sorted(host_permutation(1, 0, 5).tolist())
        [0, 1, 2, 3, 4]
    """
    if not 0 <= size <= 1 << 32:
        raise ValueError(f"random: can't permute {size} items, expected 0 to 2**32")
    return stable_order(threefry_words(seed, stream, size))


def host_orthogonal(
    seed: int, stream: int, rows: int, columns: int, dtype: Any = "float32"
) -> np.ndarray:
    """Draw a matrix with orthonormal columns, or rows where these are fewer.

    The QR decomposition of normal numbers, with the signs of R's diagonal moved to Q, which
    makes the result uniform over such matrices (Mezzadri, "How to Generate Random Matrices from
    the Classical Compact Groups", Notices of the AMS 54, 2007).

    Args:
        seed: Integer in [0, 2**32).
        stream: Integer in [0, 2**32).
        rows: Number of rows.
        columns: Number of columns.
        dtype: NumPy dtype of the result. Defaults to float32.

    Returns:
        An array of shape `(rows, columns)`.

    Example:
        >>> q = host_orthogonal(1, 0, 4, 2)
        >>> bool(np.allclose(q.T @ q, np.eye(2), atol=1e-6))
        True
    """
    tall = (max(rows, columns), min(rows, columns))
    q, r = np.linalg.qr(host_normal(seed, stream, tall, dtype="float64"))
    q *= np.where(np.diagonal(r) < 0.0, -1.0, 1.0)
    return np.ascontiguousarray(q if rows >= columns else q.T, dtype)
