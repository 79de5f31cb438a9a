"""`PyDataset`: a dataset that a program writes as a class, and the source that reads it.

With several workers the batches are made ahead by threads or processes, and still come in
order. An error in a worker surfaces where its batch was due, with the worker's traceback; one
that dies or stalls is an error too.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from multikeras.data.iterables import as_batch
from multikeras.data.source import Batch, Source
from multikeras.data.workers import Crew, made_ahead
from multikeras.random._threefry import host_permutation


class PyDataset:
    """Base class of datasets that make their batches one by one, by number.

    A subclass has `__getitem__(index)`, which returns a whole batch `(x,)`, `(x, y)` or
    `(x, y, sample_weight)`, and `__len__`, the number of batches; without `__len__` (or with a
    `num_batches` of None) the dataset never ends. `on_epoch_begin` and `on_epoch_end` may be
    overridden. So may `get_state` and `set_state(state)`: what they give (plain values, ready
    for JSON) is kept with a position in the data. Without them, a run that goes on later calls
    `on_epoch_begin` and `on_epoch_end` as often as the first run did before it goes on.

    Args:
        workers: how many threads or processes make batches ahead. With 1 and without
            `use_multiprocessing` they are made when they are needed. Defaults to 1.
        use_multiprocessing: whether workers are processes. They are started afresh, so the
            dataset must be picklable and the program must guard its entry point with
            `if __name__ == "__main__"`. Defaults to False.
        max_queue_size: how many batches are made ahead at most. Defaults to 10.
        timeout: how many seconds a worker may need for a batch; None: any time. A worker
            process starts within that time too. Without workers nothing is timed. Defaults to
            600.

    Raises:
        ValueError: for a negative number of workers, a queue of no batches or a timeout that is
            not positive.

    Example:
        >>> import numpy as np
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         x = np.array([[2.0 * index], [2.0 * index + 1.0]])
        ...         return x, x**2
        >>> dataset = Squares(workers=2)
        >>> dataset.num_batches, dataset[2][1].tolist()
        (3, [[16.0], [25.0]])
    """

    _workers = 1
    _use_multiprocessing = False
    _max_queue_size = 10
    _timeout: float | None = 600.0

    def __init__(
        self,
        workers: int = 1,
        use_multiprocessing: bool = False,
        max_queue_size: int = 10,
        timeout: float | None = 600.0,
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size
        self.timeout = timeout

    @property
    def workers(self) -> int:
        """How many threads or processes make batches."""
        return self._workers

    @workers.setter
    def workers(self, value: int) -> None:
        check_workers(value, self._max_queue_size)
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        """Whether workers are processes."""
        return self._use_multiprocessing

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        """How many batches are made ahead at most."""
        return self._max_queue_size

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        check_workers(self._workers, value)
        self._max_queue_size = value

    @property
    def timeout(self) -> float | None:
        """How many seconds a worker may need for a batch; None: any time."""
        return self._timeout

    @timeout.setter
    def timeout(self, value: float | None) -> None:
        if value is not None and not value > 0:
            raise ValueError(f"`timeout` must be a positive number of seconds, got {value!r}.")
        self._timeout = value

    def __getitem__(self, index: int) -> Any:
        """The batch numbered `index`."""
        raise NotImplementedError(
            f"{type(self).__name__}: a PyDataset needs a method `__getitem__(index)`."
        )

    @property
    def num_batches(self) -> int | None:
        """The number of batches; None: the dataset never ends."""
        return len(self) if hasattr(type(self), "__len__") else None  # type: ignore[arg-type]

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


def is_py_dataset(x: Any) -> bool:
    """Whether `x` is a `PyDataset`, or the like of it from Keras."""
    return isinstance(x, PyDataset) or any(
        base.__name__ in ("PyDataset", "Sequence", "PyDatasetBase")
        and base.__module__.partition(".")[0] in ("keras", "tf_keras", "tensorflow")
        for base in type(x).__mro__
    )


def check_workers(workers: int, max_queue_size: int) -> None:
    """Refuses numbers of workers and of batches ahead that mean nothing.

    Raises:
        ValueError: for a negative number of workers, or a queue of less than one batch.
    """
    for name, value, least in (("workers", workers, 0), ("max_queue_size", max_queue_size, 1)):
        if isinstance(value, bool) or int(value) != value or value < least:
            raise ValueError(f"`{name}` must be an integer of at least {least}, got {value!r}.")


class PyDatasetSource(Source):
    """The batches of a `PyDataset`.

    Args:
        dataset: the dataset.
        shuffle: whether batches come in random order (where their number is known).
        weigh: adds sample weights to a batch, or None.
        steps, resume: see `Source`.
        workers, use_multiprocessing, max_queue_size: instead of the dataset's own settings, if
            they are not 1, False and 10. With 0 workers batches are made in the main thread.
    """

    kind = "PyDataset"
    positionable = True

    def __init__(
        self,
        dataset: Any,
        shuffle: bool | str = False,
        weigh: Callable[[Batch], Batch] | None = None,
        steps: int | None = None,
        resume: bool = False,
        workers: int = 1,
        use_multiprocessing: bool = False,
        max_queue_size: int = 10,
    ) -> None:
        super().__init__(steps, resume)
        self._dataset = dataset
        self._shuffle = bool(shuffle)
        self._weigh = weigh
        own = getattr(dataset, "workers", 1)
        self._workers = own if workers == 1 else workers
        self._processes = use_multiprocessing or getattr(dataset, "use_multiprocessing", False)
        own = getattr(dataset, "max_queue_size", 10)
        self._ahead = own if max_queue_size == 10 else max_queue_size
        self._crew: Crew | None = None
        self._making: weakref.ref[Generator[Any, None, None]] | None = None
        self._told = [0, 0]  # how often the dataset was told that an epoch begins, and ended
        self._knows = False  # whether it was told already that the next pass begins
        self._count_batches()
        self.repeats = self.num_batches is None

    def _count_batches(self) -> None:
        dataset = self._dataset
        count = dataset.num_batches if hasattr(dataset, "num_batches") else len(dataset)
        self.num_batches = None if count is None else int(count)

    def batches(self, seed: tuple[int, int], start: int = 0) -> Iterator[Batch]:
        if not self._knows:
            self._tell(0)
        self._knows = False
        return self._weighed(self._made(self._indices(seed, start)))

    def _weighed(self, made: Iterator[Any]) -> Iterator[Batch]:
        weigh = self._weigh
        for item in made:
            batch = as_batch(item)
            yield batch if weigh is None else weigh(batch)

    def _tell(self, event: int) -> None:
        self._told[event] += 1
        listener = getattr(self._dataset, ("on_epoch_begin", "on_epoch_end")[event], None)
        if listener is not None:
            listener()

    def _indices(self, seed: tuple[int, int], start: int) -> Iterator[int]:
        if self.num_batches is None:
            return itertools.count(start)
        if not self._shuffle:
            return iter(range(start, self.num_batches))
        return iter(host_permutation(*seed, self.num_batches).tolist()[start:])

    def _made(self, indices: Iterator[int]) -> Iterator[Any]:
        dataset, workers, processes = self._dataset, self._workers, self._processes
        if workers == 0 or (workers == 1 and not processes):
            return map(dataset.__getitem__, indices)
        if processes and self._crew is None:
            self._crew = Crew(workers)
        timeout = getattr(dataset, "timeout", PyDataset._timeout)
        made = made_ahead(dataset, indices, workers, self._ahead, timeout, self._crew)
        self._making = weakref.ref(made)  # a pass that nobody holds ends by itself
        return made

    def on_epoch_end(self) -> None:
        super().on_epoch_end()
        self._tell(1)
        # Its length may differ from epoch to epoch.
        if not self.repeats and self._pass is None:
            self._count_batches()

    def close(self) -> None:
        super().close()
        if self._making is not None and (made := self._making()) is not None:
            made.close()
        if self._crew is not None:
            self._crew.close()

    def _identity(self) -> dict[str, Any]:
        return {"shuffle": self._shuffle}

    def _more_position(self) -> dict[str, Any]:
        more: dict[str, Any] = {"batches": self.num_batches, "told": list(self._told)}
        if hasattr(self._dataset, "get_state"):
            more["state"] = self._dataset.get_state()
        return more

    def _restore_more(self, position: Mapping[str, Any]) -> None:
        if "state" in position and hasattr(self._dataset, "set_state"):
            self._dataset.set_state(position["state"])
            self._told = list(position["told"])
        while self._told[0] < position["told"][0] or self._told[1] < position["told"][1]:
            for event, count in enumerate(position["told"]):
                if self._told[event] < count:
                    self._tell(event)
        self._knows = position["pass"] is not None
        self._count_batches()
        if self.num_batches != position["batches"]:
            raise ValueError(
                "The data is not the one that the position was taken from: it had "
                f"{position['batches']} batches, now it has {self.num_batches}."
            )
