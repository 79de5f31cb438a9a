"""What the `fit_*` cases share: random data, `fit` timed, a hand-written loop timed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks import clock
from benchmarks.case import Repetition
from benchmarks.worker import library_module

CLASSES = 10


def random_data(count: int, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and labels that nothing can be learned from."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((count, *shape), dtype=np.float32)
    return x, rng.integers(0, CLASSES, count).astype(np.int32)


def weights(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Start weights for hand-written models, scaled by fan-in."""
    rng = np.random.default_rng(1)
    return [
        (rng.standard_normal(s) / np.sqrt(np.prod(s[:-1]) or 1)).astype(np.float32) for s in shapes
    ]


def prepare_fit(
    library: str,
    backend: str,
    data: tuple[np.ndarray, np.ndarray],
    build: Callable[[Any], Any],
    bare: dict[str, Callable[[], Any]],
    batch_size: int,
    epochs: int,
) -> Repetition:
    """A repetition that trains for `epochs`; the cost is seconds a sample.

    Args:
        library, backend: the contender.
        data: inputs and labels.
        build: makes the model from the module `keras` or `multikeras`.
        bare: makes the hand-written model, by backend.
        batch_size, epochs: of one repetition.
    """
    x, y = data
    if library == "bare":
        loop = import_module(f"benchmarks.loops.{backend}")
        run = loop.train(bare[backend](), x, y, batch_size, epochs)
    else:
        keras = library_module(library)
        model = build(keras)
        model.compile(
            optimizer=keras.optimizers.Adam(1e-3),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )

        def run() -> Any:
            return model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0)

    def repeat() -> dict[str, float]:
        start = clock.now()
        run()
        return {"fit": (clock.now() - start) / (len(x) * epochs)}

    return repeat
