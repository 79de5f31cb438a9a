"""Sources over what can only be iterated: generators, `tf.data` datasets, torch `DataLoader`s.

No framework is imported to know its objects: the module of their type tells. Tensors of another
framework than the backend's become NumPy arrays.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from multikeras import dtypes, tree
from multikeras.backends import native
from multikeras.data.source import RAN_OUT, Batch, Source
from multikeras.data.structures import is_plain_list, room_of, unpack_x_y_sample_weight

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
        array = leaf.to_numpy()
        return _array(array[:, None] if array.ndim == 1 else array)
    if hasattr(leaf, "toarray"):
        return _array(leaf.toarray())
    if hasattr(leaf, "detach"):
        leaf = leaf.detach().cpu()
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

    def batches(self, seed: tuple[int, int], start: int = 0) -> Iterator[Batch]:
        weigh = self._weigh
        for data in self._iterable:
            batch = as_batch(data)
            yield batch if weigh is None else weigh(batch)


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

    Args:
        iterator: yields `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.
        weigh: adds sample weights to a batch, or None.
        steps, resume: see `Source`; an iterator always goes on where it stopped.

    Attributes:
        exhausted: whether the iterator has ended.
    """

    def __init__(
        self,
        iterator: Iterator[Any],
        weigh: Callable[[Batch], Batch] | None = None,
        steps: int | None = None,
        resume: bool = False,
    ) -> None:
        super().__init__(steps, resume=False)
        self._iterator = iterator
        self._weigh = weigh
        self._begun = False
        self.exhausted = False

    def batches(self, seed: tuple[int, int], start: int = 0) -> Iterator[Batch]:
        weigh = self._weigh
        if self.exhausted and self._steps is None:
            warnings.warn(RAN_OUT, stacklevel=3)
        # A for loop, not `yield from`: an epoch that is left early must not close the iterator.
        for data in self._iterator:
            batch = as_batch(data)
            yield batch if weigh is None else weigh(batch)
        self.exhausted = True
