"""Writing a file whole or not at all.

The bytes go to a new file in the same folder, which takes the wanted name only once everything
has reached the disk. A full disk, an exception or a killed process leaves the old file as it
was. Refused: a folder that doesn't exist, and an existing file where `overwrite=False`.
"""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any


@contextmanager
def atomic_file(path: str | os.PathLike[str], overwrite: bool = True) -> Iterator[IO[bytes]]:
    """Open a temporary file that becomes `path` when the block ends without an exception.

    Args:
        path: Where the file is to be. If it is a link, the file that it points to is replaced.
        overwrite: Whether an existing file may be replaced.

    Yields:
        A binary file, open for reading and writing.

    Raises:
        FileExistsError: if the file exists and `overwrite` is false.
        FileNotFoundError: if the folder does not exist.
        IsADirectoryError: if `path` is a folder.
    """
    target = Path(os.path.realpath(os.fspath(path)))
    if target.is_dir():
        raise IsADirectoryError(f"Can't write {str(path)!r}: it is a folder.")
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"Can't write {str(path)!r}: the folder {str(target.parent)!r} does not exist."
        )
    if target.exists() and not overwrite:
        raise FileExistsError(
            f"The file {str(path)!r} exists already. Pass overwrite=True to replace it."
        )
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    # Not tempfile: its files are for their owner alone, and the result would stay so.
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            with suppress(OSError):
                os.chmod(temporary, target.stat().st_mode & 0o7777)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut, where the system can do that."""
    with suppress(OSError, AttributeError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class Window(io.RawIOBase):
    """A part of a file that looks like a whole file, so that HDF5 can live inside a zip.

    Args:
        file: The file around it, binary and seekable.
        start: Where the part begins.
        size: Its length, when it is there already and only to be read. `None` opens an empty
            part at the end of `file`, to be written.

    A failing write (a full disk) is kept in `error` and otherwise passed over in silence: the
    HDF5 library can't deal with it and may end the process. Whoever writes asks afterwards.
    """

    def __init__(self, file: IO[bytes], start: int, size: int | None = None) -> None:
        self._file = file
        self._start = start
        self._writing = size is None
        self._size = size or 0
        self._position = 0
        self.error: OSError | None = None

    @property
    def size(self) -> int:
        """The length of the part so far."""
        return self._size

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return self._writing

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        wanted = max(min(len(view), self._size - self._position), 0)
        self._file.seek(self._start + self._position)
        done = 0
        while done < wanted:
            count = self._file.readinto(view[done:wanted])  # type: ignore[attr-defined]
            if not count:
                break
            done += count
        self._position += done
        return done

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        if self.error is None:
            try:
                self._file.seek(self._start + self._position)
                self._file.write(view)
            except OSError as error:
                self.error = error
        self._position += len(view)
        self._size = max(self._size, self._position)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        self._size = self._position if size is None else size
        if self.error is None:
            try:
                self._file.truncate(self._start + self._size)
            except OSError as error:
                self.error = error
        return self._size

    def flush(self) -> None:
        if self._writing and self.error is None and not self._file.closed:
            try:
                self._file.flush()
            except OSError as error:
                self.error = error
