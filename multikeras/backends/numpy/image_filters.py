"""Filters of images on NumPy: weighted neighbours, added in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, primitive


@primitive
def neighbour_sums(x: np.ndarray, axis: int, weights: Sequence[float]) -> np.ndarray:
    count = x.shape[axis] - len(weights) + 1
    front = (slice(None),) * axis
    total = part = None
    for k, weight in enumerate(weights):
        if not weight:
            continue
        # A weight of the array's own dtype: no product is wider.
        neighbours, weight = x[(*front, slice(k, k + count))], x.dtype.type(weight)
        if total is None:
            total, part = neighbours * weight, np.empty_like(neighbours)
        else:
            total += np.multiply(neighbours, weight, out=part)
    return total


def _vjp(ans: np.ndarray, x: np.ndarray, axis: int, weights: Sequence[float]) -> Callable:
    widths = [(0, 0)] * np.ndim(x)
    widths[axis] = (len(weights) - 1, len(weights) - 1)
    # Each element has gone into as many sums, with the weights in reverse.
    return lambda g: neighbour_sums(anp.pad(g, widths, "constant"), axis, weights[::-1])


defvjp(neighbour_sums, _vjp, argnums=(0,))
