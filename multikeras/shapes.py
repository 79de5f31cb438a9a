"""Shape arithmetic with unknown dimensions (None), for symbolic inference.

Refuses shapes that cannot fit, with both shapes in the message.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence

Shape = tuple[int | None, ...]


def standardize_shape(shape: Iterable[int | None] | int) -> Shape:
    """A shape as a tuple of ints and Nones.

    Raises:
        ValueError: for negative or non-integer dimensions.
    """
    if isinstance(shape, int):
        shape = (shape,)
    if isinstance(shape, (str, bytes)) or not isinstance(shape, Iterable):
        raise ValueError(f"Expected a shape (a tuple of integers or None), got {shape!r}.")
    result = []
    for dim in shape:
        if dim is not None:
            try:
                dim = operator.index(dim)
            except TypeError:
                raise ValueError(
                    f"A shape holds integers or None, got {dim!r} in {shape!r}."
                ) from None
            if dim < 0:
                raise ValueError(f"A shape can't hold a negative dimension: {tuple(shape)!r}.")
        result.append(dim)
    return tuple(result)


def broadcast(*shapes: Shape) -> Shape:
    """The shape that these broadcast to; unknown with 1 or unknown stays unknown.

    Example:
        >>> broadcast((None, 1, 3), (4, 3))
        (None, 4, 3)
    """
    rank = max([0, *map(len, shapes)])
    result: list[int | None] = []
    for axis in range(-rank, 0):
        dim: int | None = 1
        for shape in shapes:
            other = shape[axis] if -axis <= len(shape) else 1
            if other == 1 or other == dim:
                continue
            if dim == 1 or dim is None:
                dim = other
            elif other is not None:
                raise ValueError(f"Shapes {' and '.join(map(str, shapes))} do not broadcast.")
        result.append(dim)
    return tuple(result)


def normalize_axis(axis: int, rank: int, who: str = "axis") -> int:
    """A non-negative axis.

    Raises:
        ValueError: if the axis is outside [-rank, rank).
    """
    if not -rank <= axis < rank:
        raise ValueError(f"{who}: axis {axis} is out of bounds for a tensor of rank {rank}.")
    return axis % rank


def normalize_axes(axis: int | Sequence[int] | None, rank: int, who: str = "axis") -> tuple:
    """All axes named by `axis` (None: every one), non-negative, in the order given."""
    if axis is None:
        return tuple(range(rank))
    if isinstance(axis, int):
        return (normalize_axis(axis, rank, who),)
    axes = tuple(normalize_axis(a, rank, who) for a in axis)
    if len(set(axes)) != len(axes):
        raise ValueError(f"{who}: axis {axis} names a dimension twice.")
    return axes


def reduce(shape: Shape, axis: int | Sequence[int] | None, keepdims: bool = False) -> Shape:
    """Shape after reducing over `axis`.

    Example:
        >>> reduce((None, 4, 5), -1, keepdims=True)
        (None, 4, 1)
    """
    axes = normalize_axes(axis, len(shape))
    if keepdims:
        return tuple(1 if i in axes else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in axes)


def size(shape: Shape) -> int | None:
    """Number of elements, or None if unknown."""
    known = [d for d in shape if d is not None]
    return math.prod(known) if len(known) == len(shape) else None


def reshape(shape: Shape, target: Sequence[int | None]) -> Shape:
    """Shape after a reshape; one -1 in `target` is inferred where that is known.

    Example:
        >>> reshape((None, 4, 3), (-1, 12))
        (None, 12)
    """
    target = tuple(target)
    if sum(1 for d in target if d == -1) > 1:
        raise ValueError(f"reshape: at most one dimension may be -1, got {target}.")
    if -1 not in target:
        total, wanted = size(shape), size(target)
        if total is not None and wanted is not None and total != wanted:
            raise ValueError(f"reshape: can't reshape {shape} ({total} elements) to {target}.")
        return target
    total, known = size(shape), size(tuple(d for d in target if d != -1))
    inferred: int | None = None
    if total is not None and known is not None:
        if (total % known if known else total) != 0:
            raise ValueError(f"reshape: can't reshape {shape} ({total} elements) to {target}.")
        inferred = total // known if known else 0
    return tuple(inferred if d == -1 else d for d in target)


def merge(first: Shape, second: Shape) -> Shape:
    """A shape that admits both: a dimension that differs becomes unknown."""
    return tuple(a if a == b else None for a, b in zip(first, second, strict=True))


def matmul(first: Shape, second: Shape) -> Shape:
    """Shape of a matrix product with NumPy's rules for vectors and batches."""
    if not first or not second:
        raise ValueError(f"matmul: expected tensors of rank 1 or more, got {first} and {second}.")
    a = (1,) + first if len(first) == 1 else first
    b = second + (1,) if len(second) == 1 else second
    if a[-1] is not None and b[-2] is not None and a[-1] != b[-2]:
        raise ValueError(f"matmul: inner dimensions of {first} and {second} differ.")
    result = broadcast(a[:-2], b[:-2]) + (a[-2], b[-1])
    if len(first) == 1:
        result = result[:-2] + result[-1:]
    return result[:-1] if len(second) == 1 else result


def window_size(
    size: int | None, window: int, stride: int, padding: str | tuple[int, int], dilation: int = 1
) -> int | None:
    """Output length of a sliding window over `size` elements.

    `padding` is "valid", "same", "causal" or the numbers (before, after).
    """
    if size is None:
        return None
    if padding in ("same", "causal"):
        return -(-size // stride)
    before, after = padding if isinstance(padding, tuple) else (0, 0)
    extent = (window - 1) * dilation + 1
    length = (size + before + after - extent) // stride + 1
    if length <= 0:
        raise ValueError(
            f"A window of {window} (dilation {dilation}) does not fit into {size} elements; "
            "use padding='same' or a smaller window."
        )
    return length
