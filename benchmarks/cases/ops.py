"""Eager calls of ops from all families on small tensors, beside the framework's own function."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks import clock
from benchmarks.case import BACKENDS, Budget, Case, Repetition, same_backend
from benchmarks.worker import library_module

# The framework's own function: its name, from the framework's module (JAX: from `jax.numpy`, or
# after "jax:" from `jax`), with the arguments if they are not those of the op. None: it has no
# function of one call for it.
Own = str | tuple[str, tuple] | None
Names = tuple[Own, Own, Own, Own]  # in the order of BACKENDS


class Row(NamedTuple):
    """An op and how it is called; "@x" among the arguments is the tensor x of `SHARED`."""

    args: tuple
    own: Names


X, XY = ("@x",), ("@x", "@y")
DIMENSIONS = ("NHWC", "HWIO", "NHWC")


def _alike(name: str) -> Names:
    return (name, name, name, name)


def _math(name: str) -> Names:
    return (name, name, name, f"math.{name}")


# Every family of `multikeras.ops` with a primitive that is quick by itself.
ROWS: dict[str, Row] = {
    # elementwise
    "abs": Row(X, _alike("abs")),
    "exp": Row(X, _math("exp")),
    "log": Row(X, _math("log")),
    "sqrt": Row(X, _alike("sqrt")),
    "square": Row(X, _alike("square")),
    "tanh": Row(X, _alike("tanh")),
    "negative": Row(X, ("negative", "negative", "neg", "negative")),
    "sign": Row(X, _alike("sign")),
    # arithmetic
    "add": Row(XY, _alike("add")),
    "subtract": Row(XY, _alike("subtract")),
    "multiply": Row(XY, _alike("multiply")),
    "divide": Row(XY, _alike("divide")),
    "maximum": Row(XY, _alike("maximum")),
    "power": Row(XY, ("power", "power", "pow", "pow")),
    "equal": Row(XY, ("equal", "equal", "eq", "equal")),
    "greater": Row(XY, _alike("greater")),
    "isnan": Row(X, ("isnan", "isnan", "isnan", "math.is_nan")),
    "logical_and": Row(("@flags", "@flags"), _alike("logical_and")),
    "clip": Row(("@x", 0.0, 1.0), ("clip", "clip", "clamp", "clip_by_value")),
    "where": Row(("@flags", "@x", "@y"), _alike("where")),
    # reductions
    "sum": Row(("@x", 1), ("sum", "sum", "sum", "reduce_sum")),
    "mean": Row(("@x", 1), ("mean", "mean", "mean", "reduce_mean")),
    "max": Row(("@x", 1), ("max", "max", "amax", "reduce_max")),
    "argmax": Row(("@x", 1), _alike("argmax")),
    "all": Row(("@flags",), ("all", "all", "all", "reduce_all")),
    "cumsum": Row(("@x", 1), _alike("cumsum")),
    "logsumexp": Row(("@x", 1), (None, "jax:nn.logsumexp", "logsumexp", "reduce_logsumexp")),
    # creation
    "zeros_like": Row(X, _alike("zeros_like")),
    "ones_like": Row(X, _alike("ones_like")),
    "copy": Row(X, ("copy", "copy", "clone", "identity")),
    "arange": Row((10,), ("arange", "arange", "arange", "range")),
    # shaping
    "reshape": Row(("@x", (4, 16)), _alike("reshape")),
    "transpose": Row(X, ("transpose", "transpose", "t", "transpose")),
    "expand_dims": Row(("@x", 0), ("expand_dims", "expand_dims", "unsqueeze", "expand_dims")),
    "concatenate": Row((["@x", "@y"], 1), ("concatenate", "concatenate", "cat", "concat")),
    "stack": Row((["@x", "@y"], 1), _alike("stack")),
    "split": Row(("@x", 2, 1), ("split", "split", ("split", ("@x", 4, 1)), "split")),
    "ravel": Row(X, ("ravel", "ravel", "ravel", ("reshape", ("@x", (-1,))))),
    # indexing
    "take": Row(
        ("@x", "@places", 0),
        ("take", "take", ("index_select", ("@x", 0, "@places")), ("gather", ("@x", "@places"))),
    ),
    "one_hot": Row(
        ("@places", 8),
        (None, "jax:nn.one_hot", ("nn.functional.one_hot", ("@long_places", 8)), "one_hot"),
    ),
    # sorting
    "sort": Row(X, _alike("sort")),
    "top_k": Row(("@x", 2), (None, "jax:lax.top_k", "topk", "math.top_k")),
    # products and linalg
    "matmul": Row(XY, _alike("matmul")),
    "einsum": Row(("ij,jk->ik", "@x", "@y"), _alike("einsum")),
    "tensordot": Row(("@x", "@y", 1), _alike("tensordot")),
    "cholesky": Row(("@definite",), _alike("linalg.cholesky")),
    "inv": Row(("@definite",), _alike("linalg.inv")),
    "norm": Row(X, _alike("linalg.norm")[:3] + ("norm",)),
    # signal, bits and complex numbers
    "rfft": Row(X, ("fft.rfft", "fft.rfft", "fft.rfft", "signal.rfft")),
    "bitwise_and": Row(
        ("@numbers", "@numbers"),
        ("bitwise_and", "bitwise_and", "bitwise_and", "bitwise.bitwise_and"),
    ),
    "real": Row(X, ("real", "real", "real", "math.real")),
    # activation and neural
    "relu": Row(X, (("maximum", ("@x", 0)), "jax:nn.relu", "relu", "nn.relu")),
    "sigmoid": Row(X, (None, "jax:nn.sigmoid", "sigmoid", "sigmoid")),
    "gelu": Row(X, (None, "jax:nn.gelu", "nn.functional.gelu", "nn.gelu")),
    "silu": Row(X, (None, "jax:nn.silu", "nn.functional.silu", "nn.silu")),
    "softmax": Row(X, (None, "jax:nn.softmax", ("softmax", ("@x", -1)), "nn.softmax")),
    # convolution
    "conv": Row(
        ("@image", "@kernel", 1, "valid"),
        (
            None,
            (
                "jax:lax.conv_general_dilated",
                ("@image", "@kernel", (1, 1), "VALID", None, None, DIMENSIONS),
            ),
            ("conv2d", ("@image_first", "@kernel_first")),
            ("nn.conv2d", ("@image", "@kernel", 1, "VALID")),
        ),
    ),
    "max_pool": Row(
        ("@image", 2, 2),
        (
            None,
            None,
            ("max_pool2d", ("@image_first", 2, 2)),
            ("nn.max_pool2d", ("@image", 2, 2, "VALID")),
        ),
    ),
    # segments
    "segment_sum": Row(
        ("@x", "@places", 8),
        (
            None,
            ("jax:ops.segment_sum", ("@x", "@places", 8)),
            None,
            ("math.unsorted_segment_sum", ("@x", "@places", 8)),
        ),
    ),
}
LIMITS = (Budget("over_bare", 1.5e-6), Budget("times_keras", 1.0))
CASE = Case(
    name="ops",
    title="one eager call on 8 x 8 float32 tensors",
    metrics=dict.fromkeys(ROWS, "us"),
    rivals=same_backend("keras", "bare"),
    budgets={(backend, op): LIMITS for backend in BACKENDS for op in ROWS},
    repetitions=9,
    listed=False,
)


def arrays() -> dict[str, np.ndarray]:
    """The tensors of the table, as arrays."""
    rng = np.random.default_rng(0)
    x, y = (rng.random((8, 8), dtype=np.float32) + 0.5 for _ in range(2))
    image = rng.random((1, 8, 8, 4), dtype=np.float32)
    kernel = rng.random((3, 3, 4, 4), dtype=np.float32)
    places = np.arange(8, dtype=np.int32)[::-1].copy()
    return {
        "x": x,
        "y": y,
        "flags": x > 1,
        "places": places,
        "long_places": places.astype(np.int64),
        "numbers": np.arange(64, dtype=np.int32).reshape(8, 8),
        "definite": x @ x.T + 8 * np.eye(8, dtype=np.float32),
        "image": image,
        "kernel": kernel,
        "image_first": np.ascontiguousarray(image.transpose(0, 3, 1, 2)),
        "kernel_first": np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)),
    }


def native(backend: str) -> Callable[[np.ndarray], Any]:
    """What makes an array the framework's own tensor."""
    if backend == "numpy":
        return lambda array: array
    framework = importlib.import_module(backend)
    if backend == "jax":
        return framework.numpy.asarray
    return framework.from_numpy if backend == "torch" else framework.constant


def tensors(backend: str, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Two of the framework's own float32 tensors, positive."""
    rng = np.random.default_rng(0)
    make = native(backend)
    one, two = (make(rng.random(shape, dtype=np.float32) + 0.5) for _ in range(2))
    return one, two


def waiting(backend: str) -> Callable[[Any], Any]:
    """What waits until a result is there; only JAX runs ahead."""
    if backend != "jax":
        return lambda result: result
    return importlib.import_module("jax").block_until_ready


def own_function(backend: str, op: str) -> tuple[Callable[..., Any], tuple] | None:
    """The framework's own function for an op and its arguments, or None."""
    row = ROWS[op]
    own = row.own[BACKENDS.index(backend)]
    if own is None:
        return None
    name, args = (own, row.args) if isinstance(own, str) else own
    if name.startswith("jax:"):
        place: Any = importlib.import_module("jax")
        name = name.removeprefix("jax:")
    else:
        place = importlib.import_module("jax.numpy" if backend == "jax" else backend)
    for part in name.split("."):
        place = getattr(place, part)
    return place, args


def filled(args: Any, made: dict[str, Any]) -> Any:
    """The arguments with the tensors in place of their names."""
    if isinstance(args, str) and args.startswith("@"):
        return made[args[1:]]
    if isinstance(args, (list, tuple)):
        return type(args)(filled(arg, made) for arg in args)
    return args


def timed(call: Callable[..., Any], args: tuple, wait: Callable, number: int) -> float:
    """Seconds for each of `number` calls."""
    repeat = range(number)
    start = clock.now()
    if len(args) == 1:
        (first,) = args
        for _ in repeat:
            result = call(first)
    elif len(args) == 2:
        first, last = args
        for _ in repeat:
            result = call(first, last)
    else:
        for _ in repeat:
            result = call(*args)
    wait(result)
    return (clock.now() - start) / number


def prepare(
    library: str,
    backend: str,
    tiny: bool,
    ops: tuple[str, ...] = tuple(ROWS),
    number: int = 500,
    budget: float = 0.02,
) -> Repetition:
    """A repetition calls each op `number` times, or for `budget` seconds if that is less."""
    module = None if library == "bare" else library_module(library).ops
    make = native(backend)
    made = {name: make(array) for name, array in arrays().items()}
    wait = waiting(backend)
    calls = {}
    for op in ops:
        found = own_function(backend, op) if module is None else _of(module, op)
        if found is not None:
            call, args = found
            args = filled(args, made)
            wait(call(*args))
            once = timed(call, args, wait, 5)
            calls[op] = (call, args, 2 if tiny else int(min(number, max(10, budget / once))))

    def repeat() -> dict[str, float]:
        return {op: timed(call, args, wait, times) for op, (call, args, times) in calls.items()}

    return repeat


def _of(module: Any, op: str) -> tuple[Callable[..., Any], tuple] | None:
    call = getattr(module, op, None)
    return None if call is None else (call, ROWS[op].args)
