"""`Source`: what every kind of input data becomes, a maker of batches `(x, y, sample_weight)`.

A source knows how to start a pass over its data. Where the caller fixes the number of steps an
epoch, `Source.epoch` cuts passes into epochs of that many batches. A source also knows where it
is, as plain data, and goes on there in another program; one that can't says so.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

Batch = tuple[Any, Any, Any]
Position = dict[str, Any]

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
        kind: what the data is, in words.
        num_batches: batches of one pass; None: not known.
        batch_size: rows of a batch; None: not known.
        num_rows: rows of one pass; None: not known.
        repeats: whether a pass never ends.
        positionable: whether a pass can begin at any batch without making those before it.
    """

    kind = "dataset"
    num_batches: int | None = None
    batch_size: int | None = None
    num_rows: int | None = None
    repeats: bool = False
    positionable: bool = False

    def __init__(self, steps: int | None = None, resume: bool = False) -> None:
        self._steps = steps
        self._resume = resume
        self._pass: Iterator[Batch] | None = None  # the pass that the next epoch goes on with
        self._begun = False  # whether a pass is under way: `_seed` and `_taken` tell which, how far
        self._seed = (0, 0)
        self._taken = 0
        self._step = 0  # batches taken of the epoch
        self._restored = False

    def batches(self, seed: tuple[int, int], start: int = 0) -> Iterator[Batch]:
        """One pass over the data, from the batch numbered `start` on. For subclasses."""
        raise NotImplementedError

    def epoch(self, epoch_seed: tuple[int, int] = (0, 0), start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch.

        Args:
            epoch_seed: seed and stream of the order where the source shuffles.
            start: how many batches to leave out. After `set_position` that position counts
                instead of `epoch_seed` and `start`.

        Returns:
            An iterator over `(x, y, sample_weight)`, each an array or a structure of arrays,
            None where absent.
        """
        restored, self._restored = self._restored, False
        if not restored:
            self._step = start
        if self._steps is not None:
            return self._limited(self._steps, epoch_seed, start, restored)
        if not restored or not self._begun:
            self._begin(epoch_seed, start)
        return self._whole()

    def _begin(self, seed: tuple[int, int], taken: int) -> None:
        self._begun, self._seed, self._taken = True, seed, taken

    def _current(self) -> Iterator[Batch]:
        """The rest of the pass that is under way."""
        if self.positionable or not self._taken:
            return self.batches(self._seed, self._taken)
        batches = self.batches(self._seed)
        for _ in range(self._taken):
            next(batches, None)
        return batches

    def _whole(self) -> Iterator[Batch]:
        for batch in self._current():
            self._taken += 1
            self._step += 1
            yield batch

    def _limited(
        self, steps: int, seed: tuple[int, int], start: int, restored: bool
    ) -> Iterator[Batch]:
        """At most `steps` batches of the pass that is under way, or of a new one."""
        current = self._pass if self._resume else None
        self._pass = None
        if restored and self._begun:
            current = self._current()
        fresh = current is None or self._step > 0
        if current is None:
            self._begin(seed, start)
            current = self._current()
        if self._step >= steps and self._resume:
            self._pass = current  # put back behind an epoch's last batch
        for position in range(self._step, steps):
            batch = next(current, None)
            if batch is None and not fresh:
                # The last epoch used up its pass to the last batch.
                self._begin(seed, 0)
                current = self._current()
                batch = next(current, None)
            fresh = True
            if batch is None:
                self._begun = False
                warnings.warn(RAN_OUT, stacklevel=3)
                return
            self._taken += 1
            self._step += 1
            if position == steps - 1 and self._resume:
                self._pass = current
            yield batch

    def on_epoch_end(self) -> None:
        """Tells the data that an epoch ended."""
        self._step = 0
        self._begun = self._pass is not None

    def close(self) -> None:
        """Ends the pass that is under way, and its workers. Later epochs begin anew."""
        self._pass = None
        self._begun = False

    # -- position ---------------------------------------------------------------------------

    def get_position(self) -> Position:
        """Where the source is: all that another one over the same data needs to go on there.

        Returns:
            A dict of plain values, ready for JSON: the batches taken of the epoch, and seed and
            batches taken of the pass that is under way.

        Example:
            >>> from multikeras.data import make_source
            >>> source = make_source(list(range(6)), batch_size=2, shuffle=True)
            >>> batches = source.epoch((1, 0))
            >>> taken = next(batches)
            >>> source.get_position()["step"], source.get_position()["pass"]
            (1, {'seed': [1, 0], 'taken': 1})
        """
        under_way = {"seed": [int(n) for n in self._seed], "taken": self._taken}
        return {
            "kind": self.kind,
            "data": self._identity(),
            "steps": self._steps,
            "step": self._step,
            "pass": under_way if self._begun else None,
            **self._more_position(),
        }

    def set_position(self, position: Mapping[str, Any], fast_forward: bool = False) -> None:
        """Has the next epoch go on at a position, and end where it would have ended.

        Args:
            position: what `get_position` gave.
            fast_forward: whether data that can't be repositioned is read up to there, and what
                is read thrown away; its batches may be others than in the first run.

        Raises:
            ValueError: if the position is that of other data, or the data can't go on there.
        """
        for name, mine in (("kind", self.kind), ("data", self._identity())):
            if position.get(name) != mine:
                raise ValueError(
                    f"The data is not the one that the position was taken from: its {name} was "
                    f"{position.get(name)!r}, now it is {mine!r}."
                )
        step, under_way = int(position["step"]), position["pass"]
        if step and position.get("steps") != self._steps:
            raise ValueError(
                f"The position lies within an epoch of {position.get('steps')} steps (None: all of "
                f"the data), but now an epoch has {self._steps}."
            )
        self.check_position(position, fast_forward)
        self._pass = None
        self._begun, self._step = under_way is not None, step
        if under_way is not None:
            seed, stream = under_way["seed"]
            self._seed, self._taken = (int(seed), int(stream)), int(under_way["taken"])
        self._restore_more(position)
        self._restored = True

    def _identity(self) -> dict[str, Any]:
        """What must be the same about the data for a position to hold."""
        return {}

    def _more_position(self) -> dict[str, Any]:
        """What else belongs to the position."""
        return {}

    def check_position(self, position: Mapping[str, Any], fast_forward: bool) -> None:
        """Raises ValueError where the data can't go on at a position (see `set_position`)."""

    def _restore_more(self, position: Mapping[str, Any]) -> None:
        """Puts back what `_more_position` gave."""
