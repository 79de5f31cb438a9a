"""Every loss: value against a NumPy reference, gradient, reductions, masks, compiled = eager.

A loss without a case here fails `test_every_loss_has_a_case`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from multikeras import losses, ops
from multikeras.backends import native
from multikeras.symbolic.operation import snake_case
from multikeras.variables import Variable

EPS = 1e-7
rng = np.random.default_rng(0)


def _softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _scaled(p: Any) -> Any:
    return p / p.sum(-1, keepdims=True)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _unit(x: Any, axis: int = -1) -> Any:
    return x / np.sqrt((x**2).sum(axis, keepdims=True))


REAL = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
LOGITS = rng.normal(size=(5, 4))
PROBS = _softmax(rng.normal(size=(5, 4)))
ONE_HOT = np.eye(4)[[0, 1, 2, 3, 1]]
BITS = rng.integers(0, 2, (5, 4)).astype(float)
IDS = np.array([0, 1, 2, 3, 1])
SCORES = rng.uniform(0.05, 0.95, (5, 4))
UNIT = _unit(rng.normal(size=(5, 3)))


def _bce(t: Any, p: Any) -> Any:
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def _binary_focal(t: Any, p: Any) -> Any:
    of_truth = t * p + (1 - t) * (1 - p)
    return ((1 - of_truth) ** 2 * _bce(t, p)).mean(-1)


def _circle(labels: Any, x: Any, gamma: float = 20.0, margin: float = 0.25) -> Any:
    """The formula of the paper, in cosines."""
    s = x @ x.T
    same = labels[:, None] == labels[None, :]
    pos = same & ~np.eye(len(s), dtype=bool)
    a_p, a_n = np.maximum(1 + margin - s, 0), np.maximum(s + margin, 0)
    near = np.where(pos, np.exp(-gamma * a_p * (s - 1 + margin)), 0).sum(1)
    far = np.where(~same, np.exp(gamma * a_n * (s - margin)), 0).sum(1)
    return np.log1p(near * far)


def _dice(t: Any, p: Any) -> Any:
    return 1 - 2 * (t * p).sum(1) / (t.sum(1) + p.sum(1))


def _tversky(t: Any, p: Any) -> Any:
    both = (t * p).sum(1)
    return 1 - both / (both + 0.3 * (t * (1 - p)).sum(1) + 0.7 * ((1 - t) * p).sum(1))


def _ctc(labels: Any, logits: Any) -> Any:
    """The sum over all alignments, one by one."""
    import itertools

    p = _softmax(logits)
    out = []
    for label, q in zip(labels, p, strict=True):
        total = 0.0
        for path in itertools.product(range(q.shape[1]), repeat=q.shape[0]):
            merged = [k for k, _ in itertools.groupby(path)]
            if [k for k in merged if k] == list(label):
                total += np.prod([q[i, k] for i, k in enumerate(path)])
        out.append(-np.log(total))
    return np.array(out)


@dataclass(frozen=True)
class LossCase:
    """A loss, its settings, inputs and its value per sample in float64."""

    name: str
    y_true: Any
    y_pred: Any
    reference: Callable
    kwargs: dict[str, Any] = field(default_factory=dict)
    gradient: bool = True

    def __str__(self) -> str:
        return f"{self.name}-{'-'.join(map(str, self.kwargs.values()))}"


def case(
    name: str, inputs: tuple, reference: Callable, gradient: bool = True, **kwargs: Any
) -> Any:
    return LossCase(name, *inputs, reference, kwargs, gradient)


CASES = [
    case("MeanSquaredError", REAL, lambda t, p: ((t - p) ** 2).mean(-1)),
    case("MeanAbsoluteError", REAL, lambda t, p: abs(t - p).mean(-1)),
    case("MeanAbsolutePercentageError", REAL, lambda t, p: 100 * (abs(t - p) / abs(t)).mean(-1)),
    case(
        "MeanSquaredLogarithmicError",
        (SCORES, PROBS),
        lambda t, p: ((np.log1p(t) - np.log1p(p)) ** 2).mean(-1),
    ),
    case(
        "Huber",
        REAL,
        lambda t, p: np.where(
            abs(t - p) <= 0.7, (t - p) ** 2 / 2, 0.7 * abs(t - p) - 0.7**2 / 2
        ).mean(-1),
        delta=0.7,
    ),
    case("LogCosh", REAL, lambda t, p: np.log(np.cosh(t - p)).mean(-1)),
    case("BinaryCrossentropy", (BITS, SCORES), lambda t, p: _bce(t, p).mean(-1)),
    case(
        "BinaryCrossentropy",
        (BITS, LOGITS),
        lambda t, p: _bce(t * 0.8 + 0.1, _sigmoid(p)).mean(-1),
        from_logits=True,
        label_smoothing=0.2,
    ),
    case(
        "CategoricalCrossentropy",
        (ONE_HOT, SCORES),
        lambda t, p: -(t * np.log(p / p.sum(-1, keepdims=True))).sum(-1),
    ),
    case(
        "CategoricalCrossentropy",
        (ONE_HOT, LOGITS),
        lambda t, p: -((t * 0.9 + 0.025) * np.log(_softmax(p))).sum(-1),
        from_logits=True,
        label_smoothing=0.1,
    ),
    case(
        "SparseCategoricalCrossentropy",
        (IDS, PROBS),
        lambda t, p: -np.log(_scaled(p)[np.arange(5), t]),
    ),
    case(
        "SparseCategoricalCrossentropy",
        (IDS[:, None], LOGITS),
        lambda t, p: -np.log(_softmax(p)[np.arange(5), t[:, 0]]),
        from_logits=True,
    ),
    case("KLDivergence", (PROBS[::-1].copy(), PROBS), lambda t, p: (t * np.log(t / p)).sum(-1)),
    case("Poisson", (SCORES, PROBS), lambda t, p: (p - t * np.log(p + EPS)).mean(-1)),
    case("CosineSimilarity", REAL, lambda t, p: -(_unit(t) * _unit(p)).sum(-1)),
    case(
        "CosineSimilarity",
        (REAL[0][None], REAL[1][None]),
        lambda t, p: -(_unit(t, 1) * _unit(p, 1)).sum(1),
        axis=1,
    ),
    case("Hinge", (BITS, LOGITS), lambda t, p: np.maximum(1 - (2 * t - 1) * p, 0).mean(-1)),
    case("Hinge", (2 * BITS - 1, LOGITS), lambda t, p: np.maximum(1 - t * p, 0).mean(-1)),
    case(
        "SquaredHinge",
        (BITS, LOGITS),
        lambda t, p: (np.maximum(1 - (2 * t - 1) * p, 0) ** 2).mean(-1),
    ),
    case(
        "CategoricalHinge",
        (ONE_HOT, LOGITS),
        lambda t, p: np.maximum(((1 - t) * p).max(-1) - (t * p).sum(-1) + 1, 0),
    ),
    case("BinaryFocalCrossentropy", (BITS, SCORES), _binary_focal),
    case(
        "CategoricalFocalCrossentropy",
        (ONE_HOT, PROBS),
        lambda t, p: (0.25 * (1 - _scaled(p)) ** 2 * -t * np.log(_scaled(p))).sum(-1),
    ),
    case(
        "CategoricalGeneralizedCrossEntropy",
        (IDS, PROBS),
        lambda t, p: (1 - p[np.arange(5), t] ** 0.7) / 0.7,
        q=0.7,
    ),
    case("Dice", (BITS, SCORES), _dice, axis=(1,)),
    case("Tversky", (BITS, SCORES), _tversky, alpha=0.3, beta=0.7, axis=(1,)),
    # The weights of the circle loss are constants for its gradient, so it is not its slope.
    case("Circle", (np.array([0, 1, 0, 1, 0]), UNIT), _circle, False, gamma=20.0, margin=0.25),
    case("CTC", (np.array([[1, 2], [2, 2]]), rng.normal(size=(2, 4, 3))), _ctc),
]


def _tensors(case: LossCase) -> tuple[Any, Any]:
    y_true = case.y_true
    y_true = y_true if y_true.dtype.kind == "i" else ops.convert_to_tensor(y_true, "float32")
    return y_true, ops.convert_to_tensor(case.y_pred, "float32")


def _expected(case: LossCase) -> Any:
    return np.asarray(case.reference(case.y_true, case.y_pred))


def _loss(case: LossCase, reduction: str | None) -> losses.Loss:
    return getattr(losses, case.name)(reduction=reduction, **case.kwargs)


def test_every_loss_has_a_case() -> None:
    assert {c.name for c in CASES} == {cls.__name__ for cls in losses.CLASSES}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_value(case: LossCase) -> None:
    got = ops.convert_to_numpy(_loss(case, "none")(*_tensors(case)))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, _expected(case), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_function_is_the_unreduced_loss(case: LossCase) -> None:
    function = losses.get(snake_case(case.name).replace("io_u", "iou"))
    got = function(*_tensors(case), **case.kwargs)
    np.testing.assert_allclose(
        ops.convert_to_numpy(got), _expected(case), rtol=2e-5, atol=2e-6
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_reductions(case: LossCase) -> None:
    values = _expected(case).astype("float64")
    weight = np.linspace(0.5, 2.0, values.size).reshape(values.shape)
    weighted = values * weight
    expected = {
        "sum": weighted.sum(),
        "mean": weighted.mean(),
        "sum_over_batch_size": weighted.mean(),
        "mean_with_sample_weight": weighted.sum() / weight.sum(),
        None: weighted,
    }
    for reduction, value in expected.items():
        got = _loss(case, reduction)(*_tensors(case), sample_weight=weight)
        np.testing.assert_allclose(ops.convert_to_numpy(got), value, rtol=5e-5, atol=2e-6)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_mask_takes_samples_out_of_the_mean(case: LossCase) -> None:
    values = _expected(case)
    mask = (np.arange(values.size) % 3 != 0).reshape(values.shape)
    got = _loss(case, "sum_over_batch_size").masked(*_tensors(case), mask=mask)
    np.testing.assert_allclose(ops.convert_to_numpy(got), values[mask].mean(), rtol=5e-5)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_config_makes_the_same_loss(case: LossCase) -> None:
    loss = _loss(case, "sum")
    again = losses.deserialize(losses.serialize(loss))
    assert type(again) is type(loss)
    assert losses.serialize(again) == losses.serialize(loss)
    tensors = _tensors(case)
    assert float(again(*tensors)) == float(loss(*tensors))


@pytest.mark.parametrize("case", [c for c in CASES if c.gradient], ids=str)
def test_gradient_is_the_slope(case: LossCase) -> None:
    y_true, y_pred = _tensors(case)
    variable = Variable(y_pred)
    loss = _loss(case, "sum")
    _, (gradient,) = native.engine.value_and_grad(
        lambda: loss(y_true, variable.value), [variable]
    )()
    direction = np.random.default_rng(1).normal(size=case.y_pred.shape)
    step = 1e-6
    slope = (
        case.reference(case.y_true, case.y_pred + step * direction).sum()
        - case.reference(case.y_true, case.y_pred - step * direction).sum()
    ) / (2 * step)
    got = (ops.convert_to_numpy(gradient) * direction).sum()
    np.testing.assert_allclose(got, slope, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_compiled_is_eager(case: LossCase) -> None:
    loss = _loss(case, "sum_over_batch_size")
    y_true, y_pred = _tensors(case)
    y_true = ops.convert_to_tensor(y_true)
    compiled = native.engine.compile_step(
        lambda t, p: loss(t, p), [], jit=native.engine.jits_by_default
    )
    eager = ops.convert_to_numpy(loss(y_true, y_pred))
    np.testing.assert_allclose(
        ops.convert_to_numpy(compiled(y_true, y_pred)), eager, rtol=1e-5, atol=1e-6
    )
