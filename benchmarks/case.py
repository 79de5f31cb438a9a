"""What a benchmark case is: who takes part, what is measured, which budgets hold.

Every measured value is a cost, so that less is better everywhere; how it is shown depends on its
unit only. Imports no framework: the parent process reads the cases too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

BACKENDS = ("numpy", "jax", "torch", "tensorflow")
LIBRARIES = ("multikeras", "keras", "bare")

# One repetition: gives the costs by metric.
Repetition = Callable[[], dict[str, float]]


@dataclass(frozen=True)
class Budget:
    """A limit on a number that follows from the medians.

    Args:
        kind: a key of `KINDS`.
        limit: the number, in the metric's own unit for `value` and `over_bare`, else a factor.
    """

    kind: str
    limit: float


@dataclass(frozen=True)
class Kind:
    """How a budget is computed from costs: `needs` names the rival it compares with, if any."""

    needs: str | None
    compute: Callable[[float, float], float]
    at_least: bool


KINDS: dict[str, Kind] = {
    "value": Kind(None, lambda own, _: own, at_least=False),
    "over_bare": Kind("bare", lambda own, bare: own - bare, at_least=False),
    "times_keras": Kind("keras", lambda own, keras: keras / own, at_least=True),
    "times_bare": Kind("bare", lambda own, bare: bare / own, at_least=True),
}


@dataclass(frozen=True)
class Contender:
    """A library on a framework; `bare` is the framework alone."""

    library: str
    backend: str

    @property
    def label(self) -> str:
        """As the tables name it."""
        return self.backend if self.library == "bare" else f"{self.library} on {self.backend}"


@dataclass(frozen=True)
class Case:
    """A benchmark.

    Args:
        name: its name on the command line.
        title: what is measured, in a few words.
        metrics: unit by name of what one repetition measures; units are the keys of
            `table.UNITS`.
        rivals: by backend, who is measured beside multikeras.
        budgets: by (backend, metric), the limits.
        repetitions: how many are timed, after one that isn't.
        listed: whether it runs when no case is named.
    """

    name: str
    title: str
    metrics: Mapping[str, str]
    rivals: Mapping[str, tuple[Contender, ...]]
    budgets: Mapping[tuple[str, str], tuple[Budget, ...]] = field(default_factory=dict)
    repetitions: int = 9
    listed: bool = True

    def contenders(self, backend: str) -> tuple[Contender, ...]:
        """multikeras on `backend`, and its rivals."""
        return (Contender("multikeras", backend), *self.rivals[backend])


def same_backend(*libraries: str) -> dict[str, tuple[Contender, ...]]:
    """Rivals that run on the backend under test."""
    return {b: tuple(Contender(library, b) for library in libraries) for b in BACKENDS}


def fit_rivals() -> dict[str, tuple[Contender, ...]]:
    """Keras and a hand-written loop; Keras doesn't train on NumPy, so there it runs on torch."""
    found = same_backend("keras", "bare")
    found["numpy"] = (Contender("keras", "torch"),)
    return found


def fit_budgets(**times_keras: float) -> dict[tuple[str, str], tuple[Budget, ...]]:
    """The budgets of a training rate, given the factors over Keras by backend."""
    return {
        (backend, "fit"): (Budget("times_keras", factor),)
        + (() if backend == "numpy" else (Budget("times_bare", 0.8),))
        for backend, factor in times_keras.items()
    }
