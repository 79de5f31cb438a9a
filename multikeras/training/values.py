"""What variables and metrics hold, as arrays on the host, and how it is put back.

Refused: metrics other than those that the values were taken from.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from multikeras.variables import StatelessScope


@contextlib.contextmanager
def swapped(values: list[tuple[Any, np.ndarray]]) -> Iterator[None]:
    """Gives variables other values for a while."""
    current = [(variable, np.array(variable.numpy())) for variable, _ in values]
    for variable, value in values:
        variable.assign(value)
    try:
        yield
    finally:
        for variable, value in current:
            variable.assign(value)


def carried_values(model: Any) -> list[np.ndarray]:
    """What a model carries from batch to batch that is no weight, so that files leave it out:
    states of recurrent layers, of seed generators."""
    return [np.array(variable.numpy()) for variable in _carried(model)]


def put_carried_values(model: Any, values: list[np.ndarray]) -> None:
    """Puts back what `carried_values` gave."""
    own = _carried(model)
    forms = [tuple(v.shape) for v in own], [tuple(np.shape(a)) for a in values]
    if forms[0] != forms[1]:
        raise ValueError(
            f"The model carries other states from batch to batch: shapes were {forms[1]}, now "
            f"they are {forms[0]}."
        )
    for variable, value in zip(own, values, strict=True):
        variable.assign(value)


def _carried(model: Any) -> list[Any]:
    weights = {id(variable) for variable in model.weights}
    return [v for v in model.non_trainable_variables if id(v) not in weights]


def metric_values(model: Any) -> list[Any]:
    """Names of the metrics, and what they have gathered."""
    return [[m.name, [np.array(v.numpy()) for v in m.variables]] for m in model.metrics]


def put_metric_values(model: Any, values: list[Any], batch: tuple) -> None:
    """Puts back what `metric_values` gave."""

    def forms() -> list[Any]:
        return [(m.name, [tuple(v.shape) for v in m.variables]) for m in model.metrics]

    wanted = [(name, [tuple(np.shape(a)) for a in arrays]) for name, arrays in values]
    if forms() != wanted:
        with StatelessScope():  # a step of the model's own may make its metrics at its first call
            model.train_step(batch)
    if forms() != wanted:
        raise ValueError(
            "The metrics are others than they were in the run that was saved: there were "
            f"{_listed(wanted)}; now there are {_listed(forms())}."
        )
    for metric, (_, arrays) in zip(model.metrics, values, strict=True):
        for variable, array in zip(metric.variables, arrays, strict=True):
            variable.assign(array)


def _listed(forms: list[Any]) -> str:
    return ", ".join(f"{name} {shapes}" for name, shapes in forms) or "none"
