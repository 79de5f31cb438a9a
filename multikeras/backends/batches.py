"""Batches put together for engines that run several of them in one dispatch.

Holds no framework; it takes host arrays only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from multikeras import tree


def stacked(batches: list[Any], size: int) -> Any:
    """The batches along a new first axis of `size`; what is beyond them is left undefined.

    Args:
        batches: at least one and at most `size` structures of arrays (or None) of equal shapes.
        size: the length of the new axis, the same for every group so that one compilation
            serves all of them.
    """

    def stack(*leaves: Any) -> Any:
        if leaves[0] is None:
            return None
        first = np.asarray(leaves[0])
        out = np.empty((size, *first.shape), first.dtype)
        return np.stack(leaves, out=out) if len(leaves) == size else _fill(out, leaves)

    return tree.map_structure(stack, *batches)


def _fill(out: np.ndarray, leaves: tuple) -> np.ndarray:
    for row, leaf in enumerate(leaves):
        out[row] = leaf
    out[len(leaves) :] = 0
    return out
