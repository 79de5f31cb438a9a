"""`Compiled`: what `compile` settles: the optimizer, the losses, the metrics, how steps run.

Losses and metrics come bound to the outputs (`binding`); `compute_loss`, `compute_metrics` and
`get_metrics_result` are the places where a subclass puts its own.
Refused with one error each: contradictory arguments, a model without any loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from multikeras import ops, optimizers
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
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Sets how the model is trained.

        Args:
            optimizer: a name or an Optimizer.
            loss: a name, function or Loss for all outputs, or a list or dict of them by output.
            loss_weights: factors of the outputs' losses, in the same form.
            metrics: metrics shown, not weighted by sample weights; names, functions or Metrics,
                a list, or a list or dict of lists by output.
            weighted_metrics: metrics weighted by sample weights.
            run_eagerly: whether steps run uncompiled.
            steps_per_execution: batches that run in one dispatch.
            jit_compile: whether XLA or `torch.compile` is used; "auto": as suits the framework.
            auto_scale_loss: whether mixed_float16 models get a `LossScaleOptimizer`.

        Raises:
            ValueError: for contradictory arguments.
        """
        if run_eagerly and jit_compile is True:
            raise ValueError("compile: run_eagerly=True contradicts jit_compile=True.")
        if not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ValueError(
                f"compile: steps_per_execution must be a positive integer, got "
                f"{steps_per_execution!r}."
            )
        self._compile_arguments = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        optimizer = optimizers.get(optimizer)
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
        names = getattr(self, "output_names", None)
        self.compiled_loss = None if loss is None else BoundLoss(loss, loss_weights, names)
        self.compiled_metrics = BoundMetrics(metrics, weighted_metrics, names)
        self._loss_tracker = Mean(name="loss")
        self._run_eagerly = bool(run_eagerly)
        self._jit_compile = jit_compile
        self.steps_per_execution = steps_per_execution
        self.stop_training = False
        self.compiled = True
        self._functions = None
        self._prepared = False

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run uncompiled."""
        return self._run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._run_eagerly = bool(value)
        self._functions = None

    @property
    def jit_compile(self) -> bool:
        """Whether steps are compiled by XLA or `torch.compile`."""
        if self._jit_compile == "auto":
            return engine.jits_by_default and not self._run_eagerly
        return bool(self._jit_compile)

    @jit_compile.setter
    def jit_compile(self, value: Any) -> None:
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
        """The loss tracker, the compiled metrics and those that layers hold."""
        found: dict[int, Metric] = {}
        if self._loss_tracker is not None:
            found[id(self._loss_tracker)] = self._loss_tracker
        for metric in self._layer_metrics():
            found[id(metric)] = metric
        if self.compiled_metrics is not None:
            found.update((id(metric), metric) for metric in self.compiled_metrics.metrics)
        if self.compiled_loss is not None:
            found.update((id(metric), metric) for metric in self.compiled_loss.trackers)
        return list(found.values())

    def _layer_metrics(self) -> list[Metric]:
        return [
            child
            for layer in self._flatten_layers()
            for name, child in layer.tracked_children()
            if isinstance(child, Metric) and name != "_loss_tracker"
        ]

    @property
    def metrics_names(self) -> list[str]:
        """The names under which `evaluate` gives its results."""
        return list(self.get_metrics_result()) if self.compiled else []

    def reset_metrics(self) -> None:
        """Starts all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """The metrics' results by name."""
        found: dict[str, Any] = {}
        if self._loss_tracker is not None and self.compiled_loss is not None:
            found["loss"] = self._loss_tracker.result()
            found.update((t.name, t.result()) for t in self.compiled_loss.trackers)
        elif self._loss_tracker is not None:
            found["loss"] = self._loss_tracker.result()
        if self.compiled_metrics is not None and self.compiled_metrics.built:
            found.update(self.compiled_metrics.results())
        for metric in self._layer_metrics():
            result = metric.result()
            found.update(result if isinstance(result, dict) else {metric.name: result})
        return found

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Feeds a batch to the compiled metrics and gives all results. May be overridden."""
        self._update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _update_metrics(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        if self.compiled_metrics is not None:
            if not self.compiled_metrics.built and y is not None:
                self.compiled_metrics.build(y, y_pred)
            if y is not None:
                self.compiled_metrics.update(y, y_pred, sample_weight)

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

        Raises:
            ValueError: if there is neither a compiled loss nor one from `add_loss`.
        """
        parts = []
        if self.compiled_loss is not None:
            loss = self.compiled_loss(y, y_pred, sample_weight)
            if loss is not None:
                parts.append(loss)
        parts.extend(ops.cast(loss, "float32") for loss in self._extra_losses())
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
        """Losses of the running call's layers, and of the regularizers."""
        if calls.context is None or self._functions is None:
            return self.losses
        touched = {id(layer): layer for layer in calls.context.touched}
        found = [loss for layer in touched.values() for loss in layer._losses]
        return found + [v.regularizer(v.value) for v in self._functions.regularized]
