"""`Trainer`: `fit`, `evaluate`, `predict` and `*_on_batch`, written once.

What differs between frameworks (taking gradients, compiling a step, holding data) is the
engine's (`native.engine`).
Refused with one error each: an uncompiled model, empty data, contradictory arguments.
"""

from __future__ import annotations

from collections.abc import Container
from contextlib import closing
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

    def _assert_ready(self, method: str) -> None:
        """Raises RuntimeError unless the method can run: compiled, and not inside a trace."""
        if engine.tracing():
            raise RuntimeError(
                f"{method}: it runs a loop of compiled steps and can't itself be called inside a "
                "compiled function (tf.function, jax.jit, torch.compile)."
            )
        if method in ("predict", "predict_on_batch") or self.compiled:
            return
        step = "train_step" if method in ("fit", "train_on_batch") else "test_step"
        custom = type(self).compute_loss is not Trainer.compute_loss
        custom = custom or getattr(type(self), step) is not getattr(Trainer, step)
        if not (custom and step == "test_step"):
            raise RuntimeError(
                f"{method}: {self._who()} is not compiled: call compile(optimizer, loss) first."
            )

    def _source(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> Any:
        """The source of batches; a fixed batch dimension of the inputs decides their size."""
        fixed = self._fixed_batch_size()
        if batch_size is None and fixed is not None and data.is_arrays(x):
            batch_size = fixed
        source = data.make_source(x, y, sample_weight, batch_size, **kwargs)
        if source.num_rows is not None and source.num_rows % (source.batch_size or 1):
            stateful = [la.name for la in self._flatten_layers() if getattr(la, "stateful", False)]
            if stateful:
                raise ValueError(
                    f"{self._who()}: {source.num_rows} samples are no multiple of the batch size "
                    f"{source.batch_size}; the layers {stateful} are stateful and expect batches "
                    "of one size."
                )
        return source

    def _fixed_batch_size(self) -> int | None:
        """The batch dimension that an `Input` fixed, or None."""
        inputs = getattr(self, "inputs", None)
        return inputs[0].shape[0] if inputs and inputs[0].shape else None

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
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """Trains the model.

        Args:
            x: inputs: array-likes (or lists or dicts of them), or something that yields batches
                `(x, y)` or `(x, y, sample_weight)`: a generator, a `PyDataset`, a `tf.data`
                dataset, a torch `DataLoader`. Anything else that is yielded counts as `x`
                alone; a namedtuple is refused.
            y: targets, with arrays.
            batch_size: rows of a batch, with arrays. Defaults to that of the model's `Input` if
                it is fixed, else to 32.
            epochs: the number of the last epoch.
            verbose: 0 silent, 1 a progress bar, 2 a line an epoch; "auto": 1.
            callbacks: a list of callbacks.
            validation_split: the fraction of the rows, from the end, to validate on.
            validation_data: what to validate on after an epoch: `(x, y)`,
                `(x, y, sample_weight)` or something that yields batches.
            shuffle: whether arrays are shuffled before each epoch; "batch": by whole batches,
                for HDF5 datasets, which are slow to read in another order than their own.
            class_weight: factors of the classes' losses by class index. Targets of rank 2 or
                more must be one-hot or end in a dimension of 1.
            sample_weight: factors of the samples' losses, with arrays: one a sample, or one a
                step of each sample with shape (samples, steps).
            initial_epoch: the number of the first epoch.
            steps_per_epoch: batches an epoch; default: until the data ends. -1: until the data
                ends, which an endless dataset never does.
            validation_steps: batches of a validation, always the first ones; default: until the
                data ends.
            validation_batch_size: default: `batch_size`.
            validation_freq: every how many epochs to validate, or a list of epochs (from 1).
            max_queue_size, workers, use_multiprocessing: how a generator or a `PyDataset` is
                read ahead: how many batches, by how many threads, or by processes.

        Returns:
            A `History` with `epoch` and `history`.

        Raises:
            RuntimeError: if the model is not compiled, or this is called inside a compiled
                function.
            ValueError: for empty data, data that does not fit the model, or contradictory
                arguments.
        """
        self._assert_ready("fit")
        _check_schedule(epochs, initial_epoch, validation_freq)
        _check_verbose("fit", verbose)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = data.train_validation_split(
                (x, y, sample_weight), validation_split
            )
        loading = _loading(max_queue_size, workers, use_multiprocessing)
        source = self._source(
            x,
            y,
            sample_weight,
            batch_size=batch_size,
            shuffle=shuffle,
            class_weight=class_weight,
            steps=steps_per_epoch,
            resume=steps_per_epoch is not None,
            **loading,
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
        validate = held_out = None
        if validation_data is not None:
            given = _held_out(validation_data)
            if validation_batch_size is None and data.is_arrays(given[0]):
                validation_batch_size = batch_size
            held_out = self._source(
                *given,
                batch_size=validation_batch_size,
                steps=validation_steps,
                **loading,
            )

            def validate(epoch: int, interrupt: Any) -> dict[str, float] | None:
                if not _validates(epoch, validation_freq):
                    return None
                return self._evaluate(
                    held_out, validation_steps, callback_list, interrupt, quiet=True
                )

        self.stop_training = False
        self._fit_run = Run(
            self, source, callback_list, epochs, initial_epoch, steps_per_epoch, validate, held_out
        )
        try:
            self._fit_run.train()
        finally:
            self._fit_run = None
            source.close()
            if held_out is not None:
                held_out.close()
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
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The loss and the metrics on data.

        Args:
            x, y, batch_size, sample_weight: as in `fit`.
            verbose: 0 silent, 1 a progress bar, 2 a line; "auto": 1.
            steps: how many batches; default: until the data ends.
            callbacks: a list of callbacks.
            max_queue_size, workers, use_multiprocessing: as in `fit`.
            return_dict: whether to give a dict by name.

        Returns:
            The loss, or a list [loss, metrics...] in the order of `metrics_names` where there
            are metrics, or a dict.

        Raises:
            RuntimeError: if the model is not compiled, or this is called inside a compiled
                function.
            ValueError: for empty data, or data that does not fit the model.
        """
        self._assert_ready("evaluate")
        _no_more("evaluate", kwargs)
        _check_verbose("evaluate", verbose)
        loading = _loading(max_queue_size, workers, use_multiprocessing)
        source = self._source(x, y, sample_weight, batch_size=batch_size, steps=steps, **loading)
        callback_list = callback_room.CallbackList(
            callbacks,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=1,
            steps=steps if steps is not None else source.num_batches,
            model=self,
        )
        with closing(source), deferred_interrupt() as interrupt:
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
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """The outputs for data, as NumPy arrays.

        Made for many samples; for a few, call the model itself.

        Args:
            x, batch_size, verbose, steps, callbacks: as in `evaluate`.
            max_queue_size, workers, use_multiprocessing: as in `fit`.

        Raises:
            RuntimeError: if this is called inside a compiled function.
            ValueError: for empty data, data that does not fit the model, or, where layers are
                stateful, a number of samples that is no multiple of the batch size.
        """
        self._assert_ready("predict")
        _check_verbose("predict", verbose)
        loading = _loading(max_queue_size, workers, use_multiprocessing)
        source = self._source(x, batch_size=batch_size, steps=steps, **loading)
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
        with closing(source), deferred_interrupt() as interrupt:
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
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """One training step on one batch.

        Args:
            x, y, sample_weight: arrays of the batch.
            class_weight: factors of the classes' losses by class index.
            reset_metrics: whether the results are those of this batch alone; False: of all
                batches since the metrics were last reset.
            return_dict: whether to give a dict by name.

        Returns:
            The loss, or a list [loss, metrics...], or a dict.

        Raises:
            RuntimeError: if the model is not compiled, or this is called inside a compiled
                function.
            ValueError: for data that does not fit the model.
        """
        self._assert_ready("train_on_batch")
        if class_weight is not None:
            by_class = data.class_weight_to_sample_weights(y, class_weight)
            sample_weight = (
                by_class if sample_weight is None else by_class * np.asarray(sample_weight)
            )
        return self._on_batch("train", (x, y, sample_weight), reset_metrics, return_dict)

    def test_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """Evaluates one batch; arguments, results and errors are those of `train_on_batch`."""
        self._assert_ready("test_on_batch")
        return self._on_batch("test", (x, y, sample_weight), reset_metrics, return_dict)

    def _on_batch(self, mode: str, batch: tuple, reset_metrics: bool, return_dict: bool) -> Any:
        batch = data.as_batch(batch)
        batch = tree.map_structure(lambda a: None if a is None else engine.place(a), batch)
        self._prepare(batch, training=mode == "train")
        functions = self._make_functions()
        if reset_metrics:
            functions.reset()
        logs = functions.step(mode)(batch)
        logs = functions.read(logs)
        return logs if return_dict else _as_list(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays.

        Raises:
            RuntimeError: if this is called inside a compiled function.
            ValueError: for data that does not fit the model.
        """
        self._assert_ready("predict_on_batch")
        batch = (tree.map_structure(engine.place, data.as_batch((x,))[0]), None, None)
        if self._needs_trial():
            self._trial(batch[0])
        outputs = self._make_functions().step("predict")(batch)
        return tree.map_structure(engine.to_host, outputs)


def _held_out(validation_data: Any) -> tuple[Any, Any, Any]:
    """x, y and sample_weight of the validation data; a dataset stands for all three."""
    if isinstance(validation_data, (tuple, list)):
        return data.unpack_x_y_sample_weight(validation_data)
    return validation_data, None, None


def _loading(max_queue_size: int, workers: int, use_multiprocessing: bool) -> dict[str, Any]:
    """How data is read ahead, as `make_source` takes it."""
    return {
        "max_queue_size": max_queue_size,
        "workers": workers,
        "use_multiprocessing": use_multiprocessing,
    }


def _check_schedule(epochs: Any, initial_epoch: Any, validation_freq: Any) -> None:
    for name, value in (("epochs", epochs), ("initial_epoch", initial_epoch)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
            raise ValueError(f"fit: `{name}` must be a number of epochs, got {value!r}.")
    by_number = isinstance(validation_freq, int) and validation_freq >= 1
    if not by_number and not isinstance(validation_freq, Container):
        raise ValueError(
            "fit: `validation_freq` must be a positive integer or a list of epochs, got "
            f"{validation_freq!r}."
        )


def _check_verbose(method: str, verbose: Any) -> None:
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"{method}: `verbose` must be 'auto', 0, 1 or 2, got {verbose!r}.")


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
