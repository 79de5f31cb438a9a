"""What the functions on images share: where height, width and channels are, and pixel dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from multikeras import config, dtypes
from multikeras.ops import arithmetic, core, elementwise


def spatial_axes(rank: int, data_format: str | None) -> tuple[int, int]:
    """The axes of height and width.

    Raises:
        ValueError: for another rank than 3 or 4, or an unknown data format.
    """
    data_format = data_format or config.image_data_format()
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            f"`data_format` must be 'channels_last' or 'channels_first', got {data_format!r}."
        )
    if rank not in (3, 4):
        raise ValueError(
            f"Expected an image (rank 3) or a batch of them (rank 4), got rank {rank}."
        )
    return (rank - 3, rank - 2) if data_format == "channels_last" else (rank - 2, rank - 1)


def image_axes(who: str, x: Any, data_format: str | None) -> tuple[int, int, int]:
    """The axes of height, width and channels.

    Raises:
        ValueError: naming `who`, for what `spatial_axes` refuses.
    """
    rank = len(x.shape)
    try:
        height, width = spatial_axes(rank, data_format)
    except ValueError as error:
        raise ValueError(f"{who}: {error}") from None
    return height, width, rank - 1 if height == rank - 3 else rank - 3


def back_to(x: Any, dtype: str) -> Any:
    """`x` in a dtype; integers are rounded to, and kept within their limits."""
    if not dtypes.is_int_dtype(dtype):
        return core.cast(x, dtype)
    limits = np.iinfo(dtype)
    x = elementwise.round(x)
    if dtypes.item_bytes(dtype) < 4:
        x = arithmetic.clip(x, float(limits.min), float(limits.max))
    return core.cast(x, dtype)


def as_float(x: Any) -> Any:
    """`x`, integers as `floatx()`."""
    return x if dtypes.is_float_dtype(core.dtype(x)) else core.cast(x, dtypes.floatx())
