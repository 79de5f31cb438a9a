"""`Trainer`: `fit`, `evaluate`, `predict` and `*_on_batch`, written once.

What differs between frameworks (taking gradients, compiling a step, holding data) is the
engine's (`native.engine`).
Refused with one error each: an uncompiled model, empty data, contradictory arguments.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from multikeras import callbacks as callback_room
from multikeras import data, tree
from multikeras.backends import native
from multikeras.training.interrupt import deferred_interrupt
from multikeras.training.run import Run
from multikeras.training.stepping import Stepping

engine = native.engine


class Trainer(Stepping):
    """The training half of a model; `Model` is its only subclass."""

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
        if steps_per_epoch == -1:
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
        validate = None
        if validation_data is not None:
            held_out = _held_out(
                validation_data, validation_batch_size or batch_size, validation_steps
            )

            def validate(epoch: int, interrupt: Any) -> dict[str, float] | None:
                if not _validates(epoch, validation_freq):
                    return None
                return self._evaluate(
                    held_out, validation_steps, callback_list, interrupt, quiet=True
                )

        self.stop_training = False
        self._fit_run = Run(
            self, source, callback_list, epochs, initial_epoch, steps_per_epoch, validate
        )
        try:
            self._fit_run.train()
        finally:
            self._fit_run = None
        return self.history

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


def _held_out(validation_data: Any, batch_size: int | None, steps: int | None) -> Any:
    """The source of the validation data."""
    if isinstance(validation_data, (tuple, list)):
        x, y, sample_weight = data.unpack_x_y_sample_weight(validation_data)
    else:
        x, y, sample_weight = validation_data, None, None
    return data.make_source(x, y, sample_weight, batch_size=batch_size, steps=steps)


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
