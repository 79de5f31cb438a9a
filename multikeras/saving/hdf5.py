"""HDF5 files of arrays, read without trusting them; and written.

A file is walked once, before anything is read from it: links that are not plain (soft,
external), objects with two names, external storage, virtual datasets, unknown filters and
element types (references, variable length), and declared sizes that the file can't hold are all
refused with `CorruptFileError`. What remains is a table of arrays by path.

bfloat16 and 8-bit floats, which HDF5 doesn't know, are stored as opaque bytes with the dtype's
name as an attribute, as Keras does.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

try:
    import h5py
    from h5py import h5d, h5s, h5t
except ImportError:  # told by `need_h5py` to whoever opens a file
    h5py = None

from multikeras import dtypes
from multikeras.saving.atomic import Window
from multikeras.saving.container import CorruptFileError

MAX_OBJECTS = 1_000_000
MAX_DEPTH = 100
MAX_ELEMENT_BYTES = 4096
_MAX_NAME_BYTES = 65_536
_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}
# Datasets that are packed may hold this many times what they occupy (deflate's own limit).
_MAX_RATIO = 1100
_HEAP = b"GCOL"  # begins a heap; its size stands 8 bytes after
MAX_TEXT_BYTES = 256 * 2**20
MAX_NAMES = 100_000
# What a list of names may take in memory at the very most: names of a variable length may all
# be one long text that the file holds once.
MAX_NAMES_BYTES = 4 * 2**30
# Attributes in an object's header must stay below 64 KiB; each name takes 16 bytes there.
_NAMES_PER_ATTRIBUTE = 4000
# What h5py and the library beneath it raise on a file that makes no sense.
_LIBRARY_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError)


def need_h5py() -> None:
    """Raises ImportError, saying how to get it, if `h5py` is not there."""
    if h5py is None:
        raise ImportError(
            "Files of weights (HDF5) need the package h5py, which is not installed: "
            "pip install h5py."
        )


@dataclass(frozen=True)
class StoredArray:
    """An array that still lies in the file."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    _dataset: h5py.Dataset
    _file: str

    @property
    def nbytes(self) -> int:
        """Its size in memory."""
        return math.prod(self.shape) * dtypes.numpy_dtype(self.dtype).itemsize

    def read(self) -> np.ndarray:
        """The values, in a new array.

        Raises:
            CorruptFileError: if the file can't give them.
        """
        wanted = dtypes.numpy_dtype(self.dtype)
        stored = self._dataset.dtype
        # Straight into the result: h5py's own `dataset[()]` holds a second copy for opaque types.
        result = np.empty(self.shape, stored)
        try:
            if result.size:
                self._dataset.read_direct(result)
        except _LIBRARY_ERRORS as error:
            raise CorruptFileError(
                f"{self._file!r} is damaged: can't read {self.path!r}: {error}"
            ) from None
        return result if stored == wanted else result.view(wanted)


@dataclass
class StoredGroup:
    """A group of a file: its own arrays by name, and its `name` attribute."""

    name: str | None
    arrays: dict[str, StoredArray]


class Arrays(Protocol):
    """Arrays that lie in one file or in several."""

    path: str
    groups: dict[str, StoredGroup]
    total_bytes: int


class Hdf5Reader:
    """All arrays of an HDF5 file, after the whole file has been looked over.

    Args:
        file: A binary seekable file.
        path: Its name, for error messages.
        max_bytes: How many bytes all arrays may take in memory. Default: what the file's size
            allows.

    Attributes:
        groups: The groups by path (`"layers/dense/vars"`; the root is `""`).
        total_bytes: How many bytes all arrays take in memory.

    Raises:
        CorruptFileError: if anything in the file is not as it should be.
    """

    def __init__(self, file: Any, path: str, max_bytes: int | None = None) -> None:
        self.path = path
        self.groups: dict[str, StoredGroup] = {}
        self._budget = max_bytes
        self.total_bytes = 0
        self._seen: set[tuple[int, int]] = set()
        self._source = file
        self._longest: int | None = None
        need_h5py()
        try:
            self._h5 = h5py.File(file, "r")
        except _LIBRARY_ERRORS as error:
            raise CorruptFileError(
                f"{path!r} is no HDF5 file, or it was cut short: {error}"
            ) from None
        try:
            self._walk()
        except CorruptFileError:
            self.close()
            raise
        except _LIBRARY_ERRORS as error:
            self.close()
            raise CorruptFileError(f"{path!r} is damaged: {error}") from None

    def close(self) -> None:
        """Close the file; arrays can't be read any more."""
        self._h5.close()

    def text(self, group: str, name: str) -> str | None:
        """A text attribute of a group, or None.

        Raises:
            CorruptFileError: if it is longer than 256 MiB or no UTF-8.
        """
        try:
            return _text_attribute(self._item(group), name, MAX_TEXT_BYTES)
        except _LIBRARY_ERRORS as error:
            raise self._fail(f"can't read {name!r} of the group {group!r}: {error}") from None

    def names(self, group: str, name: str) -> list[str] | None:
        """A list of names that is an attribute of a group, or None.

        A list too long for one attribute is kept in several, `NAME0`, `NAME1`, ...

        Raises:
            CorruptFileError: if it is no list of texts.
        """
        item = self._item(group)
        try:
            if name in item.attrs:
                return self._names(item, name)
            found: list[str] = []
            part = 0
            while f"{name}{part}" in item.attrs:
                found += self._names(item, f"{name}{part}")
                part += 1
        except CorruptFileError:
            raise
        except _LIBRARY_ERRORS as error:
            raise self._fail(f"can't read {name!r} of the group {group!r}: {error}") from None
        return found if part else None

    def _item(self, group: str) -> Any:
        return self._h5[group] if group else self._h5

    def _names(self, item: Any, name: str) -> list[str]:
        attribute = item.attrs.get_id(name)
        if attribute.shape == (0,):
            return []  # an empty list has no type of its own
        if len(attribute.shape) != 1 or attribute.get_type().get_class() != h5t.STRING:
            raise self._fail(f"the attribute {name!r} of {item.name!r} is no list of names.")
        if attribute.shape[0] > MAX_NAMES or attribute.get_storage_size() > MAX_TEXT_BYTES:
            raise self._fail(f"the attribute {name!r} of {item.name!r} is too long.")
        if attribute.get_type().is_variable_str():
            if attribute.shape[0] * self._longest_text() > MAX_NAMES_BYTES:
                raise self._fail(f"the names {name!r} of {item.name!r} could take too much memory.")
        values = item.attrs[name]
        return [v.decode("utf-8") if isinstance(v, bytes) else str(v) for v in values.tolist()]

    def _longest_text(self) -> int:
        """How long a text of variable length can be: the size of the largest heap for them."""
        if self._longest is None:
            self._longest = 0
            size = self._source.seek(0, os.SEEK_END)
            step = 2**22
            for start in range(0, size, step):
                self._source.seek(start)
                chunk = self._source.read(step + 16)  # a heap may begin at the very end
                at = chunk.find(_HEAP)
                while at >= 0:
                    heap = int.from_bytes(chunk[at + 8 : at + 16], "little")
                    self._longest = max(self._longest, min(heap, size))
                    at = chunk.find(_HEAP, at + 1)
        return self._longest

    def _fail(self, problem: str) -> CorruptFileError:
        return CorruptFileError(f"{self.path!r} is refused: {problem}")

    def _walk(self) -> None:
        pending: list[tuple[str, h5py.Group, int]] = [("", self._h5, 0)]
        self._note(self._h5, "/")
        while pending:
            path, group, depth = pending.pop()
            if depth > MAX_DEPTH:
                raise self._fail(f"the group {path!r} is nested too deep.")
            found = self.groups[path] = StoredGroup(self._name(group), {})
            for name in group:
                below = f"{path}/{name}" if path else name
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise self._fail(f"{below!r} is a link to somewhere else.")
                item = group[name]
                self._note(item, below)
                if isinstance(item, h5py.Group):
                    pending.append((below, item, depth + 1))
                elif isinstance(item, h5py.Dataset):
                    found.arrays[name] = self._check_dataset(below, item)
                else:
                    raise self._fail(f"{below!r} is neither a group nor an array.")

    def _note(self, item: Any, path: str) -> None:
        info = h5py.h5o.get_info(item.id)
        key = (info.fileno, info.addr)
        if key in self._seen:
            raise self._fail(f"{path!r} is an object that already has another name.")
        self._seen.add(key)
        if len(self._seen) > MAX_OBJECTS:
            raise self._fail(f"it holds more than {MAX_OBJECTS} objects.")

    def _name(self, group: h5py.Group) -> str | None:
        return _text_attribute(group, "name")

    def _check_dataset(self, path: str, dataset: h5py.Dataset) -> StoredArray:
        settings = dataset.id.get_create_plist()
        layout = settings.get_layout()
        if layout == h5d.VIRTUAL:
            raise self._fail(f"the array {path!r} is virtual: its values lie in other files.")
        if settings.get_external_count():
            raise self._fail(f"the array {path!r} keeps its values in another file.")
        for index in range(settings.get_nfilters()):
            code = settings.get_filter(index)[0]
            if code not in _FILTERS:
                raise self._fail(f"the array {path!r} uses the unknown filter {code}.")
        space = dataset.id.get_space()
        if space.get_simple_extent_type() not in (h5s.SCALAR, h5s.SIMPLE):
            raise self._fail(f"the array {path!r} has no shape.")
        shape = tuple(int(n) for n in space.get_simple_extent_dims())
        dtype, width = self._check_type(path, dataset)
        size = math.prod(shape) * width
        stored = int(dataset.id.get_storage_size())
        if layout == h5d.CHUNKED:
            chunk = math.prod(settings.get_chunk()) * width
            believable = max(size, chunk) <= max(stored * _MAX_RATIO, 2**20)
        else:
            believable = size == stored
        if not believable:
            raise self._fail(
                f"the array {path!r} claims {size} bytes (shape {shape}) but occupies {stored}."
            )
        self.total_bytes += size
        if self._budget is not None and self.total_bytes > self._budget:
            raise self._fail(f"its arrays take more than {self._budget} bytes.")
        return StoredArray(path, shape, dtype, dataset, self.path)

    def _check_type(self, path: str, dataset: h5py.Dataset) -> tuple[str, int]:
        kind = dataset.id.get_type()
        width = kind.get_size()
        if width > MAX_ELEMENT_BYTES:
            raise self._fail(f"the elements of {path!r} have {width} bytes each.")
        if kind.get_class() == h5t.OPAQUE:
            name = _text_attribute(dataset, "dtype")
            known = ("bfloat16", *dtypes.FLOAT8_DTYPES)
            if name in known and dtypes.numpy_dtype(name).itemsize == width:
                return name, width
        elif kind.get_class() in (h5t.INTEGER, h5t.FLOAT, h5t.ENUM) or _is_complex(kind):
            name = kind.dtype.name
            if name in dtypes.ALL_DTYPES:
                return name, width
        raise self._fail(f"the array {path!r} does not hold numbers.")


def _is_complex(kind: Any) -> bool:
    return (
        kind.get_class() == h5t.COMPOUND
        and kind.get_nmembers() == 2
        and [kind.get_member_name(i) for i in range(2)] == [b"r", b"i"]
        and all(kind.get_member_class(i) == h5t.FLOAT for i in range(2))
    )


def _text_attribute(item: Any, name: str, max_bytes: int = _MAX_NAME_BYTES) -> str | None:
    """A text attribute, or None if it is missing, long or no text."""
    if name not in item.attrs:
        return None
    attribute = item.attrs.get_id(name)
    if attribute.get_type().get_class() != h5t.STRING or attribute.shape != ():
        return None
    if attribute.get_storage_size() > max_bytes:
        return None
    value = item.attrs[name]
    if isinstance(value, bytes):  # of a fixed length, as older files have it
        value = value.decode("utf-8")
    return value if isinstance(value, str) else None


@contextmanager
def open_hdf5(file: Any, path: str, max_bytes: int | None = None) -> Iterator[Hdf5Reader]:
    """Look an HDF5 file over and open it; see `Hdf5Reader`."""
    reader = Hdf5Reader(file, path, max_bytes)
    try:
        yield reader
    finally:
        reader.close()


@contextmanager
def create_hdf5(window: Window) -> Iterator[h5py.File]:
    """Write an HDF5 file into a window of another one.

    Raises:
        OSError: if the bytes could not be written.
    """
    need_h5py()
    try:
        with h5py.File(window, "w") as file:
            yield file
    except Exception:
        if window.error is not None:
            raise window.error from None
        raise
    if window.error is not None:
        raise window.error


def write_array(group: h5py.Group, name: str, values: np.ndarray) -> None:
    """Write one array; bfloat16 and the like as opaque bytes that remember their dtype.

    Raises:
        TypeError: if the array holds something else than numbers.
    """
    values = np.asarray(values)
    if values.dtype.kind in "biufc":
        group.create_dataset(name, data=values)
        return
    dtype = values.dtype.name
    if dtype not in dtypes.ALL_DTYPES or dtype == "string":
        raise TypeError(
            f"Can't store {name!r} of {group.name}: an array of dtype {values.dtype} is not "
            "made of numbers."
        )
    opaque = np.ascontiguousarray(values).view(f"V{values.dtype.itemsize}")
    group.create_dataset(name, data=opaque.reshape(values.shape)).attrs["dtype"] = dtype


def write_names(group: h5py.Group, name: str, values: list[str]) -> None:
    """Write a list of names as an attribute; a long one in several, `NAME0`, `NAME1`, ..."""
    if len(values) <= _NAMES_PER_ATTRIBUTE:
        group.attrs[name] = values
        return
    for part, start in enumerate(range(0, len(values), _NAMES_PER_ATTRIBUTE)):
        group.attrs[f"{name}{part}"] = values[start : start + _NAMES_PER_ATTRIBUTE]
