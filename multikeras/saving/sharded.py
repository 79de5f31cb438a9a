"""Weights in several files of a limited size, in the layout of Keras 3.

`NAME.weights.json` says which group of variables lies in which of the files
`NAME_00000.weights.h5`, ... beside it. Refused when reading: names of files that lead elsewhere,
files that hold one array twice, and whatever `hdf5` refuses.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from multikeras import dtypes
from multikeras.saving.atomic import Window, atomic_file
from multikeras.saving.container import MAX_JSON_BYTES, CorruptFileError, parse_json
from multikeras.saving.formats import KERAS_WEIGHTS, SHARDED_WEIGHTS
from multikeras.saving.hdf5 import StoredGroup, create_hdf5, open_hdf5
from multikeras.saving.weights import own_variables, write_weights_to

_GIGABYTE = 2**30
_MAX_SHARDS = 10_000
_SHARD_NAME = re.compile(r"[^/\\\x00-\x1f]+\.weights\.h5")


def write_sharded(model: Any, path: str, max_shard_size: float) -> None:
    """Write the weights of a model to files of a limited size.

    Args:
        model: built.
        path: ends in `.weights.json`.
        max_shard_size: in GB; a layer that is larger gets a file of its own.

    Raises:
        ValueError: if the size is not above zero.
    """
    if not max_shard_size > 0:
        raise ValueError(f"save_weights: max_shard_size must be above 0, got {max_shard_size!r}.")
    stem = path.removesuffix(SHARDED_WEIGHTS)
    limit = max_shard_size * _GIGABYTE
    weight_map: dict[str, list[str]] = {}
    total = used = 0.0
    shards: list[tuple[str, Any]] = []
    with ExitStack() as files:
        index = files.enter_context(atomic_file(path))  # takes its name last

        def open_shard() -> Any:
            name = f"{stem}_{len(shards):05d}{KERAS_WEIGHTS}"
            file = files.enter_context(atomic_file(name))
            shards.append((os.path.basename(name), files.enter_context(_h5(file))))
            return shards[-1][1]

        def choose(group: str, value: Any) -> Any:
            nonlocal total, used
            size = _size(value)
            if not shards or (used and size and used + size > limit):
                open_shard()
                used = 0.0
            used += size
            total += size
            if size:
                weight_map[f"/{group}"] = [shards[-1][0]]
            return shards[-1][1]

        write_weights_to(model, choose)
        content = {"metadata": {"total_size": total}, "weight_map": weight_map}
        index.write(json.dumps(content, indent=4).encode())


@contextmanager
def _h5(file: Any) -> Iterator[Any]:
    with create_hdf5(Window(file, 0)) as h5:
        yield h5


def _size(value: Any) -> int:
    """The bytes of the variables that an object itself stores."""
    if not hasattr(value, "save_own_variables"):
        return 0
    size = 0
    for variable in own_variables(value).values():
        count = 1
        for dimension in getattr(variable, "shape", ()):
            count *= int(dimension)
        size += count * dtypes.item_bytes(str(getattr(variable, "dtype", "float32")))
    return size


class ShardedReader:
    """The arrays of all shards, as if they stood in one file."""

    def __init__(self, path: str, readers: list[Any]) -> None:
        self.path = path
        self.groups: dict[str, StoredGroup] = {}
        self.total_bytes = sum(reader.total_bytes for reader in readers)
        for reader in readers:
            for name, group in reader.groups.items():
                found = self.groups.setdefault(name, StoredGroup(group.name, {}))
                for key, array in group.arrays.items():
                    if key in found.arrays:
                        raise CorruptFileError(
                            f"{path!r} is refused: two of its files hold {array.path!r}."
                        )
                    found.arrays[key] = array


@contextmanager
def open_sharded(path: str) -> Iterator[ShardedReader]:
    """Look all shards over and open them.

    Raises:
        CorruptFileError: if something is not as it should be.
    """
    if os.path.getsize(path) > MAX_JSON_BYTES:
        raise CorruptFileError(f"{path!r} is refused: it is too long.")
    with open(path, "rb") as file:
        content = parse_json(file.read(), path)
    folder = os.path.dirname(path)
    with ExitStack() as files:
        readers = []
        for name in _shard_names(path, content):
            shard = os.path.join(folder, name)
            if os.path.islink(shard) or not os.path.isfile(shard):
                raise CorruptFileError(f"{path!r}: its file {shard!r} is missing.")
            opened = files.enter_context(open(shard, "rb"))
            readers.append(files.enter_context(open_hdf5(opened, shard)))
        yield ShardedReader(path, readers)


def _shard_names(path: str, content: Any) -> list[str]:
    weight_map = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(weight_map, dict):
        raise CorruptFileError(f"{path!r} is refused: it has no weight_map.")
    found: dict[str, None] = {}
    for names in weight_map.values():
        for name in names if isinstance(names, list) else [names]:
            plain = isinstance(name, str) and _SHARD_NAME.fullmatch(name)
            if not plain or name.startswith("."):
                raise CorruptFileError(f"{path!r} is refused: {name!r} is no name of its files.")
            found[name] = None
    if len(found) > _MAX_SHARDS:
        raise CorruptFileError(f"{path!r} is refused: it names more than {_MAX_SHARDS} files.")
    return list(found)
