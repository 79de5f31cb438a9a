"""`Run`: one `fit` under way: which epoch and batch it is at, what it reads, whom it tells.

Everything that the rest of the run depends on can be asked from here, so that a callback may
keep it and put it back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from multikeras import config
from multikeras.random import seed_generator
from multikeras.training.interrupt import Interrupt, deferred_interrupt

Logs = dict[str, Any]


class Run:
    """The epochs of a `fit`.

    Args:
        model: the compiled model.
        source: the source of the training data.
        callback_list: whom to tell.
        epochs: the number of the last epoch.
        initial_epoch: the number of the first one.
        steps: batches an epoch; None: until the data ends.
        validate: gives the validation's logs after an epoch, or None where there is none.

    Attributes:
        epoch: the epoch that is under way, or comes next.
        step: how many batches of it are done.
        logs: the last epoch's results.
    """

    def __init__(
        self,
        model: Any,
        source: Any,
        callback_list: Any,
        epochs: int,
        initial_epoch: int = 0,
        steps: int | None = None,
        validate: Callable[[int, Interrupt], Logs | None] | None = None,
    ) -> None:
        self.model = model
        self.source = source
        self.callback_list = callback_list
        most = config.max_epochs()
        self.epochs = epochs if most is None else min(epochs, initial_epoch + most)
        self.epoch = initial_epoch
        self.step = 0
        self.logs: Logs = {}
        self._steps = _limited(steps, config.max_steps_per_epoch())
        self._validate = validate
        self._epochs_done = 0

    def train(self) -> None:
        """Trains until the last epoch, or until something sets `model.stop_training`."""
        model = self.model
        with deferred_interrupt() as interrupt:
            self.callback_list.on_train_begin()  # a callback that restores a run moves it on
            while self.epoch < self.epochs and not model.stop_training:
                if not self._one_epoch(interrupt):
                    break  # the data ran out; the source has said so
                self._epochs_done += 1
            if model.optimizer is not None and self._epochs_done:
                model.optimizer.finalize_variable_values(model.trainable_variables)
            self.callback_list.on_train_end(self.logs)

    def _one_epoch(self, interrupt: Interrupt) -> bool:
        """Trains, validates and tells; False if there was no batch."""
        epoch = self.epoch
        if self.step == 0:
            self.model.reset_metrics()
            self.callback_list.on_epoch_begin(epoch)
        elif self.callback_list.progress is not None:
            self.callback_list.progress.on_epoch_begin(epoch)
        logs = self._train(interrupt)
        if logs is None:
            if not self._epochs_done and self.step == 0:
                raise ValueError("fit: the data is empty: there was no batch to train on.")
            return False
        if self._validate is not None and (found := self._validate(epoch, interrupt)) is not None:
            logs = logs | {f"val_{name}": value for name, value in found.items()}
        self.logs = logs
        self.source.on_epoch_end()
        self.epoch, self.step = epoch + 1, 0
        self.callback_list.on_epoch_end(epoch, logs)
        return True

    def _train(self, interrupt: Interrupt) -> Logs | None:
        """Trains on the batches of an epoch; gives the logs, None where there was no batch."""
        model, source = self.model, self.source
        runner = None
        for batch in source.epoch(self._epoch_seed(), self.step):
            if runner is None:
                model._prepare(batch, training=True)
                functions = model._make_functions()
                runner = functions.runner(
                    "train", self.callback_list, source.num_batches, start=self.step
                )
            runner.feed(batch)
            self.step += 1
            interrupt.check()
            if model.stop_training or self.step == self._steps:
                break
        return None if runner is None else runner.finish()

    def _epoch_seed(self) -> tuple[int, int]:
        """Seed and stream of an epoch's shuffle: they go on where training went on."""
        model = self.model
        if model._shuffle_seed is None:
            model._shuffle_seed = seed_generator.make_default_seed()
        iterations = 0 if model.optimizer is None else int(np.asarray(model.optimizer.iterations))
        return model._shuffle_seed, iterations


def _limited(steps: int | None, most: int | None) -> int | None:
    if most is None:
        return steps
    return most if steps is None else min(steps, most)
