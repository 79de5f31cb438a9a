"""Writes the event files that TensorBoard reads; no other package is needed.

An event file is a row of records, each a length, its checksum, the bytes and their checksum;
the bytes are an `Event` message in Protocol Buffers' wire format. Only what is needed here is
encoded: scalars and histograms.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterable
from typing import Any

import numpy as np


def _crc_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """The Castagnoli checksum (RFC 3720, appendix B.4).

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(data: bytes) -> bytes:
    """A record that holds `data`."""
    length = struct.pack("<Q", len(data))
    return length + _masked(length) + data + _masked(data)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _doubles(field: int, values: Iterable[float]) -> bytes:
    return _bytes(field, np.asarray(list(values), "<f8").tobytes())


def scalar(tag: str, value: float) -> bytes:
    """A value of a summary: one number."""
    number = _varint(2 << 3 | 5) + struct.pack("<f", value)
    return _bytes(1, _bytes(1, tag.encode()) + number)


def histogram(tag: str, values: np.ndarray, bins: int = 30) -> bytes:
    """A value of a summary: how an array's values are distributed."""
    flat = np.asarray(values, np.float64).reshape(-1)
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        flat = np.zeros(1)
    counts, edges = np.histogram(flat, bins=bins)
    numbers = (flat.min(), flat.max(), flat.size, flat.sum(), np.square(flat).sum())
    message = b"".join(_double(field, float(n)) for field, n in enumerate(numbers, 1))
    message += _doubles(6, edges[1:]) + _doubles(7, counts)
    return _bytes(1, _bytes(1, tag.encode()) + _bytes(5, message))


class EventFile:
    """An event file in a folder, made when the first event is written.

    Args:
        folder: where it is made; the name tells time, host and process.
    """

    def __init__(self, folder: Any) -> None:
        self._folder = os.fspath(folder)
        self._file: Any = None

    def get_state(self) -> dict[str, Any] | None:
        """Name and size of the file; None before it is made."""
        if self._file is None:
            return None
        self._file.flush()
        return {"name": os.path.basename(self._file.name), "size": self._file.tell()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on with a file of the folder, if it is there; what was written later is cut off."""
        name, size = str(state["name"]), int(state["size"])
        path = os.path.join(self._folder, name)
        if os.path.basename(name) != name or not name.startswith("events.out.tfevents."):
            raise ValueError(f"{name!r} is no name of an event file.")
        if os.path.isfile(path) and os.path.getsize(path) >= size:
            self._file = open(path, "r+b")
            self._file.truncate(size)
            self._file.seek(size)

    def write(self, step: int, values: Iterable[bytes]) -> None:
        """Writes the values of a summary, made by `scalar` and `histogram`, for a step."""
        data = b"".join(values)
        if not data:
            return
        if self._file is None:
            os.makedirs(self._folder, exist_ok=True)
            name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}.v2"
            self._file = open(os.path.join(self._folder, name), "wb")
            self._file.write(record(self._stamp() + _bytes(3, b"brain.Event:2")))
        event = self._stamp() + _varint(2 << 3) + _varint(step) + _bytes(5, data)
        self._file.write(record(event))

    def _stamp(self) -> bytes:
        return _double(1, time.time())

    def flush(self) -> None:
        """Lets readers see what was written."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
