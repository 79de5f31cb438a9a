"""Writes the event files that TensorBoard reads; no other package is needed.

An event file is a row of records, each a length, its checksum, the bytes and their checksum;
the bytes are an `Event` message in Protocol Buffers' wire format. Only what is needed here is
encoded: scalars, histograms, images and the graph of a model.
"""

from __future__ import annotations

import os
import socket
import struct
import time
import zlib
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


def image(tag: str, values: np.ndarray) -> bytes:
    """A value of a summary: an array as a picture, from black (the least) to white.

    Arrays of more than two dimensions are laid out as rows of the last one.
    """
    flat = np.asarray(values, np.float64)
    flat = flat.reshape(1, -1) if flat.ndim < 2 else flat.reshape(-1, flat.shape[-1])
    flat = np.where(np.isfinite(flat), flat, 0.0)
    low, high = (flat.min(), flat.max()) if flat.size else (0.0, 0.0)
    pixels = ((flat - low) * (255.0 / (high - low or 1.0))).astype(np.uint8)
    height, width = pixels.shape
    message = b"".join(_varint(f << 3) + _varint(n) for f, n in ((1, height), (2, width), (3, 1)))
    return _bytes(1, _bytes(1, tag.encode()) + _bytes(4, message + _bytes(4, _png(pixels))))


def _png(pixels: np.ndarray) -> bytes:
    """An image of shape (height, width) and dtype uint8 as a PNG file (ISO/IEC 15948)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    height, width = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def model_graph(config: str) -> bytes:
    """A value of a summary: a model's configuration, drawn as a graph of its layers.

    Args:
        config: the JSON of the configuration.
    """
    plugin = _bytes(1, b"graph_keras_model") + _bytes(2, b"1")
    text = _varint(1 << 3) + _varint(7) + _bytes(2, b"") + _bytes(8, config.encode())
    value = _bytes(1, b"keras") + _bytes(9, _bytes(1, plugin)) + _bytes(8, text)
    return _bytes(1, value)


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
        """Writes the values of a summary, made by `scalar` and the like, for a step."""
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
