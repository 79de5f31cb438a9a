"""Cases of images cut, padded and taken apart, against loops over every patch."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.cases_convolution import many, padded, windows
from tests.conformance.op_cases import Case, f, i


def _patches(
    x: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
) -> Any:
    first = data_format == "channels_first"
    batched = x.ndim == (4 if np.ndim(size) == 0 else len(size) + 2)
    x = x if batched else x[None]
    x = np.moveaxis(x, 1, -1) if first else x
    size = many(size, x.ndim - 2)
    strides = size if strides is None else many(strides, len(size))
    dilation = many(dilation_rate, len(size))
    reach = [d * (k - 1) for k, d in zip(size, dilation, strict=True)]
    x = padded(x, reach, strides, padding)
    counts, each = windows(x, size, strides, dilation)
    channels = int(np.prod(size)) * x.shape[-1]
    out = np.zeros((len(x), *counts, channels), x.dtype)
    for at, window in each:
        whole = np.moveaxis(window, -1, 1) if first else window
        out[at] = whole.reshape(len(x), -1)
    if first:
        # Within a patch the channel comes last, in both formats.
        out = out.reshape(*out.shape[:-1], x.shape[-1], -1).swapaxes(-1, -2).reshape(out.shape)
        out = np.moveaxis(out, -1, 1)
    return out if batched else out[0]


_FIRST = {"data_format": "channels_first"}
_SETTINGS = [
    {},
    {"strides": 1},
    {"strides": (1, 2), "padding": "same"},
    {"dilation_rate": 2, "strides": 1, "padding": "same"},
    {"strides": 2, **_FIRST},
]
_3D = [{}, {"strides": (2, 1, 2), "padding": "same"}, _FIRST]

CASES = [
    Case("crop_images", (f(2, 5, 6, 2), 1, 0, 2, 3), reference=lambda x, *_: x[:, 1:3, :3]),
    Case(
        "crop_images",
        (f(2, 5, 6, 2),),
        {"top_cropping": 1, "right_cropping": 2, "target_height": 3, "target_width": 1},
        reference=lambda x, **_: x[:, 1:4, 3:4],
    ),
    Case(
        "crop_images",
        (i(2, 5, 6), 1, 2, 0, 0),
        _FIRST,
        reference=lambda x, *_, **__: x[:, 1:, 2:],
        batch=False,
    ),
    Case(
        "pad_images",
        (f(2, 3, 4, 2), 1, 0, 2, 3),
        reference=lambda x, *_: np.pad(x, ((0, 0), (1, 2), (0, 3), (0, 0))),
    ),
    Case(
        "pad_images",
        (f(2, 2, 3, 4),),
        {"top_padding": 1, "right_padding": 2, "target_height": 6, "target_width": 6, **_FIRST},
        reference=lambda x, **_: np.pad(x, ((0, 0), (0, 0), (1, 2), (0, 2))),
    ),
    *(
        Case("extract_patches", (f(2, 5, 6, 3), size), kw, reference=_patches, name=f"{size}_{k}")
        for size in (2, (1, 3), (3, 2))
        for k, kw in enumerate(_SETTINGS)
    ),
    Case("extract_patches", (i(4, 6, 2), 2), reference=_patches, batch=False, name="one"),
    *(
        Case(
            "extract_patches_3d", (f(1, 3, 4, 5, 2), (2, 1, 2)), kw, reference=_patches, name=f"{k}"
        )
        for k, kw in enumerate(_3D)
    ),
    Case("extract_patches", (f(1, 3, 4, 5, 2), (2, 1, 2)), reference=_patches, name="volume"),
]
