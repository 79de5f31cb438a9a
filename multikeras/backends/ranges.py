"""Dtypes of number ranges and axes of grids, for the functions of all backends."""

from __future__ import annotations

from typing import Any

from multikeras import dtypes


def range_dtype(*numbers: Any, dtype: Any = None) -> str:
    """The dtype of a range: the one wanted, or what the numbers promote to.

    Args:
        *numbers: Python numbers (weak), arrays or tensors; None is skipped.
        dtype: the dtype wanted, or None.

    Example:
        >>> range_dtype(0, 3), range_dtype(0, 1.5), range_dtype(0, 3, dtype="int8")
        ('int32', 'float32', 'int8')
    """
    if dtype is not None:
        return dtypes.standardize_dtype(dtype)
    found = []
    for number in numbers:
        if number is None:
            continue
        if type(number) not in (bool, int, float) and hasattr(number, "dtype"):
            found.append(dtypes.standardize_dtype(number.dtype))
        else:
            found.append("int" if isinstance(number, bool) else type(number).__name__)
    return dtypes.promote(*found)


def grid_axes(count: int, indexing: str) -> list[int]:
    """The axis along which each tensor of a `meshgrid` runs.

    Example:
        >>> grid_axes(3, "xy")
        [1, 0, 2]
    """
    return [1, 0, *range(2, count)] if indexing == "xy" and count > 1 else list(range(count))


def line_shape(axis: int, rank: int) -> tuple[int, ...]:
    """The shape, for `reshape`, of a tensor that runs along one axis of `rank`.

    Example:
        >>> line_shape(1, 3)
        (1, -1, 1)
    """
    return (1,) * axis + (-1,) + (1,) * (rank - axis - 1)
