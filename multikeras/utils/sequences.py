"""`pad_sequences`: sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

_SIDES = ("pre", "post")


def pad_sequences(
    sequences: Iterable[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Brings sequences to one length.

    Args:
        sequences: a list of sequences; their items are numbers, or arrays of one shape.
        maxlen: the length. Defaults to that of the longest sequence.
        dtype: of the result; `object` for strings of any length. Defaults to "int32".
        padding: "pre" or "post": where short sequences are filled up. Defaults to "pre".
        truncating: "pre" or "post": where long sequences are cut. Defaults to "pre".
        value: what is filled in. Defaults to 0.

    Returns:
        An array of shape `(len(sequences), maxlen, ...)`.

    Raises:
        ValueError: if `sequences` is no list of sequences, their items have different shapes,
            `padding` or `truncating` is something else, or `value` does not fit the dtype.

    Example:
        >>> pad_sequences([[1], [1, 2, 3]], padding="post").tolist()
        [[1, 0, 0], [1, 2, 3]]
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in _SIDES:
            raise ValueError(f"pad_sequences: `{name}` must be 'pre' or 'post', got {side!r}.")
    if not hasattr(sequences, "__len__"):
        raise ValueError(
            f"pad_sequences: `sequences` must be a list of sequences, got {sequences!r}."
        )
    rows = list(sequences)
    for index, row in enumerate(rows):
        if not hasattr(row, "__len__"):
            raise ValueError(f"pad_sequences: sequence {index} is no sequence: {row!r}.")
    if maxlen is None:
        maxlen = max(map(len, rows), default=0)
    item_shape = next((np.asarray(row).shape[1:] for row in rows if len(row)), ())
    if isinstance(value, str) and dtype is not object and np.dtype(dtype).kind not in "US":
        raise ValueError(
            f"pad_sequences: the value {value!r} does not fit the dtype {dtype!r}; use "
            "dtype=object for strings."
        )
    padded = np.full((len(rows), maxlen, *item_shape), value, dtype=dtype)
    for index, row in enumerate(rows):
        if not len(row) or not maxlen:
            continue
        items = np.asarray(row[-maxlen:] if truncating == "pre" else row[:maxlen], dtype=dtype)
        if items.shape[1:] != item_shape:
            raise ValueError(
                f"pad_sequences: the items of sequence {index} have the shape "
                f"{items.shape[1:]}, those before {item_shape}."
            )
        if padding == "pre":
            padded[index, maxlen - len(items) :] = items
        else:
            padded[index, : len(items)] = items
    return padded
