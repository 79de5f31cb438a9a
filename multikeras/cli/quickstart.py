"""`multikeras quickstart`: train once, open everywhere.

Trains on the reference backend, which needs no framework, and opens the saved file on every
installed backend. Each step is a child process, so that this one stays free of frameworks.
Refuses an output folder that cannot be written.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from multikeras import config
from multikeras.cli import backends, curves
from multikeras.cli.output import say

EPOCHS = 12
# Largest difference of a predicted probability that float32 arithmetic in another order explains.
TOLERANCE = 1e-4
_WORKER = "multikeras.cli.quickstart_worker"
_REFERENCE = config.BACKENDS[0]


@dataclass(frozen=True)
class Result:
    """What a step found: test predictions `(360, 10)`, accuracy, seconds, curves by name."""

    predictions: NDArray[np.float32]
    accuracy: float
    seconds: float
    history: dict[str, list[float]]


class StepError(Exception):
    """A child process failed; the message is the last line of its error output."""


def run(out: Path, epochs: int = EPOCHS, seed: int = 0, console: Console | None = None) -> int:
    """Train a small network on the digits, save it and compare the backends.

    Writes `digits.keras` and, if matplotlib is installed, `training.png` into `out`.

    Args:
        out: Folder for the results; made if it does not exist.
        epochs: Passes over the training images.
        seed: Seed of the weights, the dropout and the shuffles.
        console: Where to print; None means standard output.

    Returns:
        0, or 1 if training failed, `out` cannot be written, or a backend could not open the
        model or disagrees with the reference by more than `TOLERANCE`.
    """
    console = console or Console()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return _fail(console, f"cannot make the folder {str(out)!r}: {error.strerror}")
    model = out / "digits.keras"
    versions = backends.installed()

    say(console, f"Training on the {_REFERENCE} backend: {epochs} epochs, seed {seed}")
    try:
        trained = _step(_REFERENCE, "train", model, str(epochs), str(seed), quiet=False)
    except StepError as error:
        return _fail(console, f"training failed: {error}")
    say(console, f"Test accuracy {trained.accuracy:.1%} after {trained.seconds:.1f} s of training")
    _draw(console, trained.history, out / "training.png")
    say(console, f"Saved the model to {model}")

    table = Table("backend", "version", title=f"{model.name}, opened on each installed backend")
    for heading in ("accuracy", f"largest difference\nfrom {_REFERENCE}", "open and predict"):
        table.add_column(heading, justify="right")
    problems = []
    for name, version in versions.items():
        with console.status(f"Opening it on {name}"):
            cells, problem = _compare(name, model, trained)
        table.add_row(name, version, *cells)
        problems += [problem] if problem else []
    console.print(table)
    for name in config.BACKENDS:
        if name not in versions:
            say(console, f"{name} is not installed. To add it: {backends.install_command(name)}")
    for problem in problems:
        _fail(console, problem)
    return 1 if problems else 0


def _compare(name: str, model: Path, trained: Result) -> tuple[tuple[str, str, str], str]:
    """The table's cells for one backend, and what is wrong with it or ""."""
    try:
        opened = _step(name, "open", model)
    except StepError as error:
        return ("failed", "", ""), f"{name} could not open the model: {error}"
    difference = float(np.max(np.abs(opened.predictions - trained.predictions)))
    cells = (f"{opened.accuracy:.1%}", f"{difference:.1e}", f"{opened.seconds:.2f} s")
    if not difference <= TOLERANCE:  # also true of NaN
        return cells, f"{name} differs from {_REFERENCE} by {difference:.1e} (over {TOLERANCE})"
    return cells, ""


def _step(backend: str, action: str, model: Path, *args: str, quiet: bool = True) -> Result:
    """Runs one step of the worker on `backend` and reads what it recorded."""
    env = {**os.environ, "MULTIKERAS_BACKEND": backend}
    env.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory(prefix="multikeras-") as folder:
        result = Path(folder) / "result.npz"
        command = [sys.executable, "-m", _WORKER, action, str(model), str(result), *args]
        done = subprocess.run(
            command,
            env=env,
            stdout=subprocess.DEVNULL if quiet else None,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            raise StepError(lines[-1] if lines else f"exit status {done.returncode}")
        return _read(result)


def _read(path: Path) -> Result:
    prefix = "history_"
    with np.load(path, allow_pickle=False) as data:
        history = {k.removeprefix(prefix): data[k].tolist() for k in data if k.startswith(prefix)}
        predictions, accuracy, seconds = data["predictions"], data["accuracy"], data["seconds"]
    return Result(predictions, float(accuracy), float(seconds), history)


def _draw(console: Console, history: dict[str, list[float]], path: Path) -> None:
    """Draws the curve into `path`, or into the terminal without matplotlib."""
    if curves.save_png(history, path):
        say(console, f"Drew the training curve: {path}")
        return
    blocks = (console.encoding or "").lower().startswith("utf")
    for name in ("loss", "val_loss"):
        if name in history:
            say(console, f"\n{name} by epoch")
            for line in curves.text_chart(history[name], blocks=blocks):
                say(console, line)
    say(console, f"\nFor a picture of it: {backends.install_command('plot')}")


def _fail(console: Console, message: str) -> int:
    """Prints what went wrong and returns the exit status 1."""
    say(console, f"multikeras quickstart: {message}", style="red")
    return 1
