"""`StepFunctions`: a model's steps, compiled by the engine, and `Runner`: one pass over batches.

The default steps leave the metrics unread; they are read when the progress bar draws, when a
callback listens to batches, and at the end. Steps that a subclass overrides give their own logs.
Where nobody listens and the engine can, several batches go in one dispatch.
"""

from __future__ import annotations

import inspect
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from multikeras import tree
from multikeras.backends import native
from multikeras.data import pack_x_y_sample_weight, unpack_x_y_sample_weight

engine = native.engine
_REDRAW_SECONDS = 0.1
_GROUP_BYTES = 1 << 24
_RESETS_WORTH_COMPILING = 8  # a few are not worth a compilation
_MODES = ("train", "test", "predict")


class StepFunctions:
    """The compiled steps of a model, valid until the model is compiled or changed anew."""

    def __init__(self, model: Any) -> None:
        cls: Any = type(model)
        from_base: Any = _base_trainer(cls)
        self.model = model
        self.trainable = model.trainable_variables
        self.regularized = [v for v in self.trainable if v.regularizer is not None]
        self.custom_metrics = _overrides(cls, from_base, "compute_metrics") or _overrides(
            cls, from_base, "get_metrics_result"
        )
        self.custom = {mode: _overrides(cls, from_base, f"{mode}_step") for mode in _MODES}
        self._custom_functions = [
            mode for mode in _MODES if _overrides(cls, from_base, f"make_{mode}_function")
        ]
        parameters = inspect.signature(cls.compute_loss).parameters
        self.loss_takes_training = "training" in parameters or any(
            p.kind is p.VAR_KEYWORD for p in parameters.values()
        )
        self._steps: dict[str, Callable] = {}
        self._multi: dict[int, Callable | None] = {}
        self._results: Callable | None = None
        self._reset: Callable | None = None
        self._resets = 0
        self._custom_reset = _overrides(cls, from_base, "reset_metrics")
        self._flags = self._layer_flags()
        self.loss_functions = [fn for _, functions in self._flags for fn in functions]

    def _layer_flags(self) -> list[tuple[bool, list[Callable]]]:
        layers = self.model._flatten_layers()
        return [(layer._trainable, list(layer._loss_functions)) for layer in layers]

    def stale(self) -> bool:
        """Whether layers were frozen, unfrozen or added since, or were given loss functions."""
        return self._flags != self._layer_flags()

    def _state(self) -> list[Any]:
        """All variables that a step may read or write."""
        model = self.model
        variables = {id(v): v for v in model.variables}
        if model.optimizer is not None:
            variables |= {id(v): v for v in model.optimizer.variables}
        variables |= {id(v): v for metric in model.metrics for v in metric.variables}
        return list(variables.values())

    def _body(self, mode: str) -> Callable:
        model = self.model
        if mode == "predict":
            step = model.predict_step
            return (lambda batch: step(_packed(batch))) if self.custom[mode] else step
        if not self.custom[mode] and not self.custom_metrics:
            return model._train_core if mode == "train" else model._test_core
        step = getattr(model, f"{mode}_step")
        if len(inspect.signature(step).parameters) == 2:
            step = _threaded_state(model, step)
        return lambda batch: _in_order(step(_packed(batch)))

    def lazy(self, mode: str) -> bool:
        """Whether the step leaves its metrics unread."""
        if mode == "predict" or mode in self._custom_functions:
            return False
        return not self.custom[mode] and not self.custom_metrics

    def step(self, mode: str) -> Callable:
        """What runs a mode's step on one batch: an overridden `make_..._function`'s function."""
        if mode not in self._custom_functions:
            return self._own_step(mode)
        name = f"make_{mode}_function"
        if name not in self._steps:
            function = getattr(self.model, name)()
            self._steps[name] = lambda batch: function(iter([batch]))
        return self._steps[name]

    def _own_step(self, mode: str) -> Callable:
        if mode not in self._steps:
            body = self._body(mode)
            model = self.model
            if not model.run_eagerly:
                body = engine.compile_step(
                    body, self._state(), jit=model.jit_compile, training=mode == "train"
                )
            elif mode != "train":
                body = engine.compile_step(body, [], jit=False, training=False)
            self._steps[mode] = body
        return self._steps[mode]

    def multi(self, size: int) -> Callable | None:
        """The training step over a list of up to `size` batches, or None where there is none."""
        if self.model.run_eagerly or not self.lazy("train"):
            return None
        if size not in self._multi:
            self._multi[size] = engine.compile_steps(
                self.step("train"), size, jit=self.model.jit_compile
            )
        return self._multi[size]

    def read(self, logs: Any = None) -> dict[str, float]:
        """Logs as floats: the step's own, or the metrics' results."""
        if logs is None:
            if self._results is None:
                results = lambda: _in_order(self.model.get_metrics_result())  # noqa: E731
                if not self.model.run_eagerly:
                    results = engine.compile_step(
                        results, self._state(), jit=self.model.jit_compile, training=False
                    )
                self._results = results
            logs = self._results()
        return {name: _as_number(value) for name, value in logs.items()}

    def reset(self) -> None:
        """Starts the metrics anew; as one compiled call where that happens often."""
        self._resets += 1
        if self._resets < _RESETS_WORTH_COMPILING or self._custom_reset:
            self.model.reset_metrics()
            return
        if self._reset is None:
            self._reset = self.model.reset_metrics
            if engine.compiles and not self.model.run_eagerly:
                self._reset = engine.compile_step(
                    self._reset, self._state(), jit=self.model.jit_compile, training=False
                )
        self._reset()

    def iterator_function(self, mode: str) -> Callable[[Iterator], Any]:
        """A function that runs the step on the next batch of an iterator."""

        functions = self

        def run(iterator: Iterator) -> Any:
            nonlocal functions
            batch = tree.map_structure(_place, next(iterator))
            model = self.model
            if mode != "predict" and not model._prepared:
                model._prepare(unpack_x_y_sample_weight(batch), training=mode == "train")
                functions = model._make_functions(force=True)
            logs = functions._own_step(mode)(batch)
            return model.get_metrics_result() if logs is None else logs

        return run

    def runner(
        self,
        mode: str,
        callback_list: Any,
        num_batches: int | None,
        quiet: bool = False,
        start: int = 0,
    ) -> Runner:
        """One pass over the batches of an epoch, of which `start` were done before."""
        return Runner(self, mode, callback_list, num_batches, quiet, start)


class Runner:
    """Feeds batches to a step, keeps callbacks and the progress bar informed."""

    def __init__(
        self,
        functions: StepFunctions,
        mode: str,
        callback_list: Any,
        num_batches: int | None,
        quiet: bool = False,
        start: int = 0,
    ) -> None:
        self._functions = functions
        self._mode = mode
        self._listens = callback_list.listens_to_batches(mode)
        self._begin = getattr(callback_list, f"on_{mode}_batch_begin")
        self._end = getattr(callback_list, f"on_{mode}_batch_end")
        self._progress = None if quiet else callback_list.progress
        self._step = functions.step(mode)
        self._logs: Any = None
        self._count = start
        self._told = start  # the count when callbacks last heard of batches
        self._every = functions.model.steps_per_execution  # how often they do
        self._outputs: list[Any] = []  # predictions that they have not heard of
        self._next_draw = time.perf_counter() + _REDRAW_SECONDS
        self._several: Any = None  # the step over a group of batches
        self._group: list[Any] = []
        self._group_form: list[Any] | None = None
        self._group_size = self._choose_group(num_batches)

    def _choose_group(self, num_batches: int | None) -> int:
        """How many batches at most go in one dispatch."""
        if self._mode != "train":
            return 1
        several = not self._listens and (num_batches or 0) >= 2 * engine.steps_per_dispatch
        if self._every == 1 and engine.compiles and several:
            return engine.steps_per_dispatch
        return self._every

    def feed(self, batch: Any) -> Any:
        """Runs the step on a batch. In predict mode: gives the outputs as NumPy arrays."""
        if self._listens and self._count == self._told and not self._group:
            self._begin(self._count)
        if self._group_size > 1:
            return self._feed_group(batch)
        result = self._step(tree.map_structure(_place, batch))
        if self._mode == "predict":
            result = tree.map_structure(engine.to_host, result)
            if self._listens:
                self._outputs.append(result)
            self._done(1)
            return result
        self._logs = result
        self._done(1)
        return None

    def _done(self, number: int) -> None:
        """Counts batches that are done and tells of them; metrics are read only for that."""
        self._count += number
        logs = None
        if self._listens and self._count - self._told >= self._every:
            logs = self._tell()
        if self._progress is not None and time.perf_counter() >= self._next_draw:
            read = (lambda: self._functions.read(self._logs)) if logs is None else logs
            self._progress.update(self._count, {} if self._mode == "predict" else read)
            self._next_draw = time.perf_counter() + _REDRAW_SECONDS

    def _tell(self) -> Any:
        """Tells the callbacks of the batches since they last heard; gives the logs."""
        if self._mode == "predict":
            outputs, self._outputs = self._outputs, []
            join = lambda *parts: np.concatenate(parts) if len(parts) > 1 else parts[0]  # noqa: E731
            logs = {"outputs": tree.map_structure(join, *outputs)}
        else:
            logs = self._functions.read(self._logs)
        self._told = self._count
        self._end(self._count - 1, logs)
        return logs

    def _feed_group(self, batch: Any) -> None:
        """Keeps batches until there are enough for one dispatch."""
        form = _form(batch)
        if self._group_form is None:
            self._group_form = form
            size = min(self._group_size, max(1, _GROUP_BYTES // max(1, _bytes(batch))))
            self._several = self._functions.multi(size) if size > 1 else None
            self._group_size = size if self._several is not None else 1
        if form != self._group_form or self._several is None:
            self.flush()
            self._logs = self._step(tree.map_structure(_place, batch))
            self._done(1)
            return
        self._group.append(batch)
        if len(self._group) == self._group_size:
            self.flush()

    def flush(self) -> None:
        """Runs the batches that wait to go in one dispatch."""
        if group := self._group:
            self._several(group)
            self._group = []
            self._done(len(group))

    def pause(self) -> dict[str, float]:
        """Runs what is left so far and gives the logs up to here."""
        self.flush()
        return self._functions.read(self._logs)

    def finish(self) -> dict[str, float]:
        """Runs what is left and gives the logs."""
        self.flush()
        if self._told < self._count and self._listens:
            self._tell()
        if self._mode == "predict":
            if self._progress is not None:
                self._progress.update(self._count, {}, finished=True)
            return {}
        logs = self._functions.read(self._logs)
        if self._progress is not None:
            self._progress.update(self._count, logs, finished=self._mode == "test")
        return logs


def _packed(batch: tuple) -> Any:
    """A batch as overridden steps get it: what the data held, so that `x, y = data` is right."""
    return pack_x_y_sample_weight(*batch)


def _place(leaf: Any) -> Any:
    return None if leaf is None else engine.place(leaf)


def _form(batch: Any) -> list[Any]:
    """Shapes and dtypes: batches that differ in one can't be stacked as they are."""
    return [
        None if leaf is None else (np.shape(leaf), getattr(leaf, "dtype", None))
        for leaf in tree.flatten(batch)
    ]


def _bytes(batch: Any) -> int:
    return sum(getattr(leaf, "nbytes", 0) for leaf in tree.flatten(batch))


def _in_order(logs: Any) -> Any:
    """Logs as a mapping whose order a compiled function keeps (plain dicts come back sorted)."""
    return OrderedDict(logs) if isinstance(logs, dict) else logs


def _as_number(value: Any) -> Any:
    array = np.asarray(engine.to_host(value)) if not isinstance(value, (int, float)) else value
    return float(array) if np.ndim(array) == 0 else array


def _overrides(cls: Any, base: Any, name: str) -> bool:
    return getattr(cls, name) is not getattr(base, name)


def _base_trainer(cls: type) -> type:
    return next(base for base in cls.__mro__ if base.__name__ == "Trainer")


def _threaded_state(model: Any, step: Callable) -> Callable:
    """A `train_step(state, data)` of pure functions as a step of one batch."""

    def run(batch: Any) -> Any:
        groups = (
            model.trainable_variables,
            model.non_trainable_variables,
            list(model.optimizer.variables) if model.optimizer is not None else [],
            model.metrics_variables,
        )
        logs, state = step(tuple([v.value for v in group] for group in groups), batch)
        for group, values in zip(groups, state):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return logs

    return run
