"""Every metric: settings, inputs, and its value by a plain float64 NumPy reference.

Holds no framework and no library: `make` takes the module whose metric is meant, so that the same
table serves another library as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

EPS = 1e-7
N = 6
rng = np.random.default_rng(7)
FRACTIONS = np.array([0.5, 2.0, 0.0, 3.0, 1.0, 1.5])
WHOLE = np.array([1.0, 2.0, 0.0, 3.0, 1.0, 2.0])


@dataclass(frozen=True)
class MetricCase:
    """A metric, its inputs and its value: `reference(*inputs, weights)`."""

    name: str
    inputs: tuple[Any, ...]
    reference: Callable
    kwargs: dict[str, Any] = field(default_factory=dict)
    weights: Any = field(default_factory=lambda: FRACTIONS)

    def __str__(self) -> str:
        shown = [f"{k}={v}" for k, v in self.kwargs.items() if not callable(v)]
        return "-".join([self.name, *shown]).replace(" ", "")

    def make(self, library: Any) -> Any:
        """The metric; settings that are functions are called with the library."""
        settings = {k: v(library) if callable(v) else v for k, v in self.kwargs.items()}
        return getattr(library.metrics, self.name)(**settings)

    def expected(self, weighted: bool) -> Any:
        """Its value over all inputs."""
        return np.asarray(self.reference(*self.inputs, self.weights if weighted else np.ones(N)))


def _softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _unit(x: Any) -> Any:
    return x / np.sqrt((x**2).sum(-1, keepdims=True))


REAL = rng.normal(size=(N, 4)), rng.normal(size=(N, 4))
LOGITS = rng.normal(size=(N, 4))
PROBS = _softmax(rng.normal(size=(N, 4)))
OTHER_PROBS = _softmax(rng.normal(size=(N, 4)))
SCORES = rng.uniform(0.05, 0.95, (N, 4))
BITS = rng.integers(0, 2, (N, 4)).astype(float)
IDS = np.array([0, 1, 2, 3, 1, 0])
ONE_HOT = np.eye(4)[IDS]
BEST = np.array([[0, 1], [2, 1], [1, 0], [3, 2], [0, 1], [0, 3]])
GUESSES = np.array([0, 1, 1, 3, 2, 0])
YES = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
CHANCES = np.array([0.12, 0.47, 0.83, 0.62, 0.91, 0.33])
MAPS = rng.integers(0, 3, (N, 2)), rng.integers(0, 3, (N, 2))
MAPS_HOT, MAPS_SCORES = np.eye(3)[MAPS[0]], rng.uniform(size=(N, 2, 3))
VALUES = rng.normal(size=(N, 3))


def mean_of(values: Callable) -> Callable:
    """The weighted mean of values per sample."""

    def reference(*inputs: Any) -> Any:
        *inputs, weights = inputs
        per_sample = np.asarray(values(*inputs), float).reshape(N, -1).mean(1)
        return (per_sample * weights).sum() / weights.sum()

    return reference


def _bce(t: Any, p: Any) -> Any:
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def _rank(t: Any, p: Any) -> Any:
    """How many classes have a greater prediction than the label."""
    return (p > p[np.arange(N), t][:, None]).sum(1)


# Counts at thresholds ------------------------------------------------------------------------


def counts(
    t: Any, p: Any, w: Any, threshold: float, class_id: int | None = None, top_k: int | None = None
) -> tuple[float, float, float, float]:
    """(true positives, false positives, true negatives, false negatives), one by one."""
    tp = fp = tn = fn = 0.0
    for i in range(N):
        row_t, row_p = np.atleast_1d(t[i]), np.atleast_1d(p[i])
        best = set(np.argsort(-row_p)[:top_k]) if top_k else range(len(row_p))
        for j in range(len(row_p)):
            if class_id is not None and j != class_id:
                continue
            yes = j in best and row_p[j] > threshold
            tp += w[i] * (yes and row_t[j] == 1)
            fp += w[i] * (yes and row_t[j] == 0)
            tn += w[i] * (not yes and row_t[j] == 0)
            fn += w[i] * (not yes and row_t[j] == 1)
    return tp, fp, tn, fn


def share(part: float, rest: float) -> float:
    """`part / (part + rest)`, 0 of nothing."""
    return part / (part + rest) if part + rest else 0.0


def count_of(position: int, *thresholds: float) -> Callable:
    """One of the counts at each threshold."""

    def reference(t: Any, p: Any, w: Any) -> Any:
        found = [counts(t, p, w, threshold)[position] for threshold in thresholds]
        return found[0] if len(found) == 1 else found

    return reference


def share_of(position: int, *thresholds: float, **settings: Any) -> Callable:
    """True positives over them and another count, at each threshold."""

    def reference(t: Any, p: Any, w: Any) -> Any:
        found = []
        for threshold in thresholds:
            found_here = counts(t, p, w, threshold, **settings)
            found.append(share(found_here[0], found_here[position]))
        return found[0] if len(found) == 1 else found

    return reference


def precision(c: tuple) -> float:
    return share(c[0], c[1])


def recall(c: tuple) -> float:
    return share(c[0], c[3])


def specificity(c: tuple) -> float:
    return share(c[2], c[1])


def best_at(
    bounded: Callable, least: float, given: Callable, number: int = 11, **settings: Any
) -> Callable:
    """The best of one share where the other is large enough."""
    levels = [0.5] if number == 1 else [i / (number - 1) for i in range(number)]

    def reference(t: Any, p: Any, w: Any) -> float:
        found = [counts(t, p, w, level, **settings) for level in levels]
        return max([given(c) for c in found if bounded(c) >= least], default=0.0)

    return reference


# Areas under curves --------------------------------------------------------------------------


def area(curve: str, method: str, levels: Any = None, logits: bool = False) -> Callable:
    """The area under a curve through the points at thresholds."""
    inner = [i / 19 for i in range(1, 19)] if levels is None else levels
    thresholds = [-EPS, *inner, 1 + EPS]

    def reference(t: Any, p: Any, w: Any) -> float:
        p = _sigmoid(p) if logits else p
        found = [counts(t, p, w, threshold) for threshold in thresholds]
        if curve == "PR" and method == "interpolation":
            return sum(_pr_piece(a, b) for a, b in pairwise(found))
        points = [_point(curve, c) for c in found]
        total = 0.0
        for (x1, y1), (x2, y2) in pairwise(points):
            height = {"interpolation": (y1 + y2) / 2, "majoring": max(y1, y2)}
            total += (x1 - x2) * height.get(method, min(y1, y2))
        return total

    return reference


def _point(curve: str, c: tuple) -> tuple[float, float]:
    tp, fp, tn, fn = c
    if curve == "ROC":
        return share(fp, tn), recall(c)
    if curve == "PR":
        return recall(c), precision(c)
    odds = (tp + fn) / (fp + tn) / (tp + EPS)
    return max(1 - odds * fn, 0.0), 1 - odds * fp


def _pr_piece(a: tuple, b: tuple) -> float:
    """Between two points true positives grow linearly with the predicted positives: a sum over
    a fine grid of precision times the step in recall."""
    tp = np.linspace(b[0], a[0], 4001)
    predicted = np.linspace(b[0] + b[1], a[0] + a[1], 4001)
    positives = a[0] + a[3]
    if predicted[-1] == predicted[0] or not positives:
        return 0.0
    middle = (tp[1:] + tp[:-1]) / (predicted[1:] + predicted[:-1])
    return float((middle * np.diff(tp)).sum() / positives)


def area_per_label(weights: Any = None) -> Callable:
    """The mean of the columns' areas under the ROC curve."""

    def reference(t: Any, p: Any, w: Any) -> float:
        one = area("ROC", "interpolation")
        return np.average([one(t[:, j], p[:, j], w) for j in range(t.shape[1])], weights=weights)

    return reference


# F-scores, IoU, R2 ---------------------------------------------------------------------------


def f_score(average: str | None, beta: float = 1.0, threshold: float | None = None) -> Callable:
    """F-beta from counts per class."""

    def reference(t: Any, p: Any, w: Any) -> Any:
        yes = p > threshold if threshold else p == p.max(1, keepdims=True)
        w = w[:, None]
        tp, fp, fn = ((w * x).sum(0) for x in (yes * t, yes * (1 - t), (1 - yes) * t))
        if average == "micro":
            tp, fp, fn = tp.sum(), fp.sum(), fn.sum()
        below = (1 + beta**2) * tp + beta**2 * fn + fp
        score = np.where(below > 0, (1 + beta**2) * tp / np.where(below > 0, below, 1), 0)
        if average == "weighted":
            return (score * (w * t).sum(0)).sum() / (w * t).sum()
        return score.mean() if average == "macro" else score

    return reference


def iou(
    classes: Any, hot_true: bool = False, hot_pred: bool = False, ignore: int | None = None,
    threshold: float | None = None,
) -> Callable:  # fmt: skip
    """The mean over classes that occur of intersection over union."""

    def reference(t: Any, p: Any, w: Any) -> float:
        t = t.argmax(-1) if hot_true else t
        p = p.argmax(-1) if hot_pred else p if threshold is None else p >= threshold
        w = w.reshape((N,) + (1,) * (t.ndim - 1)) * (t != ignore)
        found = []
        for k in classes:
            union = (w * ((t == k) | (p == k))).sum()
            if union:
                found.append((w * ((t == k) & (p == k))).sum() / union)
        return np.mean(found)

    return reference


def r2(aggregation: str | None = "uniform_average", regressors: int = 0) -> Callable:
    """1 - residual sum of squares / total sum of squares."""

    def reference(t: Any, p: Any, w: Any) -> Any:
        w = w[:, None]
        spread = (w * (t - (w * t).sum(0) / w.sum()) ** 2).sum(0)
        score = 1 - (w * (t - p) ** 2).sum(0) / spread
        if aggregation == "uniform_average":
            score = score.mean()
        elif aggregation:
            score = np.average(score, weights=spread)
        if regressors:
            score = 1 - (1 - score) * (t.size - 1) / (t.size - regressors - 1)
        return score

    return reference


def _moments(t: Any, p: Any) -> tuple[Any, Any]:
    return t - t.mean(-1, keepdims=True), p - p.mean(-1, keepdims=True)


def _pearson(t: Any, p: Any) -> Any:
    a, b = _moments(t, p)
    return (a * b).sum(-1) / np.sqrt((a**2).sum(-1) * (b**2).sum(-1))


def _concordance(t: Any, p: Any) -> Any:
    a, b = _moments(t, p)
    apart = (t.mean(-1) - p.mean(-1)) ** 2
    return 2 * (a * b).mean(-1) / ((a**2).mean(-1) + (b**2).mean(-1) + apart)


def case(name: str, inputs: tuple, reference: Callable, weights: Any = FRACTIONS, **kw: Any) -> Any:
    return MetricCase(name, inputs, reference, kw, weights)


MEANS = [
    case("Sum", (VALUES,), lambda v, w: (v.sum(1) * w).sum()),
    case("Mean", (VALUES,), mean_of(lambda v: v)),
    case(
        "MeanMetricWrapper",
        REAL,
        mean_of(lambda t, p: (t - p) ** 2),
        fn=lambda library: library.losses.mean_squared_error,
    ),
    case("MeanSquaredError", REAL, mean_of(lambda t, p: (t - p) ** 2)),
    case(
        "RootMeanSquaredError",
        REAL,
        lambda t, p, w: np.sqrt(mean_of(lambda t, p: (t - p) ** 2)(t, p, w)),
    ),
    case("MeanAbsoluteError", REAL, mean_of(lambda t, p: abs(t - p))),
    case("MeanAbsolutePercentageError", REAL, mean_of(lambda t, p: 100 * abs(t - p) / abs(t))),
    case(
        "MeanSquaredLogarithmicError",
        (SCORES, PROBS),
        mean_of(lambda t, p: (np.log1p(t) - np.log1p(p)) ** 2),
    ),
    case("LogCoshError", REAL, mean_of(lambda t, p: np.log(np.cosh(t - p)))),
    case("CosineSimilarity", REAL, mean_of(lambda t, p: (_unit(t) * _unit(p)).sum(-1))),
    case("PearsonCorrelation", REAL, mean_of(_pearson)),
    case("ConcordanceCorrelation", REAL, mean_of(_concordance)),
    case("Hinge", (2 * BITS - 1, LOGITS), mean_of(lambda t, p: np.maximum(1 - t * p, 0))),
    case(
        "SquaredHinge",
        (BITS, LOGITS),
        mean_of(lambda t, p: np.maximum(1 - (2 * t - 1) * p, 0) ** 2),
    ),
    case(
        "CategoricalHinge",
        (ONE_HOT, LOGITS),
        mean_of(lambda t, p: np.maximum(((1 - t) * p).max(-1) - (t * p).sum(-1) + 1, 0)),
    ),
    case(
        "KLDivergence",
        (OTHER_PROBS, PROBS),
        mean_of(lambda t, p: (t * np.log(t / p)).sum(-1)),
    ),
    case("Poisson", (SCORES, PROBS), mean_of(lambda t, p: p - t * np.log(p + EPS))),
    case("BinaryCrossentropy", (BITS, SCORES), mean_of(_bce)),
    case(
        "BinaryCrossentropy",
        (BITS, LOGITS),
        mean_of(lambda t, p: _bce(t * 0.8 + 0.1, _sigmoid(p))),
        from_logits=True,
        label_smoothing=0.2,
    ),
    case(
        "CategoricalCrossentropy",
        (ONE_HOT, PROBS),
        mean_of(lambda t, p: -(t * np.log(p)).sum(-1)),
    ),
    case(
        "CategoricalCrossentropy",
        (ONE_HOT, LOGITS),
        mean_of(lambda t, p: -((t * 0.8 + 0.05) * np.log(_softmax(p))).sum(-1)),
        from_logits=True,
        label_smoothing=0.2,
    ),
    case(
        "SparseCategoricalCrossentropy",
        (IDS, PROBS),
        mean_of(lambda t, p: -np.log(p[np.arange(N), t])),
    ),
    case(
        "SparseCategoricalCrossentropy",
        (IDS[:, None], LOGITS),
        mean_of(lambda t, p: -np.log(_softmax(p)[np.arange(N), t[:, 0]])),
        from_logits=True,
    ),
    case("Accuracy", (IDS, GUESSES), mean_of(lambda t, p: t == p)),
    case("BinaryAccuracy", (BITS, SCORES), mean_of(lambda t, p: (p > 0.5) == t)),
    case("BinaryAccuracy", (YES, CHANCES), mean_of(lambda t, p: (p > 0.4) == t), threshold=0.4),
    case("CategoricalAccuracy", (ONE_HOT, PROBS), mean_of(lambda t, p: t.argmax(1) == p.argmax(1))),
    case("SparseCategoricalAccuracy", (IDS, PROBS), mean_of(lambda t, p: t == p.argmax(1))),
    case(
        "TopKCategoricalAccuracy",
        (ONE_HOT, PROBS),
        mean_of(lambda t, p: _rank(t.argmax(1), p) < 2),
        k=2,
    ),
    case("SparseTopKCategoricalAccuracy", (IDS, PROBS), mean_of(lambda t, p: _rank(t, p) < 3), k=3),
    case(
        "SparseTopKCategoricalAccuracy",
        (IDS, BEST),
        mean_of(lambda t, p: (p == t[:, None]).any(1)),
        k=2,
        from_sorted_ids=True,
    ),
]
COUNTS = [
    case("TruePositives", (BITS, SCORES), count_of(0, 0.5)),
    case("TruePositives", (YES, CHANCES), count_of(0, 0.4, 0.7), thresholds=[0.4, 0.7]),
    case("FalsePositives", (BITS, SCORES), count_of(1, 0.3, 0.6), thresholds=[0.3, 0.6]),
    case("TrueNegatives", (YES, CHANCES), count_of(2, 0.4), thresholds=0.4),
    case("FalseNegatives", (BITS, SCORES), count_of(3, 0.3, 0.6), thresholds=[0.3, 0.6]),
    case("Precision", (BITS, SCORES), share_of(1, 0.5)),
    case("Precision", (YES, CHANCES), share_of(1, 0.4, 0.7), thresholds=[0.4, 0.7]),
    case("Precision", (BITS, SCORES), share_of(1, -1, top_k=2), top_k=2),
    case(
        "Precision",
        (BITS, SCORES),
        share_of(1, 0.4, top_k=2, class_id=1),
        thresholds=0.4,
        top_k=2,
        class_id=1,
    ),
    case("Recall", (BITS, SCORES), share_of(3, 0.5)),
    case("Recall", (BITS, SCORES), share_of(3, -1, top_k=2), top_k=2),
    case("Recall", (BITS, SCORES), share_of(3, 0.5, class_id=2), class_id=2),
    case(
        "SensitivityAtSpecificity",
        (YES, CHANCES),
        best_at(specificity, 0.45, recall),
        specificity=0.45,
        num_thresholds=11,
    ),
    case(
        "SpecificityAtSensitivity",
        (BITS, SCORES),
        best_at(recall, 0.61, specificity),
        sensitivity=0.61,
        num_thresholds=11,
    ),
    case(
        "PrecisionAtRecall",
        (BITS, SCORES),
        best_at(recall, 0.37, precision, class_id=1),
        recall=0.37,
        num_thresholds=11,
        class_id=1,
    ),
    case(
        "RecallAtPrecision",
        (BITS, SCORES),
        best_at(precision, 0.41, recall),
        precision=0.41,
        num_thresholds=11,
    ),
    case(
        "RecallAtPrecision",
        (YES, CHANCES),
        best_at(precision, 0.41, recall, number=1),
        precision=0.41,
        num_thresholds=1,
    ),
]
AREAS = [
    *(
        case(
            "AUC",
            (BITS, SCORES),
            area(curve, method),
            num_thresholds=20,
            curve=curve,
            summation_method=method,
        )
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "majoring", "minoring")
    ),
    case("AUC", (YES, CHANCES), area("ROC", "interpolation", [0.3, 0.6]), thresholds=[0.3, 0.6]),
    case(
        "AUC",
        (BITS, LOGITS),
        area("ROC", "interpolation", logits=True),
        num_thresholds=20,
        from_logits=True,
    ),
    case("AUC", (BITS, SCORES), area_per_label(), num_thresholds=20, multi_label=True),
    case(
        "AUC",
        (BITS, SCORES),
        area_per_label([1, 2, 3, 4]),
        num_thresholds=20,
        multi_label=True,
        num_labels=4,
        label_weights=[1.0, 2.0, 3.0, 4.0],
    ),
]
SCORES_AND_SHARES = [
    case("FBetaScore", (BITS, SCORES), f_score(None, 2.0, 0.4), beta=2.0, threshold=0.4),
    case("FBetaScore", (ONE_HOT, PROBS), f_score("macro", 0.5), average="macro", beta=0.5),
    case("F1Score", (ONE_HOT, PROBS), f_score(None)),
    case("F1Score", (BITS, SCORES), f_score("micro", 1.0, 0.4), average="micro", threshold=0.4),
    case("F1Score", (BITS, SCORES), f_score("weighted", 1, 0.4), average="weighted", threshold=0.4),
    case("IoU", MAPS, iou([0, 2]), WHOLE, num_classes=3, target_class_ids=[0, 2]),
    case(
        "IoU",
        (MAPS_HOT, MAPS_SCORES),
        iou([1, 2], True, True),
        num_classes=3,
        target_class_ids=[1, 2],
        sparse_y_true=False,
        sparse_y_pred=False,
        dtype="float32",
    ),
    case("BinaryIoU", (YES, CHANCES), iou([0, 1], threshold=0.4), WHOLE, threshold=0.4),
    case("MeanIoU", MAPS, iou(range(3), ignore=1), WHOLE, num_classes=3, ignore_class=1),
    case("MeanIoU", MAPS, iou(range(4)), WHOLE, num_classes=4),
    case(
        "OneHotIoU",
        (MAPS_HOT, MAPS_SCORES),
        iou([0, 1], True, True),
        WHOLE,
        num_classes=3,
        target_class_ids=[0, 1],
    ),
    case(
        "OneHotMeanIoU",
        (MAPS_HOT, MAPS[1]),
        iou(range(3), True),
        WHOLE,
        num_classes=3,
        sparse_y_pred=True,
    ),
    case("R2Score", REAL, r2()),
    case("R2Score", REAL, r2(None), class_aggregation=None),
    case(
        "R2Score",
        REAL,
        r2("variance_weighted_average", 2),
        class_aggregation="variance_weighted_average",
        num_regressors=2,
    ),
]
CASES = [*MEANS, *COUNTS, *AREAS, *SCORES_AND_SHARES]
