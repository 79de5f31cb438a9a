"""Nested structures of lists, tuples, dicts and namedtuples, over `optree`.

Leaves are everything else; None is a leaf. Dicts keep their insertion order when traversed
with `flatten_ordered`; `flatten` sorts by key, as optree does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import optree

_OPTIONS: dict[str, Any] = {"none_is_leaf": True, "namespace": "multikeras"}


class _MapToNone:
    """What a mapped function returns to say None, where None itself says something else."""

    def __repr__(self) -> str:
        return "MAP_TO_NONE"


MAP_TO_NONE = _MapToNone


def is_nested(structure: Any) -> bool:
    """True if `structure` is a container rather than a leaf.

    Example:
        >>> is_nested([1, 2]), is_nested(3)
        (True, False)
    """
    return not optree.tree_is_leaf(structure, **_OPTIONS)


def flatten(structure: Any) -> list[Any]:
    """The leaves, in order.

    Example:
        >>> flatten({"a": 1, "b": [2, 3]})
        [1, 2, 3]
    """
    return optree.tree_leaves(structure, **_OPTIONS)


def flatten_with_path(structure: Any) -> list[tuple[tuple, Any]]:
    """Pairs of (path, leaf).

    Example:
        >>> flatten_with_path({"a": [7]})
        [(('a', 0), 7)]
    """
    paths, leaves, _ = optree.tree_flatten_with_path(structure, **_OPTIONS)
    return list(zip(paths, leaves, strict=True))


def map_structure(func: Callable, *structures: Any, none_is_leaf: bool = True) -> Any:
    """Applies `func` to the leaves of structures of the same form.

    Raises:
        ValueError: if the structures differ.

    Example:
        >>> map_structure(lambda a, b: a + b, [1, (2,)], [10, (20,)])
        [11, (22,)]
    """
    if not structures:
        raise ValueError("map_structure: expected at least one structure.")
    if none_is_leaf:
        return optree.tree_map(func, *structures, **_OPTIONS)

    def skip_none(first: Any, *rest: Any) -> Any:
        if first is None:
            return None
        result = func(first, *rest)
        return None if result is MAP_TO_NONE else result

    return optree.tree_map(skip_none, *structures, **_OPTIONS)


def map_structure_up_to(shallow_structure: Any, func: Callable, *structures: Any) -> Any:
    """Like `map_structure`, but only as deep as `shallow_structure` goes.

    Example:
        >>> map_structure_up_to([0, 0], len, [(1, 2), (3,)])
        [2, 1]
    """
    spec = optree.tree_structure(shallow_structure, **_OPTIONS)
    columns = [spec.flatten_up_to(s) for s in structures]
    return spec.unflatten([func(*leaves) for leaves in zip(*columns, strict=True)])


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Rebuilds a structure: where `func` returns other than None, that stands instead.

    Example:
        >>> traverse(lambda s: tuple(s) if isinstance(s, list) else None, [1, 2], top_down=False)
        (1, 2)
    """
    if top_down:
        result = func(structure)
        if result is not None:
            return None if result is MAP_TO_NONE else result
    if is_nested(structure):
        children, spec = optree.tree_flatten(
            structure, is_leaf=lambda node: node is not structure, **_OPTIONS
        )
        structure = spec.unflatten([traverse(func, child, top_down) for child in children])
        if top_down:
            return structure
    elif top_down:
        return structure
    result = func(structure)
    if result is None:
        return structure
    return None if result is MAP_TO_NONE else result


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """Puts leaves into the form of `structure`.

    Raises:
        ValueError: if the number of leaves differs.

    Example:
        >>> pack_sequence_as({"a": 0, "b": 0}, [1, 2])
        {'a': 1, 'b': 2}
    """
    spec = optree.tree_structure(structure, **_OPTIONS)
    flat_sequence = list(flat_sequence)
    if spec.num_leaves != len(flat_sequence):
        raise ValueError(
            f"pack_sequence_as: the structure has {spec.num_leaves} leaves, "
            f"the sequence {len(flat_sequence)}."
        )
    return spec.unflatten(flat_sequence)


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Raises ValueError unless both have the same form.

    Example:
        >>> assert_same_structure([1, 2], [3, 4])
    """
    first, second = (optree.tree_structure(s, **_OPTIONS) for s in (a, b))
    if first != second:
        raise ValueError(f"The structures differ: {first} and {second}.")


def assert_same_paths(a: Any, b: Any) -> None:
    """Raises ValueError unless both have leaves at the same paths.

    Example:
        >>> assert_same_paths([1, 2], (3, 4))
    """
    first, second = (
        {path for path, _ in flatten_with_path(structure)} for structure in (a, b)
    )
    if first != second:
        raise ValueError(f"The paths differ: {sorted(first ^ second, key=str)}.")


def lists_to_tuples(structure: Any) -> Any:
    """The same structure with tuples for lists.

    Example:
        >>> lists_to_tuples([1, [2]])
        (1, (2,))
    """
    return traverse(lambda s: tuple(s) if isinstance(s, list) else None, structure, top_down=False)


def _is_shape(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(d is None or isinstance(d, int) for d in value)


def map_shape_structure(func: Callable, structure: Any) -> Any:
    """Applies `func` to each shape (a tuple or list of ints and Nones) in a structure.

    Example:
        >>> map_shape_structure(len, {"a": (None, 3)})
        {'a': 2}
    """
    return optree.tree_map(func, structure, is_leaf=_is_shape, **_OPTIONS)
