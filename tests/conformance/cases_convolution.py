"""Cases of convolutions and pooling, against loops over every window."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, f, i


def many(value: Any, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


def last(x: Any, data_format: Any) -> Any:
    return np.moveaxis(x, 1, -1) if data_format == "channels_first" else x


def back(x: Any, data_format: Any) -> Any:
    return np.moveaxis(x, -1, 1) if data_format == "channels_first" else x


def padded(x: Any, reach: Any, strides: Any, padding: str, fill: float = 0.0) -> Any:
    pads = [(0, 0)]
    for n, r, s in zip(x.shape[1:-1], reach, strides, strict=True):
        total = max((-(-n // s) - 1) * s + r + 1 - n, 0)
        pads.append({
            "valid": (0, 0), "same": (total // 2, total - total // 2), "causal": (r, 0),
        }[padding.lower()])  # fmt: skip
    return np.pad(x, [*pads, (0, 0)], constant_values=fill)


def windows(x: Any, size: Any, strides: Any, dilation: Any) -> tuple[Any, Any]:
    """(index of the output, window of padded x) for each output position."""
    counts = [
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(x.shape[1:-1], size, strides, dilation, strict=True)
    ]

    def each() -> Any:
        for at in itertools.product(*map(range, counts)):
            cut = [
                slice(a * s, a * s + d * (k - 1) + 1, d)
                for a, k, s, d in zip(at, size, strides, dilation, strict=True)
            ]
            yield (slice(None), *at), x[(slice(None), *cut)]

    return counts, each()


def conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    x = last(inputs, data_format)
    rank = x.ndim - 2
    strides, dilation = many(strides, rank), many(dilation_rate, rank)
    size = kernel.shape[:rank]
    reach = [d * (k - 1) for k, d in zip(size, dilation, strict=True)]
    groups = x.shape[-1] // kernel.shape[-2]
    counts, each = windows(padded(x, reach, strides, padding), size, strides, dilation)
    y = np.zeros((len(x), *counts, kernel.shape[-1]))
    for at, window in each:
        parts = zip(np.split(window, groups, -1), np.split(kernel, groups, -1), strict=True)
        axes = (list(range(1, rank + 2)), list(range(rank + 1)))
        y[at] = np.concatenate([np.tensordot(w, k, axes) for w, k in parts], -1)
    return back(y, data_format)


def depthwise_conv(inputs: Any, kernel: Any, *rest: Any, **kwargs: Any) -> Any:
    *size, channels, multiplier = kernel.shape
    return conv(inputs, kernel.reshape(*size, 1, channels * multiplier), *rest, **kwargs)


def separable_conv(
    inputs: Any, depthwise: Any, pointwise: Any, *rest: Any, data_format: Any = None, **kw: Any
) -> Any:
    middle = depthwise_conv(inputs, depthwise, *rest, data_format=data_format, **kw)
    return conv(middle, pointwise, data_format=data_format)


def conv_transpose(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
    data_format: Any = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    x = last(inputs, data_format)
    rank = x.ndim - 2
    strides, dilation = many(strides, rank), many(dilation_rate, rank)
    extra = output_padding if isinstance(output_padding, tuple) else (output_padding,) * rank
    extents = [d * (k - 1) + 1 for k, d in zip(kernel.shape, dilation, strict=False)]
    full = [(n - 1) * s + e for n, s, e in zip(x.shape[1:-1], strides, extents, strict=True)]
    y = np.zeros((len(x), *[n + 20 for n in full], kernel.shape[-2]))
    for at in itertools.product(*map(range, x.shape[1:-1])):
        cut = [
            slice(a * s, a * s + e, d)
            for a, s, e, d in zip(at, strides, extents, dilation, strict=True)
        ]
        y[(slice(None), *cut)] += np.tensordot(x[(slice(None), *at)], kernel, ([-1], [-1]))
    cuts = [slice(None)]
    for n, length, s, e, more in zip(x.shape[1:-1], full, strides, extents, extra, strict=True):
        same = padding == "same"
        if more is None:
            size = n * s if same else length + max(s - e, 0)
        else:
            size = length + more - (2 * (e // 2) if same else 0)
        before = max(length - size, 0) // 2 if same else 0
        cuts.append(slice(before, before + size))
    return back(y[tuple(cuts)], data_format)


def pool(function: Any) -> Any:
    def reference(
        inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid",
        data_format: Any = None,
    ) -> Any:  # fmt: skip
        x = last(inputs, data_format).astype(float)
        rank = x.ndim - 2
        size = many(pool_size, rank)
        strides = many(pool_size if strides is None else strides, rank)
        x = padded(x, [k - 1 for k in size], strides, padding, np.nan)
        counts, each = windows(x, size, strides, (1,) * rank)
        y = np.zeros((len(x), *counts, x.shape[-1]))
        for at, window in each:
            y[at] = function(window, axis=tuple(range(1, rank + 1)))
        y = y if inputs.dtype.kind == "f" else y.astype(inputs.dtype)
        return back(y, data_format)

    return reference


FIRST = {"data_format": "channels_first"}
x1, x2, x3 = f(2, 7, 3), f(2, 5, 6, 3), f(3, 3, 4, 3, 2)
k1, k2, k3 = f(3, 3, 4, seed=1), f(3, 2, 3, 4, seed=1), f(2, 1, 2, 2, 3, seed=1)
CONVS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "1d": (x1, k1, {}),
    "1d_same": (x1, k1, {"strides": 2, "padding": "same"}),
    "1d_causal": (x1, k1, {"padding": "causal", "dilation_rate": 2}),
    "1d_causal_strided": (x1, k1, {"padding": "causal", "strides": 2}),
    "1d_first": (f(2, 3, 7), k1, {"padding": "same", **FIRST}),
    "2d": (x2, k2, {}),
    "2d_upper_case": (x2, k2, {"padding": "SAME"}),
    "2d_same": (x2, k2, {"strides": (2, 1), "padding": "same"}),
    "2d_strided": (x2, k2, {"strides": [1, 3]}),
    "2d_dilated": (x2, k2, {"dilation_rate": 2}),
    "2d_dilated_same": (x2, k2, {"padding": "same", "dilation_rate": (2, 1)}),
    "2d_first": (f(2, 3, 5, 6), k2, {"strides": 2, "padding": "same", **FIRST}),
    "2d_1x1": (x2, f(1, 1, 3, 4), {}),
    "2d_grouped": (f(2, 4, 5, 4), f(3, 2, 2, 6), {"padding": "same"}),
    "2d_one_channel": (f(2, 4, 5, 1), f(3, 3, 1, 2), {"padding": "same"}),
    "3d": (x3, k3, {}),
    "3d_same": (x3, k3, {"strides": (1, 2, 1), "padding": "same"}),
    "3d_first": (f(3, 2, 3, 4, 3), k3, FIRST),
}
DEPTHWISE: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "1d": (x1, f(3, 3, 2), {"padding": "same"}),
    "1d_causal": (x1, f(3, 3, 2), {"padding": "causal", "strides": 2}),
    "2d": (x2, f(3, 2, 3, 2), {}),
    "2d_one": (x2, f(3, 3, 3, 1), {"padding": "same"}),
    "2d_same": (x2, f(3, 2, 3, 2), {"strides": 2, "padding": "same"}),
    "2d_strides": (x2, f(3, 2, 3, 2), {"strides": (1, 2), "padding": "same"}),
    "2d_dilated": (x2, f(3, 2, 3, 2), {"padding": "same", "dilation_rate": 2}),
    "2d_first": (f(2, 3, 5, 6), f(3, 2, 3, 2), {"padding": "same", **FIRST}),
    "3d": (x3, f(2, 2, 2, 2, 2), {"padding": "same"}),
}
xt, kt = f(2, 4, 3, 2), f(3, 3, 5, 2, seed=1)
TRANSPOSED: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "1d": (f(2, 4, 3), f(3, 2, 3), {"strides": 2}),
    "1d_same": (f(2, 4, 3), f(4, 2, 3), {"strides": 2, "padding": "same"}),
    "1d_apart": (f(3, 4, 3), f(2, 2, 3), {"strides": 3, "padding": "same"}),
    "1d_first": (f(2, 3, 4), f(3, 2, 3), {"strides": 2, **FIRST}),
    "2d": (xt, kt, {}),
    "2d_same": (xt, kt, {"strides": (2, 1), "padding": "same"}),
    "2d_extra": (xt, kt, {"strides": 2, "padding": "same", "output_padding": 1}),
    "2d_no_extra": (xt, kt, {"strides": 3, "padding": "same", "output_padding": (0, 1)}),
    "2d_valid_extra": (xt, kt, {"strides": 2, "output_padding": (1, 0)}),
    "2d_dilated": (xt, kt, {"dilation_rate": 2}),
    "2d_dilated_same": (xt, kt, {"strides": 2, "padding": "same", "dilation_rate": 2}),
    "2d_first": (f(2, 2, 4, 3), kt, {"strides": 2, "padding": "same", **FIRST}),
    "3d": (f(3, 2, 3, 2, 2), f(2, 3, 2, 3, 2), {"strides": 2, "padding": "same"}),
}
POOLS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "1d": (x1, 2, {}),
    "1d_same": (x1, 3, {"strides": 2, "padding": "same"}),
    "2d": (x2, 2, {}),
    "2d_same": (x2, 2, {"padding": "same"}),
    "2d_overlap": (x2, (3, 2), {"strides": 1, "padding": "same"}),
    "2d_odd": (x2, (4, 3), {"strides": (3, 2), "padding": "same"}),
    "2d_first": (f(2, 3, 5, 6), 2, {"padding": "same", **FIRST}),
    "2d_wide": (f(2, 7, 8, 2), 6, {"strides": 2, "padding": "same"}),
    "3d": (x3, 2, {"strides": 1}),
    "3d_same": (x3, 2, {"padding": "same"}),
}
last_ = "channels_last"
TABLES = (
    ("conv", conv, CONVS), ("depthwise_conv", depthwise_conv, DEPTHWISE),
    ("conv_transpose", conv_transpose, TRANSPOSED), ("max_pool", pool(np.nanmax), POOLS),
    ("average_pool", pool(np.nanmean), POOLS),
)  # fmt: skip

CASES = [
    *(
        Case(op, (x, w), kwargs, reference, tol=2e-5, name=name)
        for op, reference, table in TABLES
        for name, (x, w, kwargs) in table.items()
    ),
    Case("max_pool", (i(2, 6, 3), 2), reference=pool(np.nanmax), name="int"),
    Case("separable_conv", (x2, f(3, 2, 3, 2), f(1, 1, 6, 4)), {"strides": 2, "padding": "same"},
         separable_conv, tol=2e-5),
    Case("separable_conv", (f(2, 3, 7), f(3, 3, 2), f(1, 6, 4)), FIRST, separable_conv, tol=2e-5),
    # The forms that backends supply, as the public ones call them.
    Case("conv_nd", (x1, k1, (1,), "same", last_, (2,)), {}, conv, tol=2e-5),
    Case("depthwise_conv_nd", (x1, f(3, 3, 2), (1,), "same", last_, (2,)), {}, depthwise_conv),
    Case("conv_transpose_nd", (f(2, 4, 3), f(3, 2, 3), (2,), "same", (1,), last_, (1,)), {},
         conv_transpose),
    Case("max_pool_nd", (x1, (2,), (2,), "same", last_), {}, pool(np.nanmax)),
    Case("average_pool_nd", (x1, (2,), (2,), "same", last_), {}, pool(np.nanmean)),
]  # fmt: skip
