"""Batches put together for engines that run several of them in one dispatch.

Holds no framework; it takes host arrays only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from multikeras import tree


def stacked(batches: list[Any], size: int) -> Any:
    """The batches along a new first axis of `size`, with zeros after the last of them.

    Args:
        batches: at least one and at most `size` structures of arrays (or None), of equal shapes
            and dtypes.
        size: the length of the new axis, the same for every group so that one compilation
            serves all of them.
    """

    def stack(*leaves: Any) -> Any:
        if leaves[0] is None:
            return None
        first = np.asarray(leaves[0])
        rows = np.zeros((size, *first.shape), first.dtype)
        for row, leaf in enumerate(leaves):
            rows[row] = leaf
        return rows

    return tree.map_structure(stack, *batches)
