"""Convolution and pooling of NumPy, forward and forward with gradients, beside PyTorch's.

The shapes are those of a ResNet-50 and of a MobileNet, batches of 32, where not said otherwise.
PyTorch gets its input channels-last, as views, and runs its own functions.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks import clock
from benchmarks.case import Budget, Case, Contender, Repetition


class Row(NamedTuple):
    """One function on one shape; `kernel` is the whole shape, or the size of a pool's windows."""

    kind: str
    shape: tuple[int, int, int, int]
    kernel: tuple[int, ...]
    stride: int = 1
    padding: int = 0


ROWS = {
    "conv7x7/2 224x224x3, batch 8": Row("conv", (8, 224, 224, 3), (7, 7, 3, 64), 2, 3),
    "conv3x3 56x56x64": Row("conv", (32, 56, 56, 64), (3, 3, 64, 64), 1, 1),
    "conv3x3/2 28x28x128": Row("conv", (32, 28, 28, 128), (3, 3, 128, 128), 2, 1),
    "conv3x3 14x14x256": Row("conv", (32, 14, 14, 256), (3, 3, 256, 256), 1, 1),
    "conv1x1 56x56x64": Row("conv", (32, 56, 56, 64), (1, 1, 64, 256)),
    "conv1x1/2 56x56x256": Row("conv", (32, 56, 56, 256), (1, 1, 256, 128), 2),
    "depthwise3x3 56x56x64": Row("depthwise", (32, 56, 56, 64), (3, 3, 64, 1), 1, 1),
    "depthwise3x3/2 56x56x64": Row("depthwise", (32, 56, 56, 64), (3, 3, 64, 1), 2, 1),
    "depthwise3x3 14x14x256": Row("depthwise", (32, 14, 14, 256), (3, 3, 256, 1), 1, 1),
    "maxpool3x3/2 112x112x64, batch 8": Row("max_pool", (8, 112, 112, 64), (3, 3), 2),
    "maxpool2x2 56x56x64": Row("max_pool", (32, 56, 56, 64), (2, 2), 2),
    "averagepool3x3/2 112x112x64, batch 8": Row("average_pool", (8, 112, 112, 64), (3, 3), 2),
    "averagepool2x2 56x56x64": Row("average_pool", (32, 56, 56, 64), (2, 2), 2),
}
PASSES = ("forward", "with gradients")
METRICS = [f"{name}, {part}" for name in ROWS for part in PASSES]
CASE = Case(
    name="kernels",
    title="convolution and pooling of NumPy beside PyTorch (bare)",
    metrics=dict.fromkeys(METRICS, "ms"),
    rivals={"numpy": (Contender("bare", "torch"),)},
    budgets={("numpy", metric): (Budget("times_bare", 0.25),) for metric in METRICS},
    repetitions=9,
    listed=False,
)


def _smaller(row: Row) -> Row:
    """The same with little to compute."""
    return row._replace(shape=(1, 16, 16, row.shape[-1]))


def _arrays(row: Row) -> tuple[np.ndarray, np.ndarray | None]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(row.shape, dtype=np.float32)
    if "pool" in row.kind:
        return x, None
    return x, rng.standard_normal(row.kernel, dtype=np.float32)


def _ours(row: Row) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """(the forward pass, the forward and the backward pass) on NumPy."""
    from autograd import make_vjp

    from multikeras.backends.numpy import convolution

    x, kernel = _arrays(row)
    strides = (row.stride, row.stride)
    if row.padding:
        # As much on both sides: PyTorch's padding, where "same" may put more at the end.
        around = ((0, 0), (row.padding,) * 2, (row.padding,) * 2, (0, 0))
        inner = row.kernel[0] - 1 == 2 * row.padding and row.stride == 1
        padding = "same" if inner else "valid"
        x = x if inner else np.pad(x, around)
    else:
        padding = "valid"
    if kernel is None:
        function = getattr(convolution, f"{row.kind}_nd")
        args: tuple = (x, row.kernel, strides, padding, "channels_last")
        wanted: Any = 0
    else:
        function = convolution.conv_nd if row.kind == "conv" else convolution.depthwise_conv_nd
        args = (x, kernel, strides, padding, "channels_last", (1, 1))
        wanted = (0, 1)

    g = np.ones_like(function(*args))

    def backward() -> Any:
        pull, _ = make_vjp(function, wanted)(*args)
        return pull(g)

    return lambda: function(*args), backward


def _torch(row: Row) -> tuple[Callable[[], Any], Callable[[], Any]]:
    torch = importlib.import_module("torch")
    functions = torch.nn.functional
    x, kernel = _arrays(row)
    inputs = torch.from_numpy(x).permute(0, 3, 1, 2)
    if kernel is None:
        pool = functions.max_pool2d if row.kind == "max_pool" else functions.avg_pool2d
        wanted = [inputs.requires_grad_()]

        def call() -> Any:
            return pool(inputs, row.kernel, row.stride, row.padding)

    else:
        groups = row.shape[-1] if row.kind == "depthwise" else 1
        order = (2, 3, 0, 1) if groups > 1 else (3, 2, 0, 1)
        weight = torch.from_numpy(np.ascontiguousarray(kernel.transpose(order)))
        wanted = [inputs.requires_grad_(), weight.requires_grad_()]

        def call() -> Any:
            return functions.conv2d(inputs, weight, None, row.stride, row.padding, 1, groups)

    def forward() -> Any:
        with torch.no_grad():
            return call()

    g = torch.ones_like(forward())

    def backward() -> Any:
        return torch.autograd.grad(call(), wanted, g)

    return forward, backward


def _seconds(call: Callable[[], Any]) -> float:
    start = clock.now()
    call()
    return clock.now() - start


def prepare(library: str, backend: str, tiny: bool) -> Repetition:
    """A repetition is one forward and one backward pass of every row."""
    make = _torch if backend == "torch" else _ours
    calls = {name: make(_smaller(row) if tiny else row) for name, row in ROWS.items()}

    def repeat() -> dict[str, float]:
        costs = {}
        for name, (forward, backward) in calls.items():
            costs[f"{name}, forward"] = _seconds(forward)
            costs[f"{name}, with gradients"] = _seconds(backward)
        return costs

    return repeat
