"""`to_categorical` and `normalize`."""

from __future__ import annotations

from typing import Any

import numpy as np

from multikeras import ops


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """One-hot rows of class numbers.

    Args:
        x: integers from 0 up, of any shape; a last axis of length 1 is dropped.
        num_classes: how many classes there are. Defaults to the largest number + 1.

    Returns:
        An array of the shape of `x` with an axis of `num_classes` at the end: NumPy float64,
        or a float32 tensor for a tensor.

    Raises:
        IndexError: if a number is `num_classes` or more, or negative.

    Example:
        >>> to_categorical([0, 2]).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    tensor = ops.is_tensor(x) and not isinstance(x, np.ndarray)
    numbers = np.asarray(ops.convert_to_numpy(x) if tensor else x).astype(np.int64)
    if numbers.ndim > 1 and numbers.shape[-1] == 1:
        numbers = numbers[..., 0]
    if not num_classes:
        num_classes = int(numbers.max()) + 1 if numbers.size else 0
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < num_classes:
        raise IndexError(
            f"to_categorical: class numbers must lie in [0, {num_classes}), got "
            f"{numbers.min()} to {numbers.max()}."
        )
    rows = np.zeros((numbers.size, num_classes))
    rows[np.arange(numbers.size), numbers.reshape(-1)] = 1.0
    rows = rows.reshape(*numbers.shape, num_classes)
    return ops.convert_to_tensor(rows, dtype="float32") if tensor else rows


def normalize(x: Any, axis: int = -1, order: int | float = 2) -> Any:
    """Divides by the norm along an axis; where that is zero, values stay as they are.

    Args:
        x: an array or tensor.
        axis: the axis. Defaults to the last.
        order: of the norm: 1, 2, ..., or `np.inf`. Defaults to 2.

    Returns:
        An array (or tensor, for a tensor) of the shape of `x`.

    Raises:
        ValueError: if `order` is not positive.

    Example:
        >>> normalize(np.array([[3.0, 4.0]])).tolist()
        [[0.6, 0.8]]
    """
    if not isinstance(order, (int, float)) or order <= 0:
        raise ValueError(f"normalize: `order` must be a positive number, got {order!r}.")
    if isinstance(x, np.ndarray) or not ops.is_tensor(x):
        array = np.asarray(x)
        array = array if array.dtype.kind in "fc" else array.astype(np.float64)
        norm = np.linalg.norm(np.atleast_1d(array), order, axis, keepdims=True)
        return array / np.where(norm == 0, 1, norm).astype(norm.dtype)
    size = ops.abs(x)
    if order == np.inf:
        norm = ops.max(size, axis=axis, keepdims=True)
    else:
        norm = ops.power(ops.sum(ops.power(size, order), axis=axis, keepdims=True), 1.0 / order)
    return ops.divide(x, ops.where(ops.equal(norm, 0), ops.ones_like(norm), norm))
