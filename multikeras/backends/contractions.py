"""What `tensordot` and `einsum` sum over, from their settings and the ranks alone.

Refuses subscripts and axes that do not fit the tensors with a ValueError.
"""

from __future__ import annotations

import functools
import string
from typing import Any

import numpy as np

from multikeras import shapes


def contracted_axes(axes: Any, rank1: int, rank2: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes of both tensors that `tensordot` sums over, non-negative."""
    if isinstance(axes, (int, np.integer)):
        first, second = tuple(range(rank1 - int(axes), rank1)), tuple(range(int(axes)))
    else:
        first, second = (
            (a,) if isinstance(a, (int, np.integer)) else tuple(a) for a in axes
        )
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
    most = max((n for n, term in zip(rest, terms, strict=True) if "..." in term), default=0)
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
