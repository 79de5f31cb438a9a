"""`Source`: what every kind of input data becomes, a maker of batches `(x, y, sample_weight)`.

A source knows how to start a pass over its data. Where the caller fixes the number of steps an
epoch, `Source.epoch` cuts passes into epochs of that many batches.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

Batch = tuple[Any, Any, Any]

RAN_OUT = (
    "The data ran out before the epoch was complete: it needs at least steps * epochs batches. "
    "Give fewer steps, or let the dataset repeat."
)


class Source:
    """Base class of all sources.

    Args:
        steps: how many batches the caller takes each epoch; None: all of a pass.
        resume: with `steps`, whether an epoch goes on where the last one stopped (training),
            rather than from the beginning (validation).

    Attributes:
        num_batches: batches of one pass; None: not known.
        batch_size: rows of a batch; None: not known.
        num_rows: rows of one pass; None: not known.
        repeats: whether a pass never ends.
        positionable: whether a pass can begin at any batch without making those before it.
    """

    num_batches: int | None = None
    batch_size: int | None = None
    num_rows: int | None = None
    repeats: bool = False
    positionable: bool = False

    def __init__(self, steps: int | None = None, resume: bool = False) -> None:
        self._steps = steps
        self._resume = resume
        self._pass: Iterator[Batch] | None = None

    def batches(self, seed: tuple[int, int], start: int = 0) -> Iterator[Batch]:
        """One pass over the data, from the batch numbered `start` on. For subclasses."""
        raise NotImplementedError

    def epoch(self, epoch_seed: tuple[int, int] = (0, 0), start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch.

        Args:
            epoch_seed: seed and stream of the order where the source shuffles.
            start: how many batches to leave out.

        Returns:
            An iterator over `(x, y, sample_weight)`, each an array or a structure of arrays,
            None where absent.
        """
        if self._steps is None:
            return self._from(epoch_seed, start)
        return self._limited(self._steps, epoch_seed, start)

    def _from(self, seed: tuple[int, int], start: int) -> Iterator[Batch]:
        if self.positionable or not start:
            return self.batches(seed, start)
        return _skipped(self.batches(seed), start)

    def _limited(self, steps: int, seed: tuple[int, int], start: int) -> Iterator[Batch]:
        """At most `steps` batches of the pass that is under way, or of a new one."""
        current = self._pass if self._resume else None
        self._pass = None
        fresh = current is None
        if current is None:
            current = self._from(seed, start)
        for position in range(start, steps):
            batch = next(current, None)
            if batch is None and not fresh and position == start:
                # The last epoch used up its pass to the last batch.
                current = self._from(seed, start)
                batch = next(current, None)
            if batch is None:
                warnings.warn(RAN_OUT, stacklevel=3)
                return
            if position == steps - 1 and self._resume:
                self._pass = current
            yield batch

    def on_epoch_end(self) -> None:
        """Tells the data that an epoch ended."""


def _skipped(batches: Iterator[Batch], count: int) -> Iterator[Batch]:
    for index, batch in enumerate(batches):
        if index >= count:
            yield batch
