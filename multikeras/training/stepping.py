"""`Stepping`: one training, evaluation or prediction step, and what must stand before the first.

The default training step leaves the reading of metrics to whoever wants to see them; an
overridden `train_step` is run as it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from multikeras import ops, tree
from multikeras.backends import native
from multikeras.data import unpack_x_y_sample_weight
from multikeras.layers.call_context import call_scope
from multikeras.symbolic import KerasTensor, SymbolicScope
from multikeras.training.compiling import Compiled
from multikeras.training.steps import StepFunctions
from multikeras.variables import StatelessScope

engine = native.engine


class Stepping(Compiled):
    """The steps of a trainer."""

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
        x, y, sample_weight = unpack_x_y_sample_weight(data)
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
        self._has_loss = loss is not None
        if loss is not None:
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
        given = {"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight}
        if (self._functions or self._make_functions()).loss_takes_training:
            given["training"] = training
        compiled = self.compiled_loss
        if compiled is None:
            return self.compute_loss(**given)
        compiled.quiet = True  # the step itself feeds the metric of the loss
        try:
            return self.compute_loss(**given)
        finally:
            compiled.quiet = False

    def test_step(self, data: Any) -> dict[str, Any]:
        """One evaluation step on a batch; gives the logs. May be overridden."""
        logs = self._test_core(data)
        return self.get_metrics_result() if logs is None else logs

    def _test_core(self, data: Any) -> dict[str, Any] | None:
        x, y, sample_weight = unpack_x_y_sample_weight(data)
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
        x, _, _ = unpack_x_y_sample_weight(data)
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
                if type(self).train_step is Stepping.train_step:
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

    def _paired(self, *given: list[Any]) -> tuple[tuple[list[Any], ...], list[tuple[Any, Any]]]:
        """The trainable, other and metric variables, and pairs of them with given values."""
        groups = (self.trainable_variables, self.non_trainable_variables, self.metrics_variables)
        grouped = zip(groups, given, strict=True)
        return groups, [pair for own, values in grouped for pair in zip(own, values, strict=True)]

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
        groups, pairs = self._paired(
            trainable_variables, non_trainable_variables, metrics_variables
        )
        with StatelessScope(pairs) as scope:
            loss = self.compute_loss(x, y, y_pred, sample_weight, training)
        return loss, tuple([scope.get_current_value(v) for v in own] for own in groups)

    def compute_loss_and_updates(
        self,
        trainable_variables: list[Any],
        non_trainable_variables: list[Any],
        metrics_variables: list[Any],
        x: Any,
        y: Any,
        sample_weight: Any,
        training: bool = False,
        optimizer_variables: list[Any] | None = None,
    ) -> Any:
        """A call and its loss as a pure function of the variables' values, to be differentiated.

        Args:
            trainable_variables, non_trainable_variables, metrics_variables: values in the order
                of the attributes of these names.
            x, y, sample_weight: a batch.
            training: whether layers run as in training. Defaults to False.
            optimizer_variables: values of the optimizer's variables, for the loss scale.

        Returns:
            (scaled loss, (loss, outputs, new non-trainable values, new metric values)).
        """
        groups, pairs = self._paired(
            trainable_variables, non_trainable_variables, metrics_variables
        )
        optimizer = self.optimizer
        if optimizer is not None and optimizer_variables is not None:
            pairs += zip(optimizer.variables, optimizer_variables, strict=True)
        with StatelessScope(pairs) as scope, call_scope() as context:
            y_pred = self(x, training=training)
            loss = self._call_compute_loss(x, y, y_pred, sample_weight, training)
            for layer in context.touched:
                layer._losses.clear()
            scaled = loss if optimizer is None else optimizer.scale_loss(loss)
            _, frozen, metrics = ([scope.get_current_value(v) for v in own] for own in groups)
        return scaled, (loss, y_pred, frozen, metrics)

    def jax_state_sync(self) -> None:
        """Nothing to do: between steps, the variables hold the state on every backend."""


def _leaves(outputs: Any) -> list[Any]:
    return tree.flatten(outputs) if isinstance(outputs, (list, tuple, dict)) else [outputs]


def _batch_size(x: Any) -> Any:
    first = next((leaf for leaf in _leaves(x) if leaf is not None), None)
    return 1 if first is None else ops.shape(first)[0]
