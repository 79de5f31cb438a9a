"""`TensorBoard`: logs as event files that TensorBoard shows."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from multikeras import ops
from multikeras.callbacks.callback import Callback
from multikeras.callbacks.event_file import EventFile, histogram, image, model_graph, scalar


class TensorBoard(Callback):
    """Writes losses, metrics, the learning rate and distributions of weights for TensorBoard.

    `tensorboard --logdir logs` shows them. Training stands in the folder `train`, validation in
    `validation`.

    Args:
        log_dir: the folder. Defaults to "logs".
        histogram_freq: every how many epochs the distributions of the weights are written; 0:
            never. Defaults to 0.
        write_graph: whether the graph of the model's layers is written. Defaults to True.
        write_images: whether weights are written as pictures, together with the distributions.
            Defaults to False.
        write_steps_per_second: whether the rate of batches is written. Defaults to False.
        update_freq: "epoch", "batch", or every how many batches the values are written. Batches
            take longer if their values are wanted. Defaults to "epoch".
        profile_batch: only 0 is supported; use the framework's own profiler.
        embeddings_freq: only 0 is supported.
        embeddings_metadata: only None is supported.

    Raises:
        ValueError: for what is not supported, or another `update_freq`.

    Example:
        >>> callback = TensorBoard("logs", histogram_freq=1)
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        unsupported = {
            "profile_batch": profile_batch,
            "embeddings_freq": embeddings_freq,
            "embeddings_metadata": embeddings_metadata,
        }
        for name, value in unsupported.items():
            if value:
                raise ValueError(f"TensorBoard: {name}={value!r} is not supported.")
        every = 1 if update_freq == "batch" else update_freq
        if every != "epoch" and (not isinstance(every, int) or every < 1):
            raise ValueError(
                "TensorBoard: update_freq must be 'epoch', 'batch' or a positive number of "
                f"batches, got {update_freq!r}."
            )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = update_freq
        self._every = every
        self._batches = 0
        self._fitting = False
        self._writes_graph = False
        self._files: dict[str, EventFile] = {}
        self._epoch_start = (0.0, 0)

    def listens_to_batches(self, mode: str) -> bool:
        """Only if values of batches are written."""
        return mode == "train" and self._every != "epoch"

    def _file(self, name: str) -> EventFile:
        if name not in self._files:
            self._files[name] = EventFile(os.path.join(self.log_dir, name))
        return self._files[name]

    def get_state(self) -> dict[str, Any]:
        files = {name: file.get_state() for name, file in self._files.items()}
        return {
            "batches": self._batches,
            "writes_graph": self._writes_graph,
            "epoch_start": self._epoch_start[1],
            "files": {name: state for name, state in files.items() if state is not None},
        }

    def set_state(self, state: dict[str, Any]) -> None:
        self._batches = state["batches"]
        self._writes_graph = state["writes_graph"]
        self._epoch_start = (time.perf_counter(), state["epoch_start"])
        for name, file in state["files"].items():
            if name in ("train", "validation"):
                self._file(name).set_state(file)

    def _steps_done(self) -> int:
        optimizer = getattr(self.model, "optimizer", None)
        iterations = getattr(optimizer, "iterations", None)
        return 0 if iterations is None else int(ops.convert_to_numpy(iterations))

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._fitting = True
        self._batches = 0
        self._writes_graph = self.write_graph

    def _write_graph(self) -> None:
        """Once a run, with the first values; what has no configuration is left out."""
        self._writes_graph = False
        try:
            config = self.model.to_json()
        except (AttributeError, NotImplementedError, TypeError, ValueError):
            return
        self._file("train").write(0, [model_graph(config)])

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._every == "epoch":
            return
        self._batches += 1
        if self._batches % self._every == 0:
            if self._writes_graph:
                self._write_graph()
            self._file("train").write(
                self._batches - 1, [scalar(f"batch_{k}", v) for k, v in _numbers(logs)]
            )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch_start = (time.perf_counter(), self._steps_done())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        train = [(k, v) for k, v in _numbers(logs) if not k.startswith("val_")]
        validation = [(k[4:], v) for k, v in _numbers(logs) if k.startswith("val_")]
        rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
        if rate is not None and "learning_rate" not in dict(train):
            train.append(("learning_rate", float(ops.convert_to_numpy(rate))))
        if self.write_steps_per_second:
            start, before = self._epoch_start
            seconds = max(time.perf_counter() - start, 1e-9)
            train.append(("steps_per_second", (self._steps_done() - before) / seconds))
        if self._writes_graph:
            self._write_graph()
        self._file("train").write(epoch, [scalar(f"epoch_{k}", v) for k, v in train])
        self._file("validation").write(epoch, [scalar(f"epoch_{k}", v) for k, v in validation])
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_histograms(epoch)
        for file in self._files.values():
            file.flush()

    def _write_histograms(self, epoch: int) -> None:
        weights = [(v.path, np.asarray(v.numpy())) for v in self.model.weights]
        self._file("train").write(epoch, [histogram(name, value) for name, value in weights])
        if self.write_images:
            pictures = [image(f"{name}/image", value) for name, value in weights]
            self._file("train").write(epoch, pictures)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._fitting:
            return
        step = self._steps_done()
        file = self._file("validation")
        file.write(step, [scalar(f"evaluation_{k}_vs_iterations", v) for k, v in _numbers(logs)])
        self._close()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._fitting = False
        self._close()

    def _close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()


def _numbers(logs: dict[str, Any] | None) -> list[tuple[str, float]]:
    return [(k, float(v)) for k, v in (logs or {}).items() if np.ndim(v) == 0]
