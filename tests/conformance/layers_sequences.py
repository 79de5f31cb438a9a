"""Recurrent layers and attention."""

from __future__ import annotations

from functools import partial

import numpy as np

from multikeras import layers as L
from tests.conformance.layer_cases import row
from tests.conformance.layer_references import (
    attend,
    gru_step,
    heads,
    lstm_step,
    run,
    simple_step,
    softmax,
)
from tests.conformance.op_cases import f

X, STEP = f(4, 5, 3), f(4, 3)
H, C = f(4, 2, seed=1), f(4, 2, seed=2)
MASK = np.arange(5) < np.array([[5], [3], [4], [1]])
QUERY, VALUE = f(4, 3, 2, seed=3), f(4, 5, 2, seed=4)
KEY = f(4, 5, 2, seed=5)
KEPT = np.arange(5) < np.array([[5], [3], [4], [1]])  # of the keys
CAUSAL = np.arange(3)[:, None] >= np.arange(5)
KINDS = {"simple": L.SimpleRNN, "lstm": L.LSTM, "gru": L.GRU}


def of_kind(kind, cls):
    """The rows that the three recurrent layers share."""
    shared = {"weights": (3, 0), "x": X}
    return [
        row(cls, 2, mask="ends", reference=lambda w, x: run(kind, w, x)[0][:, -1], **shared),
        row(
            cls,
            2,
            return_sequences=True,
            go_backwards=True,
            mask="passes",
            reference=lambda w, x: run(kind, w, x, backwards=True)[0],
            **shared,
        ),
        row(
            cls,
            2,
            return_sequences=True,
            return_state=True,
            mask="passes",
            call={"mask": MASK},
            reference=lambda w, x, mask: (
                run(kind, w, x, mask)[0],
                *run(kind, w, x, mask)[1],
            ),
            name="masked",
            **shared,
        ),
        row(
            cls,
            2,
            unroll=True,
            mask="ends",
            call={"initial_state": [H, C] if kind == "lstm" else [H]},
            reference=lambda w, x, initial_state: run(kind, w, x, start=initial_state)[0][:, -1],
            name="initial_state",
            **shared,
        ),
        row(
            cls,
            2,
            dropout=0.5,
            recurrent_dropout=0.5,
            mask="ends",
            training="random",
            reference=lambda w, x: run(kind, w, x)[0][:, -1],
            **shared,
        ),
    ]


def two_ways(w, x, merge=lambda a, b: np.concatenate([a, b], -1)):
    there = run("lstm", w[:3], x)[0]
    back = run("lstm", w[3:], x, backwards=True)[0]
    return merge(there, back[:, ::-1])


def attention(w, inputs, **kwargs):
    query, value, *key = inputs
    return attend(query, key[0] if key else value, value, **kwargs)


def additive(w, inputs):
    query, value = inputs
    scores = (np.tanh(query[:, :, None] + value[:, None]) * w[0]).sum(-1)
    return softmax(scores) @ value


CASES = [
    *(case for kind, cls in KINDS.items() for case in of_kind(kind, cls)),
    row(
        L.GRU,
        2,
        x=X,
        reset_after=False,
        weights=(3, 0),
        mask="ends",
        reference=lambda w, x: run("gru", w, x, reset_after=False)[0][:, -1],
    ),
    row(
        L.LSTM,
        2,
        x=X,
        activation="relu",
        use_bias=False,
        unit_forget_bias=False,
        weights=(2, 0),
        mask="ends",
    ),
    row(
        L.LSTM,
        2,
        x=X,
        stateful=True,
        batch=False,
        weights=(3, 0),
        mask="ends",
        training="differs",  # every call starts where the one before has ended
        reference=lambda w, x: run("lstm", w, x)[0][:, -1],
    ),
    row(
        L.SimpleRNNCell,
        2,
        x=(STEP, [H]),
        weights=(3, 0),
        mask=None,
        reference=lambda w, x, s: (simple_step(x, s[0], w), [simple_step(x, s[0], w)]),
    ),
    row(
        L.LSTMCell,
        2,
        x=(STEP, [H, C]),
        weights=(3, 0),
        mask=None,
        reference=lambda w, x, s: (lstm_step(x, *s, w)[0], list(lstm_step(x, *s, w))),
    ),
    row(
        L.GRUCell,
        2,
        x=(STEP, [H]),
        weights=(3, 0),
        mask=None,
        reference=lambda w, x, s: (gru_step(x, s[0], w), [gru_step(x, s[0], w)]),
    ),
    row(
        L.StackedRNNCells,
        [partial(L.SimpleRNNCell, 2), partial(L.GRUCell, 2)],
        x=(STEP, [H, C]),
        weights=(6, 0),
        mask=None,
        reference=lambda w, x, s: (
            gru_step(simple_step(x, s[0], w[:3]), s[1], w[3:]),
            [
                simple_step(x, s[0], w[:3]),
                gru_step(simple_step(x, s[0], w[:3]), s[1], w[3:]),
            ],
        ),
        name="two",
    ),
    row(
        L.RNN,
        partial(L.LSTMCell, 2),
        x=X,
        return_sequences=True,
        weights=(3, 0),
        mask="passes",
        reference=lambda w, x: run("lstm", w, x)[0],
    ),
    row(
        L.RNN,
        [partial(L.GRUCell, 3), partial(L.SimpleRNNCell, 2)],
        x=X,
        weights=(6, 0),
        mask="ends",
        reference=lambda w, x: run("simple", w[3:], run("gru", w[:3], x)[0])[0][:, -1],
        name="stack",
    ),
    row(
        L.RNN,
        partial(L.SimpleRNNCell, 2),
        x=X,
        call={"mask": MASK},
        return_sequences=True,
        zero_output_for_mask=True,
        weights=(3, 0),
        mask="passes",
        reference=lambda w, x, mask: run("simple", w, x, mask)[0] * mask[..., None],
        name="zeros",
    ),
    row(
        L.Bidirectional,
        partial(L.LSTM, 2, return_sequences=True),
        x=X,
        weights=(6, 0),
        mask="passes",
        reference=two_ways,
        name="concat",
    ),
    row(
        L.Bidirectional,
        partial(L.LSTM, 2, return_sequences=True),
        merge_mode="mul",
        x=X,
        weights=(6, 0),
        mask="passes",
        reference=lambda w, x: two_ways(w, x, np.multiply),
    ),
    row(
        L.Bidirectional,
        partial(L.GRU, 2, return_state=True),
        x=X,
        weights=(6, 0),
        mask="ends",
        name="states",
    ),
    # -- attention
    row(
        L.Attention,
        x=([QUERY, VALUE],),
        mask="passes",
        reference=lambda w, x: attention(w, x)[0],
    ),
    row(
        L.Attention,
        x=([QUERY, VALUE, KEY],),
        use_scale=True,
        call={"use_causal_mask": True, "return_attention_scores": True},
        weights=(1, 0),
        mask=None,
        reference=lambda w, x, **_: attention(w, x, allowed=CAUSAL, scale=w[0]),
    ),
    row(
        L.Attention,
        x=([QUERY, VALUE],),
        score_mode="concat",
        dropout=0.5,
        training="random",
        weights=(1, 0),
        mask="passes",
        reference=lambda w, x: additive([w[0]], x),
    ),
    row(
        L.AdditiveAttention,
        x=([QUERY, VALUE],),
        weights=(1, 0),
        mask="passes",
        reference=additive,
    ),
    row(
        L.MultiHeadAttention,
        2,
        3,
        x=(QUERY, VALUE),
        weights=(8, 0),
        mask="passes",
        no_grad=("key/bias",),
        reference=lambda w, q, v: heads(w, q, v, order="qkv")[0],
    ),
    row(
        L.MultiHeadAttention,
        2,
        3,
        x=(QUERY, VALUE, KEY),
        value_dim=2,
        output_shape=4,
        call={"attention_mask": np.broadcast_to(KEPT[:, None], (4, 3, 5)).copy()},
        weights=(8, 0),
        mask="passes",
        no_grad=("key/bias",),
        reference=lambda w, q, v, k, attention_mask: heads(w, q, v, k, attention_mask)[0],
        name="mask",
    ),
    row(
        L.MultiHeadAttention,
        2,
        3,
        x=(QUERY, VALUE),
        dropout=0.3,
        call={"use_causal_mask": True, "return_attention_scores": True},
        weights=(8, 0),
        mask=None,
        training="random",
        no_grad=("key/bias",),
        reference=lambda w, q, v, **_: heads(w, q, v, allowed=CAUSAL),
        name="scores",
    ),
    row(
        L.GroupQueryAttention,
        3,
        4,
        2,
        x=(QUERY, VALUE),
        weights=(8, 0),
        mask="passes",
        no_grad=("key/bias",),
        reference=lambda w, q, v: heads(w, q, v)[0],
    ),
]
