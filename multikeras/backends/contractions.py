"""What `tensordot` and `einsum` sum over, from their settings and the ranks alone.

Refuses subscripts and axes that do not fit the tensors with a ValueError.
"""

from __future__ import annotations

import functools
import math
import string
from typing import Any

import numpy as np

from multikeras import shapes


def contracted_axes(axes: Any, rank1: int, rank2: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes of both tensors that `tensordot` sums over, non-negative."""
    if isinstance(axes, (int, np.integer)):
        first, second = tuple(range(rank1 - int(axes), rank1)), tuple(range(int(axes)))
    else:
        first, second = ((a,) if isinstance(a, (int, np.integer)) else tuple(a) for a in axes)
    one = shapes.normalize_axes(first, rank1, "tensordot")
    two = shapes.normalize_axes(second, rank2, "tensordot")
    if len(one) != len(two):
        raise ValueError(f"tensordot: `axes` {axes} names different numbers of axes.")
    return one, two


def split_subscripts(subscripts: str, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """The labels of each operand and of the result, the ellipsis written out as labels.

    Raises:
        ValueError: if the subscripts fit neither each other nor the ranks.
    """
    return _split_subscripts(subscripts.replace(" ", ""), ranks)


@functools.lru_cache(maxsize=1024)
def _split_subscripts(subscripts: str, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    left, arrow, result = subscripts.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"einsum: {subscripts!r} is for {len(terms)} tensors, got {len(ranks)}.")
    unused = [c for c in string.ascii_letters if c not in subscripts]
    rest = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)]
    most = max([0, *(n for n, term in zip(rest, terms, strict=True) if "..." in term)])
    dots = "".join(unused[:most])
    written = []
    for term, extra, rank in zip(terms, rest, ranks, strict=True):
        if extra < 0 or (extra and "..." not in term):
            raise ValueError(f"einsum: the term {term!r} does not fit a tensor of rank {rank}.")
        written.append(term.replace("...", dots[most - extra :] if extra else ""))
    if not arrow:
        labels = "".join(written)
        once = sorted(c for c in set(labels) - set(dots) if labels.count(c) == 1)
        result = dots + "".join(once)
    else:
        result = result.replace("...", dots)
    if not all(c.isalpha() for term in (*written, result) for c in term):
        raise ValueError(f"einsum: subscripts must be letters, got {subscripts!r}.")
    if set(result) - set("".join(written)) or len(set(result)) != len(result):
        raise ValueError(f"einsum: the result {result!r} does not fit the terms {written}.")
    return tuple(written), result


def contraction_order(
    terms: tuple[str, ...], result: str, extents: tuple[tuple[int, ...], ...]
) -> tuple[tuple[tuple[int, int], ...], int]:
    """The order of products of two that needs the fewest multiplications, and their number.

    Every way to split each set of operands in two is tried, each set once: about 3**n / 2 splits
    for n operands, so this is for a few (7 take some milliseconds).

    Args:
        terms: the labels of each operand, at least one.
        result: the labels of the result.
        extents: the shape of each operand; a dimension of 1 broadcasts against a longer one.

    Returns:
        `(steps, cost)`: the positions of the two operands of each step, the smaller first. Both
        leave the list, their product goes to its end.
    """
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, extents, strict=True):
        for label, size in zip(term, shape, strict=True):
            sizes[label] = max(sizes.get(label, 1), size)
    count, everything = len(terms), (1 << len(terms)) - 1
    inside = [_labels_of(terms, chosen) for chosen in range(everything + 1)]
    kept = [
        labels & (set(result) | inside[everything ^ chosen]) for chosen, labels in enumerate(inside)
    ]
    best: dict[int, tuple[int, int]] = {1 << i: (0, 0) for i in range(count)}
    for chosen in range(1, everything + 1):
        if chosen in best:
            continue
        found = []
        part = (chosen - 1) & chosen
        while part > chosen ^ part:  # each pair of parts once
            rest = chosen ^ part
            step = math.prod(sizes[label] for label in kept[part] | kept[rest])
            found.append((best[part][0] + best[rest][0] + step, part))
            part = (part - 1) & chosen
        best[chosen] = min(found)
    return _steps(best, count), best[everything][0]


def _labels_of(terms: tuple[str, ...], chosen: int) -> set[str]:
    return set("".join(term for i, term in enumerate(terms) if chosen >> i & 1))


def _steps(best: dict[int, tuple[int, int]], count: int) -> tuple[tuple[int, int], ...]:
    steps = []
    held = [1 << i for i in range(count)]

    def contract(chosen: int) -> None:
        part = best[chosen][1]
        if not part:
            return
        contract(part)
        contract(chosen ^ part)
        first, second = sorted((held.index(part), held.index(chosen ^ part)))
        steps.append((first, second))
        del held[second], held[first]
        held.append(chosen)

    contract((1 << count) - 1)
    return tuple(steps)
