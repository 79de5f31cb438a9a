"""`ArraySource`: batches of arrays that are in memory, or can be read row by row from a file.

Shuffled data is gathered some batches at a time, and batches are slices of that: taking a batch
costs next to nothing, and no second copy of large data is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from multikeras import tree
from multikeras.backends import native
from multikeras.data.source import Batch, Source
from multikeras.data.structures import (
    Rows,
    check_lengths,
    class_weight_to_sample_weights,
    standardize,
)
from multikeras.random._threefry import host_permutation

# Enough to make the gathering cheap, little enough that no framework starts threads for it.
_GATHER_BYTES = 1 << 17


class ArraySource(Source):
    """Batches of consecutive or shuffled rows; the last one may be smaller.

    Args:
        x, y, sample_weight: structures of arrays with the same number of rows, or None.
        batch_size: rows of a batch.
        shuffle: False: in order; True: all rows in random order; "batch": batches of
            consecutive rows in random order, a smaller one last.
        class_weight: weights by class; they multiply `sample_weight`.
        steps, resume: see `Source`.

    Raises:
        ValueError: for arrays of different lengths, no rows, a bad batch size, or targets that
            `class_weight` can't be used with.

    Example:
        >>> source = ArraySource(np.arange(5), None, None, batch_size=2)
        >>> [native.engine.to_host(x).tolist() for x, _, _ in source.epoch()]
        [[0, 1], [2, 3], [4]]
    """

    kind = "arrays"
    positionable = True

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        shuffle: bool | str = False,
        class_weight: Mapping[int, float] | None = None,
        steps: int | None = None,
        resume: bool = False,
    ) -> None:
        super().__init__(steps, resume)
        batch_size = 32 if batch_size is None else batch_size
        if isinstance(batch_size, bool) or int(batch_size) != batch_size or batch_size < 1:
            raise ValueError(f"`batch_size` must be a positive integer, got {batch_size!r}.")
        if shuffle not in (True, False, "batch"):
            raise ValueError(f"`shuffle` must be True, False or 'batch', got {shuffle!r}.")
        x, y = standardize(x, "x"), standardize(y, "y")
        sample_weight = standardize(sample_weight, "sample_weight")
        self.num_rows = self._rows = check_lengths({"x": x, "y": y, "sample_weight": sample_weight})
        if class_weight:
            labels, factors = (
                a[: self._rows] if isinstance(a, Rows) else a for a in (y, sample_weight)
            )
            sample_weight = class_weight_to_sample_weights(labels, class_weight, factors)
        self._size = self.batch_size = int(batch_size)
        self._count = self.num_batches = -(-self._rows // self._size)
        self._shuffle = shuffle if shuffle == "batch" else bool(shuffle)
        structure = (x, y, sample_weight)
        leaves = tree.flatten(structure)
        self._held = [_hold(a) for a in leaves if a is not None]
        self._gather = [_gatherer(held) for held in self._held]
        self._pack = _packer(structure, leaves)

    def _identity(self) -> dict[str, Any]:
        return {"rows": self._rows, "batch_size": self._size, "shuffle": self._shuffle}

    def batches(self, seed: tuple[int, int], start: int = 0) -> Iterator[Batch]:
        if self._shuffle == "batch":
            return self._whole_batches(seed, start)
        if self._shuffle:
            return self._shuffled(seed, start)
        return self._slices(self._held, start * self._size, self._rows)

    def _slices(self, arrays: list[Any], start: int, stop: int) -> Iterator[Batch]:
        size, pack = self._size, self._pack
        if pack is None:
            x, y = arrays
            for first in range(start, stop, size):
                rows = slice(first, first + size)
                yield x[rows], y[rows], None
            return
        for first in range(start, stop, size):
            rows = slice(first, first + size)
            yield pack([a[rows] for a in arrays])

    def _shuffled(self, seed: tuple[int, int], start: int) -> Iterator[Batch]:
        order = host_permutation(*seed, self._rows)
        size = self._size
        row_bytes = sum(getattr(a, "nbytes", 0) for a in self._held) / self._rows
        step = size * max(1, int(_GATHER_BYTES / max(row_bytes * size, 1.0)))
        for first in range(start * size, self._rows, step):
            indices = order[first : first + step]
            arrays = [gather(indices) for gather in self._gather]
            yield from self._slices(arrays, 0, len(indices))

    def _whole_batches(self, seed: tuple[int, int], start: int) -> Iterator[Batch]:
        size = self._size
        whole = self._rows // size
        order = host_permutation(*seed, whole).tolist()
        for number in (order + list(range(whole, self._count)))[start:]:
            first = number * size
            yield from self._slices(self._held, first, min(first + size, self._rows))


def _hold(array: Any) -> Any:
    return array if isinstance(array, Rows) else native.engine.hold(array)


def _gatherer(held: Any) -> Callable[[np.ndarray], Any]:
    return held.take if isinstance(held, Rows) else partial(native.engine.take, held)


def _packer(structure: tuple, leaves: list[Any]) -> Callable[[list[Any]], Batch] | None:
    """How a batch's arrays become `(x, y, sample_weight)`; None: they are just x and y."""
    _, y, sample_weight = structure
    flat = len(leaves) == 3 and not any(map(tree.is_nested, structure))
    if flat and sample_weight is None and y is not None:
        return None
    if flat and sample_weight is None:
        return lambda arrays: (arrays[0], None, None)
    if flat and y is not None:
        return tuple
    present = [leaf is not None for leaf in leaves]

    def pack(arrays: list[Any]) -> Batch:
        values = iter(arrays)
        filled = [next(values) if there else None for there in present]
        return tree.pack_sequence_as(structure, filled)

    return pack
