"""Eager calls of about forty ops on small tensors, beside the framework's own function."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import clock
from benchmarks.case import Case, Repetition, same_backend
from benchmarks.worker import library_module

# What the framework calls it, where that isn't the op's name: (NumPy, JAX, PyTorch, TensorFlow).
# None: the framework has no such function of one call.
Names = tuple[str | None, str | None, str | None, str | None]
UNARY: dict[str, Names | None] = {
    "abs": None,
    "exp": (None, None, None, "math.exp"),
    "log": (None, None, None, "math.log"),
    "negative": ("negative", "negative", "neg", "negative"),
    "sqrt": None,
    "square": None,
    "tanh": None,
    "sin": None,
    "floor": None,
    "sign": None,
    "isnan": ("isnan", "isnan", "isnan", "math.is_nan"),
    "sigmoid": (None, "nn:sigmoid", "sigmoid", "sigmoid"),
    "relu": (None, "nn:relu", "relu", "nn.relu"),
    "gelu": (None, "nn:gelu", "nn.functional.gelu", "nn.gelu"),
    "softmax": (None, "nn:softmax", None, "nn.softmax"),
    "sum": ("sum", "sum", "sum", "reduce_sum"),
    "mean": ("mean", "mean", "mean", "reduce_mean"),
    "max": ("max", "max", "amax", "reduce_max"),
    "argmax": (None, None, None, None),
    "cumsum": (None, None, None, "cumsum"),
    "transpose": ("transpose", "transpose", "t", "transpose"),
    "ravel": ("ravel", "ravel", "ravel", None),
    "zeros_like": None,
    "ones_like": None,
    "logical_not": None,
    "copy": ("copy", "copy", "clone", "identity"),
}
BINARY: dict[str, Names | None] = {
    "add": None,
    "subtract": None,
    "multiply": None,
    "divide": None,
    "maximum": None,
    "minimum": None,
    "power": ("power", "power", "pow", "pow"),
    "equal": ("equal", "equal", "eq", "equal"),
    "greater": None,
    "matmul": None,
    "logical_and": (None, None, "logical_and", None),
}
_COLUMN = {"numpy": 0, "jax": 1, "torch": 2, "tensorflow": 3}
CASE = Case(
    name="ops",
    title="one eager call on 8 x 8 float32 tensors, with the op's defaults",
    metrics=dict.fromkeys([*UNARY, *BINARY], "us"),
    rivals=same_backend("keras", "bare"),
    repetitions=9,
    listed=False,
)


def tensors(backend: str, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Two of the framework's own float32 tensors, positive."""
    rng = np.random.default_rng(0)
    pair = [rng.random(shape, dtype=np.float32) + 0.5 for _ in range(2)]
    if backend == "numpy":
        return tuple(pair)
    framework = importlib.import_module(backend)
    if backend == "jax":
        return tuple(framework.numpy.asarray(a) for a in pair)
    make = framework.from_numpy if backend == "torch" else framework.constant
    return tuple(map(make, pair))


def waiting(backend: str) -> Callable[[Any], Any]:
    """What waits until a result is there; only JAX runs ahead."""
    if backend != "jax":
        return lambda result: result
    return importlib.import_module("jax").block_until_ready


def own_function(backend: str, op: str) -> Callable[..., Any] | None:
    """The framework's own function for an op, or None."""
    names = UNARY.get(op) or BINARY.get(op)
    name = op if names is None else names[_COLUMN[backend]]
    if name is None:
        return None
    place = importlib.import_module("jax.numpy" if backend == "jax" else backend)
    if name.startswith("nn:"):
        place, name = importlib.import_module("jax.nn"), name.removeprefix("nn:")
    for part in name.split("."):
        place = getattr(place, part)
    return place


def timed(call: Callable[..., Any], args: tuple, wait: Callable, number: int) -> float:
    """Seconds for each of `number` calls."""
    repeat = range(number)
    first, last = args[0], args[-1]
    start = clock.now()
    if len(args) == 2:
        for _ in repeat:
            result = call(first, last)
    else:
        for _ in repeat:
            result = call(first)
    wait(result)
    return (clock.now() - start) / number


def prepare(
    library: str,
    backend: str,
    tiny: bool,
    ops: tuple[str, ...] = (*UNARY, *BINARY),
    number: int = 500,
) -> Repetition:
    """A repetition calls each op `number` times."""
    module = None if library == "bare" else library_module(library).ops
    calls = {}
    for op in ops:
        call = own_function(backend, op) if module is None else getattr(module, op)
        if call is not None:
            calls[op] = call
    pair = tensors(backend, (8, 8))
    wait = waiting(backend)
    number = 2 if tiny else number

    def repeat() -> dict[str, float]:
        return {
            op: timed(call, pair if op in BINARY else pair[:1], wait, number)
            for op, call in calls.items()
        }

    return repeat
