"""Layers without windows or time: core, activation, merging, reshaping, normalization."""

from __future__ import annotations

from functools import partial

import numpy as np

from multikeras import layers as L
from multikeras import ops, saving
from tests.conformance.layer_cases import row
from tests.conformance.layer_references import bilinear, normalize, softmax
from tests.conformance.op_cases import f

VECTOR, SEQUENCE, IMAGE = f(4, 3), f(4, 5, 3), f(2, 4, 6, 2)
VOLUME = f(2, 3, 4, 2, 2)
OTHER = f(4, 5, 3, seed=1)
TOKENS = np.array([[1, 2, 0], [3, 0, 0]], "int32")
PADDED = np.where(np.arange(5)[None, :, None] < [[[5]], [[3]], [[4]], [[1]]], SEQUENCE, 0)
PADDED = PADDED.astype("float32")


@saving.register_keras_serializable(package="conformance")
def double(x):
    return ops.multiply(x, 2.0)


@saving.register_keras_serializable(package="conformance")
def masked_again(inputs, mask):
    return None if mask is None else ops.logical_not(mask)


def both(first, second):
    return np.logical_and(first, second)


def batch_norm(w, x):
    return (x - w[2]) / np.sqrt(w[3] + 1e-3) * w[0] + w[1]


CASES = [
    row(
        L.Dense, 4, x=VECTOR, weights=(2, 0), mask="passes", reference=lambda w, x: x @ w[0] + w[1]
    ),
    row(
        L.Dense,
        4,
        x=SEQUENCE,
        activation="tanh",
        use_bias=False,
        weights=(1, 0),
        mask="passes",
        reference=lambda w, x: np.tanh(x @ w[0]),
    ),
    row(
        L.Dense,
        4,
        x=VECTOR,
        kernel_regularizer="l2",
        bias_constraint="non_neg",
        activity_regularizer="l1",
        kernel_initializer="he_normal",
        weights=(2, 0),
        mask="passes",
        reference=lambda w, x: x @ w[0] + w[1],
        name="settings",
    ),
    row(
        L.EinsumDense,
        "abc,cd->abd",
        (None, 4),
        x=SEQUENCE,
        bias_axes="d",
        weights=(2, 0),
        reference=lambda w, x: x @ w[0] + w[1],
    ),
    row(
        L.EinsumDense,
        "...x,xy->...y",
        4,
        x=SEQUENCE,
        activation="tanh",
        weights=(1, 0),
        reference=lambda w, x: np.tanh(x @ w[0]),
    ),
    row(
        L.Embedding,
        5,
        3,
        x=TOKENS,
        weights=(1, 0),
        mask="lost",
        reference=lambda w, x: w[0][x],
    ),
    row(
        L.Embedding,
        5,
        3,
        x=TOKENS,
        mask_zero=True,
        weights=(1, 0),
        mask=lambda inputs, masks: inputs[0] != 0,
        reference=lambda w, x: w[0][x],
    ),
    row(L.Activation, "tanh", x=VECTOR, mask="passes", reference=lambda w, x: np.tanh(x)),
    row(L.Identity, x=VECTOR, mask="passes", reference=lambda w, x: x),
    row(L.Lambda, double, x=VECTOR, reference=lambda w, x: 2 * x, name="function"),
    row(
        L.Lambda,
        double,
        x=VECTOR,
        output_shape=(3,),
        reference=lambda w, x: 2 * x,
        name="shape",
    ),
    row(
        L.Lambda,
        double,
        x=SEQUENCE,
        mask_=masked_again,
        mask=lambda inputs, masks: ~masks[0],
        reference=lambda w, x: 2 * x,
        name="mask",
    ),
    row(
        L.Masking,
        x=PADDED,
        mask=lambda inputs, masks: (inputs[0] != 0).any(-1),
        reference=lambda w, x: x,
    ),
    row(L.Rescaling, 0.5, x=VECTOR, offset=1.0, mask="passes", reference=lambda w, x: x / 2 + 1),
    row(L.Dropout, 0.5, x=f(8, 30), training="random", mask="passes", reference=lambda w, x: x),
    row(L.Dropout, 0, x=VECTOR, mask="passes", reference=lambda w, x: x),
    row(
        L.Dropout,
        0.5,
        x=f(8, 30, 2),
        noise_shape=(None, 30, 1),
        seed=3,
        training="random",
        mask="passes",
        reference=lambda w, x: x,
    ),
    # -- activations
    row(L.ReLU, x=VECTOR, mask="passes", reference=lambda w, x: np.maximum(x, 0)),
    row(
        L.ReLU,
        x=VECTOR,
        max_value=1.0,
        negative_slope=0.1,
        threshold=0.3,
        mask="passes",
        reference=lambda w, x: np.where(x >= 0.3, np.minimum(x, 1), 0.1 * (x - 0.3)),
    ),
    row(
        L.LeakyReLU,
        0.2,
        x=VECTOR,
        mask="passes",
        reference=lambda w, x: np.where(x > 0, x, 0.2 * x),
    ),
    row(L.Softmax, x=VECTOR, mask=None, reference=lambda w, x: softmax(x)),
    row(L.Softmax, x=SEQUENCE, axis=1, mask=None, reference=lambda w, x: softmax(x, 1)),
    # -- merging
    row(L.Add, x=([SEQUENCE, OTHER],), mask=both, reference=lambda w, x: x[0] + x[1]),
    row(
        L.Add,
        x=([SEQUENCE, OTHER, f(4, 1, 3)],),
        mask=None,
        reference=lambda w, x: x[0] + x[1] + x[2],
        name="broadcast",
    ),
    row(L.Multiply, x=([SEQUENCE, OTHER],), mask=both, reference=lambda w, x: x[0] * x[1]),
    row(
        L.Concatenate,
        x=([SEQUENCE, OTHER],),
        mask=both,
        reference=lambda w, x: np.concatenate(x, -1),
    ),
    row(
        L.Concatenate,
        x=([SEQUENCE, f(4, 2, 3)],),
        axis=1,
        mask=lambda first, second: np.concatenate([first, second], 1),
        reference=lambda w, x: np.concatenate(x, 1),
    ),
    # -- reshaping
    row(L.Flatten, x=SEQUENCE, reference=lambda w, x: x.reshape(4, -1)),
    row(
        L.Flatten,
        x=SEQUENCE,
        data_format="channels_first",
        reference=lambda w, x: x.swapaxes(1, 2).reshape(4, -1),
    ),
    row(L.Permute, (2, 1), x=SEQUENCE, reference=lambda w, x: x.swapaxes(1, 2)),
    row(L.RepeatVector, 3, x=VECTOR, mask=None, reference=lambda w, x: np.repeat(x[:, None], 3, 1)),
    row(L.Reshape, (3, -1), x=SEQUENCE, reference=lambda w, x: x.reshape(4, 3, 5)),
    row(L.Cropping1D, (1, 2), x=SEQUENCE, reference=lambda w, x: x[:, 1:-2]),
    row(L.Cropping2D, ((1, 0), (2, 1)), x=IMAGE, reference=lambda w, x: x[:, 1:, 2:-1]),
    row(
        L.Cropping2D,
        (1, 0),
        x=IMAGE,
        data_format="channels_first",
        reference=lambda w, x: x[:, :, 1:-1],
    ),
    row(
        L.Cropping3D,
        ((1, 1), (0, 1), (1, 0)),
        x=VOLUME,
        reference=lambda w, x: x[:, 1:-1, :-1, 1:],
    ),
    row(L.UpSampling1D, 2, x=SEQUENCE, reference=lambda w, x: x.repeat(2, 1)),
    row(L.UpSampling2D, (2, 3), x=IMAGE, reference=lambda w, x: x.repeat(2, 1).repeat(3, 2)),
    row(
        L.UpSampling2D,
        2,
        x=IMAGE,
        interpolation="bilinear",
        reference=lambda w, x: bilinear(x, (2, 2)),
    ),
    row(
        L.UpSampling3D,
        (2, 1, 2),
        x=VOLUME,
        reference=lambda w, x: x.repeat(2, 1).repeat(2, 3),
    ),
    row(
        L.ZeroPadding1D,
        (1, 2),
        x=SEQUENCE,
        reference=lambda w, x: np.pad(x, ((0, 0), (1, 2), (0, 0))),
    ),
    row(
        L.ZeroPadding2D,
        ((1, 0), (2, 1)),
        x=IMAGE,
        reference=lambda w, x: np.pad(x, ((0, 0), (1, 0), (2, 1), (0, 0))),
    ),
    row(
        L.ZeroPadding2D,
        (1, 2),
        x=IMAGE,
        data_format="channels_first",
        reference=lambda w, x: np.pad(x, ((0, 0), (0, 0), (1, 1), (2, 2))),
    ),
    row(
        L.ZeroPadding3D,
        (1, 0, 2),
        x=VOLUME,
        reference=lambda w, x: np.pad(x, ((0, 0), (1, 1), (0, 0), (2, 2), (0, 0))),
    ),
    # -- normalization
    row(
        L.BatchNormalization,
        x=SEQUENCE,
        weights=(2, 2),
        training="differs",
        mask="passes",
        reference=batch_norm,
    ),
    row(
        L.BatchNormalization,
        x=SEQUENCE,
        call={"training": True},
        weights=(2, 2),
        training="given",
        mask="passes",
        reference=lambda w, x, training: normalize(x, (0, 1), 1e-3, w[0], w[1]),
        name="training",
    ),
    row(
        L.BatchNormalization,
        x=IMAGE,
        axis=1,
        center=False,
        scale=False,
        momentum=0.9,
        epsilon=0.01,
        weights=(0, 2),
        training="differs",
        mask="passes",
        reference=lambda w, x: (x - w[0][:, None, None]) / np.sqrt(w[1][:, None, None] + 0.01),
    ),
    row(
        L.LayerNormalization,
        x=SEQUENCE,
        weights=(2, 0),
        mask="passes",
        reference=lambda w, x: normalize(x, -1, 1e-3, w[0], w[1]),
    ),
    row(
        L.LayerNormalization,
        x=SEQUENCE,
        axis=(1, 2),
        weights=(2, 0),
        mask="passes",
        reference=lambda w, x: normalize(x, (1, 2), 1e-3, w[0], w[1]),
    ),
    row(
        L.LayerNormalization,
        x=SEQUENCE,
        center=False,
        scale=False,
        mask="passes",
        reference=lambda w, x: normalize(x, -1, 1e-3),
    ),
    row(
        L.RMSNormalization,
        x=SEQUENCE,
        weights=(1, 0),
        reference=lambda w, x: x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) * w[0],
    ),
    # -- wrappers
    row(
        L.TimeDistributed,
        partial(L.Dense, 4),
        x=SEQUENCE,
        weights=(2, 0),
        mask="passes",
        reference=lambda w, x: x @ w[0] + w[1],
        name="Dense",
    ),
    row(
        L.TimeDistributed,
        partial(L.Conv1D, 2, 2),
        x=f(2, 3, 5, 3),
        weights=(2, 0),
        mask="passes",
        name="Conv1D",
    ),
]
