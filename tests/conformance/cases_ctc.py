"""Cases of connectionist temporal classification, against all paths one by one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tests.conformance.cases_nn import log_softmax
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
]
