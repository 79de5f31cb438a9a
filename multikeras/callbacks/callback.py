"""`Callback`: what is called at the turning points of `fit`, `evaluate` and `predict`."""

from __future__ import annotations

from typing import Any

_Logs = dict[str, Any] | None


class Callback:
    """Base class of callbacks; a subclass overrides the hooks that it wants.

    `logs` maps names of the loss and the metrics to Python floats. Each batch, reading them
    costs some time, so override the batch hooks only if you need them.

    Attributes:
        model: the model that is being trained or used.
        params: a dict with `verbose`, `epochs` and `steps` (batches an epoch; may be None).

    Example:
        >>> class Counter(Callback):
        ...     epochs = 0
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         self.epochs += 1
        >>> counter = Counter()
        >>> counter.on_epoch_end(0, {"loss": 0.5})
        >>> counter.epochs
        1
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Tells what the run was asked for."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Tells the model."""
        self._model = model

    @property
    def model(self) -> Any:
        """The model."""
        return getattr(self, "_model", None)

    def get_state(self) -> dict[str, Any]:
        """What the callback's further work depends on; saved by `BackupAndRestore`.

        Returns:
            Nested dicts (with strings as keys) and lists of numbers, strings, None and NumPy
            arrays. The base class has nothing to save: such a callback starts anew in a run
            that is continued.

        Example:
            >>> Callback().get_state()
            {}
        """
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes up what `get_state` gave in the run that is continued, after `on_train_begin`.

        Args:
            state: the same, with lists in place of tuples.
        """

    def listens_to_batches(self, mode: str) -> bool:
        """Whether a hook of batches is overridden, so that it must be called.

        Args:
            mode: "train", "test" or "predict".
        """
        names = [f"on_{mode}_batch_begin", f"on_{mode}_batch_end"]
        if mode == "train":
            names += ["on_batch_begin", "on_batch_end"]
        return any(overrides(self, name) for name in names)

    def on_batch_begin(self, batch: int, logs: _Logs = None) -> None:
        """The same as `on_train_batch_begin`, which calls it."""

    def on_batch_end(self, batch: int, logs: _Logs = None) -> None:
        """The same as `on_train_batch_end`, which calls it."""

    def on_epoch_begin(self, epoch: int, logs: _Logs = None) -> None:
        """Before an epoch of training; epochs are numbered from 0."""

    def on_epoch_end(self, epoch: int, logs: _Logs = None) -> None:
        """After an epoch of training and its validation (whose results begin with `val_`)."""

    def on_train_batch_begin(self, batch: int, logs: _Logs = None) -> None:
        """Before a batch of training; batches are numbered from 0 in each epoch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: _Logs = None) -> None:
        """After a batch of training; `logs` are the results of the epoch so far."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: _Logs = None) -> None:
        """Before a batch of `evaluate`, also in the validation of `fit`."""

    def on_test_batch_end(self, batch: int, logs: _Logs = None) -> None:
        """After a batch of `evaluate`, also in the validation of `fit`."""

    def on_predict_batch_begin(self, batch: int, logs: _Logs = None) -> None:
        """Before a batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: _Logs = None) -> None:
        """After a batch of `predict`; `logs["outputs"]` are its outputs."""

    def on_train_begin(self, logs: _Logs = None) -> None:
        """When `fit` begins."""

    def on_train_end(self, logs: _Logs = None) -> None:
        """When `fit` ends; `logs` are those of the last epoch."""

    def on_test_begin(self, logs: _Logs = None) -> None:
        """When `evaluate` or a validation begins."""

    def on_test_end(self, logs: _Logs = None) -> None:
        """When `evaluate` or a validation ends."""

    def on_predict_begin(self, logs: _Logs = None) -> None:
        """When `predict` begins."""

    def on_predict_end(self, logs: _Logs = None) -> None:
        """When `predict` ends."""


def overrides(callback: Any, name: str) -> bool:
    """Whether a callback has a hook of its own: by its class, or set on the object."""
    if name in getattr(callback, "__dict__", ()):
        return True
    own = getattr(type(callback), name, None)
    return own is not None and own is not getattr(Callback, name)
