"""`Compiled`: what `compile` settles: the optimizer, the losses, the metrics, how steps run.

Losses and metrics come bound to the outputs (`binding`); `compute_loss`, `compute_metrics` and
`get_metrics_result` are the places where a subclass puts its own.
Refused with one error each: contradictory arguments, a model without any loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from multikeras import ops, optimizers, tree
from multikeras.backends import native
from multikeras.layers.call_context import calls
from multikeras.metrics import Mean, Metric
from multikeras.optimizers.loss_scale_optimizer import LossScaleOptimizer
from multikeras.training import serialization
from multikeras.training.binding import BoundLoss, BoundMetrics
from multikeras.training.steps import StepFunctions

engine = native.engine


if TYPE_CHECKING:
    from multikeras.layers.layer import Layer as Host  # what `Model` puts beside the trainer
else:
    Host = object


class Compiled(Host):
    """The part of a trainer that `compile` sets up."""

    def __init__(self) -> None:
        self.optimizer: Any = None
        self.loss: Any = None
        self.loss_weights: Any = None
        self.stop_training = False
        self.compiled = False
        self.compiled_loss: BoundLoss | None = None
        self.compiled_metrics: BoundMetrics | None = None
        self.history: Any = None
        self.steps_per_execution = 1
        self._run_eagerly = False
        self._jit_compile: Any = "auto"
        self._loss_tracker: Any = None
        self._has_loss = True
        self._compile_arguments: dict[str, Any] | None = None
        self._functions: StepFunctions | None = None
        self._shuffle_seed: int | None = None
        self._prepared = False
        self._fit_run: Any = None  # the `Run` of a fit that is under way

    # -- compile ----------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool | None = None,
        steps_per_execution: int | None = None,
        jit_compile: Any = None,
        pss_evaluation_shards: int | str = 0,
        auto_scale_loss: bool = True,
        **kwargs: Any,
    ) -> None:
        """Sets how the model is trained.

        Keras 3 has `loss_weights` before `metrics`. Both orders of positional arguments are
        understood, because factors are numbers and metrics are not.

        Args:
            optimizer: a name or an Optimizer. Defaults to "rmsprop".
            loss: a name, function or Loss for all outputs, or a list or dict of them by output,
                nested as the outputs are.
            metrics: metrics shown, not weighted by sample weights: names, functions or Metrics;
                a flat list is meant for every output, a list of lists or a dict tells by output.
                "accuracy" ("acc") and "crossentropy" ("ce") become the binary, categorical or
                sparse one that fits the shapes of targets and outputs.
            loss_weights: factors of the outputs' losses, in the form of `loss`.
            weighted_metrics: metrics weighted by sample weights and class weights.
            run_eagerly: whether steps run uncompiled. Defaults to False, to True for a model
                with `dynamic` layers.
            steps_per_execution: how many batches run in one dispatch; hooks of batches are
                called once for all of them. Defaults to 1 (where nobody listens to batches,
                several may go in one dispatch all the same).
            jit_compile: whether XLA or `torch.compile` is used; None or "auto": as suits the
                framework.
            pss_evaluation_shards: only 0: it is about TensorFlow's parameter servers.
            auto_scale_loss: whether mixed_float16 models get a `LossScaleOptimizer`.
            **kwargs: names of tf.keras: `experimental_steps_per_execution`,
                `sample_weight_mode` (None or "temporal": weights may have any leading
                dimensions of the targets without it too).

        Raises:
            ValueError: for an unknown optimizer, loss or metric, and for contradictory
                arguments.
            TypeError: for unknown arguments.

        Example:
            >>> import multikeras as keras
            >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
            >>> model.compile("sgd", "mse", ["mae"], run_eagerly=True)
            >>> type(model.optimizer).__name__, model.run_eagerly
            ('SGD', True)
        """
        steps_per_execution = _old_arguments(kwargs, steps_per_execution)
        if pss_evaluation_shards:
            raise ValueError(
                f"compile: pss_evaluation_shards={pss_evaluation_shards!r} needs TensorFlow's "
                "parameter servers, which models here don't train on; leave it at 0."
            )
        metrics, loss_weights = _told_apart(metrics, loss_weights)
        jit_compile = "auto" if jit_compile is None else jit_compile
        _refuse_both(run_eagerly, jit_compile)
        if type(steps_per_execution) is not int or steps_per_execution < 1:
            raise ValueError(
                f"compile: steps_per_execution must be a positive integer, got "
                f"{steps_per_execution!r}."
            )
        names = getattr(self, "output_names", None)
        compiled_loss = None if loss is None else BoundLoss(loss, loss_weights, names)
        compiled_metrics = BoundMetrics(metrics, weighted_metrics, names)
        arguments = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": bool(run_eagerly),
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        optimizer = optimizers.get(optimizer)  # the last that may refuse: from here on all is set
        self._compile_arguments = arguments
        if (
            auto_scale_loss
            and self.dtype_policy.name == "mixed_float16"
            and not isinstance(optimizer, LossScaleOptimizer)
        ):
            optimizer = LossScaleOptimizer(optimizer)
        self.optimizer = optimizer
        if optimizer is not None and (fused := engine.fused_update(optimizer)) is not None:
            optimizer.fused = fused
        self.loss = loss
        self.loss_weights = loss_weights
        self.compiled_loss = compiled_loss
        self.compiled_metrics = compiled_metrics
        self._loss_tracker = Mean(name="loss")
        if compiled_loss is not None:
            compiled_loss.tracker = self._loss_tracker
        self._has_loss = True
        self._run_eagerly = bool(run_eagerly)
        self._jit_compile = jit_compile
        self.steps_per_execution = steps_per_execution
        self.stop_training = False
        self.compiled = True
        self._functions = None
        self._prepared = False

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run uncompiled; may be set."""
        return self._run_eagerly or self.dynamic

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        _refuse_both(value, self._jit_compile)
        self._run_eagerly = bool(value)
        self._functions = None

    @property
    def jit_compile(self) -> bool:
        """Whether steps are compiled by XLA or `torch.compile`; may be set."""
        if self._jit_compile == "auto":
            return engine.jits_by_default and not self.run_eagerly
        return bool(self._jit_compile)

    @jit_compile.setter
    def jit_compile(self, value: Any) -> None:
        value = "auto" if value is None else value
        _refuse_both(self._run_eagerly, value)
        self._jit_compile = value
        self._functions = None

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile`, as plain data."""
        if self._compile_arguments is None:
            return None
        return serialization.serialize_arguments(self._compile_arguments)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles with `get_compile_config`'s result."""
        self.compile(**serialization.deserialize_arguments(config))

    # -- metrics ----------------------------------------------------------------------------

    @property
    def metrics(self) -> list[Metric]:
        """The metrics: of the loss, of the outputs' losses, of `compile`, of the layers.

        Those of `compile` are there once the model has seen data, since only then their outputs
        are known. May be overridden.
        """
        found: dict[int, Metric] = {}
        if self._loss_tracker is not None and self._prepared and self._has_loss:
            found[id(self._loss_tracker)] = self._loss_tracker
        if self.compiled_loss is not None:
            found.update((id(metric), metric) for metric in self.compiled_loss.trackers)
        if self.compiled_metrics is not None:
            found.update((id(metric), metric) for metric in self.compiled_metrics.metrics)
        found.update((id(metric), metric) for metric in self._layer_metrics())
        return list(found.values())

    def _layer_metrics(self) -> list[Metric]:
        return [
            child
            for name, child in self._all_children()
            if isinstance(child, Metric) and name != "_loss_tracker"
        ]

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` gives, in its order; none before data was seen."""
        if not (self.compiled and self._prepared):
            return []
        return list(self.get_metrics_result())

    def reset_metrics(self) -> None:
        """Starts all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """The results of `metrics` by name; a metric that gives a dict adds all its entries."""
        labels = {} if self.compiled_metrics is None else self.compiled_metrics.labels
        found: dict[str, Any] = {}
        for metric in self.metrics:
            result = metric.result()
            label = labels.get(id(metric), metric.name)
            if not isinstance(result, dict):
                found[label] = result
            elif label == metric.name:
                found.update(result)
            else:  # of one of several outputs
                prefix = label.removesuffix(metric.name)
                found.update({f"{prefix}{name}": value for name, value in result.items()})
        return found

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Feeds a batch to the compiled metrics and gives all results. May be overridden."""
        self._update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _update_metrics(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        if self.compiled_metrics is not None and y is not None:
            self.compiled_metrics.update_state(y, y_pred, sample_weight)

    # -- loss -------------------------------------------------------------------------------

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The total loss of a batch, a scalar tensor. May be overridden.

        Args:
            x, y: inputs and targets.
            y_pred: the model's outputs.
            sample_weight: factors of the samples' losses.
            training: whether this is a training step.

        Returns:
            The loss; None in evaluation if there is none.

        Raises:
            ValueError: in training, if there is neither a compiled loss nor one from `add_loss`.
        """
        parts = []
        if self.compiled_loss is not None:
            loss = self.compiled_loss.total(y, y_pred, sample_weight)
            if loss is not None:
                parts.append(loss)
        parts.extend(ops.cast(loss, "float32") for loss in self._extra_losses())
        if not parts and not training:
            return None
        if not parts:
            raise ValueError(
                f"{self._who()}: no loss to compute. Give `loss` to compile(), use add_loss() in "
                "a layer, or override compute_loss()."
            )
        total = parts[0]
        for part in parts[1:]:
            total = total + ops.cast(part, ops.dtype(total))
        return total

    def _extra_losses(self) -> list[Any]:
        """Losses of the running call's layers, of functions given to them, of regularizers."""
        if calls.context is None or self._functions is None:
            return self.losses
        touched = {id(layer): layer for layer in calls.context.touched}
        found = [loss for layer in touched.values() for loss in layer._losses]
        found += [fn() for fn in self._functions.loss_functions]
        return found + [v.regularizer(v.value) for v in self._functions.regularized]


def _old_arguments(kwargs: dict[str, Any], steps_per_execution: int | None) -> int:
    """`steps_per_execution`, after what tf.keras called otherwise is taken out of `kwargs`."""
    old = kwargs.pop("experimental_steps_per_execution", None)
    if old is not None and steps_per_execution not in (None, old):
        raise ValueError(
            f"compile: steps_per_execution={steps_per_execution} contradicts "
            f"experimental_steps_per_execution={old}."
        )
    modes = tree.flatten(kwargs.pop("sample_weight_mode", None))
    if any(mode not in (None, "temporal", "samplewise") for mode in modes):
        raise ValueError(f"compile: sample_weight_mode must be None or 'temporal', got {modes}.")
    for name in ("experimental_run_tf_function", "from_serialized"):
        kwargs.pop(name, None)
    if kwargs:
        raise TypeError(f"compile: unknown argument(s) {', '.join(map(repr, kwargs))}.")
    wanted = steps_per_execution if steps_per_execution is not None else old
    return 1 if wanted is None else wanted


def _told_apart(metrics: Any, loss_weights: Any) -> tuple[Any, Any]:
    """Metrics and factors, whichever came first."""
    if _are_factors(metrics) and not _are_factors(loss_weights):
        metrics, loss_weights = loss_weights, metrics
    if loss_weights is not None and not _are_factors(loss_weights):
        raise ValueError(f"compile: `loss_weights` must be numbers, got {loss_weights!r}.")
    return metrics, loss_weights


def _are_factors(value: Any) -> bool:
    leaves = [leaf for leaf in tree.flatten(value) if leaf is not None]
    return bool(leaves) and all(isinstance(leaf, (int, float, np.number)) for leaf in leaves)


def _refuse_both(run_eagerly: Any, jit_compile: Any) -> None:
    if run_eagerly and jit_compile is True:
        raise ValueError("compile: run_eagerly=True contradicts jit_compile=True.")
