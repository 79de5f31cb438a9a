"""Building a functional model of 300 layers."""

from __future__ import annotations

from typing import Any

from benchmarks import clock
from benchmarks.case import BACKENDS, Budget, Case, Repetition, same_backend
from benchmarks.worker import library_module

CASE = Case(
    name="build",
    title="building a functional model of 300 layers: 100 x (Dense, Activation, Add)",
    metrics={"build": "ms"},
    rivals=same_backend("keras"),
    budgets={(backend, "build"): (Budget("times_keras", 4.0),) for backend in BACKENDS},
    repetitions=7,
)


def build(keras: Any, blocks: int) -> Any:
    """A model of 3 x `blocks` layers beside the input."""
    layers = keras.layers
    inputs = x = keras.Input((16,))
    for _ in range(blocks):
        x = layers.Add()([x, layers.Activation("relu")(layers.Dense(16)(x))])
    return keras.Model(inputs, x)


def prepare(library: str, backend: str, tiny: bool) -> Repetition:
    """A repetition builds the model anew."""
    keras = library_module(library)
    blocks = 3 if tiny else 100

    def repeat() -> dict[str, float]:
        keras.backend.clear_session()
        start = clock.now()
        model = build(keras, blocks)
        spent = clock.now() - start
        if len(model.layers) != 3 * blocks + 1:
            raise RuntimeError(f"the model has {len(model.layers)} layers")
        return {"build": spent}

    return repeat
