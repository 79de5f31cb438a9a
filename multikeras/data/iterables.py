"""Sources over what can only be iterated: generators, `tf.data` datasets, torch `DataLoader`s.

No framework is imported to know its objects: the module of their type tells. Tensors of another
framework than the backend's become NumPy arrays.
"""

from __future__ import annotations

import base64
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from multikeras import dtypes, tree
from multikeras.backends import native
from multikeras.data.source import RAN_OUT, Batch, Source
from multikeras.data.structures import (
    is_plain_list,
    on_host,
    room_of,
    table_to_array,
    unpack_x_y_sample_weight,
)
from multikeras.data.workers import END, ReadAhead

core = native.core


def as_batch(data: Any) -> Batch:
    """What a dataset yielded, as `(x, y, sample_weight)` of arrays.

    Raises:
        ValueError: for a namedtuple, or a tuple that is too long.
    """
    x, y, sample_weight = unpack_x_y_sample_weight(data)
    return _arrays(x), _arrays(y), _arrays(sample_weight)


def _arrays(part: Any) -> Any:
    if part is None:
        return None
    if isinstance(part, (list, tuple, dict)):
        if is_plain_list(part):
            return _array(np.asarray(part))
        return tree.map_structure(_array, part)
    return _array(part)


def _array(leaf: Any) -> Any:
    if type(leaf) is np.ndarray:
        if leaf.dtype == np.float64 and dtypes.floatx() != "float64":
            return leaf.astype(dtypes.numpy_dtype(dtypes.floatx()))
        return leaf
    if leaf is None or core.is_tensor(leaf):
        return leaf
    if room_of(leaf) == "pandas":
        return _array(table_to_array(leaf, "x"))
    if hasattr(leaf, "toarray"):
        return _array(leaf.toarray())
    leaf = on_host(leaf)
    return _array(leaf.numpy() if hasattr(leaf, "numpy") else np.asarray(leaf))


def is_tf_dataset(x: Any) -> bool:
    """Whether `x` is a `tf.data.Dataset` or a distributed one."""
    return room_of(x) == "tensorflow" and hasattr(x, "element_spec") and hasattr(x, "__iter__")


def is_data_loader(x: Any) -> bool:
    """Whether `x` is a torch `DataLoader`."""
    return any(
        base.__name__ == "DataLoader" and base.__module__.startswith("torch.utils.data")
        for base in type(x).__mro__
    )


class IterableSource(Source):
    """Batches of something that starts anew whenever it is iterated.

    A position in it is reached by going over the batches before it once more. That leads to the
    same place only if a pass is like the one before: a torch `DataLoader` in random order must
    have a generator of its own, whose state then belongs to the position; a `tf.data.Dataset`
    that shuffles must have a seed.

    Args:
        iterable: yields `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.
        weigh: adds sample weights to a batch, or None.
        steps, resume: see `Source`.
    """

    def __init__(
        self,
        iterable: Iterable[Any],
        weigh: Callable[[Batch], Batch] | None = None,
        steps: int | None = None,
        resume: bool = False,
    ) -> None:
        super().__init__(steps, resume)
        self._iterable = iterable
        self._weigh = weigh
        self.num_batches, self.repeats = _count(iterable)
        self.batch_size = _batch_size(iterable)
        self._generators = _own_generators(iterable)
        self._at_begin: list[str] = []  # the generators' states when the pass began
        self._passes = 0
        self._counted = False  # whether the next pass is one that was counted already

    def batches(self, seed: tuple[int, int], start: int = 0) -> Iterator[Batch]:
        self._at_begin = [_state(generator) for generator in self._generators]
        self._passes += not self._counted
        self._counted = False
        return self._read()

    def _read(self) -> Iterator[Batch]:
        weigh = self._weigh
        for data in self._iterable:
            batch = as_batch(data)
            yield batch if weigh is None else weigh(batch)

    def _identity(self) -> dict[str, Any]:
        return {"batches": self.num_batches}

    def _more_position(self) -> dict[str, Any]:
        states = self._at_begin if self._begun else []
        states = states or [_state(generator) for generator in self._generators]
        return {"generators": states, "passes": self._passes}

    def check_position(self, position: Mapping[str, Any], fast_forward: bool) -> None:
        """Raises ValueError where the data can't go on at a position (see `set_position`)."""
        if not fast_forward and (reason := _why_random(self._iterable)):
            raise ValueError(
                f"The data can't be brought to a position: {reason}, so another pass has its "
                "batches in another order. Or ask for fast_forward=True, which skips as many "
                "batches of another order."
            )

    def _restore_more(self, position: Mapping[str, Any]) -> None:
        self._at_begin = list(position["generators"])
        for generator, state in zip(self._generators, self._at_begin, strict=False):
            _set_state(generator, state)
        self._counted = position["pass"] is not None
        if is_tf_dataset(self._iterable):  # each iterator of a seeded shuffle has another order
            for _ in range(self._passes, position["passes"] - self._counted):
                iter(self._iterable)
        self._passes = position["passes"]


def _samplers(iterable: Any) -> list[Any]:
    """What decides on the order of a torch `DataLoader`."""
    if not is_data_loader(iterable):
        return []
    found = [getattr(iterable, "sampler", None), getattr(iterable, "batch_sampler", None)]
    found.append(getattr(found[1], "sampler", None))
    return [sampler for sampler in found if sampler is not None]


def _own_generators(iterable: Any) -> list[Any]:
    """The random generators that belong to a torch `DataLoader`."""
    holders = [iterable, *_samplers(iterable)] if is_data_loader(iterable) else []
    found = {id(g): g for g in (getattr(h, "generator", None) for h in holders) if g is not None}
    return list(found.values())


def _state(generator: Any) -> str:
    return base64.b64encode(generator.get_state().numpy().tobytes()).decode()


def _set_state(generator: Any, text: str) -> None:
    state = generator.get_state()
    state.numpy()[:] = np.frombuffer(base64.b64decode(text), np.uint8)
    generator.set_state(state)


def _why_random(iterable: Any) -> str | None:
    """Why a pass can't be had once more, in words; None: it can, as far as one sees."""
    for sampler in _samplers(iterable):
        if hasattr(sampler, "generator") and sampler.generator is None:
            return (
                "the DataLoader draws a random order from the global generator; give it one of "
                "its own, as in `DataLoader(..., generator=torch.Generator().manual_seed(1))`"
            )
    if is_tf_dataset(iterable) and _shuffles_without_seed(iterable):
        return (
            "the tf.data.Dataset shuffles without a seed; give it one, as in "
            "`dataset.shuffle(1000, seed=1)`, or call `tf.random.set_seed` before it is made"
        )
    return None


def _shuffles_without_seed(dataset: Any) -> bool:
    """Whether a `tf.data.Dataset`, or one that it is made of, draws its order anew."""
    seeds: list[Any] = [getattr(dataset, name, None) for name in ("_seed", "_seed2")]
    if None not in seeds and not any(int(seed) for seed in seeds):
        return True
    inputs = getattr(dataset, "_inputs", None)
    return callable(inputs) and any(_shuffles_without_seed(each) for each in inputs())


def _count(iterable: Any) -> tuple[int | None, bool]:
    """The number of batches if it is known, and whether there is no end."""
    if is_tf_dataset(iterable):
        cardinality = getattr(iterable, "cardinality", None)
        count = -2 if cardinality is None else int(cardinality())
        return (count if count >= 0 else None), count == -1
    try:
        return len(iterable), False
    except (TypeError, NotImplementedError):
        return None, False


def _batch_size(iterable: Any) -> int | None:
    if is_data_loader(iterable):
        return iterable.batch_size
    if is_tf_dataset(iterable):
        shapes = [getattr(s, "shape", None) for s in tree.flatten(iterable.element_spec)]
        if shapes and shapes[0] is not None and shapes[0].rank:
            return shapes[0][0]
    return None


class IteratorSource(Source):
    """Batches of a Python generator or another iterator: one pass, which epochs share.

    A thread that reads ahead never reads beyond the `steps` of an epoch: nothing of the iterator
    is lost when the last epoch is over. What it has read of an epoch that is left early comes
    first in the next one.

    Args:
        iterator: yields `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.
        weigh: adds sample weights to a batch, or None.
        steps, resume: see `Source`; an iterator always goes on where it stopped.
        workers: 0 or 1: batches are made when they are needed; more: a thread makes them ahead.
        use_multiprocessing: an iterator can't be sent to a process: gives a thread, too.
        max_queue_size: how many batches the thread makes ahead at most. A number that is not 10
            asks for the thread as well.

    Attributes:
        exhausted: whether the iterator has ended.
    """

    kind = "generator"

    def __init__(
        self,
        iterator: Iterator[Any],
        weigh: Callable[[Batch], Batch] | None = None,
        steps: int | None = None,
        resume: bool = False,
        workers: int = 1,
        use_multiprocessing: bool = False,
        max_queue_size: int = 10,
    ) -> None:
        super().__init__(steps, resume=False)
        self._iterator = iterator
        self._weigh = weigh
        self._total = 0  # batches taken of the iterator
        self._skip = 0
        self.exhausted = False
        self._ahead: ReadAhead | None = None
        if use_multiprocessing and workers:
            warnings.warn(
                "A generator can't be sent to another process: its batches are made ahead by a "
                "thread. A PyDataset can have worker processes.",
                stacklevel=4,
            )
        if workers and (workers > 1 or use_multiprocessing or max_queue_size != 10):
            self._ahead = ReadAhead(iterator, max_queue_size)

    def batches(self, seed: tuple[int, int], start: int = 0) -> Iterator[Batch]:
        weigh = self._weigh
        if self.exhausted and self._steps is None:
            warnings.warn(RAN_OUT, stacklevel=3)
        self._fast_forward()
        if self._ahead is not None:
            self._ahead.allow(None if self._steps is None else self._steps - self._step)
        # A for loop, not `yield from`: an epoch that is left early must not close the iterator.
        for data in self._iterator if self._ahead is None else self._ahead:
            self._total += 1
            batch = as_batch(data)
            yield batch if weigh is None else weigh(batch)
        self.exhausted = True

    def _fast_forward(self) -> None:
        count, self._skip = self._skip, 0
        for number in range(count):
            if next(self._iterator, END) is END:
                raise ValueError(
                    f"The generator ended after {number} batches; the position that it should be "
                    f"brought to is behind batch {count}."
                )

    def close(self) -> None:
        super().close()
        if self._ahead is not None:
            self._ahead.close()

    def _more_position(self) -> dict[str, Any]:
        return {"total": self._total}

    def check_position(self, position: Mapping[str, Any], fast_forward: bool) -> None:
        """Raises ValueError where the data can't go on at a position (see `set_position`)."""
        if position["total"] and not fast_forward:
            raise ValueError(
                f"A generator can't be brought to a position: {position['total']} batches of it "
                "were used, and only making them again leads there. Use arrays or a PyDataset, "
                "whose batches have numbers; or ask for fast_forward=True, which takes that many "
                "batches from the generator and throws them away."
            )

    def _restore_more(self, position: Mapping[str, Any]) -> None:
        self._begun = False  # not by skipping batches of a pass: `_fast_forward` does it
        self._skip = self._total = int(position["total"])
