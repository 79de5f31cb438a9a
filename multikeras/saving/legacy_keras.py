"""`.keras` files that tf.keras 2.12 and later wrote: Keras 3's zip with an older content.

The config is that of tf.keras 2 (`legacy_config`). Beside the weights lie the states of metrics,
which are passed over, and the optimizer has no learning rate among its variables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from multikeras.saving.container import ZipReader
from multikeras.saving.hdf5 import Arrays, StoredArray, StoredGroup

METADATA = "metadata.json"
_OPTIMIZER = "optimizer/vars"


def is_keras_2(archive: ZipReader) -> bool:
    """Whether tf.keras 2 wrote the archive."""
    metadata = archive.read_json(METADATA) if METADATA in archive else None
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    return isinstance(version, str) and version.startswith("2.")


class Keras2Arrays:
    """The arrays of such a file as a file of Keras 3 would have them.

    Args:
        reader: the file.
        optimizer: the model's, compiled as the file says; its learning rate stands in for the
            one that the file keeps in the config.
    """

    def __init__(self, reader: Arrays, optimizer: Any = None) -> None:
        self.path = reader.path
        self.total_bytes = reader.total_bytes
        self.groups = {
            name: group
            for name, group in reader.groups.items()
            if name != "metrics" and not name.startswith("metrics/")
        }
        rate = getattr(optimizer, "_learning_rate", None)
        has_rate = any(variable is rate for variable in getattr(optimizer, "variables", ()))
        if has_rate and _OPTIMIZER in self.groups:
            state = self.groups[_OPTIMIZER]
            self.groups[_OPTIMIZER] = StoredGroup(state.name, _with_rate(state.arrays, rate))


@dataclass(frozen=True)
class _Value:
    """A value that stands in for an array of the file."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    value: np.ndarray

    def read(self) -> np.ndarray:
        return self.value


def _with_rate(arrays: dict[str, StoredArray], rate: Any) -> dict[str, Any]:
    """The optimizer's arrays with the learning rate at the second place."""
    found: dict[str, Any] = {
        str(int(key) + (key != "0")) if key.isdecimal() else key: array
        for key, array in arrays.items()
    }
    value = np.asarray(rate.numpy())
    found["1"] = _Value(f"{_OPTIMIZER}/1", value.shape, value.dtype.name, value)
    return found
