"""`Trainer`: `compile`, `fit`, `evaluate`, `predict` and `*_on_batch`, written once.

What differs between frameworks (taking gradients, compiling a step, holding data) is the
engine's (`native.engine`). The default training step leaves the reading of metrics to whoever
wants to see them; an overridden `train_step` is run as it stands.
Refused with one error each: an uncompiled model, empty data, contradictory arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from multikeras import callbacks as callback_room
from multikeras import config, data, ops, optimizers, tree
from multikeras.backends import native
from multikeras.layers.call_context import call_scope, calls
from multikeras.metrics import Mean, Metric
from multikeras.optimizers.loss_scale_optimizer import LossScaleOptimizer
from multikeras.random import seed_generator
from multikeras.symbolic import KerasTensor, SymbolicScope
from multikeras.training import serialization
from multikeras.training.binding import BoundLoss, BoundMetrics
from multikeras.training.interrupt import deferred_interrupt
from multikeras.training.steps import StepFunctions
from multikeras.variables import StatelessScope

engine = native.engine


if TYPE_CHECKING:
    from multikeras.layers.layer import Layer as Host  # what `Model` puts beside the trainer
else:
    Host = object


class Trainer(Host):
    """The training half of a model; `Model` is its only subclass."""

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

    def stateless_compute_loss(
        self,
        trainable_variables: list[Any],
        non_trainable_variables: list[Any],
        metrics_variables: list[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """`compute_loss` as a pure function of the variables' values.

        Returns:
            (loss, (trainable values, non-trainable values, metric values)).
        """
        groups = (self.trainable_variables, self.non_trainable_variables, self.metrics_variables)
        given = (trainable_variables, non_trainable_variables, metrics_variables)
        pairs = [
            pair
            for own, values in zip(groups, given, strict=True)
            for pair in zip(own, values, strict=True)
        ]
        with StatelessScope(pairs) as scope:
            loss = self.compute_loss(x, y, y_pred, sample_weight, training)
        return loss, tuple([scope.get_current_value(v) for v in own] for own in groups)

    # -- steps ------------------------------------------------------------------------------

    def train_step(self, data: Any) -> dict[str, Any]:
        """One training step on a batch; gives the logs. May be overridden.

        An override takes `data` (and may use `multikeras.value_and_grad`, or the framework's own
        means), or `state, data` with state = (trainable, non-trainable, optimizer, metric)
        values, and then returns (logs, state).
        """
        logs = self._train_core(data)
        return self.get_metrics_result() if logs is None else logs

    def _train_core(self, data: Any) -> dict[str, Any] | None:
        """The default training step; it reads no metrics unless `compute_metrics` does."""
        x, y, sample_weight = unpack(data)
        variables = (self._functions or self._make_functions()).trainable
        optimizer = self.optimizer

        def forward() -> tuple[Any, Any]:
            with call_scope() as context:
                y_pred = self(x, training=True)
                loss = self._call_compute_loss(x, y, y_pred, sample_weight, True)
                masks = [context.mask_of(leaf) for leaf in _leaves(y_pred)]
                for layer in context.touched:
                    layer._losses.clear()
            scaled = optimizer.scale_loss(loss) if optimizer is not None else loss
            return scaled, (loss, y_pred, masks if any(m is not None for m in masks) else None)

        (_, (loss, y_pred, masks)), gradients = engine.value_and_grad(
            forward, variables, has_aux=True
        )()
        optimizer.apply(gradients, variables)
        return self._record(x, y, y_pred, sample_weight, loss, masks)

    def _record(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, loss: Any, masks: Any
    ) -> dict[str, Any] | None:
        """Feeds a batch's loss and outputs to the metrics; logs if `compute_metrics` is custom."""
        self._loss_tracker.update_state(loss, sample_weight=_batch_size(x))
        with call_scope() as context:
            if masks is not None:
                for leaf, mask in zip(_leaves(y_pred), masks, strict=True):
                    context.set_mask(leaf, mask)
            if (self._functions or self._make_functions()).custom_metrics:
                return self.compute_metrics(x, y, y_pred, sample_weight)
            self._update_metrics(y, y_pred, sample_weight)
        return None

    def _call_compute_loss(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool
    ) -> Any:
        if (self._functions or self._make_functions()).loss_takes_training:
            return self.compute_loss(
                x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training
            )
        return self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """One evaluation step on a batch; gives the logs. May be overridden."""
        logs = self._test_core(data)
        return self.get_metrics_result() if logs is None else logs

    def _test_core(self, data: Any) -> dict[str, Any] | None:
        x, y, sample_weight = unpack(data)
        with call_scope() as context:
            y_pred = self(x, training=False)
            loss = self._call_compute_loss(x, y, y_pred, sample_weight, False)
            masks = [context.mask_of(leaf) for leaf in _leaves(y_pred)]
            for layer in context.touched:
                layer._losses.clear()
        found = masks if any(m is not None for m in masks) else None
        return self._record(x, y, y_pred, sample_weight, loss, found)

    def predict_step(self, data: Any) -> Any:
        """The outputs for a batch. May be overridden."""
        x, _, _ = unpack(data)
        return self(x, training=False)

    def make_train_function(self, force: bool = False) -> Callable:
        """Prepares and returns the function that trains on the next batch of an iterator."""
        return self._make_functions(force).iterator_function("train")

    def make_test_function(self, force: bool = False) -> Callable:
        """Prepares and returns the function that evaluates the next batch of an iterator."""
        return self._make_functions(force).iterator_function("test")

    def make_predict_function(self, force: bool = False) -> Callable:
        """Prepares and returns the function that predicts the next batch of an iterator."""
        return self._make_functions(force).iterator_function("predict")

    def _make_functions(self, force: bool = False) -> StepFunctions:
        if self._functions is None or force or self._functions.stale():
            self._functions = StepFunctions(self)
        return self._functions

    def _prepare(self, batch: tuple, training: bool = False) -> None:
        """Builds what only data can tell: layers, bound losses and metrics, the optimizer."""
        x, y, _ = batch
        if not self._prepared:
            try:
                y_pred = self._trial(x)
            except Exception:
                # A model with a step of its own may take its data apart there: the step builds
                # what is missing, and tells what is wrong.
                if type(self).train_step is Trainer.train_step:
                    raise
                y_pred = None
            if y_pred is not None and y is not None and self.compiled:
                if self.compiled_loss is not None:
                    self.compiled_loss.build(y, y_pred)
                if self.compiled_metrics is not None:
                    self.compiled_metrics.build(y, y_pred)
            self._prepared = True
        optimizer = self.optimizer
        if training and optimizer is not None and not optimizer.built:
            if variables := self.trainable_variables:
                optimizer.build(variables)

    def _trial(self, x: Any) -> Any:
        """The outputs for a batch, as shapes only where those can be told; builds the model."""
        if self._needs_trial():
            with StatelessScope():
                y_pred = self(x, training=False)
            self._clear_losses()
            self.built = True
            return y_pred
        specs = tree.map_structure(
            lambda a: KerasTensor(np.shape(a), ops.dtype(a)) if hasattr(a, "dtype") else a, x
        )
        try:
            with SymbolicScope():
                return self(specs)
        except (ValueError, NotImplementedError):
            with StatelessScope():
                return self(x, training=False)

    def _needs_trial(self) -> bool:
        return not self._settled

    def _assert_compiled(self, method: str) -> None:
        custom = type(self).compute_loss is not Trainer.compute_loss
        step = "train_step" if method in ("fit", "train_on_batch") else "test_step"
        custom = custom or getattr(type(self), step) is not getattr(Trainer, step)
        if not self.compiled and not (custom and step == "test_step"):
            raise ValueError(
                f"{method}: {self._who()} is not compiled: call compile(optimizer, loss) first."
            )

    # -- fit --------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: dict | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Trains the model.

        Args:
            x: inputs: array-likes (or lists or dicts of them), or something that yields batches
                `(x, y)` or `(x, y, sample_weight)`: a generator, a `PyDataset`, a `tf.data`
                dataset, a torch `DataLoader`.
            y: targets, with arrays.
            batch_size: rows of a batch; default 32.
            epochs: the number of the last epoch.
            verbose: 0 silent, 1 a progress bar, 2 a line an epoch; "auto": 1.
            callbacks: a list of callbacks.
            validation_split: the fraction of the rows, from the end, to validate on.
            validation_data: what to validate on after an epoch: `(x, y)`,
                `(x, y, sample_weight)` or something that yields batches.
            shuffle: whether arrays are shuffled before each epoch; "batch": by whole batches.
            class_weight: factors of the classes' losses by class index.
            sample_weight: factors of the samples' losses.
            initial_epoch: the number of the first epoch.
            steps_per_epoch: batches an epoch; default: until the data ends.
            validation_steps: batches of a validation; default: until the data ends.
            validation_batch_size: default: `batch_size`.
            validation_freq: every how many epochs to validate, or a list of epochs (from 1).

        Returns:
            A `History` with `epoch` and `history`.

        Raises:
            ValueError: for an uncompiled model, empty data or contradictory arguments.
        """
        self._assert_compiled("fit")
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = data.train_validation_split(
                (x, y, sample_weight), validation_split
            )
        source = data.make_source(
            x,
            y,
            sample_weight,
            batch_size=batch_size,
            shuffle=shuffle,
            class_weight=class_weight,
            steps=steps_per_epoch,
            resume=steps_per_epoch is not None,
        )
        validation = None
        if validation_data is not None:
            if isinstance(validation_data, (tuple, list)):
                held_out = data.unpack_x_y_sample_weight(validation_data)
            else:
                held_out = (validation_data, None, None)
            val_x, val_y, val_sample_weight = held_out
            validation = data.make_source(
                val_x,
                val_y,
                val_sample_weight,
                batch_size=validation_batch_size or batch_size,
                steps=validation_steps,
            )
        if steps_per_epoch == -1:  # tf.keras 2: until the data ends
            steps_per_epoch = None
        steps = steps_per_epoch if steps_per_epoch is not None else source.num_batches
        callback_list = callback_room.CallbackList(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=epochs,
            steps=steps,
            model=self,
        )
        self.stop_training = False
        if (most := config.max_epochs()) is not None:
            epochs = min(epochs, initial_epoch + most)
        with deferred_interrupt() as interrupt:
            self._initial_epoch = initial_epoch
            callback_list.on_train_begin()  # a callback that restores a run moves it on
            initial_epoch = self._initial_epoch
            logs: dict[str, Any] = {}
            for epoch in range(initial_epoch, epochs):
                self.reset_metrics()
                callback_list.on_epoch_begin(epoch)
                batches = source.epoch(self._epoch_seed())
                trained = self._train_epoch(
                    batches, source, steps_per_epoch, callback_list, interrupt
                )
                if trained is None:
                    if epoch == initial_epoch:
                        raise ValueError("fit: the data is empty: there was no batch to train on.")
                    break  # it ran out; the source has said so
                logs = trained
                if validation is not None and _validates(epoch, validation_freq):
                    logs = dict(logs)
                    results = self._evaluate(
                        validation, validation_steps, callback_list, interrupt, quiet=True
                    )
                    logs.update({f"val_{name}": value for name, value in results.items()})
                source.on_epoch_end()
                callback_list.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
            if self.optimizer is not None and epochs > initial_epoch:
                self.optimizer.finalize_variable_values(self.trainable_variables)
            callback_list.on_train_end(logs)
        return self.history

    def _epoch_seed(self) -> tuple[int, int]:
        """Seed and stream of an epoch's shuffle: they go on where training went on."""
        if self._shuffle_seed is None:
            self._shuffle_seed = seed_generator.make_default_seed()
        iterations = 0 if self.optimizer is None else int(np.asarray(self.optimizer.iterations))
        return self._shuffle_seed, iterations

    def _train_epoch(
        self, batches: Any, source: Any, steps: int | None, callback_list: Any, interrupt: Any
    ) -> dict[str, float] | None:
        """Trains on the batches of an epoch; gives the logs, None where there was no batch."""
        limit = config.max_steps_per_epoch()
        if limit is not None:
            steps = limit if steps is None else min(steps, limit)
        runner = None
        step = 0
        for batch in batches:
            if runner is None:
                self._prepare(batch, training=True)
                functions = self._make_functions()
                runner = functions.runner("train", callback_list, source.num_batches)
            runner.feed(batch)
            step += 1
            interrupt.check()
            if self.stop_training or step == steps:
                break
        return None if runner is None else runner.finish()

    # -- evaluate and predict ---------------------------------------------------------------

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The loss and the metrics on data.

        Args:
            x, y, batch_size, sample_weight: as in `fit`.
            verbose: 0 silent, 1 a progress bar, 2 a line; "auto": 1.
            steps: how many batches; default: until the data ends.
            callbacks: a list of callbacks.
            return_dict: whether to give a dict by name.

        Returns:
            The loss, or a list [loss, metrics...] where there are metrics, or a dict.
        """
        self._assert_compiled("evaluate")
        _no_more("evaluate", kwargs)
        source = data.make_source(x, y, sample_weight, batch_size=batch_size, steps=steps)
        callback_list = callback_room.CallbackList(
            callbacks,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=1,
            steps=steps if steps is not None else source.num_batches,
            model=self,
        )
        with deferred_interrupt() as interrupt:
            logs = self._evaluate(source, steps, callback_list, interrupt)
        return logs if return_dict else _as_list(logs)

    def _evaluate(
        self,
        source: Any,
        steps: int | None,
        callback_list: Any,
        interrupt: Any,
        quiet: bool = False,
    ) -> dict[str, float]:
        self.reset_metrics()
        callback_list.on_test_begin()
        runner = None
        step = 0
        for batch in source.epoch((0, 0)):
            if runner is None:
                self._prepare(batch)
                runner = self._make_functions().runner(
                    "test", callback_list, source.num_batches, quiet
                )
            runner.feed(batch)
            step += 1
            interrupt.check()
            if step == steps:
                break
        if runner is None:
            raise ValueError("evaluate: the data is empty: there was no batch.")
        logs = runner.finish()
        callback_list.on_test_end(logs)
        return logs

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for data, as NumPy arrays.

        Args:
            x, batch_size, verbose, steps, callbacks: as in `evaluate`.
        """
        source = data.make_source(x, batch_size=batch_size, steps=steps)
        callback_list = callback_room.CallbackList(
            callbacks,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=1,
            steps=steps if steps is not None else source.num_batches,
            model=self,
        )
        outputs: list[Any] = []
        runner = None
        with deferred_interrupt() as interrupt:
            callback_list.on_predict_begin()
            for step, batch in enumerate(source.epoch((0, 0)), 1):
                if runner is None:
                    if self._needs_trial():
                        self._prepare((batch[0], None, None))
                        self._prepared = False
                    runner = self._make_functions().runner(
                        "predict", callback_list, source.num_batches
                    )
                outputs.append(runner.feed(batch))
                interrupt.check()
                if step == steps:
                    break
            if runner is None:
                raise ValueError("predict: the data is empty: there was no batch.")
            runner.finish()
            callback_list.on_predict_end()
        return tree.map_structure(lambda *parts: np.concatenate(parts, axis=0), *outputs)

    # -- single batches ---------------------------------------------------------------------

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One training step on one batch.

        Args:
            x, y, sample_weight: arrays of the batch.
            class_weight: factors of the classes' losses by class index.
            return_dict: whether to give a dict by name.

        Returns:
            The loss, or a list [loss, metrics...], or a dict. Metrics go on from batch to batch.
        """
        self._assert_compiled("train_on_batch")
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError(
                    "train_on_batch: give either class_weight or sample_weight, not both."
                )
            sample_weight = data.class_weight_to_sample_weights(y, class_weight)
        return self._on_batch("train", (x, y, sample_weight), return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Evaluates one batch; see `train_on_batch`."""
        self._assert_compiled("test_on_batch")
        return self._on_batch("test", (x, y, sample_weight), return_dict)

    def _on_batch(self, mode: str, batch: tuple, return_dict: bool) -> Any:
        batch = tree.map_structure(lambda a: None if a is None else engine.place(a), batch)
        self._prepare(batch, training=mode == "train")
        functions = self._make_functions()
        logs = functions.step(mode)(batch)
        logs = functions.read(logs)
        return logs if return_dict else _as_list(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        batch = (tree.map_structure(engine.place, x), None, None)
        if self._needs_trial():
            self._trial(batch[0])
        outputs = self._make_functions().step("predict")(batch)
        return tree.map_structure(engine.to_host, outputs)


def unpack(batch: Any) -> tuple[Any, Any, Any]:
    """x, y and sample_weight of a batch, None where it has none."""
    if not isinstance(batch, (tuple, list)):
        return batch, None, None
    return (*batch, None, None)[:3] if len(batch) < 3 else tuple(batch)


def _leaves(outputs: Any) -> list[Any]:
    return tree.flatten(outputs) if isinstance(outputs, (list, tuple, dict)) else [outputs]


def _batch_size(x: Any) -> Any:
    first = next((leaf for leaf in _leaves(x) if leaf is not None), None)
    return 1 if first is None else ops.shape(first)[0]


def _validates(epoch: int, frequency: Any) -> bool:
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency


def _as_list(logs: dict[str, Any]) -> Any:
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def _no_more(method: str, kwargs: dict[str, Any]) -> None:
    if kwargs:
        raise TypeError(f"{method}: unknown argument(s) {', '.join(map(repr, kwargs))}.")
