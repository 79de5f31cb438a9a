"""`Run`: one `fit` under way: which epoch and batch it is at, what it reads, whom it tells.

Everything that the rest of the run depends on can be asked from here (`state`), and put back
into a run that was started again (`restore`). Refused then: a run that is set up otherwise.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from multikeras import config
from multikeras.random import seed_generator
from multikeras.random.process_state import get_process_state, set_process_state
from multikeras.training.interrupt import Interrupt, deferred_interrupt
from multikeras.training.values import (
    carried_values,
    metric_values,
    put_carried_values,
    put_metric_values,
    swapped,
)

Logs = dict[str, Any]
# Kinds of data whose validations depend on those before.
_ONE_AFTER_ANOTHER = ("generator", "PyDataset")


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
        held_out: the source of the validation data.

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
        held_out: Any = None,
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
        self._held_out = held_out if getattr(held_out, "kind", "") in _ONE_AFTER_ANOTHER else None
        self._held_out_at: dict[str, Any] | None = None  # where the last validation began
        self._epochs_done = 0
        self._epoch_seed = (0, 0)
        self._backup = callback_list.backup
        self._setup = self._describe()
        self._known: list[Any] = []  # the sources that were looked at
        self._runner: Any = None
        self._trained: Logs | None = None  # an epoch's results while it is being validated
        self._untouched: list[tuple[Any, np.ndarray]] = []  # what the validation may change
        # Of a run that was restored within an epoch: its metrics' values, and its logs so far.
        self._half_done = False
        self._metrics: list[Any] | None = None
        self._partial: Logs | None = None

    def train(self) -> None:
        """Trains until the last epoch, or until something sets `model.stop_training`."""
        model = self.model
        with deferred_interrupt(None if self._backup is None else self.save) as interrupt:
            self.callback_list.on_train_begin()  # a callback that restores a run moves it on
            while self.epoch < self.epochs and (not model.stop_training or self._half_done):
                if not self._one_epoch(interrupt):
                    break  # the data ran out; the source has said so
                self._epochs_done += 1
            if model.optimizer is not None and self._epochs_done:
                model.optimizer.finalize_variable_values(model.trainable_variables)
            self.callback_list.on_train_end(self.logs)

    def _one_epoch(self, interrupt: Interrupt) -> bool:
        """Trains, validates and tells; False if there was no batch."""
        epoch, logs = self.epoch, self._trained
        if not self._half_done:
            self.model.reset_metrics()
            self._epoch_seed = self._next_seed()
            self.callback_list.on_epoch_begin(epoch)
        elif self.callback_list.progress is not None:
            self.callback_list.progress.on_epoch_begin(epoch)
        if logs is None:
            logs = self._train(interrupt)
        if logs is None:
            if not self._epochs_done and self.step == 0:
                raise ValueError("fit: the data is empty: there was no batch to train on.")
            return False
        if self._validate is not None and (found := self._validated(logs, interrupt)) is not None:
            logs = logs | {f"val_{name}": value for name, value in found.items()}
        self.logs = logs
        self.source.on_epoch_end()
        self.epoch, self.step, self._half_done = epoch + 1, 0, False
        self.callback_list.on_epoch_end(epoch, logs)
        return True

    def _train(self, interrupt: Interrupt) -> Logs | None:
        """Trains on the batches of an epoch; gives the logs, None where there was no batch."""
        model, backup = self.model, self._backup
        together = model.steps_per_execution  # callbacks and signals wait for so many batches
        runner = None
        for batch in self.source.epoch(self._epoch_seed):
            if runner is None:
                if self._half_done and (model.stop_training or self.step == self._steps):
                    break
                runner = self._runner = self._start(batch)
            runner.feed(batch)
            self.step += 1
            if self.step % together == 0:
                if backup is not None and backup.is_due(self.step - 1):
                    self.save()
                if interrupt.pending:
                    interrupt.check()
            if model.stop_training or self.step == self._steps:
                break
        logs = self._partial if runner is None else runner.finish()
        self._runner = self._metrics = self._partial = None
        return logs

    def _start(self, batch: tuple) -> Any:
        """What runs the batches of an epoch from where it is."""
        model = self.model
        self._warn_of(self.source)
        model._prepare(batch, training=True)
        if self._metrics is not None:
            put_metric_values(model, self._metrics, batch)
            self._metrics = None
        return model._make_functions().runner(
            "train", self.callback_list, self.source.num_batches, start=self.step
        )

    def _validated(self, logs: Logs, interrupt: Interrupt) -> Logs | None:
        """Validates, so that a run saved meanwhile begins with the validation."""
        assert self._validate is not None
        if self._backup is not None:
            variables = self.model.non_trainable_variables
            self._trained, self._untouched = logs, [(v, np.array(v.numpy())) for v in variables]
            if self._held_out is not None:
                self._held_out_at = self._held_out.get_position()
        found = self._validate(self.epoch, interrupt)
        self._trained, self._untouched, self._held_out_at = None, [], None
        if self._held_out is not None:
            self._warn_of(self._held_out)
        return found

    def _warn_of(self, source: Any) -> None:
        """Tells in time, and once, that the data would not let the run be continued."""
        if self._backup is None or source in self._known:
            return
        self._known.append(source)
        try:
            source.check_position(source.get_position(), self._backup.fast_forward)
        except ValueError as error:
            warnings.warn(
                f"BackupAndRestore: should this run be stopped, it can't be continued. {error}",
                stacklevel=2,
            )

    def _next_seed(self) -> tuple[int, int]:
        """Seed and stream of an epoch's shuffle: they go on where training went on."""
        model = self.model
        if model._shuffle_seed is None:
            model._shuffle_seed = seed_generator.make_default_seed()
        iterations = 0 if model.optimizer is None else int(np.asarray(model.optimizer.iterations))
        return model._shuffle_seed, iterations

    # -- saving and restoring ---------------------------------------------------------------

    def save(self) -> None:
        """Has the backup written, between two steps."""
        if self._runner is not None:
            self._partial = self._runner.pause()
        with swapped(self._untouched):
            self._backup.save(self.state())

    def state(self) -> dict[str, Any]:
        """What the rest of the run depends on, beside the variables of model and optimizer.

        Returns:
            A dict of plain data and NumPy arrays.
        """
        within = self.step > 0
        held_out = self._held_out_at
        if held_out is None and self._held_out is not None:
            held_out = self._held_out.get_position()
        return {
            "setup": self._setup,
            "epoch": self.epoch,
            "step": self.step,
            "epochs_done": self._epochs_done,
            "epoch_seed": list(self._epoch_seed),
            "stop_training": bool(self.model.stop_training),
            "position": self.source.get_position(),
            "held_out": held_out,
            "logs": self.logs,
            "partial": self._partial if within else None,
            "trained": self._trained,
            "metrics": metric_values(self.model) if within and self._trained is None else None,
            "carried": carried_values(self.model),
            "random": get_process_state(),
            "callbacks": self.callback_list.get_state(),
        }

    def refuse(self, state: Mapping[str, Any]) -> None:
        """Raises ValueError, naming both sides, if the state is that of another kind of run."""
        before = state["setup"]
        changed = [
            f"{name} was {before.get(name)!r}, now it is {now!r}"
            for name, now in self._setup.items()
            if before.get(name) != now
        ]
        if changed:
            raise ValueError("The run is set up otherwise than it was: " + "; ".join(changed) + ".")

    def restore(self, state: Mapping[str, Any], fast_forward: bool = False) -> None:
        """Puts back what `state` gave; the variables have their values already.

        Args:
            state: the state of a run that was set up like this one.
            fast_forward: whether data that can't be repositioned is skipped instead.

        Raises:
            ValueError: if the data can't go on there.
        """
        put_carried_values(self.model, state["carried"])
        self.source.set_position(state["position"], fast_forward)
        if self._held_out is not None and (held_out := state["held_out"]) is not None:
            # A validation is made from its beginning.
            self._held_out.set_position({**held_out, "step": 0, "pass": None}, fast_forward)
        self.epoch, self.step = int(state["epoch"]), int(state["step"])
        self._epochs_done = int(state["epochs_done"])
        seed, stream = state["epoch_seed"]
        self._epoch_seed = int(seed), int(stream)
        self.model.stop_training = bool(state["stop_training"])
        self.logs, self._partial = state["logs"], state["partial"]
        self._trained, self._metrics = state["trained"], state["metrics"]
        self._half_done = self.step > 0
        set_process_state(state["random"])
        self.callback_list.set_state(state["callbacks"])

    def _describe(self) -> dict[str, Any]:
        """What must be the same for a run to be continued."""
        optimizer = self.model.optimizer
        inner = getattr(optimizer, "inner_optimizer", None)
        names = [type(o).__name__ for o in (optimizer, inner) if o is not None]
        return {
            "batch_size": self.source.batch_size,
            "steps an epoch": self._steps if self._steps is not None else self.source.num_batches,
            "the optimizer": " of ".join(names) or None,
        }


def _limited(steps: int | None, most: int | None) -> int | None:
    if most is None:
        return steps
    return most if steps is None else min(steps, most)
