"""Convolutions and pooling."""

from __future__ import annotations

import numpy as np

from multikeras import layers as L
from tests.conformance.layer_cases import row
from tests.conformance.layer_references import conv, depthwise, first, pool
from tests.conformance.op_cases import f

SEQUENCE, IMAGE = f(4, 6, 4), f(2, 5, 6, 4)

CASES = [
    row(L.Conv1D, 4, 3, x=SEQUENCE, weights=(2, 0), reference=lambda w, x: conv(x, *w)),
    row(
        L.Conv1D,
        4,
        3,
        x=SEQUENCE,
        padding="causal",
        dilation_rate=2,
        weights=(2, 0),
        reference=lambda w, x: conv(x, *w, padding="causal", dilation=2),
    ),
    row(
        L.Conv1D,
        4,
        2,
        x=SEQUENCE,
        strides=2,
        padding="same",
        use_bias=False,
        groups=2,
        weights=(1, 0),
        reference=lambda w, x: conv(x, *w, strides=2, padding="same", groups=2),
    ),
    row(
        L.Conv2D,
        4,
        (2, 3),
        x=IMAGE,
        activation="tanh",
        weights=(2, 0),
        reference=lambda w, x: np.tanh(conv(x, *w)),
    ),
    row(
        L.Conv2D,
        4,
        3,
        x=IMAGE,
        strides=2,
        padding="same",
        weights=(2, 0),
        reference=lambda w, x: conv(x, *w, strides=2, padding="same"),
    ),
    row(
        L.Conv2D,
        2,
        2,
        x=IMAGE,
        data_format="channels_first",
        dilation_rate=(2, 1),
        weights=(2, 0),
        reference=first(lambda w, x: conv(x, *w, dilation=(2, 1))),
    ),
    row(
        L.DepthwiseConv2D,
        3,
        x=IMAGE,
        depth_multiplier=2,
        padding="same",
        weights=(2, 0),
        reference=lambda w, x: depthwise(x, *w, padding="same"),
    ),
    row(
        L.DepthwiseConv2D,
        2,
        x=IMAGE,
        strides=2,
        use_bias=False,
        weights=(1, 0),
        reference=lambda w, x: depthwise(x, *w, strides=2),
    ),
    row(L.MaxPooling1D, 2, x=SEQUENCE, reference=lambda w, x: pool(x, "max", 2)),
    row(
        L.MaxPooling2D,
        (2, 3),
        x=IMAGE,
        strides=2,
        padding="same",
        reference=lambda w, x: pool(x, "max", (2, 3), 2, "same"),
    ),
    row(
        L.MaxPooling2D,
        2,
        x=IMAGE,
        data_format="channels_first",
        reference=first(lambda w, x: pool(x, "max", 2)),
    ),
    row(
        L.AveragePooling1D,
        3,
        x=SEQUENCE,
        strides=2,
        padding="same",
        reference=lambda w, x: pool(x, "mean", 3, 2, "same"),
    ),
    row(L.AveragePooling2D, (2, 3), x=IMAGE, reference=lambda w, x: pool(x, "mean", (2, 3))),
    row(
        L.AveragePooling2D,
        2,
        x=IMAGE,
        padding="same",
        reference=lambda w, x: pool(x, "mean", 2, None, "same"),
    ),
    row(L.GlobalMaxPooling1D, x=SEQUENCE, reference=lambda w, x: x.max(1)),
    row(
        L.GlobalMaxPooling2D,
        x=IMAGE,
        keepdims=True,
        reference=lambda w, x: x.max((1, 2), keepdims=True),
    ),
    row(L.GlobalAveragePooling1D, x=SEQUENCE, mask="ends", reference=lambda w, x: x.mean(1)),
    row(
        L.GlobalAveragePooling2D,
        x=IMAGE,
        data_format="channels_first",
        reference=lambda w, x: x.mean((2, 3)),
    ),
]
