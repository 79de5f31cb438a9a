"""Zip archives and JSON from a stranger, read without trusting them; and written.

Everything is checked before it is used: names that leave the archive, links, encryption, two
members of one name, members that overlap, sizes that can't be true, checksums, the nesting of
JSON. Whatever is wrong raises `CorruptFileError`, which names the file. No member is ever
unpacked to a path that the archive chose.
"""

from __future__ import annotations

import json
import os
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from multikeras.saving.atomic import Window

MAX_MEMBERS = 10_000
MAX_JSON_BYTES = 256 * 2**20
MAX_JSON_DEPTH = 200
# Deflate reaches about 1030:1 at the very most; a weight file doesn't come near.
MAX_RATIO = 200
_CHUNK = 2**20
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")


class CorruptFileError(ValueError):
    """A file is damaged, is no file of its kind, or holds something a model file never holds."""


class ZipReader:
    """A zip archive whose listing has been checked.

    Args:
        file: The archive, binary and seekable.
        path: Its name, for error messages.
        max_bytes: How many bytes all members may hold together when unpacked. Default: as
            much as the file itself holds twenty times over, and 64 MiB at least.

    Raises:
        CorruptFileError: if anything about the archive is not as it should be.
    """

    def __init__(self, file: IO[bytes], path: str, max_bytes: int | None = None) -> None:
        self.path = path
        self._file = file
        size = file.seek(0, os.SEEK_END)
        self._budget = max_bytes if max_bytes is not None else max(20 * size, 64 * 2**20)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise CorruptFileError(
                f"{path!r} is no zip archive, or its end is missing: {error}"
            ) from None
        self._members = self._check_listing(size)

    def _fail(self, problem: str) -> CorruptFileError:
        return CorruptFileError(f"{self.path!r} is refused: {problem}")

    def _check_listing(self, size: int) -> dict[str, zipfile.ZipInfo]:
        infos = self._zip.infolist()
        if len(infos) > MAX_MEMBERS:
            raise self._fail(f"it has {len(infos)} members; {MAX_MEMBERS} is the limit.")
        members: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            self._check_member(info)
            key = info.filename.casefold()
            if key in members:
                raise self._fail(f"it has two members named {info.filename!r}.")
            members[key] = info
        end = 0
        for info in sorted(infos, key=lambda info: info.header_offset):
            if info.header_offset < end:
                raise self._fail(f"the member {info.filename!r} overlaps another one.")
            end = info.header_offset + _LOCAL_HEADER.size + info.compress_size
        if end > size:
            raise self._fail("a member reaches beyond the end of the file; it was cut short.")
        total = sum(info.file_size for info in infos)
        if total > self._budget:
            raise self._fail(
                f"its members unpack to {total} bytes; the limit for it is {self._budget}."
            )
        return {info.filename: info for info in infos}

    def _check_member(self, info: zipfile.ZipInfo) -> None:
        name = info.filename
        parts = name.rstrip("/").split("/")
        # zipfile cuts a name at a NUL and turns backslashes round; what the file says counts.
        written = info.orig_filename
        bad_character = any(ord(c) < 32 or c == "\\" for c in written)
        drive = len(parts[0]) > 1 and parts[0][1] == ":"
        if bad_character or drive or any(part in ("", ".", "..") for part in parts):
            raise self._fail(f"the member name {written!r} could lead out of the archive.")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise self._fail(f"the member {name!r} is a link or a special file.")
        if info.flag_bits & 0x1:
            raise self._fail(f"the member {name!r} is encrypted.")
        if info.compress_type == zipfile.ZIP_STORED:
            if info.file_size != info.compress_size:
                raise self._fail(f"the member {name!r} gives two different sizes.")
        elif info.compress_type != zipfile.ZIP_DEFLATED:
            raise self._fail(f"the member {name!r} is compressed in an unexpected way.")
        elif info.file_size > MAX_RATIO * info.compress_size + _CHUNK:
            raise self._fail(
                f"the member {name!r} claims to unpack from {info.compress_size} to "
                f"{info.file_size} bytes."
            )

    def __contains__(self, name: object) -> bool:
        return name in self._members

    @property
    def names(self) -> list[str]:
        """The names of all members."""
        return list(self._members)

    def _info(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._members[name]
        except KeyError:
            have = ", ".join(sorted(self._members)[:8]) or "nothing"
            raise self._fail(f"it has no member {name!r}; it has {have}.") from None

    def read(self, name: str, max_bytes: int) -> bytes:
        """One member as a whole, its checksum checked.

        Raises:
            CorruptFileError: if it is missing, damaged or larger than `max_bytes`.
        """
        info = self._info(name)
        if info.file_size > max_bytes:
            raise self._fail(
                f"the member {name!r} has {info.file_size} bytes; the limit is {max_bytes}."
            )
        return b"".join(self._chunks(info))

    def read_json(self, name: str) -> Any:
        """One member as JSON; see `parse_json`."""
        return parse_json(self.read(name, MAX_JSON_BYTES), f"{name} in {self.path}")

    def _chunks(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        try:
            with self._zip.open(info) as member:
                total = 0
                while chunk := member.read(_CHUNK):
                    total += len(chunk)
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise self._fail(f"the member {info.filename!r} is damaged: {error}") from None
        if total != info.file_size:
            raise self._fail(f"the member {info.filename!r} ends too early.")

    @contextmanager
    def open(self, name: str) -> Iterator[Any]:
        """One member as a seekable file, after its checksum has been compared.

        A member that is stored as it is gets read in place; a compressed one is unpacked to a
        nameless temporary file, never to memory.
        """
        info = self._info(name)
        if info.compress_type == zipfile.ZIP_STORED:
            for _ in self._chunks(info):
                pass
            yield Window(self._file, self._data_offset(info), info.file_size)
            return
        with tempfile.TemporaryFile() as unpacked:
            for chunk in self._chunks(info):
                unpacked.write(chunk)
            yield Window(unpacked, 0, info.file_size)

    def _data_offset(self, info: zipfile.ZipInfo) -> int:
        self._file.seek(info.header_offset)
        fields = _LOCAL_HEADER.unpack(self._file.read(_LOCAL_HEADER.size))
        return info.header_offset + _LOCAL_HEADER.size + fields[-2] + fields[-1]


@contextmanager
def open_zip(path: str | os.PathLike[str], max_bytes: int | None = None) -> Iterator[ZipReader]:
    """Open an archive for reading; see `ZipReader`."""
    with open(path, "rb") as file:
        yield ZipReader(file, str(Path(path)), max_bytes)


def parse_json(data: bytes, what: str) -> Any:
    """JSON whose nesting and numbers stay within bounds.

    Args:
        data: UTF-8 text.
        what: What it is, for error messages.

    Raises:
        CorruptFileError: if it is no JSON or is nested deeper than 200 levels.

    Example:
        >>> from multikeras.saving.container import parse_json
        >>> parse_json(b'{"a": [1, 2]}', "an example")
        {'a': [1, 2]}
    """
    try:
        value = json.loads(data.decode("utf-8"))
    except RecursionError:
        raise CorruptFileError(f"{what} is refused: it is nested too deep.") from None
    except ValueError as error:  # bad UTF-8, bad JSON, numbers of thousands of digits
        raise CorruptFileError(f"{what} is no valid JSON: {error}") from None
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        level = [item for item in level if isinstance(item, (dict, list))]
        if not level:
            return value
        level = [
            item
            for outer in level
            for item in (outer.values() if isinstance(outer, dict) else outer)
        ]
    raise CorruptFileError(f"{what} is refused: it is nested too deep.")


class ZipWriter:
    """A zip archive of uncompressed members, written from front to back in a `with` block.

    Args:
        file: An empty binary file, open for reading and writing.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED)

    def add(self, name: str, data: str | bytes) -> None:
        """Write a whole member. The same content gives the same bytes at any time of day."""
        self._zip.writestr(_member(name), data)

    @contextmanager
    def open(self, name: str) -> Iterator[Window]:
        """Write a member through a seekable file; nothing of it is held in memory.

        `zipfile` has no seekable members, so the member's header is written here, and again
        when size and checksum are known.
        """
        info = _member(name)
        info.header_offset = self._file.seek(0, os.SEEK_END)
        header = info.FileHeader(zip64=True)
        self._file.write(header)
        start = info.header_offset + len(header)
        window = Window(self._file, start)
        yield window
        window.flush()
        if window.error is not None:
            raise window.error
        window.seek(0)
        while chunk := window.read(_CHUNK):
            info.CRC = zlib.crc32(chunk, info.CRC)
        info.file_size = info.compress_size = window.size
        self._file.seek(info.header_offset)
        self._file.write(info.FileHeader(zip64=True))
        self._zip.start_dir = self._file.seek(0, os.SEEK_END)
        self._zip.filelist.append(info)
        self._zip.NameToInfo[info.filename] = info

    def __enter__(self) -> ZipWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> None:
        """Write the listing, or forget about it if something went wrong."""
        if kind is not None:
            self._zip.fp = None
        self._zip.close()


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.CRC = 0
    info.external_attr = 0o644 << 16
    return info
