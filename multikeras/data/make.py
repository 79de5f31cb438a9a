"""`make_source`: which source reads which kind of data, and which arguments contradict it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from multikeras.data.arrays import ArraySource
from multikeras.data.iterables import IterableSource, IteratorSource, is_data_loader, is_tf_dataset
from multikeras.data.py_dataset import PyDatasetSource, is_py_dataset
from multikeras.data.source import Batch, Source
from multikeras.data.structures import class_weight_to_sample_weights, is_arrays


def make_source(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    shuffle: bool | str = False,
    class_weight: Mapping[int, float] | None = None,
    steps: int | None = None,
    resume: bool = False,
    workers: int = 1,
    use_multiprocessing: bool = False,
    max_queue_size: int = 10,
) -> Source:
    """The source that makes batches of `x`.

    Args:
        x: arrays (NumPy, tensors, pandas tables, `h5py` datasets, sparse matrices) or lists,
            tuples and dicts of them, or what makes batches itself: a `PyDataset`, a Python
            generator or iterator, a `tf.data.Dataset`, a torch `DataLoader`, or anything else
            that can be iterated.
        y: targets, with arrays only.
        sample_weight: weights of the samples, with arrays only.
        batch_size: rows of a batch, with arrays only. Defaults to 32.
        shuffle: with arrays: see `ArraySource`; with a `PyDataset`: whether its batches come in
            random order. Other kinds of data keep their order.
        class_weight: weights of the samples by their class.
        steps: how many batches are taken each epoch.
        resume: whether an epoch of `steps` batches goes on where the last one stopped.

    Returns:
        A `Source`.

    Raises:
        ValueError: for data of an unknown kind, and for arguments that contradict the kind.

    Example:
        >>> import numpy as np
        >>> make_source(np.zeros((10, 2)), np.zeros(10), batch_size=4).num_batches
        3
    """
    if steps is not None and (isinstance(steps, bool) or int(steps) != steps or steps < 1):
        if steps != -1:
            raise ValueError(f"The number of steps must be a positive integer, got {steps!r}.")
        steps = None
    if x is None:
        raise ValueError("`x` is None: there is no data.")
    common: dict[str, Any] = {"steps": steps, "resume": resume}
    kind = _kind(x)
    if kind is None:
        if not is_arrays(x):
            raise ValueError(
                "`x`: expected arrays, a structure of arrays, or something that yields batches "
                "(a generator, a PyDataset, a tf.data.Dataset, a torch DataLoader); got "
                f"{_short(x)} of type {type(x).__module__}.{type(x).__name__}."
            )
        return ArraySource(x, y, sample_weight, batch_size, shuffle, class_weight, **common)
    for name, value in (("y", y), ("sample_weight", sample_weight), ("batch_size", batch_size)):
        if value is not None:
            remedy = "batches" if name == "batch_size" else f"`{name}`"
            raise ValueError(
                f"`{name}` can't be given when `x` is a {kind}: the {kind} itself must yield "
                f"{remedy}{' of that size' if name == 'batch_size' else ''}."
            )
    weigh = _weigher(class_weight)
    if kind == "PyDataset":
        return PyDatasetSource(x, shuffle, weigh, **common)
    if isinstance(x, Iterator):
        return IteratorSource(x, weigh, **common)
    return IterableSource(x, weigh, **common)


def _kind(x: Any) -> str | None:
    """What yields batches by itself, in words; None: arrays, or nothing known."""
    if is_py_dataset(x):
        return "PyDataset"
    if is_tf_dataset(x):
        return "tf.data.Dataset"
    if is_data_loader(x):
        return "torch DataLoader"
    if isinstance(x, Iterator):
        return "generator"
    structured = isinstance(x, (list, tuple, Mapping, str, bytes, set, frozenset))
    if hasattr(type(x), "__iter__") and not structured and not hasattr(x, "shape"):
        return "dataset"
    return None


def _weigher(class_weight: Mapping[int, float] | None) -> Callable[[Batch], Batch] | None:
    """What adds a batch's sample weights by class, or None."""
    if not class_weight:
        return None

    def weigh(batch: Batch) -> Batch:
        x, y, sample_weight = batch
        if sample_weight is not None:
            raise ValueError(
                "`class_weight` was given, but the data yields sample weights of its own; "
                "use one of them."
            )
        return x, y, class_weight_to_sample_weights(y, class_weight)

    return weigh


def _short(x: Any) -> str:
    text = repr(x)
    return text if len(text) <= 80 else f"{text[:77]}..."
