"""Cases of connectionist temporal classification, against all paths one by one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tests.conformance.cases_neural import log_softmax
from tests.conformance.op_cases import Case, f, i


def _paths(log_p: Any, length: int) -> Any:
    """Every path over the first `length` steps, with its log probability."""
    for path in itertools.product(range(log_p.shape[1]), repeat=length):
        yield path, sum(log_p[step, k] for step, k in enumerate(path))


def _loss(target: Any, output: Any, labels: Any, steps: Any, mask_index: int = 0) -> Any:
    losses = []
    for row, log_p, n, length in zip(target, log_softmax(output), labels, steps, strict=True):
        total = 0.0
        for path, score in _paths(log_p, length):
            read = [k for k, _ in itertools.groupby(path) if k != mask_index]
            total += np.exp(score) if read == list(row[:n]) else 0.0
        losses.append(-np.log(total) if total else np.inf)
    return np.array(losses)


def _greedy(
    inputs: Any,
    lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> Any:
    blank = inputs.shape[2] - 1 if mask_index is None else mask_index
    labels = np.full((1, *inputs.shape[:2]), -1)
    scores = np.zeros((len(inputs), 1))
    for row, (x, length) in enumerate(zip(inputs, lengths, strict=True)):
        path = x[:length].argmax(-1)
        read = [k for k, _ in itertools.groupby(path)] if merge_repeated else path
        read = [k for k in read if k != blank]
        labels[0, row, : len(read)] = read
        scores[row] = -x[:length].max(-1).sum()
    return labels, scores


def _best(
    inputs: Any,
    lengths: Any,
    strategy: str = "",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> Any:
    """The most likely sequences of all: what a beam search finds that cuts nothing."""
    blank = inputs.shape[2] - 1 if mask_index is None else mask_index
    labels = np.full((top_paths, *inputs.shape[:2]), -1)
    scores = np.full((len(inputs), top_paths), -np.inf)
    for row, (log_p, length) in enumerate(zip(log_softmax(inputs), lengths, strict=True)):
        found: dict[tuple, float] = {}
        for path, score in _paths(log_p, length):
            read = tuple(k for k, _ in itertools.groupby(path) if k != blank)
            found[read] = np.logaddexp(found.get(read, -np.inf), score)
        ranked = sorted(found, key=lambda read: -found[read])[:top_paths]
        for place, read in enumerate(ranked):
            labels[place, row, : len(read)] = read
            scores[row, place] = found[read]
    return labels, scores


_TARGET = np.array([[1, 2, 2], [2, 1, 0], [1, 0, 0], [2, 2, 2]], "int32")
_LENGTHS = (np.array([3, 2, 0, 1], "int32"), np.array([4, 3, 4, 4], "int32"))

CASES = [
    Case("ctc_loss", (_TARGET, f(4, 4, 3), *_LENGTHS), reference=_loss, batch=False),
    Case(
        "ctc_loss",
        (_TARGET + 1, f(4, 5, 4), _LENGTHS[0], _LENGTHS[1] + 1),
        {"mask_index": 0},
        reference=_loss,
        batch=False,
        name="longer",
    ),
    Case(
        "ctc_loss",
        (_TARGET, f(4, 4, 5, low=-30, high=30), *_LENGTHS, 3),
        reference=_loss,
        batch=False,
        name="blank_3_sharp",
    ),
    Case(
        "ctc_loss",
        (_TARGET, f(4, 4, 3), _LENGTHS[0], np.array([2, 3, 0, 4], "int32")),
        reference=_loss,
        grad=False,
        batch=False,
        name="impossible",
    ),
    Case("ctc_loss", (i(1, 1, low=1, high=3), f(1, 3, 3), [1], [3]), reference=_loss, batch=False),
    *(
        Case(
            "ctc_decode",
            (f(3, 6, 4), np.array([6, 4, 0], "int32")),
            {"merge_repeated": merge, "mask_index": blank},
            reference=_greedy,
            name=f"greedy_{merge}_{blank}",
        )
        for merge in (True, False)
        for blank in (0, 2, None)
    ),
    *(
        Case(
            "ctc_decode",
            (f(3, 5, classes, seed=blank or 7), np.array([5, 3, 1], "int32"), "beam_search"),
            {"top_paths": 3, "beam_width": width, "mask_index": blank},
            reference=_best,
            name=f"beams_{classes}_{blank}_{width}",
        )
        for classes, blank, width in ((3, 0, 100), (4, 2, 400), (3, None, 50))
    ),
]
