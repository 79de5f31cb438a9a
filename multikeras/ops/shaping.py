"""Shape, order and number of elements: reshaping, joining, cutting, repeating, padding.

None of these computes with the values. Dimensions may be unknown while a graph is built; what
needs a known one (cutting into equal sections, unstacking) says so.
"""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from multikeras import shapes
from multikeras.backends import arguments
from multikeras.ops import core, rules
from multikeras.ops._compose import composed
from multikeras.ops._declare import op
from multikeras.symbolic import KerasTensor


def _known(dim: Any) -> int | None:
    """A dimension as a shape rule sees it: unknown if None, -1 or a tensor."""
    if isinstance(dim, (int, np.integer)):
        return int(dim)
    return None


def _reshaped(x: KerasTensor, newshape: Any) -> tuple:
    if isinstance(newshape, (int, np.integer)):
        newshape = (newshape,)
    target = tuple(_known(d) for d in newshape)
    if builtins.sum(1 for d in target if d in (None, -1)) == 1:
        target = tuple(-1 if d is None else d for d in target)
    return shapes.reshape(x.shape, target)


@op(rules.like(_reshaped, tensors=("x",)))
def reshape(x: Any, newshape: Any) -> Any:
    """The same elements in row-major order under another shape.

    Args:
        x: a tensor of any shape.
        newshape: an int or a sequence of ints; one may be -1 or None, which is inferred. Entries
            may be scalar tensors where the backend traces with unknown dimensions.

    Raises:
        ValueError: if the number of elements differs, or two dimensions are unknown.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.reshape([[1, 2], [3, 4], [5, 6]], (2, -1))).tolist()
        [[1, 2, 3], [4, 5, 6]]
    """


@composed("x")
def ravel(x: Any) -> Any:
    """All elements in one dimension.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.ravel([[1, 2], [3, 4]])).tolist()
        [1, 2, 3, 4]
    """
    return reshape(x, (-1,))


def _transposed(x: KerasTensor, axes: Any = None) -> tuple:
    if axes is None:
        return x.shape[::-1]
    order = shapes.normalize_axes(axes, len(x.shape), "transpose")
    if len(order) != len(x.shape):
        raise ValueError(f"`axes` {tuple(axes)} is no permutation of {len(x.shape)} dimensions.")
    return tuple(x.shape[i] for i in order)


@op(rules.like(_transposed, tensors=("x",)))
def transpose(x: Any, axes: Any = None) -> Any:
    """Reorders the dimensions.

    Args:
        x: a tensor of any shape.
        axes: a permutation of the axes; default: reversed.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.transpose([[1, 2], [3, 4]])).tolist()
        [[1, 3], [2, 4]]
    """


def _swapped(rank: int, axis1: int, axis2: int) -> list[int]:
    order = list(range(rank))
    a, b = (shapes.normalize_axis(axis, rank, "swapaxes") for axis in (axis1, axis2))
    order[a], order[b] = order[b], order[a]
    return order


@composed("x")
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Exchanges two dimensions.

    Example:
        >>> from multikeras import ops
        >>> ops.swapaxes(ops.reshape([1, 2, 3, 4, 5, 6], (1, 2, 3)), 0, 2).shape == (3, 2, 1)
        True
    """
    return transpose(x, _swapped(len(x.shape), axis1, axis2))


@composed("x")
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Moves dimensions to other places; the others keep their order.

    Args:
        x: a tensor of any shape.
        source: an axis or several.
        destination: where each of them goes.

    Example:
        >>> from multikeras import ops
        >>> ops.moveaxis(ops.reshape([1, 2, 3, 4, 5, 6], (1, 2, 3)), 0, -1).shape == (2, 3, 1)
        True
    """
    return transpose(x, arguments.moved(len(x.shape), source, destination))


def _expanded(x: KerasTensor, axis: Any) -> tuple:
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    rank = len(x.shape) + len(axes)
    places = shapes.normalize_axes(axes, rank, "expand_dims")
    rest = iter(x.shape)
    return tuple(1 if i in places else next(rest) for i in range(rank))


@op(rules.like(_expanded, tensors=("x",)))
def expand_dims(x: Any, axis: Any) -> Any:
    """Adds dimensions of size 1.

    Args:
        x: a tensor of any shape.
        axis: an int or a tuple: where the new dimensions stand in the result.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.expand_dims([1, 2], -1)).tolist()
        [[1], [2]]
    """


def _squeezed(x: KerasTensor, axis: Any = None) -> tuple:
    axes = arguments.squeezed_axes(x.shape, axis)
    return tuple(d for i, d in enumerate(x.shape) if i not in axes)


@op(rules.like(_squeezed, tensors=("x",)))
def squeeze(x: Any, axis: Any = None) -> Any:
    """Drops dimensions of size 1.

    Args:
        x: a tensor of any shape.
        axis: an int, a tuple, or None for every dimension known to be 1.

    Raises:
        ValueError: if a named dimension is not 1.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.squeeze([[[1, 2]]], 0)).tolist()
        [[1, 2]]
    """


def _concatenated(_: str | None, xs: list[KerasTensor], axis: int = 0) -> KerasTensor:
    if not xs:
        raise ValueError("expected at least one tensor.")
    first = xs[0].shape
    place = shapes.normalize_axis(axis, len(first), "concatenate")
    total: int | None = 0
    merged: list[int | None] = list(first)
    for x in xs:
        if len(x.shape) != len(first):
            raise ValueError("all tensors must have the same rank.")
        for i, (a, b) in enumerate(zip(merged, x.shape, strict=True)):
            if i == place:
                continue
            if a is not None and b is not None and a != b:
                raise ValueError(f"the shapes may differ only along axis {axis}.")
            merged[i] = b if a is None else a
        size = x.shape[place]
        total = None if total is None or size is None else total + size
    merged[place] = total
    return KerasTensor(merged, xs[0].dtype)


@op(rules.custom(_concatenated, ("*xs",), rules.common))
def concatenate(xs: Any, axis: int = 0) -> Any:
    """Joins tensors along an axis they have.

    Args:
        xs: a sequence of tensors whose shapes differ at most along `axis`.
        axis: default 0.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.concatenate([[1, 2], [3]])).tolist()
        [1, 2, 3]
    """


def _stacked(_: str | None, x: list[KerasTensor], axis: int = 0) -> KerasTensor:
    if not x:
        raise ValueError("expected at least one tensor.")
    shape = x[0].shape
    for other in x[1:]:
        if len(other.shape) != len(shape) or any(
            a is not None and b is not None and a != b
            for a, b in zip(shape, other.shape, strict=True)
        ):
            raise ValueError("all tensors must have the same shape.")
        shape = tuple(b if a is None else a for a, b in zip(shape, other.shape, strict=True))
    place = shapes.normalize_axis(axis, len(shape) + 1, "stack")
    return KerasTensor((*shape[:place], len(x), *shape[place:]), x[0].dtype)


@op(rules.custom(_stacked, ("*x",), rules.common))
def stack(x: Any, axis: int = 0) -> Any:
    """Joins tensors of one shape along a new axis.

    Args:
        x: a sequence of tensors.
        axis: where the new axis stands in the result.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.stack([[1, 2], [3, 4]], axis=1)).tolist()
        [[1, 3], [2, 4]]
    """


@composed("*xs", promote=rules.common)
def hstack(xs: Any) -> Any:
    """Joins along the second axis, vectors along their only one.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.hstack([[[1], [2]], [[3], [4]]])).tolist()
        [[1, 3], [2, 4]]
    """
    xs = [x if len(x.shape) else reshape(x, (1,)) for x in xs]
    return concatenate(xs, 0 if len(xs[0].shape) == 1 else 1)


@composed("*xs", promote=rules.common)
def vstack(xs: Any) -> Any:
    """Joins along the first axis; vectors become rows.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.vstack([[1, 2], [3, 4]])).tolist()
        [[1, 2], [3, 4]]
    """
    return concatenate([x if len(x.shape) > 1 else reshape(x, (1, -1)) for x in xs], 0)


@composed("*xs", promote=rules.common)
def dstack(xs: Any) -> Any:
    """Joins along the third axis; vectors and matrices get one first.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.dstack([[1, 2], [3, 4]])).tolist()
        [[[1, 3], [2, 4]]]
    """

    def deep(x: Any) -> Any:
        if len(x.shape) < 2:
            return reshape(x, (1, -1, 1))
        return x if len(x.shape) > 2 else expand_dims(x, 2)

    return concatenate([deep(x) for x in xs], 2)


@composed("x1", "x2", promote=rules.common)
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """Joins two tensors along `axis`; without one, all their elements in one dimension.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.append([[1, 2]], [[3]])).tolist()
        [1, 2, 3]
    """
    if axis is None:
        return concatenate([ravel(x1), ravel(x2)], 0)
    return concatenate([x1, x2], axis)


def _split(_: str | None, x: KerasTensor, indices_or_sections: Any, axis: int = 0) -> list:
    place = shapes.normalize_axis(axis, len(x.shape), "split")
    size = x.shape[place]
    if size is None:
        count = (
            indices_or_sections
            if isinstance(indices_or_sections, int)
            else len(indices_or_sections) + 1
        )
        sizes: list[int | None] = [None] * count
    else:
        points = arguments.split_points(size, indices_or_sections)
        sizes = list(arguments.sizes_between(points, size))
        if size == 0 and isinstance(indices_or_sections, int):
            sizes = [0] * indices_or_sections
    return [KerasTensor((*x.shape[:place], n, *x.shape[place + 1 :]), x.dtype) for n in sizes]


@op(rules.custom(_split, ("x",)))
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Cuts a tensor along an axis.

    Args:
        x: a tensor.
        indices_or_sections: the number of equal pieces, or the indices at which to cut.
        axis: default 0.

    Returns:
        A list of tensors.

    Raises:
        ValueError: if equal pieces do not fit.

    Example:
        >>> from multikeras import ops
        >>> [ops.convert_to_numpy(p).tolist() for p in ops.split([1, 2, 3, 4, 5], [2, 4])]
        [[1, 2], [3, 4], [5]]
    """


@composed("x")
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Like `split`, but the first pieces may be longer by one.

    Example:
        >>> from multikeras import ops
        >>> [ops.convert_to_numpy(p).tolist() for p in ops.array_split([1, 2, 3], 2)]
        [[1, 2], [3]]
    """
    if isinstance(indices_or_sections, (int, np.integer)):
        size = x.shape[axis]
        if size is None:
            raise ValueError("array_split: can't cut an unknown dimension into sections.")
        base, longer = divmod(int(size), int(indices_or_sections))
        indices_or_sections = [
            i * base + builtins.min(i, longer) for i in range(1, int(indices_or_sections))
        ]
    return split(x, indices_or_sections, axis)


@composed("x")
def hsplit(x: Any, indices_or_sections: Any) -> Any:
    """Cuts along the second axis, a vector along its only one; see `split`.

    Example:
        >>> from multikeras import ops
        >>> [ops.convert_to_numpy(p).tolist() for p in ops.hsplit([[1, 2], [3, 4]], 2)]
        [[[1], [3]], [[2], [4]]]
    """
    return split(x, indices_or_sections, 1 if len(x.shape) > 1 else 0)


@composed("x")
def vsplit(x: Any, indices_or_sections: Any) -> Any:
    """Cuts along the first axis; see `split`.

    Example:
        >>> from multikeras import ops
        >>> [ops.convert_to_numpy(p).tolist() for p in ops.vsplit([[1, 2], [3, 4]], 2)]
        [[[1, 2]], [[3, 4]]]
    """
    return split(x, indices_or_sections, 0)


@composed("x")
def dsplit(x: Any, indices_or_sections: Any) -> Any:
    """Cuts along the third axis; see `split`.

    Example:
        >>> from multikeras import ops
        >>> [ops.convert_to_numpy(p).tolist() for p in ops.dsplit([[[1, 2]]], 2)]
        [[[[1]]], [[[2]]]]
    """
    return split(x, indices_or_sections, 2)


def _unstacked(_: str | None, x: KerasTensor, num: int | None = None, axis: int = 0) -> list:
    place = shapes.normalize_axis(axis, len(x.shape), "unstack")
    count = x.shape[place] if num is None else num
    if count is None:
        raise ValueError(f"axis {axis} is unknown; give `num`.")
    rest = x.shape[:place] + x.shape[place + 1 :]
    return [KerasTensor(rest, x.dtype) for _ in range(count)]


@op(rules.custom(_unstacked, ("x",)))
def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    """The slices of a tensor along an axis, without that axis, as a list.

    Args:
        x: a tensor.
        num: the size of the axis, needed only where it is unknown.
        axis: default 0.

    Example:
        >>> from multikeras import ops
        >>> [ops.convert_to_numpy(p).tolist() for p in ops.unstack([[1, 2], [3, 4]], axis=1)]
        [[1, 3], [2, 4]]
    """


def _tiled(x: KerasTensor, repeats: Any) -> tuple:
    full, added = arguments.tile_repeats(repeats, len(x.shape))
    dims = (1,) * added + x.shape
    return tuple(
        None if d is None or _known(r) is None else d * int(r)
        for d, r in zip(dims, full, strict=True)
    )


@op(rules.like(_tiled, tensors=("x",)))
def tile(x: Any, repeats: Any) -> Any:
    """Puts copies of a tensor side by side.

    Args:
        x: a tensor.
        repeats: how often along each axis; an int stands for the last axis.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.tile([1, 2], (2, 2))).tolist()
        [[1, 2, 1, 2], [1, 2, 1, 2]]
    """


def _repeated(x: KerasTensor, repeats: Any, axis: int | None = None) -> tuple:
    place = 0 if axis is None else shapes.normalize_axis(axis, len(x.shape), "repeat")
    dims = (shapes.size(x.shape),) if axis is None else x.shape
    size = dims[place]
    if isinstance(repeats, (int, np.integer)):
        new = None if size is None else size * int(repeats)
    elif core.is_tensor(repeats) or isinstance(repeats, KerasTensor):
        new = None
    else:
        counts = np.asarray(repeats)
        new = int(counts.sum())
        if counts.size == 1:
            new = None if size is None else size * new
    return (*dims[:place], new, *dims[place + 1 :])


@op(rules.like(_repeated, tensors=("x",)))
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Repeats each element.

    Args:
        x: a tensor.
        repeats: how often, an int or one for each element along `axis`.
        axis: default: over all elements in one dimension.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.repeat([[1, 2], [3, 4]], 2, axis=1)).tolist()
        [[1, 1, 2, 2], [3, 3, 4, 4]]
    """


def _broadcasted(x: KerasTensor, shape: Any) -> tuple:
    target = tuple(_known(d) for d in ((shape,) if isinstance(shape, int) else shape))
    if len(target) < len(x.shape):
        raise ValueError(f"can't broadcast to {target}.")
    for d, t in zip(x.shape[::-1], target[::-1]):
        if d is not None and t is not None and d not in (1, t):
            raise ValueError(f"can't broadcast to {target}.")
    return target


@op(rules.like(_broadcasted, tensors=("x",)))
def broadcast_to(x: Any, shape: Any) -> Any:
    """Repeats dimensions of size 1, and adds some in front, up to a shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.broadcast_to([[1], [2]], (2, 2))).tolist()
        [[1, 1], [2, 2]]
    """


def _padded(x: KerasTensor, pad_width: Any, mode: str = "constant", values: Any = None) -> tuple:
    arguments.pad_mode(mode, values)
    pairs = arguments.pad_pairs(pad_width, len(x.shape))
    return tuple(None if d is None else d + a + b for d, (a, b) in zip(x.shape, pairs, strict=True))


@op(rules.like(_padded, tensors=("x",)))
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """Adds elements before and after along each axis.

    Args:
        x: a tensor.
        pad_width: an int, one (before, after) for all axes, or one for each.
        mode: "constant", "reflect" (the edge once), "symmetric" (the edge twice), "edge" or
            "wrap".
        constant_values: the number for mode "constant"; default 0.

    Raises:
        ValueError: for another mode, the wrong number of pairs, or a constant in another mode.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.pad([1, 2, 3], ((2, 1),), mode="reflect")).tolist()
        [3, 2, 1, 2, 3, 2]
    """


@op(rules.unary())
def flip(x: Any, axis: Any = None) -> Any:
    """Reverses the order of elements along `axis` (an int, a tuple, None for all).

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.flip([[1, 2], [3, 4]], 1)).tolist()
        [[2, 1], [4, 3]]
    """


@composed("x")
def fliplr(x: Any) -> Any:
    """Reverses the second axis.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.fliplr([[1, 2], [3, 4]])).tolist()
        [[2, 1], [4, 3]]
    """
    return flip(x, 1)


@composed("x")
def flipud(x: Any) -> Any:
    """Reverses the first axis.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.flipud([[1, 2], [3, 4]])).tolist()
        [[3, 4], [1, 2]]
    """
    return flip(x, 0)


@op(rules.unary())
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Shifts elements along `axis`; what leaves at the end comes in at the front.

    Args:
        x: a tensor.
        shift: an int, or one for each axis.
        axis: an int or a tuple; default: over all elements in row-major order.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.roll([1, 2, 3], 1)).tolist()
        [3, 1, 2]
    """


@composed("array")
def rot90(array: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """Turns by 90 degrees, `k` times, from the first of two axes towards the second.

    Raises:
        ValueError: if the rank is below 2 or the axes are not two different ones.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.rot90([[1, 2], [3, 4]])).tolist()
        [[2, 4], [1, 3]]
    """
    rank = len(array.shape)
    first, second = shapes.normalize_axes(axes, rank, "rot90")
    k %= 4
    if k == 0:
        return flip(array, ())
    if k == 2:
        return flip(array, (first, second))
    order = _swapped(rank, first, second)
    if k == 1:
        return transpose(flip(array, second), order)
    return flip(transpose(array, order), second)


def _groups(side: str, who: str) -> list[list[str]]:
    """One side of a pattern: the names of each dimension, several where in parentheses."""
    groups: list[list[str]] = []
    inside: list[str] | None = None
    for token in side.replace("(", " ( ").replace(")", " ) ").split():
        if token == "(":
            if inside is not None:
                raise ValueError(f"rearrange: nested parentheses in {who!r}.")
            inside = []
        elif token == ")":
            if inside is None:
                raise ValueError(f"rearrange: unbalanced parentheses in {who!r}.")
            groups.append(inside)
            inside = None
        elif inside is None:
            groups.append([] if token == "1" else [token])
        else:
            inside.append(token)
    if inside is not None:
        raise ValueError(f"rearrange: unbalanced parentheses in {who!r}.")
    return groups


def _axis_sizes(
    groups: list[list[str]], dims: tuple, known: dict[str, Any], pattern: str
) -> dict[str, Any]:
    """The size of every named axis; None for the one of its group that is to be inferred."""
    sizes = dict(known)
    for group, dim in zip(groups, dims, strict=True):
        open_names = [name for name in group if name not in sizes]
        if len(open_names) > 1:
            raise ValueError(f"rearrange: give the sizes of {open_names[1:]} for {pattern!r}.")
        given = math.prod([sizes[name] for name in group if name in sizes])
        if not open_names:
            if isinstance(dim, int) and given != dim:
                raise ValueError(f"rearrange: {pattern!r} needs {given}, the tensor has {dim}.")
            continue
        if isinstance(dim, int) and dim % given:
            raise ValueError(f"rearrange: {dim} is not divisible by {given} in {pattern!r}.")
        sizes[open_names[0]] = dim if given == 1 else (None if dim is None else dim // given)
    return sizes


@composed("tensor")
def _rearranged(tensor: Any, pattern: str, sizes: dict[str, int]) -> Any:
    """`rearrange` with the axis lengths in one dict."""
    left, right = (part.strip() for part in pattern.split("->"))
    dims = core.shape(tensor)
    if "..." in left:
        count = len(dims) - len(_groups(left, pattern)) + 1
        names = " ".join(f"_rest{i}" for i in range(count))
        left, right = left.replace("...", names), right.replace("...", names)
    source, target = _groups(left, pattern), _groups(right, pattern)
    order_in = [name for group in source for name in group]
    order_out = [name for group in target for name in group]
    if len(source) != len(dims) or sorted(order_in) != sorted(order_out):
        raise ValueError(
            f"rearrange: {pattern!r} does not fit a tensor of rank {len(dims)}, or its two sides "
            "name different axes."
        )
    found = _axis_sizes(source, dims, sizes, pattern)
    x = reshape(tensor, [found[name] for name in order_in])
    x = transpose(x, [order_in.index(name) for name in order_out])
    merged = []
    for group in target:
        parts = [found[name] for name in group]
        merged.append(None if None in [p for p in parts if p is None] else math.prod(parts))
    return reshape(x, merged)


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Splits, reorders and merges dimensions by a pattern of names, in the notation of einops.

    Args:
        tensor: a tensor.
        pattern: such as "b (h w) c -> b h w c"; "..." stands for the other dimensions.
        **axes_lengths: sizes of the names that can't be inferred.

    Raises:
        ValueError: if the pattern does not fit the tensor.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.rearrange([[1, 2, 3, 4]], "b (h w) -> b w h", h=2)).tolist()
        [[[1, 3], [2, 4]]]
    """
    return _rearranged(tensor, pattern, axes_lengths)
