"""Every metric: value against a NumPy reference over several batches, weights, state, config,
compiled = eager.

A metric without a case in tests/metrics/cases.py fails `test_every_metric_has_a_case`.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import multikeras
from multikeras import metrics, ops
from multikeras.backends import native
from tests.metrics.cases import CASES, MetricCase

TOLERANCE = {"rtol": 2e-5, "atol": 2e-6}
# Equal sizes: what is compiled, be it a step or a single operation, is compiled once.
BATCHES = (slice(0, 2), slice(2, 4), slice(4, 6))
RAGGED = (slice(0, 3), slice(3, 5), slice(5, 6))
each_case = pytest.mark.parametrize("case", CASES, ids=str)
FIRST_CASES = {case.name: case for case in reversed(CASES)}
# One of each way to keep a state.
KINDS = ("Sum", "MeanSquaredError", "Precision", "AUC", "MeanIoU", "F1Score", "R2Score")


def _tensor(x: np.ndarray) -> Any:
    return ops.convert_to_tensor(x.astype("int32" if x.dtype.kind == "i" else "float32"))


def _batch(case: MetricCase, rows: slice, weighted: bool = False) -> tuple[Any, ...]:
    arrays = [*case.inputs, case.weights] if weighted else case.inputs
    return tuple(_tensor(array[rows]) for array in arrays)


def _updated(metric: Any, case: MetricCase, weighted: bool, batches: Any = BATCHES) -> Any:
    for rows in batches:
        metric.update_state(*_batch(case, rows, weighted))
    return ops.convert_to_numpy(metric.result())


def test_every_metric_has_a_case() -> None:
    assert {case.name for case in CASES} == {cls.__name__ for cls in metrics.CLASSES}


def test_names_are_unique() -> None:
    names = [str(case) for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@each_case
def test_value_over_batches(case: MetricCase, weighted: bool) -> None:
    got = _updated(case.make(multikeras), case, weighted)
    expected = case.expected(weighted)
    assert got.shape == expected.shape and got.dtype == np.float32
    np.testing.assert_allclose(got, expected, **TOLERANCE)


@pytest.mark.parametrize("name", KINDS)
def test_batches_of_different_sizes(name: str) -> None:
    case = FIRST_CASES[name]
    got = _updated(case.make(multikeras), case, True, RAGGED)
    np.testing.assert_allclose(got, case.expected(True), **TOLERANCE)


@each_case
def test_reset_forgets(case: MetricCase) -> None:
    metric = case.make(multikeras)
    first = _updated(metric, case, True)
    metric.reset_state()
    assert all(not np.any(ops.convert_to_numpy(v.value)) for v in metric.variables)
    np.testing.assert_array_equal(_updated(metric, case, True), first)


@each_case
def test_config_makes_the_same_metric(case: MetricCase) -> None:
    metric = case.make(multikeras)
    config = metric.get_config()
    serialized = json.loads(json.dumps(metrics.serialize(metric)))
    for again in (type(metric).from_config(config), metrics.deserialize(serialized)):
        assert type(again) is type(metric) and again.name == metric.name
        assert metrics.serialize(again) == metrics.serialize(metric)
        np.testing.assert_array_equal(
            _updated(again, case, False, BATCHES[:1]),
            _updated(case.make(multikeras), case, False, BATCHES[:1]),
        )


@each_case
def test_stateless_methods_leave_the_state_alone(case: MetricCase) -> None:
    metric = case.make(multikeras)
    expected = _updated(metric, case, True)
    variables = metric.variables
    metric.reset_state()
    values = metric.stateless_reset_state()
    for rows in BATCHES:
        values = metric.stateless_update_state(values, *_batch(case, rows, True))
    got = ops.convert_to_numpy(metric.stateless_result(values))
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert len(values) == len(variables)
    assert not any(np.any(ops.convert_to_numpy(v.value)) for v in variables)


def test_stateless_methods_count_values() -> None:
    with pytest.raises(ValueError, match="must hold 2 values; got 1"):
        metrics.Mean().stateless_update_state([0.0], [1.0])


@pytest.mark.parametrize("name", FIRST_CASES)
def test_compiled_pure_update(name: str) -> None:
    case = FIRST_CASES[name]
    metric = case.make(multikeras)
    expected = _updated(metric, case, True)  # also makes the state of lazy ones
    values = metric.stateless_reset_state()
    step = native.engine.compile_step(
        metric.stateless_update_state, [], jit=native.engine.jits_by_default
    )
    for rows in BATCHES:
        values = step(values, *_batch(case, rows, True))
    got = ops.convert_to_numpy(metric.stateless_result(values))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_compiled_in_place_update(name: str) -> None:
    case = FIRST_CASES[name]
    metric = case.make(multikeras)
    expected = _updated(metric, case, False)
    metric.reset_state()

    def update(*batch: Any) -> Any:
        metric.update_state(*batch)
        return metric.result()

    step = native.engine.compile_step(update, metric.variables, jit=native.engine.jits_by_default)
    for rows in BATCHES:
        got = step(*_batch(case, rows))
    np.testing.assert_allclose(ops.convert_to_numpy(got), expected, rtol=1e-5, atol=1e-6)
