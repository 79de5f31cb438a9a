"""Metrics: names, arguments, masks, ranks, structures, lazily made state, and use in training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, losses, metrics, ops

YES = np.array([0, 0, 1, 1])
CHANCES = np.array([0.1, 0.6, 0.4, 0.9], "float32")


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("mse", metrics.MeanSquaredError),
        ("MAE", metrics.MeanAbsoluteError),
        ("kld", metrics.KLDivergence),
        ("logcosh", metrics.LogCoshError),
        ("AUC", metrics.AUC),
        (metrics.Mean, metrics.Mean),
        ({"class_name": "Recall", "config": {"top_k": 2}}, metrics.Recall),
    ],
)
def test_get(identifier: Any, expected: type) -> None:
    assert type(metrics.get(identifier)) is expected


def test_get_of_functions_and_others() -> None:
    assert isinstance(metrics.get("binary_accuracy"), metrics.BinaryAccuracy)
    assert metrics.get(metrics.binary_accuracy) is metrics.binary_accuracy
    assert metrics.get(None) is None
    with pytest.raises(ValueError, match=r"Unknown metric 'acuracy'.*"):
        metrics.get("acuracy")
    with pytest.raises(ValueError, match="metric"):
        metrics.get(3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.BinaryAccuracy(threshold=2), "`threshold` must lie between 0 and 1"),
        (lambda: metrics.Precision(thresholds=[0.5, 2]), "Precision: thresholds must lie between"),
        (lambda: metrics.AUC(curve="RPC"), "AUC: `curve` must be one of .*'RPC'"),
        (lambda: metrics.AUC(summation_method="mid"), "AUC: `summation_method` must be one of"),
        (lambda: metrics.AUC(num_thresholds=1), "`num_thresholds` must be greater than 1; got 1"),
        (lambda: metrics.AUC(num_labels=2), "`num_labels` says something only with"),
        (lambda: metrics.FBetaScore(average="mean"), "FBetaScore: `average` must be one of"),
        (lambda: metrics.FBetaScore(beta=0.0), "`beta` must be a float greater than 0; got 0.0"),
        (lambda: metrics.F1Score(threshold=1.5), r"F1Score: `threshold` must be a float in \(0"),
        (lambda: metrics.IoU(2, [2]), "IoU: the target class 2 doesn't exist; there are 2"),
        (lambda: metrics.R2Score("mean"), "R2Score: `class_aggregation` must be one of"),
        (lambda: metrics.R2Score(num_regressors=-1), "`num_regressors` must not be negative"),
        (lambda: metrics.PrecisionAtRecall(1.5), "PrecisionAtRecall: `recall` must lie between"),
        (lambda: metrics.RecallAtPrecision(0.5, 0), "`num_thresholds` must be greater than 0"),
    ],
)
def test_bad_arguments(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_bad_shapes() -> None:
    with pytest.raises(ValueError, match=r"F1Score: expected .* \(batch, classes\); got \(4,\)"):
        metrics.F1Score()(YES, CHANCES)
    with pytest.raises(ValueError, match=r"R2Score: expected .* \(batch, columns\); got \(4,\)"):
        metrics.R2Score()(YES, CHANCES)
    with pytest.raises(ValueError, match="must have the same shape"):
        metrics.AUC()(np.ones((2, 3, 4)), np.ones((2, 3)))
    several = metrics.AUC(multi_label=True, num_labels=2, name="auc")
    with pytest.raises(ValueError, match=r"auc: expected 2 columns of labels; got .*3"):
        several(np.ones((4, 3)), np.ones((4, 3)))
    with pytest.raises(TypeError, match="`fn` must be callable; got 3"):
        metrics.MeanMetricWrapper(3)


def test_nothing_seen_yet() -> None:
    for metric in (
        metrics.Mean(), metrics.MeanSquaredError(), metrics.AUC(), metrics.Precision(),
        metrics.F1Score(), metrics.R2Score(), metrics.MeanIoU(2), metrics.Recall(top_k=1),
    ):  # fmt: skip
        assert float(metric.result()) == 0.0


def test_names_and_variables() -> None:
    assert metrics.MeanSquaredError().name == "mean_squared_error"
    assert metrics.AUC().name == "auc" and metrics.AUC().name == "auc_1"
    metric = metrics.Mean(name="loss")
    assert [v.path for v in metric.variables] == ["loss/total", "loss/count"]
    assert not any(v.trainable for v in metric.variables)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_float16"])
def test_state_in_its_dtype(dtype: str) -> None:
    metric = metrics.MeanSquaredError(dtype=dtype)
    value = metric(np.ones((2, 2)), np.zeros((2, 2)))
    expected = dtype.removeprefix("mixed_")
    assert ops.dtype(value) == expected == metric.dtype
    assert {v.dtype for v in metric.variables} == {expected}


@pytest.mark.parametrize(
    ("dtype", "expected"), [(None, "float32"), ("float32", "float32"), ("int32", "float32")]
)
def test_the_value_of_iou_is_a_share(dtype: str | None, expected: str) -> None:
    value = metrics.MeanIoU(2, dtype=dtype)([0, 1], [0, 1])
    assert ops.dtype(value) == expected and float(value) == 1.0


def test_ranks_that_differ_by_a_last_dimension_of_one() -> None:
    column = CHANCES[:, None]
    for metric in (metrics.BinaryAccuracy, metrics.MeanAbsoluteError, metrics.AUC):
        assert float(metric()(YES, column)) == float(metric()(YES, CHANCES))
        assert float(metric()(YES[:, None], CHANCES)) == float(metric()(YES, CHANCES))


def test_weights_per_sample_and_per_value() -> None:
    t, p = np.zeros((2, 3)), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    for weights, expected in (
        (np.array([1.0, 0.0]), 2.0),
        (np.array([[1.0], [3.0]]), (2.0 + 3 * 5.0) / 4),
        (0.5, 3.5),
    ):
        got = metrics.MeanAbsoluteError()(t, p, sample_weight=weights)
        np.testing.assert_allclose(float(got), expected, rtol=1e-6)
    mean = metrics.Mean()
    mean.update_state(p, sample_weight=np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]))
    np.testing.assert_allclose(float(mean.result()), (1 + 4 + 5) / 3, rtol=1e-6)


def test_masked_entries_count_nothing() -> None:
    t, p = np.zeros((2, 3)), np.array([[1.0, 2.0, 9.0], [4.0, 9.0, 9.0]])
    mask = np.array([[True, True, False], [True, False, False]])
    # One error per step: the mask is that of the steps.
    for cls, root in ((metrics.MeanAbsoluteError, False), (metrics.RootMeanSquaredError, True)):
        metric = cls()
        metric.update_masked(t[..., None], p[..., None], mask=mask)
        expected = np.sqrt((1 + 4 + 16) / 3) if root else 7 / 3
        np.testing.assert_allclose(float(metric.result()), expected, rtol=1e-6)
    weighted = metrics.MeanAbsoluteError()
    weighted.update_masked(t[..., None], p[..., None], np.array([1.0, 3.0]), mask)
    np.testing.assert_allclose(float(weighted.result()), (1 + 2 + 3 * 4) / 5, rtol=1e-6)


def test_ignored_class_counts_neither_loss_nor_sample() -> None:
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=-1)
    labels, probs = np.array([0, 1, -1]), np.full((3, 2), 0.5)
    got = metric(labels, probs, sample_weight=np.array([1.0, 1.0, 5.0]))
    np.testing.assert_allclose(float(got), np.log(2), rtol=1e-6)


def test_results_are_not_touched_by_later_updates() -> None:
    for metric in (metrics.Sum(), metrics.Mean(), metrics.TruePositives(), metrics.AUC()):
        data = (np.ones(2),) if isinstance(metric, (metrics.Sum, metrics.Mean)) else (YES, CHANCES)
        value = ops.convert_to_numpy(metric(*data))
        before = value.copy()
        metric.update_state(*(3 * x for x in data))
        metric.reset_state()
        np.testing.assert_array_equal(value, before)


def test_a_metric_of_metrics() -> None:
    class Both(metrics.Metric):
        def __init__(self, name: str = "both") -> None:
            super().__init__(name=name)
            self.error = metrics.MeanAbsoluteError()
            self.seen = self.add_weight(name="seen")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.error.update_state(y_true, y_pred, sample_weight)
            self.seen.assign_add(ops.cast(ops.shape(y_true)[0], "float32"))

        def result(self) -> dict[str, Any]:
            return {"error": self.error.result(), "seen": ops.copy(self.seen.value)}

    metric = Both()
    assert [v.name for v in metric.variables] == ["seen", "total", "count"]
    got = metric(np.zeros((2, 1)), np.ones((2, 1)))
    assert {k: float(v) for k, v in got.items()} == {"error": 1.0, "seen": 2.0}
    metric.reset_state()
    assert float(metric.result()["seen"]) == 0.0


def test_functions_of_scripts_become_metrics() -> None:
    def worst(y_true: Any, y_pred: Any) -> Any:
        return ops.max(ops.abs(y_true - y_pred), axis=-1)

    assert float(metrics.MeanMetricWrapper(worst)(np.zeros((2, 2)), np.eye(2) * 3)) == 3.0
    wrapped = metrics.MeanMetricWrapper(losses.huber, name="h", delta=0.5)
    again = metrics.deserialize(metrics.serialize(wrapped))
    assert float(again(np.zeros((1, 1)), np.ones((1, 1)))) == 0.375


def test_state_that_the_first_batch_makes_in_training() -> None:
    x = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
    y = np.eye(2, dtype="float32")[(x[:, 0] > 0).astype(int)]
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, activation="softmax")])
    lazy = [
        metrics.F1Score(average="macro"),
        metrics.R2Score(),
        metrics.AUC(num_thresholds=20, multi_label=True),
        metrics.CategoricalAccuracy(name="share"),
    ]
    model.compile("sgd", "mse", metrics=lazy)
    model.fit(x, y, batch_size=4, epochs=1, verbose=0)
    got = model.evaluate(x, y, batch_size=4, verbose=0, return_dict=True)
    predictions = model.predict(x, verbose=0)
    for metric in lazy:
        fresh = type(metric).from_config(metric.get_config())
        np.testing.assert_allclose(got[metric.name], float(fresh(y, predictions)), rtol=1e-4)
