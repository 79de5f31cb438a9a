"""`CallbackList`: calls several callbacks in order, and leaves out those that don't listen."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from multikeras import tree
from multikeras.callbacks.backup_and_restore import BackupAndRestore
from multikeras.callbacks.callback import Callback, overrides
from multikeras.callbacks.history import History
from multikeras.callbacks.progbar import ProgbarLogger

_Logs = dict[str, Any] | None
_TRAIN_ALIASES = {
    "on_train_batch_begin": "on_batch_begin",
    "on_train_batch_end": "on_batch_end",
}


class CallbackList:
    """Calls the hooks of callbacks, one after another.

    Args:
        callbacks: a callback or a list of them (lists may nest), another `CallbackList`, or
            None.
        add_history: whether a `History` is added unless there is one.
        add_progbar: whether a `ProgbarLogger` is added unless there is one.
        model: the model the callbacks are told.
        **params: what the callbacks are told as `params`: usually `verbose`, `epochs`, `steps`.

    Attributes:
        callbacks: the callbacks.
        progress: the `ProgbarLogger`, or None.
        history: the `History`, or None.
        backup: the `BackupAndRestore`, or None. Its hooks are called last: it saves what the
            others have made of an event.

    Raises:
        TypeError: for something that has no hooks.
        ValueError: for more than one `BackupAndRestore`.

    Example:
        >>> callbacks = CallbackList(add_history=True, epochs=1)
        >>> callbacks.on_train_begin()
        >>> callbacks.on_epoch_end(0, {"loss": 0.5})
        >>> callbacks.history.history
        {'loss': [0.5]}
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        if isinstance(callbacks, CallbackList):  # its bar or none: somebody chose
            add_progbar = False
            callbacks = callbacks.callbacks
        self.callbacks: list[Any] = [c for c in tree.flatten(callbacks) if c is not None]
        for callback in self.callbacks:
            if isinstance(callback, type) or not hasattr(callback, "set_model"):
                raise TypeError(f"callbacks: expected Callback objects, got {callback!r}.")
        self.progress = self._find(ProgbarLogger)
        self.history = self._find(History)
        if self.progress is None and add_progbar:
            self.progress = ProgbarLogger()
            self.callbacks.append(self.progress)
        if self.history is None and add_history:
            self.history = History()
            self.callbacks.append(self.history)
        backups = [c for c in self.callbacks if isinstance(c, BackupAndRestore)]
        if len(backups) > 1:
            raise ValueError("callbacks: there can be only one BackupAndRestore in a run.")
        self.backup = backups[0] if backups else None
        self._hooks: dict[str, list[Callable]] = {}
        self.params: dict[str, Any] = {}
        self.model: Any = None
        if params:
            self.set_params(params)
        if model is not None:
            self.set_model(model)

    def _find(self, cls: type) -> Any:
        return next((c for c in self.callbacks if isinstance(c, cls)), None)

    def append(self, callback: Callback) -> None:
        """Adds a callback at the end."""
        self.callbacks.append(callback)
        if isinstance(callback, BackupAndRestore):
            self.backup = callback
        self._hooks.clear()

    def __iter__(self) -> Iterable[Any]:
        return iter(self.callbacks)

    def set_params(self, params: dict[str, Any]) -> None:
        """Tells all callbacks what the run was asked for."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Tells all callbacks the model; the model gets the history."""
        self.model = model
        if self.history is not None:
            model.history = self.history
        for callback in self.callbacks:
            callback.set_model(model)

    def listens_to_batches(self, mode: str) -> bool:
        """Whether any callback wants to hear of batches.

        The history and the progress bar don't count: the one has no use for batches, the other
        is told of them by `progress.update`.

        Args:
            mode: "train", "test" or "predict".
        """
        return any(
            callback.listens_to_batches(mode)
            if hasattr(callback, "listens_to_batches")
            else overrides(callback, f"on_{mode}_batch_end")
            for callback in self.callbacks
            if callback is not self.progress and callback is not self.history
        )

    def get_state(self) -> list[dict[str, Any]]:
        """The states of all callbacks, by class."""
        return [
            {"class": type(callback).__name__, "state": callback.get_state() or {}}
            for callback in self.callbacks
            if hasattr(callback, "get_state")
        ]

    def set_state(self, states: list[dict[str, Any]]) -> None:
        """Gives the callbacks their states; several of a class in the order they stand in.

        A callback that has no state there starts anew; a state without a callback is dropped.
        Both make a warning, unless there is nothing in the state.
        """
        counts: Counter[str] = Counter()
        waiting = {}
        for entry in states:
            name = entry["class"]
            waiting[name, counts[name]] = entry["state"]
            counts[name] += 1
        counts.clear()
        anew = []
        for callback in self.callbacks:
            if not hasattr(callback, "set_state"):
                continue
            name = type(callback).__name__
            key = (name, counts[name])
            counts[name] += 1
            if key in waiting:
                if state := waiting.pop(key):
                    callback.set_state(state)
            elif callback.get_state():
                anew.append(name)
        dropped = [name for (name, _), state in waiting.items() if state]
        if anew or dropped:
            warnings.warn(
                "The callbacks are not those of the run that is continued: "
                f"{', '.join(anew) or 'none'} start anew; {', '.join(dropped) or 'none'} "
                "are missing.",
                stacklevel=2,
            )

    def _call(self, name: str, *args: Any) -> None:
        hooks = self._hooks.get(name)
        if hooks is None:
            alias = _TRAIN_ALIASES.get(name, name)
            hooks = self._hooks[name] = [
                getattr(callback, name)
                for callback in sorted(self.callbacks, key=lambda c: c is self.backup)
                if overrides(callback, name) or overrides(callback, alias)
            ]
        for hook in hooks:
            hook(*args)

    def on_batch_begin(self, batch: int, logs: _Logs = None) -> None:
        """The same as `on_train_batch_begin`."""
        self._call("on_train_batch_begin", batch, logs or {})

    def on_batch_end(self, batch: int, logs: _Logs = None) -> None:
        """The same as `on_train_batch_end`."""
        self._call("on_train_batch_end", batch, logs or {})

    def on_epoch_begin(self, epoch: int, logs: _Logs = None) -> None:
        """Before an epoch of training."""
        self._call("on_epoch_begin", epoch, {} if logs is None else logs)

    def on_epoch_end(self, epoch: int, logs: _Logs = None) -> None:
        """After an epoch of training. Callbacks may add to `logs` for those after them."""
        self._call("on_epoch_end", epoch, {} if logs is None else logs)

    def on_train_batch_begin(self, batch: int, logs: _Logs = None) -> None:
        """Before a batch of training."""
        self._call("on_train_batch_begin", batch, logs or {})

    def on_train_batch_end(self, batch: int, logs: _Logs = None) -> None:
        """After a batch of training."""
        self._call("on_train_batch_end", batch, logs or {})

    def on_test_batch_begin(self, batch: int, logs: _Logs = None) -> None:
        """Before a batch of evaluation."""
        self._call("on_test_batch_begin", batch, logs or {})

    def on_test_batch_end(self, batch: int, logs: _Logs = None) -> None:
        """After a batch of evaluation."""
        self._call("on_test_batch_end", batch, logs or {})

    def on_predict_batch_begin(self, batch: int, logs: _Logs = None) -> None:
        """Before a batch of prediction."""
        self._call("on_predict_batch_begin", batch, logs or {})

    def on_predict_batch_end(self, batch: int, logs: _Logs = None) -> None:
        """After a batch of prediction."""
        self._call("on_predict_batch_end", batch, logs or {})

    def on_train_begin(self, logs: _Logs = None) -> None:
        """When training begins."""
        self._call("on_train_begin", logs or {})

    def on_train_end(self, logs: _Logs = None) -> None:
        """When training ends."""
        self._call("on_train_end", logs or {})

    def on_test_begin(self, logs: _Logs = None) -> None:
        """When evaluation begins."""
        self._call("on_test_begin", logs or {})

    def on_test_end(self, logs: _Logs = None) -> None:
        """When evaluation ends."""
        self._call("on_test_end", logs or {})

    def on_predict_begin(self, logs: _Logs = None) -> None:
        """When prediction begins."""
        self._call("on_predict_begin", logs or {})

    def on_predict_end(self, logs: _Logs = None) -> None:
        """When prediction ends."""
        self._call("on_predict_end", logs or {})
