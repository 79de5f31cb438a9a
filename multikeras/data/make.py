"""`make_source`: which source reads which kind of data, and which arguments contradict it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from multikeras.data.arrays import ArraySource
from multikeras.data.iterables import IterableSource, IteratorSource, is_data_loader, is_tf_dataset
from multikeras.data.py_dataset import PyDatasetSource, check_workers, is_py_dataset
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
            that can be iterated; or an object whose `dataset_fn(input_context)` makes one of
            these, as `DatasetCreator` of tf.keras does.
        y: targets, with arrays only.
        sample_weight: weights of the samples, with arrays only.
        batch_size: rows of a batch, with arrays only. Defaults to 32.
        shuffle: with arrays: see `ArraySource`; with a `PyDataset`: whether its batches come in
            random order. Other kinds of data keep their order. Arrays are shuffled with
            `steps` too.
        class_weight: weights of the samples by their class, which multiply `sample_weight`.
        steps: how many batches are taken each epoch, with any kind of data. None: all of them,
            which data that never ends is refused for; -1: all of them, whether they end or not.
        resume: whether an epoch of `steps` batches goes on where the last one stopped.
        workers: with a `PyDataset` or a generator: how many threads or processes make batches
            ahead. With 0, and with a generator also with 1, the main thread makes each batch
            when it is needed; a generator never takes more than one thread. Defaults to 1: what
            the `PyDataset` says.
        use_multiprocessing: whether a `PyDataset`'s workers are processes. A generator can't be
            passed to one: it gets a thread, and a warning.
        max_queue_size: how many batches are made ahead at most.

    Returns:
        A `Source`.

    Raises:
        ValueError: for data of an unknown kind, and for arguments that contradict the kind.

    Example:
        >>> import numpy as np
        >>> make_source(np.zeros((10, 2)), np.zeros(10), batch_size=4).num_batches
        3
    """
    endless = steps == -1
    steps = None if endless else steps
    if steps is not None and (isinstance(steps, bool) or int(steps) != steps or steps < 1):
        raise ValueError(f"The number of steps must be a positive integer, got {steps!r}.")
    check_workers(workers, max_queue_size)
    if x is None:
        raise ValueError("`x` is None: there is no data.")
    if callable(getattr(x, "dataset_fn", None)):
        x = x.dataset_fn(InputContext())
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
    ahead = (workers, bool(use_multiprocessing), max_queue_size)
    source: Source
    if kind == "PyDataset":
        source = PyDatasetSource(x, shuffle, weigh, steps, resume, *ahead)
    elif isinstance(x, Iterator):
        source = IteratorSource(x, weigh, steps, resume, *ahead)
    else:
        source = IterableSource(x, weigh, **common)
    if source.repeats and steps is None and not endless:
        raise ValueError(
            f"The {kind} never ends: give the number of steps of an epoch (`steps_per_epoch` in "
            "fit, `validation_steps` for validation data, `steps` in evaluate and predict). With "
            "-1 one epoch goes on for ever."
        )
    return source


class InputContext:
    """What a `dataset_fn` is told: that it makes the only pipeline, for the only replica.

    Example:
        >>> InputContext().get_per_replica_batch_size(64)
        64
    """

    num_input_pipelines = 1
    input_pipeline_id = 0
    num_replicas_in_sync = 1

    def get_per_replica_batch_size(self, global_batch_size: int) -> int:
        """The rows of a batch for one replica: all of them."""
        return global_batch_size


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
        return x, y, class_weight_to_sample_weights(y, class_weight, sample_weight)

    return weigh


def _short(x: Any) -> str:
    text = repr(x)
    return text if len(text) <= 80 else f"{text[:77]}..."
