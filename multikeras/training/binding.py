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
    if given is not None and len(given) == len(flat):
        taken: set[str] = set()
        return [_unique(name, taken) for name in given]
    return [f"output_{i}" for i in range(len(flat))] if len(flat) > 1 else ["output"]


def spread(spec: Any, y_pred: Any, names: list[str], what: str, leaf: Callable) -> list[Any]:
    """One entry of a specification for each flat output; `leaf(spec)` tells an entry for all.

    A specification may nest as the outputs do.
    """
    if spec is None or leaf(spec):
        return [spec] * len(names)
    if isinstance(spec, dict):
        if isinstance(y_pred, dict) and all(key in y_pred for key in spec):
            parts = [(spec.get(key), y_pred[key]) for key in sorted(y_pred)]
            return _spread_parts(parts, names, what, leaf)
        unknown = [key for key in spec if key not in names]
        if unknown:
            raise ValueError(
                f"compile: `{what}` names the outputs {unknown}, but the model has {names}."
            )
        return [spec.get(name) for name in names]
    listed = list(spec)
    if isinstance(y_pred, (list, tuple)) and len(listed) == len(y_pred):
        return _spread_parts(list(zip(listed, y_pred, strict=True)), names, what, leaf)
    if len(listed) != len(names):
        raise ValueError(
            f"compile: `{what}` has {len(listed)} entries, but the model has {len(names)} "
            f"output(s): {names}."
        )
    return listed


def _spread_parts(parts: list[tuple], names: list[str], what: str, leaf: Callable) -> list[Any]:
    entries: list[Any] = []
    for spec, outputs in parts:
        if not tree.is_nested(outputs):
            entries.append(spec)
            continue
        below = names[len(entries) : len(entries) + len(tree.flatten(outputs))]
        entries += spread(spec, outputs, below, what, leaf)
    return entries


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
    label: str
    metric: Metric
    weighted: bool


class BoundMetrics:
    """The metrics of `compile`, bound to outputs."""

    def __init__(self, unweighted: Any, weighted: Any, names: list[str] | None = None) -> None:
        self._specs = ((unweighted, "metrics"), (weighted, "weighted_metrics"))
        for spec, what in self._specs:
            check(spec, what, metrics.get, Metric)
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
        columns = [self._entries(spec, what, y_pred, names) for spec, what in self._specs]
        labels: set[str] = set()
        for index, entries in enumerate(zip(*columns, strict=True)):
            for entry, weighted in zip(entries, (False, True), strict=True):
                for identifier in entry if isinstance(entry, (list, tuple)) else [entry]:
                    if identifier is None or flat_true[index] is None:
                        continue
                    metric = resolve_metric(identifier, flat_true[index], flat_pred[index])
                    prefix = f"{names[index]}_" if len(names) > 1 else ""
                    label = f"{prefix}{metric.name}"
                    if weighted and label in labels:
                        label = f"{prefix}weighted_{metric.name}"
                    label = _unique(label, labels)
                    if metric is not identifier:
                        metric.name = label
                    self._bound.append(_BoundMetric(index, label, metric, weighted))
        self.built = True

    def _entries(self, spec: Any, what: str, y_pred: Any, names: list[str]) -> list[Any]:
        """What a specification asks of each output: a metric, a list of them or None."""
        if isinstance(spec, (list, tuple)) and all(map(_is_metric_leaf, spec)):
            return [spec] * len(names)  # a flat list is meant for every output
        if len(names) == 1 and isinstance(spec, (list, tuple)) and len(spec) > 1:
            return [[leaf for leaf in tree.flatten(spec) if leaf is not None]]
        return spread(spec, y_pred, names, what, _is_metric_leaf)

    @property
    def metrics(self) -> list[Metric]:
        """The metric objects; there are none before the first batch."""
        return [bound.metric for bound in self._bound]

    @property
    def labels(self) -> dict[int, str]:
        """By the identities of the metric objects, the names that results are shown under."""
        return {id(bound.metric): bound.label for bound in self._bound}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Feeds a batch to every metric."""
        if not self.built:
            self.build(y_true, y_pred)
        if not self._bound:
            return
        names = output_names(y_pred, self._names)
        flat_pred = tree.flatten(y_pred)
        flat_true = align(y_true, y_pred, names, "targets")
        flat_weight = spread_weights(sample_weight, y_pred, names)
        context = calls.context
        for bound in self._bound:
            truth, prediction = flat_true[bound.index], flat_pred[bound.index]
            mask = context.mask_of(prediction) if context is not None else None
            weight = flat_weight[bound.index] if bound.weighted else None
            if mask is not None:
                mask = ops.cast(mask, prediction.dtype)
                weight = mask if weight is None else mask * _expanded(weight, mask)
            bound.metric.update_state(truth, prediction, sample_weight=weight)

    def reset_state(self) -> None:
        """Starts all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()


def _unique(label: str, taken: set[str]) -> str:
    found, count = label, 1
    while found in taken:
        found, count = f"{label}_{count}", count + 1
    taken.add(found)
    return found


def spread_weights(sample_weight: Any, y_pred: Any, names: list[str]) -> list[Any]:
    """Sample weights for each flat output: those for all, or one structure entry for each."""
    if tree.is_nested(sample_weight):
        return align(sample_weight, y_pred, names, "sample_weight")
    return [sample_weight] * len(names)


def check(spec: Any, what: str, find: Callable[[Any], Any], kind: type) -> None:
    """Raises ValueError for what is neither a known name, nor a function, nor of the kind."""
    for leaf in tree.flatten(spec):
        if leaf is None or isinstance(leaf, kind) or (isinstance(leaf, str) and _by_shape(leaf)):
            continue
        if isinstance(leaf, str):
            find(leaf)
        elif not callable(leaf) or isinstance(leaf, type):
            raise ValueError(
                f"compile: `{what}`: expected a name, a function or a {kind.__name__} object, "
                f"got {leaf!r}."
            )


def _by_shape(name: str) -> bool:
    """Whether shapes decide what a name means."""
    return name.lower() in _ACCURACY + _CROSSENTROPY


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

    # The mean of the whole loss, fed by calls from a `train_step` of one's own; not while quiet.
    tracker: Metric | None = None
    quiet = False

    def __init__(self, loss: Any, loss_weights: Any, names: list[str] | None = None) -> None:
        check(loss, "loss", losses.get, Loss)
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
            self._check_target(flat_true[index], names[index])
            loss = resolve_loss(entry, flat_true[index], flat_pred[index])
            tracker = metrics.Mean(name=f"{names[index]}_loss") if len(names) > 1 else None
            self._bound.append((index, loss, weight, tracker))
        self.built = True

    @staticmethod
    def _check_target(target: Any, name: str) -> None:
        if target is None:
            raise ValueError(f"The output {name!r} has a loss, but there are no targets for it.")

    @property
    def trackers(self) -> list[Metric]:
        """The mean losses of the outputs, where there are several outputs."""
        return [tracker for *_, tracker in self._bound if tracker is not None]

    def __call__(
        self,
        y_true: Any,
        y_pred: Any,
        sample_weight: Any = None,
        regularization_losses: list[Any] | None = None,
    ) -> Any:
        """`total`; as in tf.keras 2, the model's metric of the loss takes it in."""
        total = self.total(y_true, y_pred, sample_weight, regularization_losses)
        if self.tracker is not None and not self.quiet and total is not None:
            rows = ops.shape(tree.flatten(y_pred)[0])[0]
            self.tracker.update_state(ops.stop_gradient(total), rows)
        return total

    def total(
        self,
        y_true: Any,
        y_pred: Any,
        sample_weight: Any = None,
        regularization_losses: list[Any] | None = None,
    ) -> Any:
        """The total loss of a batch, a scalar tensor; None if no output has a loss.

        Args:
            y_true, y_pred: targets and outputs.
            sample_weight: weights of the samples, for all outputs or for each.
            regularization_losses: added to the total, as `train_step`s in the style of tf.keras
                ask for.
        """
        if not self.built:
            self.build(y_true, y_pred)
        names = output_names(y_pred, self._names)
        flat_pred = tree.flatten(y_pred)
        flat_true = align(y_true, y_pred, names, "targets")
        flat_weight = spread_weights(sample_weight, y_pred, names)
        context = calls.context
        total = None
        for index, loss_of, weight, tracker in self._bound:
            prediction = flat_pred[index]
            self._check_target(flat_true[index], names[index])
            mask = context.mask_of(prediction) if context is not None else None
            value = loss_of.masked(flat_true[index], prediction, flat_weight[index], mask)
            if len(value.shape) > 0:  # of a Loss with reduction None: one value a sample
                value = ops.mean(value)
            if tracker is not None:
                tracker.update_state(ops.stop_gradient(value), ops.shape(prediction)[0])
            if weight is not None:
                value = value * weight
            total = value if total is None else total + value
        for extra in regularization_losses or ():
            extra = ops.cast(extra, "float32")
            total = extra if total is None else total + ops.cast(extra, ops.dtype(total))
        return total
