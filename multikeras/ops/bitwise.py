"""Functions of integers, bit by bit and by their divisors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from multikeras import dtypes
from multikeras.ops import rules
from multikeras.ops._declare import op


def _integers(found: list[str]) -> str:
    dtype = rules.common(found)
    if dtype != "bool" and not dtypes.is_int_dtype(dtype):
        raise ValueError(f"expected integers or bool, got {dtype}.")
    return dtype


def _numbers(found: list[str]) -> str:
    return rules.to_numeric([_integers(found)])


_bits = replace(rules.elementwise(_integers), fast="bits")
_whole = replace(rules.elementwise(_numbers), fast="int")


@op(_bits)
def bitwise_and(x: Any, y: Any) -> Any:
    """The bits that are set in both.

    Args:
        x, y: integer or bool tensors of shapes that broadcast; they promote to one dtype.

    Raises:
        ValueError: for floats.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.bitwise_and([6, 5], 3)).tolist()
        [2, 1]
    """


@op(_bits)
def bitwise_or(x: Any, y: Any) -> Any:
    """The bits that are set in either.

    Args:
        x, y: integer or bool tensors of shapes that broadcast; they promote to one dtype.

    Raises:
        ValueError: for floats.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.bitwise_or([6, 5], 3)).tolist()
        [7, 7]
    """


@op(_bits)
def bitwise_xor(x: Any, y: Any) -> Any:
    """The bits that are set in exactly one.

    Args:
        x, y: integer or bool tensors of shapes that broadcast; they promote to one dtype.

    Raises:
        ValueError: for floats.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.bitwise_xor([6, 5], 3)).tolist()
        [5, 6]
    """


@op(_whole)
def left_shift(x: Any, y: Any) -> Any:
    """`x` with its bits moved up by `y` places.

    Args:
        x, y: integer or bool tensors of shapes that broadcast; they promote to one dtype.

    Raises:
        ValueError: for floats.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.left_shift([1, 3], 2)).tolist()
        [4, 12]
    """


@op(_whole)
def bitwise_left_shift(x: Any, y: Any) -> Any:
    """`x` with its bits moved up by `y` places.

    Args:
        x, y: integer or bool tensors of shapes that broadcast; they promote to one dtype.

    Raises:
        ValueError: for floats.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.bitwise_left_shift([1, 3], 2)).tolist()
        [4, 12]
    """


@op(_whole)
def right_shift(x: Any, y: Any) -> Any:
    """`x` with its bits moved down by `y` places; the sign stays.

    Args:
        x, y: integer or bool tensors of shapes that broadcast; they promote to one dtype.

    Raises:
        ValueError: for floats.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.right_shift([4, 13], 2)).tolist()
        [1, 3]
    """


@op(_whole)
def bitwise_right_shift(x: Any, y: Any) -> Any:
    """`x` with its bits moved down by `y` places; the sign stays.

    Args:
        x, y: integer or bool tensors of shapes that broadcast; they promote to one dtype.

    Raises:
        ValueError: for floats.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.bitwise_right_shift([4, 13], 2)).tolist()
        [1, 3]
    """


@op(_whole)
def gcd(x1: Any, x2: Any) -> Any:
    """Greatest common divisor; never negative.

    Args:
        x1, x2: integer or bool tensors of shapes that broadcast; they promote to one dtype.

    Raises:
        ValueError: for floats.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.gcd([12, 9], 6)).tolist()
        [6, 3]
    """


@op(_whole)
def lcm(x1: Any, x2: Any) -> Any:
    """Least common multiple; never negative.

    Args:
        x1, x2: integer or bool tensors of shapes that broadcast; they promote to one dtype.

    Raises:
        ValueError: for floats.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.lcm([4, 9], 6)).tolist()
        [12, 18]
    """


@op(rules.unary(_integers))
def bitwise_not(x: Any) -> Any:
    """Every bit turned over; for bool, the logical not.

    Args:
        x: an integer or bool tensor of any shape.

    Raises:
        ValueError: for floats.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.bitwise_not([0, 5])).tolist()
        [-1, -6]
    """


@op(rules.unary(_integers))
def bitwise_invert(x: Any) -> Any:
    """Every bit turned over; for bool, the logical not.

    Args:
        x: an integer or bool tensor of any shape.

    Raises:
        ValueError: for floats.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.bitwise_invert([0, 5])).tolist()
        [-1, -6]
    """
