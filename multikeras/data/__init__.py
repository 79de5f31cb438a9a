"""From every kind of input data to batches `(x, y, sample_weight)`."""

from multikeras.data.arrays import ArraySource as ArraySource
from multikeras.data.iterables import IterableSource as IterableSource
from multikeras.data.iterables import IteratorSource as IteratorSource
from multikeras.data.iterables import as_batch as as_batch
from multikeras.data.make import make_source as make_source
from multikeras.data.py_dataset import PyDataset as PyDataset
from multikeras.data.py_dataset import PyDatasetSource as PyDatasetSource
from multikeras.data.source import Source as Source
from multikeras.data.structures import (
    class_weight_to_sample_weights as class_weight_to_sample_weights,
)
from multikeras.data.structures import is_arrays as is_arrays
from multikeras.data.structures import pack_x_y_sample_weight as pack_x_y_sample_weight
from multikeras.data.structures import train_validation_split as train_validation_split
from multikeras.data.structures import unpack_x_y_sample_weight as unpack_x_y_sample_weight

__all__ = [
    "ArraySource",
    "IterableSource",
    "IteratorSource",
    "PyDataset",
    "PyDatasetSource",
    "Source",
    "as_batch",
    "class_weight_to_sample_weights",
    "is_arrays",
    "make_source",
    "pack_x_y_sample_weight",
    "train_validation_split",
    "unpack_x_y_sample_weight",
]
