"""Arguments of sliding windows, for convolution and pooling layers."""

from __future__ import annotations

from typing import Any


def standardize_tuple(
    value: Any, rank: int, name: str, who: str, allow_zero: bool = False
) -> tuple[int, ...]:
    """`rank` positive integers from one integer or a sequence.

    Raises:
        ValueError: for another length or anything but positive integers.
    """
    values = (value,) * rank if isinstance(value, int) else value
    try:
        values = tuple(int(v) for v in values)
    except (TypeError, ValueError):
        values = ()
    lowest = 0 if allow_zero else 1
    if len(values) != rank or any(v < lowest for v in values):
        raise ValueError(
            f"{who}: {name} must be an integer or {rank} integers of at least {lowest}, "
            f"got {value!r}."
        )
    return values


def standardize_pairs(value: Any, rank: int, name: str, who: str) -> tuple:
    """(before, after) for each of `rank` dimensions, from one integer, an integer for each
    dimension, or such pairs; in one dimension a bare pair is (before, after).

    Raises:
        ValueError: for anything but integers of at least 0 in one of these forms.
    """
    values = (value,) * rank if isinstance(value, int) else value
    if rank == 1 and isinstance(values, (list, tuple)) and len(values) == 2:
        values = (values,)
    try:
        pairs = tuple((v, v) if isinstance(v, int) else tuple(map(int, v)) for v in values)
    except (TypeError, ValueError):
        pairs = ()
    if len(pairs) != rank or any(len(pair) != 2 or min(pair) < 0 for pair in pairs):
        raise ValueError(
            f"{who}: {name} must be an integer, {rank} integers or {rank} pairs of integers of "
            f"at least 0, got {value!r}."
        )
    return pairs


def standardize_padding(padding: Any, who: str, causal: bool = False) -> str:
    """"valid", "same" or, where allowed, "causal".

    Raises:
        ValueError: for anything else.
    """
    allowed = ("valid", "same", "causal") if causal else ("valid", "same")
    name = padding.lower() if isinstance(padding, str) else padding
    if name not in allowed:
        raise ValueError(f"{who}: padding must be one of {allowed}, got {padding!r}.")
    return name


def split_channels(shape: tuple, data_format: str) -> tuple[tuple, Any]:
    """The spatial dimensions and the number of channels of a shape with batch."""
    if data_format == "channels_last":
        return tuple(shape[1:-1]), shape[-1]
    return tuple(shape[2:]), shape[1]


def join_channels(batch: Any, spatial: tuple, channels: Any, data_format: str) -> tuple:
    """A shape from its parts."""
    if data_format == "channels_last":
        return (batch, *spatial, channels)
    return (batch, channels, *spatial)
