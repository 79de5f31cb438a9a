"""Runs cases: a process for each contender, one repetition of each in turn.

Only one process works at a time and all have the same processors and thread counts, so that a slow
moment of the machine hits all contenders alike. A contender that isn't installed or that fails
leaves a note in the result; the others are measured all the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from types import TracebackType
from typing import Any

from benchmarks import clock
from benchmarks.case import Case, Contender

ROOT = Path(__file__).resolve().parent.parent
# A pool of threads that has just finished spins for a moment before it sleeps.
SETTLE = 0.01


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Args:
        threads: threads of every library, and processors that a process may use.
        quick: whether to run about a third of the repetitions.
        tiny: whether to use sizes that only show that the machinery works.
        clock: a key of `clock.CLOCKS`.
        patience: seconds until a process that doesn't answer is ended.
    """

    threads: int = 2
    quick: bool = False
    tiny: bool = False
    clock: str = "real"
    patience: float = 600.0

    def repetitions(self, case: Case) -> int:
        """How many repetitions of `case` are timed."""
        if self.tiny:
            return 2
        return max(3, case.repetitions // 3) if self.quick else case.repetitions


@dataclass(frozen=True)
class Sample:
    """Repeated costs of one metric: median and quartiles."""

    median: float
    low: float
    high: float
    count: int

    @staticmethod
    def of(costs: list[float]) -> Sample:
        """The summary of at least one cost."""
        if len(costs) == 1:
            return Sample(costs[0], costs[0], costs[0], 1)
        low, median, high = quantiles(costs, n=4, method="inclusive")
        return Sample(median, low, high, len(costs))


@dataclass
class Result:
    """One case on one backend.

    Args:
        case, backend: what ran.
        samples: by library and metric.
        notes: by library, why there are no samples.
        versions: of the libraries that took part.
    """

    case: Case
    backend: str
    samples: dict[str, dict[str, Sample]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


class ContenderError(Exception):
    """A contender can't be measured."""


def environment(contender: Contender, settings: Settings, home: str) -> dict[str, str]:
    """The environment variables of a contender's process; no config file of the user counts."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    count = dict.fromkeys(
        (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "TF_NUM_INTRAOP_THREADS",
            "TF_NUM_INTEROP_THREADS",
        ),
        str(settings.threads),
    )
    # Installed packages have their bytecode beside them; a checkout shall have it too.
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,
        **count,
        "PYTHONPATH": os.pathsep.join(paths),
        "MULTIKERAS_BACKEND": contender.backend,
        "KERAS_BACKEND": contender.backend,
        "MULTIKERAS_HOME": home,
        "KERAS_HOME": home,
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        clock.VARIABLE: settings.clock,
    }


def _shortened(trace: str, lines: int = 12) -> str:
    """The end of a traceback."""
    return "\n".join(trace.strip().splitlines()[-lines:])


class Worker:
    """A contender's process, as a context manager."""

    def __init__(self, case: Case, contender: Contender, settings: Settings, home: str) -> None:
        self._patience = settings.patience
        spec = {
            "case": case.name,
            "library": contender.library,
            "backend": contender.backend,
            "tiny": settings.tiny,
        }
        self._errors = tempfile.TemporaryFile(mode="w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", json.dumps(spec)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=home,
            env=environment(contender, settings, home),
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def answer(self) -> dict[str, Any]:
        """The next message of the process.

        Raises:
            ContenderError: if it failed, ended, or took too long.
        """
        timer = threading.Timer(self._patience, self._process.kill)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if not line:
            raise ContenderError(f"the process ended without an answer: {self._last_words()}")
        message = json.loads(line)
        if message.get("missing"):
            raise ContenderError(f"{message['missing']} is not installed")
        if "error" in message:
            raise ContenderError(_shortened(message["error"]))
        return message

    def repeat(self) -> dict[str, float]:
        """The costs of one repetition."""
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return self.answer()["costs"]

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-2000:].strip() or f"exit code {self._process.poll()}"


def _started(
    stack: ExitStack, case: Case, backend: str, settings: Settings, home: str, result: Result
) -> dict[str, Worker]:
    """The processes that got ready, by library; one gets ready at a time."""
    workers = {}
    for contender in case.contenders(backend):
        worker = stack.enter_context(Worker(case, contender, settings, home))
        try:
            result.versions.update(worker.answer()["ready"])
        except ContenderError as error:
            result.notes[contender.library] = str(error)
        else:
            workers[contender.library] = worker
    return workers


def measure(case: Case, backend: str, settings: Settings) -> Result:
    """Measures one case on one backend."""
    result = Result(case, backend)
    costs: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        workers = _started(stack, case, backend, settings, home, result)
        for _ in range(settings.repetitions(case)):
            for library, worker in list(workers.items()):
                time.sleep(SETTLE)
                try:
                    costs.setdefault(library, []).append(worker.repeat())
                except ContenderError as error:
                    result.notes[library] = str(error)
                    del workers[library]
    for library, found in costs.items():
        if library in workers:
            result.samples[library] = {
                metric: Sample.of([c[metric] for c in found if metric in c])
                for metric in case.metrics
                if any(metric in c for c in found)
            }
    return result


def pin(count: int) -> None:
    """Lets this process and its children use `count` processors, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def measure_all(
    cases: list[Case], backends: list[str], settings: Settings
) -> Iterator[tuple[Case, str, Result]]:
    """Measures cases one after the other."""
    for case in cases:
        for backend in backends:
            if backend in case.rivals:
                yield case, backend, measure(case, backend, settings)
