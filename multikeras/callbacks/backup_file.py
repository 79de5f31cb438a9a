"""One file with all of a run: the model's variables, and state as plain data and arrays.

The file is a zip of `state.json`, `arrays.h5` and `model.weights.h5` (in the layout of Keras 3).
It is written whole or not at all, so weights and state always belong together; nothing in it is
code, and it says the same on every backend. Refused when writing: state that is neither plain
data nor arrays of numbers. Refused when reading: whatever the reader of model files refuses.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from multikeras.saving.atomic import atomic_file
from multikeras.saving.container import CorruptFileError, ZipWriter, open_zip
from multikeras.saving.hdf5 import create_hdf5, open_hdf5, write_array
from multikeras.saving.weights import read_weights, write_weights

_FORMAT = 1
_STATE, _ARRAYS, _WEIGHTS = "state.json", "arrays.h5", "model.weights.h5"
_ARRAY_KEY = "__array__"


def write_backup(path: str | os.PathLike[str], model: Any, state: Mapping[str, Any]) -> None:
    """Writes a model's variables and a state.

    Args:
        path: the file; one that exists is replaced at the end, at once.
        model: the model, built.
        state: nested dicts (with strings as keys) and lists of numbers, strings, None and NumPy
            arrays. Tuples come back as lists.

    Raises:
        TypeError: for anything else in the state, naming the place.
    """
    arrays: list[np.ndarray] = []
    plain = {"format": _FORMAT, "state": _encoded(state, arrays, "state")}
    with atomic_file(path) as file, ZipWriter(file) as archive:
        archive.add(_STATE, json.dumps(plain))
        with archive.open(_ARRAYS) as window, create_hdf5(window) as h5:
            for index, array in enumerate(arrays):
                write_array(h5, str(index), array)
        with archive.open(_WEIGHTS) as window, create_hdf5(window) as h5:
            write_weights(model, h5)


def read_state(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The state of a file that `write_backup` wrote.

    Raises:
        CorruptFileError: (a `ValueError`) if the file is damaged, or not such a file.
    """
    name = os.fspath(path)
    with open_zip(name) as archive:
        for member in (_STATE, _ARRAYS, _WEIGHTS):
            if member not in archive:
                raise CorruptFileError(f"{name!r} is no backup of a run: it has no {member!r}.")
        plain = archive.read_json(_STATE)
        if not isinstance(plain, dict) or plain.get("format") != _FORMAT:
            found = plain.get("format") if isinstance(plain, dict) else None
            raise CorruptFileError(
                f"{name!r} is no backup of a run that this version reads: its format is "
                f"{found!r}, expected {_FORMAT}."
            )
        with archive.open(_ARRAYS) as file, open_hdf5(file, name) as reader:
            group = reader.groups.get("")
            stored = {} if group is None else group.arrays

            def read(index: Any) -> np.ndarray:
                if str(index) not in stored:
                    raise CorruptFileError(f"{name!r} is damaged: array {index!r} is missing.")
                return stored[str(index)].read()

            return _decoded(plain.get("state"), read)


def load_variables(path: str | os.PathLike[str], model: Any) -> None:
    """Gives a model, and its optimizer, the variables of a file that `write_backup` wrote.

    Raises:
        CorruptFileError: (a `ValueError`) if the file is damaged.
        WeightsMismatchError: (a `ValueError`) if they don't fit, listing both sides; nothing has
            been changed then.
    """
    name = os.fspath(path)
    with open_zip(name) as archive, archive.open(_WEIGHTS) as file:
        with open_hdf5(file, name) as reader:
            read_weights(model, reader)


def _encoded(value: Any, arrays: list[np.ndarray], where: str) -> Any:
    """`value` with numbers of arrays in place of the arrays, which are added to the list."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Mapping):
        bad = [key for key in value if not isinstance(key, str) or key == _ARRAY_KEY]
        if bad:
            raise TypeError(f"{where}: names in it must be strings, got {bad[0]!r}.")
        return {key: _encoded(item, arrays, f"{where}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encoded(item, arrays, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, (np.ndarray, np.generic)):
        arrays.append(np.asarray(value))
        scalar = isinstance(value, np.generic)
        return {_ARRAY_KEY: len(arrays) - 1} | ({"scalar": True} if scalar else {})
    raise TypeError(
        f"{where}: expected plain data (dicts, lists, numbers, strings, None) or NumPy arrays, "
        f"got {value!r} of type {type(value).__name__}."
    )


def _decoded(value: Any, read: Any) -> Any:
    if isinstance(value, dict):
        if _ARRAY_KEY in value:
            array = read(value[_ARRAY_KEY])
            return array[()] if value.get("scalar") else array
        return {key: _decoded(item, read) for key, item in value.items()}
    if isinstance(value, list):
        return [_decoded(item, read) for item in value]
    return value
