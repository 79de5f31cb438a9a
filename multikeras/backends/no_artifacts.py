"""What a backend without SavedModels, checkpoints and distribution strategies has in their place.

Every refusal says what to use instead.
"""

from __future__ import annotations

from typing import Any, NoReturn

WRITES_SAVED_MODELS = False
# The backend that writes them.
SAVED_MODEL_BACKEND = "tensorflow"


def call_spec(tensor: Any) -> Any:
    """What describes an argument of a call: here, the KerasTensor itself."""
    return tensor


def current_strategy() -> NoReturn:
    raise AttributeError(
        "distribute_strategy is a TensorFlow object: it exists where the backend is tensorflow. "
        "This backend places a model by the framework's own means; nothing replaces it here."
    )


def active_strategy() -> None:
    """The strategy in whose scope we are: there are none."""


def write_checkpoint(model: Any, prefix: str, options: Any) -> NoReturn:
    raise ValueError(
        'save_weights: save_format="tf" (a TensorFlow checkpoint) can only be written where the '
        'backend is tensorflow (MULTIKERAS_BACKEND=tensorflow). Use a path that ends in '
        '".weights.h5", which every backend reads.'
    )


def read_checkpoint(model: Any, prefix: str, options: Any) -> NoReturn:
    raise ValueError(
        f"load_weights: {prefix!r} is a TensorFlow checkpoint, which can only be read where the "
        "backend is tensorflow (MULTIKERAS_BACKEND=tensorflow). Load it there and save the "
        'weights to a path that ends in ".weights.h5", which every backend reads.'
    )
