"""Settings of ops in one normal form, for the functions of all backends.

Nothing here touches a tensor; what can't be meant is refused with a ValueError that names the op.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

PAD_MODES = ("constant", "reflect", "symmetric", "edge", "wrap")


def replaced(args: tuple, numbers: tuple[int, ...], values: list[Any]) -> tuple:
    """Positional arguments with others in the places of some."""
    if not numbers:
        return args
    listed = list(args)
    for number, value in zip(numbers, values, strict=True):
        listed[number] = value
    return tuple(listed)


def target_shape(newshape: Any) -> tuple:
    """The shape wanted by `reshape` with -1 for the one unknown dimension; entries may be tensors.

    Raises:
        ValueError: if two dimensions are unknown.
    """
    if isinstance(newshape, (int, np.integer)):
        return (int(newshape),)
    target = tuple(-1 if d is None else d for d in newshape)
    if sum(1 for d in target if isinstance(d, int) and d == -1) > 1:
        raise ValueError(
            f"reshape: at most one dimension may be unknown (-1 or None), got {tuple(newshape)}."
        )
    return target


def pad_pairs(pad_width: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """One (before, after) for each dimension.

    Raises:
        ValueError: if the number of pairs is not the rank.
    """
    if isinstance(pad_width, (int, np.integer)):
        return ((int(pad_width),) * 2,) * rank
    pairs: list[tuple[int, int]] = []
    entries = list(pad_width)
    if len(entries) == 2 and all(isinstance(p, (int, np.integer)) for p in entries):
        return ((int(entries[0]), int(entries[1])),) * rank
    for entry in entries:
        pair = (entry,) if isinstance(entry, (int, np.integer)) else tuple(entry)
        pairs.append((int(pair[0]), int(pair[-1])))
    if len(pairs) == 1:
        pairs = pairs * rank
    if len(pairs) != rank:
        raise ValueError(
            f"pad: `pad_width` has {len(pairs)} pairs for a tensor of rank {rank}; got {pad_width}."
        )
    return tuple(pairs)


def pad_mode(mode: str, constant_values: Any) -> str:
    """The mode, checked.

    Raises:
        ValueError: for an unknown mode, or constant values where they mean nothing.
    """
    if mode not in PAD_MODES:
        raise ValueError(f"pad: `mode` must be one of {PAD_MODES}, got {mode!r}.")
    if mode != "constant" and constant_values is not None:
        raise ValueError(f"pad: `constant_values` belongs to mode 'constant', not to {mode!r}.")
    return mode


def pad_index(size: int, before: int, after: int, mode: str) -> np.ndarray:
    """Which element stands at each place of a padded dimension."""
    if not size:
        raise ValueError(f"pad: an empty dimension can't be padded by {mode!r}.")
    place = np.arange(-before, size + after)
    if mode == "edge":
        return np.clip(place, 0, size - 1)
    if mode == "wrap":
        return place % size
    # There and back again; "reflect" doesn't say the outermost element twice.
    period = 2 * size if mode == "symmetric" else max(1, 2 * size - 2)
    place = place % period
    return np.minimum(place, (period - 1 if mode == "symmetric" else period) - place)


def split_points(size: int | None, indices_or_sections: Any) -> list[int]:
    """Where `split` cuts a dimension of `size` elements.

    Raises:
        ValueError: if equal sections do not fit.
    """
    if isinstance(indices_or_sections, (int, np.integer)):
        sections = int(indices_or_sections)
        if size is None:
            raise ValueError("split: can't cut an unknown dimension into equal sections.")
        if sections < 1 or size % sections:
            raise ValueError(f"split: {size} elements do not divide into {sections} sections.")
        return list(range(size // sections, size, size // sections)) if size else []
    return [int(i) for i in indices_or_sections]


def sizes_between(points: Sequence[int], size: int) -> list[int]:
    """Lengths of the pieces that a slice between consecutive `points` gives."""
    starts = [0, *points]
    return [len(range(size)[a:b]) for a, b in zip(starts, [*points, size], strict=True)]


def tile_repeats(repeats: Any, rank: int) -> tuple[tuple[int, ...], int]:
    """Repeats for each dimension, and how many dimensions are to be added in front."""
    repeats = (repeats,) if isinstance(repeats, (int, np.integer)) else tuple(repeats)
    return (1,) * (rank - len(repeats)) + repeats, max(0, len(repeats) - rank)


def axes_of(axis: Any, rank: int) -> tuple[int, ...]:
    """Axes, all non-negative; None means every one."""
    if axis is None:
        return tuple(range(rank))
    axes = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    for a in axes:
        if not -rank <= a < rank:
            raise ValueError(f"Axis {a} is out of bounds for a tensor of rank {rank}.")
    return tuple(int(a) % rank for a in axes)


def squeezed_axes(shape: Sequence[int | None], axis: Any) -> tuple[int, ...]:
    """The axes that `squeeze` drops.

    Raises:
        ValueError: if one of them is known not to be of size 1.
    """
    if axis is None:
        return tuple(i for i, d in enumerate(shape) if d == 1)
    axes = axes_of(axis, len(shape))
    for a in axes:
        if shape[a] not in (1, None):
            raise ValueError(f"squeeze: axis {a} of shape {tuple(shape)} is not of size 1.")
    return axes


def moved(rank: int, source: Any, destination: Any) -> list[int]:
    """The permutation that `moveaxis` is."""
    sources, targets = axes_of(source, rank), axes_of(destination, rank)
    if len(sources) != len(targets):
        raise ValueError(
            f"moveaxis: `source` {source} and `destination` {destination} differ in length."
        )
    order = [i for i in range(rank) if i not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        order.insert(target, origin)
    return order


def is_advanced(item: Any) -> bool:
    """Whether an item of an index is an array (of integers or bools) of rank 1 or more."""
    return getattr(item, "ndim", 0) > 0 or is_mask(item)


def is_mask(item: Any) -> bool:
    """Whether an item of an index is an array of bools."""
    dtype = getattr(item, "dtype", None)
    return getattr(dtype, "name", str(dtype).removeprefix("torch.")) == "bool"


def key_items(key: Any, rank: int) -> list[Any]:
    """The items of an index in brackets, one for each dimension (and each None).

    The ellipsis is written out, lists become arrays, masks of rank n stand for n dimensions.

    Raises:
        IndexError: if there are more items than dimensions.
    """
    items = list(key) if isinstance(key, tuple) else [key]
    items = [np.asarray(item) if isinstance(item, (list, tuple, range)) else item for item in items]
    items = [int(item) if isinstance(item, np.integer) else item for item in items]
    used = 0
    for item in items:
        if item is not None and item is not Ellipsis:
            used += item.ndim if is_advanced(item) and is_mask(item) else 1
    if used > rank:
        raise IndexError(f"get_item: {used} indices for a tensor of rank {rank}.")
    places = [i for i, item in enumerate(items) if item is Ellipsis]
    if len(places) > 1:
        raise IndexError("get_item: an index can hold only one ellipsis (...).")
    place = places[0] if places else len(items)
    rest = [slice(None)] * (rank - used)
    return items[:place] + rest + items[place + 1 :]


def wraps_in_place(items: Sequence[Any]) -> int | None:
    """Where the dimensions of array indices go, by NumPy's rule.

    The place among `items` of the first array (or integer) if all arrays and integers stand side
    by side, else None: they go to the front.
    """
    places = [i for i, item in enumerate(items) if item is not None and not isinstance(item, slice)]
    if not places or places != list(range(places[0], places[-1] + 1)):
        return None
    return places[0]
