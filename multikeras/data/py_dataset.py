"""`PyDataset`: a dataset that a program writes as a class, and the source that reads it.

With several workers the batches are made ahead by threads or processes, and still come in
order. An error in a worker surfaces where its batch was due, with the worker's traceback.
"""

from __future__ import annotations

import itertools
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from multikeras.data.iterables import as_batch
from multikeras.data.source import Batch, Source
from multikeras.random._threefry import host_permutation


class PyDataset:
    """Base class of datasets that make their batches one by one, by number.

    A subclass has `__getitem__(index)`, which returns a whole batch `(x,)`, `(x, y)` or
    `(x, y, sample_weight)`, and `__len__`, the number of batches; without `__len__` (or with a
    `num_batches` of None) the dataset never ends. `on_epoch_begin` and `on_epoch_end` may be
    overridden.

    Args:
        workers: how many threads or processes make batches ahead. With 1 and without
            `use_multiprocessing` they are made when they are needed. Defaults to 1.
        use_multiprocessing: whether workers are processes. They are started afresh, so the
            dataset must be picklable and the program must guard its entry point with
            `if __name__ == "__main__"`. Defaults to False.
        max_queue_size: how many batches are made ahead at most. Defaults to 10.

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

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    @property
    def workers(self) -> int:
        """How many threads or processes make batches."""
        return self._workers

    @workers.setter
    def workers(self, value: int) -> None:
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
        self._max_queue_size = value

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


class PyDatasetSource(Source):
    """The batches of a `PyDataset`.

    Args:
        dataset: the dataset.
        shuffle: whether batches come in random order (where their number is known).
        weigh: adds sample weights to a batch, or None.
        steps, resume: see `Source`.
    """

    positionable = True

    def __init__(
        self,
        dataset: Any,
        shuffle: bool | str = False,
        weigh: Callable[[Batch], Batch] | None = None,
        steps: int | None = None,
        resume: bool = False,
    ) -> None:
        super().__init__(steps, resume)
        self._dataset = dataset
        self._shuffle = bool(shuffle)
        self._weigh = weigh
        count = dataset.num_batches if hasattr(dataset, "num_batches") else len(dataset)
        self.num_batches = None if count is None else int(count)
        self.repeats = count is None

    def batches(self, seed: tuple[int, int], start: int = 0) -> Iterator[Batch]:
        dataset, weigh = self._dataset, self._weigh
        if hasattr(dataset, "on_epoch_begin"):
            dataset.on_epoch_begin()
        for made in self._made(self._indices(seed, start)):
            batch = as_batch(made)
            yield batch if weigh is None else weigh(batch)

    def _indices(self, seed: tuple[int, int], start: int) -> Iterator[int]:
        if self.num_batches is None:
            return itertools.count(start)
        if not self._shuffle:
            return iter(range(start, self.num_batches))
        return iter(host_permutation(*seed, self.num_batches).tolist()[start:])

    def _made(self, indices: Iterator[int]) -> Iterator[Any]:
        dataset = self._dataset
        workers = getattr(dataset, "workers", 1)
        processes = getattr(dataset, "use_multiprocessing", False)
        if workers <= 1 and not processes:
            return map(dataset.__getitem__, indices)
        ahead = max(1, getattr(dataset, "max_queue_size", 10))
        return _made_ahead(dataset, indices, max(1, workers), processes, ahead)

    def on_epoch_end(self) -> None:
        if hasattr(self._dataset, "on_epoch_end"):
            self._dataset.on_epoch_end()
        # Its length may differ from epoch to epoch.
        if not self.repeats and self._pass is None:
            dataset = self._dataset
            self.num_batches = getattr(dataset, "num_batches", None) or len(dataset)


def _made_ahead(
    dataset: Any, indices: Iterator[int], workers: int, processes: bool, ahead: int
) -> Iterator[Any]:
    pool: Executor
    if processes:
        # Threads that frameworks started do not survive a fork.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, context, _adopt, (dataset,))
        make: Callable[[int], Any] = _make_adopted
    else:
        pool = ThreadPoolExecutor(workers, thread_name_prefix="multikeras-data")
        make = dataset.__getitem__
    waiting: deque[Future] = deque()
    try:
        for index in itertools.islice(indices, ahead):
            waiting.append(pool.submit(make, index))
        while waiting:
            made = waiting.popleft().result()
            for index in itertools.islice(indices, 1):
                waiting.append(pool.submit(make, index))
            yield made
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_adopted: Any = None


def _adopt(dataset: Any) -> None:
    """Gives a worker process its copy of the dataset."""
    global _adopted
    _adopted = dataset


def _make_adopted(index: int) -> Any:
    return _adopted[index]
