"""How alike tensors are: distances of points, correlations of variables and of sequences."""

from __future__ import annotations

from typing import Any

from multikeras import shapes
from multikeras.ops import (
    arithmetic,
    convolution,
    core,
    elementwise,
    indexing,
    linalg,
    products,
    reductions,
    rules,
    shaping,
)
from multikeras.ops._declare import op
from multikeras.ops.complex_numbers import conjugate
from multikeras.ops.signal import frames
from multikeras.symbolic import KerasTensor


def _distances(dtype: str | None, x: Any, y: Any) -> KerasTensor:
    """The shape; refuses what doesn't fit, for tensors as well."""
    if min(len(x.shape), len(y.shape)) < 2:
        raise ValueError(
            f"cdist: expected points (..., n, d), got {tuple(x.shape)} and {tuple(y.shape)}."
        )
    if None not in (x.shape[-1], y.shape[-1]) and x.shape[-1] != y.shape[-1]:
        raise ValueError(
            "cdist: the points must have as many coordinates in `x` as in `y`, "
            f"got {tuple(x.shape)} and {tuple(y.shape)}."
        )
    batch = shapes.broadcast(tuple(x.shape[:-2]), tuple(y.shape[:-2]))
    return KerasTensor((*batch, x.shape[-2], y.shape[-2]), dtype or "float32")


@op(rules.custom(_distances, ("x", "y"), rules.to_float), compiled=True)
def cdist(x: Any, y: Any) -> Any:
    """Euclidean distances of all pairs of points.

    Args:
        x: (..., n, d).
        y: (..., m, d); the leading dimensions broadcast.

    Returns:
        Floats (..., n, m). Where two points are the same the gradient is 0.

    Raises:
        ValueError: if the ranks are below 2 or the last dimensions differ.

    Example:
        >>> from multikeras import ops
        >>> x = [[0.0, 0.0], [3.0, 4.0]]
        >>> ops.convert_to_numpy(ops.cdist(x, x)).tolist()
        [[0.0, 5.0], [5.0, 0.0]]
    """
    _distances(None, x, y)
    apart = arithmetic.subtract(shaping.expand_dims(x, -2), shaping.expand_dims(y, -3))
    squares = reductions.sum(elementwise.square(apart), -1)
    same = arithmetic.equal(squares, 0)
    root = elementwise.sqrt(arithmetic.where(same, 1.0, squares))
    return arithmetic.where(same, 0.0, root)


def _square(dtype: str | None, x: Any) -> KerasTensor:
    if len(x.shape) not in (1, 2):
        raise ValueError(
            "corrcoef: expected variables (n, observations), or one (observations,), "
            f"got {tuple(x.shape)}."
        )
    return KerasTensor(() if len(x.shape) == 1 else (x.shape[0],) * 2, dtype or "float32")


@op(rules.custom(_square, ("x",), rules.to_float), compiled=True)
def corrcoef(x: Any) -> Any:
    """Pearson's correlation coefficients of all pairs of variables.

    Args:
        x: (n, observations), or (observations,) for a single variable.

    Returns:
        Floats (n, n), in [-1, 1], or a scalar; NaN for a variable that doesn't vary.

    Raises:
        ValueError: for other ranks.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])).tolist()
        [[1.0, -1.0], [-1.0, 1.0]]
    """
    _square(None, x)
    single = len(x.shape) == 1
    x = shaping.expand_dims(x, 0) if single else x
    x = arithmetic.subtract(x, reductions.mean(x, 1, keepdims=True))
    # Of the size of 1, so that no product is out of range.
    x = arithmetic.divide(x, reductions.max(elementwise.abs(x), 1, keepdims=True))
    covariance = products.matmul(x, conjugate(shaping.transpose(x)))
    spread = elementwise.sqrt(linalg.diagonal(covariance))
    found = arithmetic.divide(covariance, shaping.expand_dims(spread, 1))
    found = arithmetic.divide(found, shaping.expand_dims(spread, 0))
    if "complex" not in core.dtype(x):
        found = arithmetic.clip(found, -1, 1)
    return indexing.get_item(found, (0, 0)) if single else found


_MODES = ("valid", "same", "full")


def _correlated(dtype: str | None, x1: Any, x2: Any, mode: str = "valid") -> KerasTensor:
    if mode not in _MODES:
        raise ValueError(f"correlate: expected `mode` to be one of {_MODES}, got {mode!r}.")
    if len(x1.shape) != 1 or len(x2.shape) != 1 or 0 in (x1.shape[0], x2.shape[0]):
        raise ValueError(
            "correlate: expected two sequences of rank 1, not empty, "
            f"got {tuple(x1.shape)} and {tuple(x2.shape)}."
        )
    n, m = x1.shape[0], x2.shape[0]
    if n is None or m is None:
        return KerasTensor((None,), dtype or "float32")
    n, m = max(n, m), min(n, m)
    sizes = {"valid": n - m + 1, "same": n, "full": n + m - 1}
    return KerasTensor((sizes[mode],), dtype or "float32")


def _slid(long: Any, short: Any) -> Any:
    """The sum of products of `short` with each piece of `long` of its length."""
    if core.dtype(long) in ("float32", "float64"):
        batch = shaping.reshape(long, (1, -1, 1))
        kernel = shaping.reshape(short, (-1, 1, 1))
        found = convolution.conv(batch, kernel, 1, "valid", data_format="channels_last")
        return shaping.reshape(found, (-1,))
    return products.matmul(frames(long, short.shape[0], 1), short)


@op(rules.custom(_correlated, ("x1", "x2"), rules.to_float))
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """Sums of products of a sequence with another that is shifted along it.

    Args:
        x1, x2: sequences, of rank 1; the second is conjugated if it is complex.
        mode: "valid": shifts at which the shorter lies within the longer; "full": all at which
            they meet; "same": as many as the longer has elements, in the middle of those.

    Returns:
        Floats of rank 1: element k is the sum over n of `x1[n + k] * conj(x2[n])`, the first k
        as `mode` says.

    Raises:
        ValueError: for other ranks, empty sequences, or another mode.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5])).tolist()
        [3.5]
    """
    _correlated(None, x1, x2, mode)
    if x1.shape[0] is not None and x2.shape[0] is not None and x1.shape[0] < x2.shape[0]:
        swapped = correlate(x2, x1, mode)
        return conjugate(shaping.flip(swapped))
    size = x2.shape[0]
    if mode != "valid":
        left = size - 1 if mode == "full" else size // 2
        x1 = shaping.pad(x1, ((left, size - 1 if mode == "full" else size - 1 - left),))
    return _slid(x1, conjugate(x2))
