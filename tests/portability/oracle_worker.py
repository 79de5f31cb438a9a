"""One process of the comparison with Keras 3: values of losses and metrics, steps of optimizers.

    python -m tests.portability.oracle_worker LIBRARY FILE

writes arrays under "losses/...", "metrics/...", "optimizers/..." and "schedules/..." into FILE. A
case that fails is written as the text of its error, so that it hides no other.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.metrics import cases as metric_cases
from tests.optimizers import rules

rng = np.random.default_rng(11)


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


SHAPE = (4, 3)
REAL = rng.normal(size=SHAPE), rng.normal(size=SHAPE)
LOGITS = rng.normal(size=SHAPE)
PROBS = _softmax(rng.normal(size=SHAPE)), _softmax(rng.normal(size=SHAPE))
UNSCALED = rng.uniform(0.1, 0.9, SHAPE)
BITS = rng.integers(0, 2, SHAPE).astype(float)
SIGNS = 2 * BITS - 1
IDS = np.array([0, 2, 1, 2])
SOME_IDS = np.array([0, 2, -1, 2])
ONE_HOT = np.eye(3)[IDS]
MAPS = rng.integers(0, 2, (2, 4, 4, 2)).astype(float), rng.uniform(0.05, 0.95, (2, 4, 4, 2))
UNIT = LOGITS / np.sqrt((LOGITS**2).sum(1, keepdims=True))
# Losses whose values and weights have one entry per sample.
WEIGHTS = np.array([0.5, 2.0, 0.0, 1.5])

LOSSES: list[tuple[str, tuple, dict[str, Any]]] = [
    ("MeanSquaredError", REAL, {}),
    ("MeanAbsoluteError", REAL, {}),
    ("MeanAbsolutePercentageError", REAL, {}),
    ("MeanSquaredLogarithmicError", (REAL[0], UNSCALED), {}),
    ("Huber", REAL, {}),
    ("Huber", REAL, {"delta": 0.3}),
    ("LogCosh", REAL, {}),
    ("LogCosh", (100 * REAL[0], REAL[1]), {"name": "far"}),
    ("BinaryCrossentropy", (BITS, UNSCALED), {}),
    ("BinaryCrossentropy", (BITS, BITS), {"name": "certain"}),
    ("BinaryCrossentropy", (BITS, LOGITS), {"from_logits": True, "label_smoothing": 0.1}),
    ("CategoricalCrossentropy", (ONE_HOT, UNSCALED), {}),
    ("CategoricalCrossentropy", (ONE_HOT, ONE_HOT[::-1].copy()), {"name": "wrong"}),
    ("CategoricalCrossentropy", (ONE_HOT, LOGITS), {"from_logits": True, "label_smoothing": 0.1}),
    ("SparseCategoricalCrossentropy", (IDS, UNSCALED), {}),
    ("SparseCategoricalCrossentropy", (IDS, LOGITS), {"from_logits": True}),
    ("SparseCategoricalCrossentropy", (SOME_IDS, PROBS[0]), {"ignore_class": -1}),
    ("KLDivergence", PROBS, {}),
    ("KLDivergence", (ONE_HOT, PROBS[0]), {"name": "one_hot"}),
    ("Poisson", (UNSCALED, PROBS[0]), {}),
    ("CosineSimilarity", REAL, {}),
    ("CosineSimilarity", (np.zeros(SHAPE), REAL[0]), {"name": "zeros"}),
    ("Hinge", (SIGNS, LOGITS), {}),
    ("Hinge", (BITS, LOGITS), {"name": "bits"}),
    ("SquaredHinge", (SIGNS, LOGITS), {}),
    ("CategoricalHinge", (ONE_HOT, LOGITS), {}),
    ("BinaryFocalCrossentropy", (BITS, UNSCALED), {}),
    (
        "BinaryFocalCrossentropy",
        (BITS, LOGITS),
        {
            "from_logits": True,
            "apply_class_balancing": True,
            "alpha": 0.3,
            "gamma": 1.5,
            "label_smoothing": 0.1,
        },
    ),
    ("CategoricalFocalCrossentropy", (ONE_HOT, UNSCALED), {}),
    (
        "CategoricalFocalCrossentropy",
        (ONE_HOT, LOGITS),
        {"from_logits": True, "alpha": 0.3, "gamma": 1.5, "label_smoothing": 0.1},
    ),
    ("CategoricalGeneralizedCrossEntropy", (IDS, PROBS[0]), {"q": 0.6}),
    ("Dice", (BITS, UNSCALED), {}),
    ("Dice", MAPS, {"axis": (1, 2)}),
    ("Tversky", (BITS, UNSCALED), {"alpha": 0.3, "beta": 0.7}),
    ("Tversky", MAPS, {"axis": (1, 2, 3)}),
    ("Circle", (np.array([0, 1, 0, 1]), UNIT), {}),
    ("Circle", (np.array([0, 1, 0, 1]), UNIT), {"gamma": 20.0, "margin": 0.25}),
    ("CTC", (np.array([[1, 2], [2, 2]]), rng.normal(size=(2, 6, 3))), {}),
]

# Settings that all optimizers share, and the steps by which they are tried.
SHARED: dict[str, dict[str, Any]] = {
    "weight_decay": {"weight_decay": 0.2},
    "clipnorm": {"clipnorm": 0.8},
    "global_clipnorm": {"global_clipnorm": 0.8},
    "clipvalue": {"clipvalue": 0.5},
    "ema": {"use_ema": True, "ema_momentum": 0.6, "ema_overwrite_frequency": 2},
    "accumulation": {"gradient_accumulation_steps": 2},
    "accumulation_ema": {
        "gradient_accumulation_steps": 2,
        "use_ema": True,
        "ema_momentum": 0.6,
        "ema_overwrite_frequency": 2,
    },
    "loss_scale": {"loss_scale_factor": 4.0},
}
SCHEDULES: list[tuple[str, tuple, dict[str, Any]]] = [
    ("ExponentialDecay", (0.2, 5, 0.5), {}),
    ("ExponentialDecay", (0.2, 5, 0.5), {"staircase": True}),
    ("InverseTimeDecay", (0.2, 5, 0.5), {}),
    ("InverseTimeDecay", (0.2, 5, 0.5), {"staircase": True}),
    ("CosineDecay", (0.2, 10, 0.1), {}),
    ("CosineDecay", (0.1, 8, 0.1), {"warmup_target": 0.5, "warmup_steps": 4}),
    ("CosineDecayRestarts", (0.2, 4), {}),
    ("CosineDecayRestarts", (0.2, 4), {"t_mul": 1.0, "m_mul": 0.5, "alpha": 0.1}),
    ("PolynomialDecay", (0.4, 8, 0.1), {"power": 2.0}),
    ("PolynomialDecay", (0.4, 8, 0.1), {"cycle": True}),
    ("PiecewiseConstantDecay", ([3, 6], [1.0, 0.5, 0.25]), {}),
]


def label(name: str, settings: dict[str, Any]) -> str:
    """The name of a case in the file."""
    return "-".join([name, *(f"{k}={v}" for k, v in settings.items())])


class Worker:
    """Runs all cases with one library."""

    def __init__(self, library: Any) -> None:
        self.library = library
        self.found: dict[str, np.ndarray] = {}

    def note(self, name: str, fn: Callable, *args: Any, **kwargs: Any) -> None:
        """Keeps what `fn(*args, **kwargs)` gives, or its error."""
        assert name not in self.found, name
        try:
            self.found[name] = np.asarray(fn(*args, **kwargs))
        except Exception as error:
            self.found[name] = np.asarray(f"{type(error).__name__}: {error}"[:500])

    def numpy(self, x: Any) -> np.ndarray:
        return np.array(self.library.ops.convert_to_numpy(x))

    def losses(self) -> None:
        for name, (y_true, y_pred), settings in LOSSES:
            cls = getattr(self.library.losses, name)
            weights = WEIGHTS if len(y_true) == len(WEIGHTS) else np.array([0.5, 2.0])
            arrays = (y_true, y_pred.astype("float32"))
            for reduction in ("none", "sum", "sum_over_batch_size", "mean_with_sample_weight"):
                loss = cls(reduction=reduction, **settings)
                here = f"losses/{label(name, settings)}/{reduction}"
                self.note(here, self._loss, loss, *arrays)
                if name not in ("Dice", "Tversky"):  # those give one number for all samples
                    self.note(f"{here}/weighted", self._loss, loss, *arrays, weights)

    def _loss(self, loss: Any, *arrays: Any) -> np.ndarray:
        return self.numpy(loss(*arrays))

    def metrics(self) -> None:
        for case in metric_cases.CASES:
            for what, weighted in (("plain", False), ("weighted", True)):
                self.note(f"metrics/{case}/{what}", self._metric, case, weighted)

    def _metric(self, case: Any, weighted: bool) -> np.ndarray:
        metric = case.make(self.library)
        arrays = [*case.inputs, case.weights] if weighted else case.inputs
        for rows in (slice(0, 3), slice(3, 6)):
            batch = [a[rows] for a in arrays]
            metric.update_state(*(b if b.dtype.kind == "i" else b.astype("float32") for b in batch))
        return self.numpy(metric.result())

    def optimizers(self) -> None:
        room = self.library.optimizers
        for case in rules.CASES:
            cls, settings = getattr(room, case.name), {"learning_rate": case.rate, **case.settings}
            self.note(f"optimizers/{case}", self._steps, cls, **settings)
        for name in ("SGD", "Adam", "Lamb"):
            for what, more in SHARED.items():
                cls, settings = getattr(room, name), {"learning_rate": 0.05, **more}
                self.note(f"optimizers/{name}-{what}", self._steps, cls, **settings)
        settings = {"inner_optimizer": room.Adam(0.05), "initial_scale": 4.0}
        self.note("optimizers/LossScaleOptimizer", self._steps, room.LossScaleOptimizer, **settings)

    def _steps(self, cls: Any, **settings: Any) -> np.ndarray:
        """All weights after each step."""
        optimizer = cls(**settings)
        variables = [
            self.library.Variable(w.astype("float32"), name=f"w{i}")
            for i, w in enumerate(rules.WEIGHTS)
        ]
        rows = []
        for grads in rules.GRADS:
            tensors = [self.library.ops.convert_to_tensor(g, "float32") for g in grads]
            optimizer.apply(tensors, variables)
            rows.append(np.concatenate([self.numpy(v.value).ravel() for v in variables]))
        return np.stack(rows)

    def schedules(self) -> None:
        for name, arguments, settings in SCHEDULES:
            schedule = getattr(self.library.optimizers.schedules, name)(*arguments, **settings)
            self.note(f"schedules/{label(name, settings)}", self._rates, schedule)

    def _rates(self, schedule: Any) -> list[float]:
        return [float(self.numpy(schedule(step))) for step in (0, 1, 3, 4, 7, 8, 9, 13)]


def main() -> None:
    name, path = sys.argv[1:]
    warnings.simplefilter("ignore")
    library = importlib.import_module(name)
    for part in ("losses", "metrics", "ops", "optimizers"):
        importlib.import_module(f"{name}.{part}")
    worker = Worker(library)
    worker.losses()
    worker.metrics()
    worker.optimizers()
    worker.schedules()
    np.savez(path, **{key.replace("/", "|"): value for key, value in worker.found.items()})


if __name__ == "__main__":
    main()
