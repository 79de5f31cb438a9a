"""Losses and metrics as `compile` was given them, bound to the outputs of a model.

A specification is one thing for all outputs, a list in the outputs' order, or a dict by output
name. `BoundLoss` and `BoundMetrics` resolve it when the first targets and outputs are seen.
Refused with the names on both sides: lists of another length, dicts with unknown keys, targets
of another structure than the outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from multikeras import losses, metrics, ops, tree
from multikeras.layers.call_context import calls
from multikeras.losses.loss import Loss
from multikeras.losses.wrapper import LossFunctionWrapper
from multikeras.metrics.metric import Metric

_ACCURACY = ("accuracy", "acc")
_CROSSENTROPY = ("crossentropy", "ce")


def output_names(y_pred: Any, given: list[str] | None) -> list[str]:
    """One name for each output: keys of a dict, the model's names, or output_1, output_2, ..."""
    flat = tree.flatten(y_pred)
    if isinstance(y_pred, dict):
        paths = [path for path, _ in tree.flatten_with_path(y_pred)]
        return ["_".join(map(str, path)) for path in paths]
    if given is not None and len(given) == len(flat) and len(set(given)) == len(given):
        return list(given)
    return [f"output_{i}" for i in range(len(flat))] if len(flat) > 1 else ["output"]


def spread(spec: Any, y_pred: Any, names: list[str], what: str, leaf: Callable) -> list[Any]:
    """One entry of a specification for each flat output; `leaf(spec)` tells an entry for all."""
    if spec is None:
        return [None] * len(names)
    if leaf(spec):
        return [spec] * len(names)
    if isinstance(spec, dict):
        keys = list(y_pred) if isinstance(y_pred, dict) else names
        unknown = [key for key in spec if key not in keys and key not in names]
        if unknown:
            raise ValueError(
                f"compile: `{what}` names the outputs {unknown}, but the model has {names}."
            )
        if isinstance(y_pred, dict):
            names = sorted(y_pred) if len(y_pred) == len(names) else names
        return [spec.get(name) for name in names]
    flat = list(spec)
    if len(flat) != len(names):
        raise ValueError(
            f"compile: `{what}` has {len(flat)} entries, but the model has {len(names)} "
            f"output(s): {names}."
        )
    return flat


def align(targets: Any, y_pred: Any, names: list[str], what: str) -> list[Any]:
    """The flat targets (or sample weights), one for each flat output."""
    if targets is None:
        return [None] * len(names)
    if isinstance(targets, dict) and not isinstance(y_pred, dict):
        unknown = [k for k in targets if k not in names]
        if unknown:
            raise ValueError(f"{what}: keys {unknown} are no outputs of the model: {names}.")
        return [targets.get(name) for name in names]
    if isinstance(targets, dict):
        return tree.flatten({key: targets.get(key) for key in y_pred})
    flat = tree.flatten(targets)
    if len(flat) != len(names):
        raise ValueError(
            f"{what}: expected {len(names)} array(s) for the outputs {names}, got {len(flat)}."
        )
    return flat


def _sparse_or_binary(y_true: Any, y_pred: Any) -> str:
    """"binary", "sparse" or "categorical", from the shapes of targets and predictions."""
    true_shape, pred_shape = tuple(y_true.shape), tuple(y_pred.shape)
    if pred_shape[-1:] == (1,):
        return "binary"
    dense = len(true_shape) == len(pred_shape) and true_shape[-1:] != (1,)
    return "categorical" if dense else "sparse"


def resolve_metric(identifier: Any, y_true: Any, y_pred: Any) -> Metric:
    """A metric object; "accuracy" and "crossentropy" are resolved from the shapes."""
    if isinstance(identifier, Metric):
        return identifier
    name = str(identifier).lower() if isinstance(identifier, str) else None
    if name in _ACCURACY or name in _CROSSENTROPY:
        kind = _sparse_or_binary(y_true, y_pred)
        table = {
            ("accuracy", "binary"): metrics.BinaryAccuracy,
            ("accuracy", "sparse"): metrics.SparseCategoricalAccuracy,
            ("accuracy", "categorical"): metrics.CategoricalAccuracy,
            ("crossentropy", "binary"): metrics.BinaryCrossentropy,
            ("crossentropy", "sparse"): metrics.SparseCategoricalCrossentropy,
            ("crossentropy", "categorical"): metrics.CategoricalCrossentropy,
        }
        family = "accuracy" if name in _ACCURACY else "crossentropy"
        return table[family, kind](name=identifier)
    found = metrics.get(identifier)
    if isinstance(found, Metric):
        if isinstance(identifier, str):
            found.name = identifier  # shown as it was asked for
        return found
    label = identifier if isinstance(identifier, str) else None
    label = label or getattr(found, "__name__", None) or getattr(found, "name", "metric")
    return metrics.MeanMetricWrapper(found, name=label)


def _is_metric_leaf(spec: Any) -> bool:
    return isinstance(spec, (str, Metric, Loss)) or (
        callable(spec) and not isinstance(spec, (list, tuple, dict))
    )


@dataclass
class _BoundMetric:
    index: int
    output: str
    metric: Metric
    weighted: bool


class BoundMetrics:
    """The metrics of `compile`, bound to outputs."""

    def __init__(self, unweighted: Any, weighted: Any, names: list[str] | None = None) -> None:
        self._specs = ((unweighted, False), (weighted, True))
        self._names = names
        self._bound: list[_BoundMetric] = []
        self.built = unweighted is None and weighted is None

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Resolves the specification for targets and outputs of these shapes."""
        if self.built:
            return
        names = output_names(y_pred, self._names)
        flat_pred = tree.flatten(y_pred)
        flat_true = align(y_true, y_pred, names, "targets")
        self._several = len(names) > 1
        for spec, weighted in self._specs:
            if isinstance(spec, (list, tuple)) and all(map(_is_metric_leaf, spec)):
                # A flat list: all metrics for a single output, else one metric an output.
                entries = [spec] if not self._several else list(spec)
                if self._several and len(spec) != len(names):
                    entries = [spec] * len(names)
            else:
                what = "weighted_metrics" if weighted else "metrics"
                entries = spread(spec, y_pred, names, what, _is_metric_leaf)
            for index, entry in enumerate(entries):
                for identifier in entry if isinstance(entry, (list, tuple)) else [entry]:
                    if identifier is None or flat_true[index] is None:
                        continue
                    metric = resolve_metric(identifier, flat_true[index], flat_pred[index])
                    self._bound.append(_BoundMetric(index, names[index], metric, weighted))
        self.built = True

    @property
    def metrics(self) -> list[Metric]:
        """The metric objects; those given as objects are there before the first batch."""
        if self.built:
            return [bound.metric for bound in self._bound]
        flat = (tree.flatten(spec) for spec, _ in self._specs)
        return [m for leaves in flat for m in leaves if isinstance(m, Metric)]

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any) -> None:
        """Feeds a batch to every metric."""
        if not self._bound:
            return
        names = output_names(y_pred, self._names)
        flat_pred = tree.flatten(y_pred)
        flat_true = align(y_true, y_pred, names, "targets")
        flat_weight = (
            align(sample_weight, y_pred, names, "sample_weight")
            if tree.is_nested(sample_weight)
            else [sample_weight] * len(names)
        )
        context = calls.context
        for bound in self._bound:
            truth, prediction = flat_true[bound.index], flat_pred[bound.index]
            mask = context.mask_of(prediction) if context is not None else None
            weight = flat_weight[bound.index] if bound.weighted else None
            if mask is not None:
                mask = ops.cast(mask, prediction.dtype)
                weight = mask if weight is None else mask * _expanded(weight, mask)
            bound.metric.update_state(truth, prediction, sample_weight=weight)

    def results(self) -> dict[str, Any]:
        """Results by name, prefixed with the output where there are several."""
        found: dict[str, Any] = {}
        for bound in self._bound:
            prefix = f"{bound.output}_" if self._several else ""
            result = bound.metric.result()
            if isinstance(result, dict):
                found.update({f"{prefix}{key}": value for key, value in result.items()})
                continue
            name, count = f"{prefix}{bound.metric.name}", 1
            while name in found:
                name = f"{prefix}{bound.metric.name}_{count}"
                count += 1
            found[name] = result
        return found


def _expanded(weight: Any, mask: Any) -> Any:
    weight = ops.convert_to_tensor(weight, ops.dtype(mask))
    while len(weight.shape) < len(mask.shape):
        weight = ops.expand_dims(weight, -1)
    return weight


def _is_loss_leaf(spec: Any) -> bool:
    return isinstance(spec, (str, Loss)) or (
        callable(spec) and not isinstance(spec, (list, tuple, dict))
    )


def resolve_loss(identifier: Any, y_true: Any, y_pred: Any) -> Loss:
    """A loss object from an object, a function or a name ("ce" by the shapes)."""
    if isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, str) and identifier.lower() in _CROSSENTROPY:
        table = {
            "binary": losses.BinaryCrossentropy,
            "sparse": losses.SparseCategoricalCrossentropy,
            "categorical": losses.CategoricalCrossentropy,
        }
        return table[_sparse_or_binary(y_true, y_pred)]()
    found: Any = losses.get(identifier)
    if isinstance(found, Loss):
        return found
    loss = LossFunctionWrapper(found, name=getattr(found, "__name__", None))
    loss.keeps_labels = found is losses.sparse_categorical_crossentropy
    return loss


class BoundLoss:
    """The loss of `compile`, bound to outputs; the weighted sum where there are several."""

    def __init__(self, loss: Any, loss_weights: Any, names: list[str] | None = None) -> None:
        self._loss, self._weights, self._names = loss, loss_weights, names
        self._bound: list[tuple[int, Loss, float | None, Metric | None]] = []
        self.built = False

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Resolves the specification for targets and outputs of these shapes."""
        if self.built:
            return
        names = output_names(y_pred, self._names)
        flat_pred = tree.flatten(y_pred)
        flat_true = align(y_true, y_pred, names, "targets")
        entries = spread(self._loss, y_pred, names, "loss", _is_loss_leaf)
        weights = spread(
            self._weights, y_pred, names, "loss_weights", lambda s: isinstance(s, (int, float))
        )
        for index, (entry, weight) in enumerate(zip(entries, weights, strict=True)):
            if entry is None:
                continue
            if flat_true[index] is None:
                raise ValueError(
                    f"The output {names[index]!r} has a loss, but there are no targets for it."
                )
            loss = resolve_loss(entry, flat_true[index], flat_pred[index])
            tracker = metrics.Mean(name=f"{names[index]}_loss") if len(names) > 1 else None
            self._bound.append((index, loss, weight, tracker))
        self.built = True

    @property
    def trackers(self) -> list[Metric]:
        """The mean losses of the outputs, where there are several outputs."""
        return [tracker for *_, tracker in self._bound if tracker is not None]

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The total loss of a batch, a scalar tensor; None if no output has a loss."""
        if not self.built:
            self.build(y_true, y_pred)
        names = output_names(y_pred, self._names)
        flat_pred = tree.flatten(y_pred)
        flat_true = align(y_true, y_pred, names, "targets")
        flat_weight = (
            align(sample_weight, y_pred, names, "sample_weight")
            if tree.is_nested(sample_weight)
            else [sample_weight] * len(names)
        )
        context = calls.context
        total = None
        for index, loss, weight, tracker in self._bound:
            prediction = flat_pred[index]
            mask = context.mask_of(prediction) if context is not None else None
            value = loss.masked(flat_true[index], prediction, flat_weight[index], mask)
            if tracker is not None:
                tracker.update_state(ops.stop_gradient(value), ops.shape(prediction)[0])
            if weight is not None:
                value = value * weight
            total = value if total is None else total + value
        return total
