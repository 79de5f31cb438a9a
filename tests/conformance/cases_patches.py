"""Cases of windows, blocks and bins, against loops over every one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tests.conformance.cases_convolution import back, last, many
from tests.conformance.op_cases import Case, f, i


def _unfold(
    x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    kernel, dilation, padding, stride = (
        many(v, 2) for v in (kernel_size, dilation, padding, stride)
    )
    x = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    ends = [n - d * (k - 1) for n, d, k in zip(x.shape[2:], dilation, kernel, strict=True)]
    columns = [
        x[
            :,
            :,
            top : top + dilation[0] * kernel[0] : dilation[0],
            left : left + dilation[1] * kernel[1] : dilation[1],
        ].reshape(len(x), -1)
        for top in range(0, ends[0], stride[0])
        for left in range(0, ends[1], stride[1])
    ]
    return np.stack(columns, -1)


def _fold(x: Any, output_size: Any, kernel_size: Any, **settings: Any) -> Any:
    """By the positions that `unfold` reads."""
    size = many(output_size, 2)
    kernel = many(kernel_size, 2)
    channels = x.shape[1] // (kernel[0] * kernel[1])
    total = channels * size[0] * size[1]
    place = np.arange(1, total + 1).reshape(1, channels, *size)
    read = _unfold(place, kernel_size, **settings)[0]
    result = np.zeros((len(x), total + 1))
    for row, column in np.ndindex(read.shape):
        result[:, read[row, column]] += x[:, row, column]
    return result[:, 1:].reshape(len(x), channels, *size)


def _to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    first, n = data_format == "channels_first", block_size
    x = last(x, data_format)
    b, h, w, c = x.shape
    c //= n * n
    out = np.zeros((b, h * n, w * n, c), x.dtype)
    for row, column, k in itertools.product(range(n), range(n), range(c)):
        place = row * n + column
        source = k * n * n + place if first else place * c + k
        out[:, row::n, column::n, k] = x[..., source]
    return back(out, data_format)


def _to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    first, n = data_format == "channels_first", block_size
    x = last(x, data_format)
    parts = [x[:, row::n, column::n] for row, column in itertools.product(range(n), repeat=2)]
    out = np.stack(parts, -1) if first else np.stack(parts, -2)
    return back(out.reshape(*out.shape[:3], -1), data_format)


def _adaptive(reduce: Any) -> Any:
    def reference(inputs: Any, output_size: Any, data_format: Any = None) -> Any:
        x = last(inputs, data_format)
        sizes = many(output_size, x.ndim - 2)
        out = np.zeros((len(x), *sizes, x.shape[-1]))
        for at in np.ndindex(*sizes):
            cut = [
                slice(int(np.floor(a * n / m)), int(np.ceil((a + 1) * n / m)))
                for a, n, m in zip(at, x.shape[1:-1], sizes, strict=True)
            ]
            part = x[(slice(None), *cut)]
            out[(slice(None), *at)] = reduce(part, tuple(range(1, x.ndim - 1)))
        return back(out, data_format)

    return reference


_WINDOWS = [
    {},
    {"stride": 2},
    {"stride": 3, "padding": 1},
    {"dilation": (1, 2), "padding": (1, 2), "stride": (2, 1)},
]

CASES = [
    *(
        Case("unfold", (f(2, 3, 5, 6), kernel), kw, reference=_unfold, name=f"{kernel}_{k}")
        for kernel in (2, (2, 3))
        for k, kw in enumerate(_WINDOWS)
    ),
    Case("unfold", (i(2, 3, 5, 6), 2), reference=_unfold, name="integers"),
    *(
        Case(
            "fold",
            (_unfold(f(2, 3, 5, 6), kernel, **kw), (5, 6), kernel),
            kw,
            reference=_fold,
            name=f"{kernel}_{k}",
        )
        for kernel in (2, (2, 3))
        for k, kw in enumerate(_WINDOWS)
    ),
    *(
        Case("depth_to_space", (f(2, *shape), 2, data_format), reference=_to_space)
        for data_format, shape in (("channels_last", (2, 3, 8)), ("channels_first", (8, 2, 3)))
    ),
    Case("depth_to_space", (i(1, 2, 1, 18), 3), reference=_to_space),
    *(
        Case("space_to_depth", (f(2, *shape), 2, data_format), reference=_to_depth)
        for data_format, shape in (("channels_last", (2, 4, 3)), ("channels_first", (3, 2, 4)))
    ),
    Case("space_to_depth", (i(1, 3, 6, 2), 3), reference=_to_depth),
    *(
        Case(f"adaptive_{name}_pool", args, kw, reference=_adaptive(reduce))
        for name, reduce in (("average", np.mean), ("max", np.max))
        for args, kw in (
            ((f(2, 7, 3), 3), {}),
            ((f(2, 6, 5, 3), (4, 2)), {}),
            ((f(2, 6, 4, 3), (3, 1)), {}),
            ((f(2, 3, 5, 4), 4), {"data_format": "channels_first"}),
            ((f(1, 3, 4, 2, 2), (2, 5, 2)), {}),
        )
    ),
    Case("adaptive_max_pool", (i(2, 5, 5, 1), 2), reference=_adaptive(np.max), name="integers"),
    Case("adaptive_average_pool", (i(2, 5, 1), 2), reference=_adaptive(np.mean), name="integers"),
]
