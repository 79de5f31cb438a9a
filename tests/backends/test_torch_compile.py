"""`torch.compile` takes every op, models and training steps whole, without a break in the graph.

What is traced is run as it is (backend "eager"): it is our code that is checked here, not the
compiler of kernels. One case of each op stands for it.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import multikeras as keras
from multikeras.backends import native
from multikeras.ops._declare import REGISTRY
from tests.conformance.op_cases import Case, all_cases

core = native.core

# Ops that can't be traced whole, and why. Strict: one that can be must leave the table.
BREAKS: dict[str, str] = {
    "ctc_loss": "PyTorch's own kernel has a result whose shape depends on values",
}
# Here the tracer reasons for many seconds about a batch of any size; it gets the size it sees.
OF_ONE_SIZE = {"image_warping", "image_filters", "image_cuts", "convolution", "patches", "signal"}


def ours(op: str) -> bool:
    """Whether anything but PyTorch's own function stands behind a public op."""
    if op not in REGISTRY:
        return True
    return hasattr(keras.ops, op) and not isinstance(REGISTRY[op].impl, types.BuiltinFunctionType)


def one_each() -> list[Case]:
    """A case of each op, with a batch where there is one."""
    found: dict[str, Case] = {}
    for case in filter(lambda case: case.arrays() and ours(case.op), all_cases()):
        before = found.get(case.op)
        if before is None or (any(case.shares_batch()) and not any(before.shares_batch())):
            found[case.op] = case
    return list(found.values())


@pytest.fixture(autouse=True)
def sizes_as_marked() -> Iterator[None]:
    """The tracer makes no size unknown for having seen two in another test."""
    with torch._dynamo.config.patch(automatic_dynamic_shapes=False):
        yield


def of_tensors(case: Case) -> Callable[..., Any]:
    """The case as a function of its tensors that has the other arguments as constants.

    Written out as source, for the tracer is not to go through `tree`.
    """
    constants: dict[str, Any] = {"function": case.function}
    tensors = 0

    def source(x: Any) -> str:
        nonlocal tensors
        if isinstance(x, np.ndarray):
            tensors += 1
            return f"tensors[{tensors - 1}]"
        if isinstance(x, list):
            return f"[{', '.join(map(source, x))}]"
        if isinstance(x, tuple):
            return f"({''.join(source(item) + ',' for item in x)})"
        if x is None or type(x) in (bool, int, str) or (type(x) is float and math.isfinite(x)):
            return repr(x)
        name = f"constant{len(constants)}"
        constants[name] = x
        return name

    # Dicts by their keys, as `Case.arrays` has them.
    given = [source(x) for x in case.args]
    given += [f"{name}={source(x)}" for name, x in sorted(case.kwargs.items())]
    return eval(f"lambda *tensors: function({', '.join(given)})", constants)


def leaves(x: Any) -> list[Any]:
    if isinstance(x, dict):
        x = list(x.values())
    return [leaf for item in x for leaf in leaves(item)] if isinstance(x, (list, tuple)) else [x]


def tensors_of(case: Case) -> list[torch.Tensor]:
    tensors = [core.convert_to_tensor(a) for a in case.arrays()]
    family = REGISTRY[case.op].family if case.op in REGISTRY else ""
    for tensor, shared in zip(tensors, case.shares_batch(), strict=True):
        if shared and tensor.shape[0] > 1 and family not in OF_ONE_SIZE:
            torch._dynamo.maybe_mark_dynamic(tensor, 0)
    return tensors


@pytest.mark.parametrize("case", one_each(), ids=lambda case: case.op)
def test_op(case: Case) -> None:
    function = of_tensors(case)
    traced = torch.compile(function, fullgraph=True, backend="eager")
    if case.op in BREAKS:
        with pytest.raises(Exception):  # of whichever kind the tracer has for it  # noqa: B017
            traced(*tensors_of(case))
        return
    found, expected = traced(*tensors_of(case)), function(*tensors_of(case))
    for a, e in zip(leaves(found), leaves(expected), strict=True):
        if case.reference is False and isinstance(a, torch.Tensor):  # random or empty
            assert (a.shape, a.dtype) == (e.shape, e.dtype)
        else:
            torch.testing.assert_close(a, e, equal_nan=True)


def small() -> Any:
    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(4, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.25, seed=1),
            keras.layers.Dense(2),
        ]
    )


def test_model() -> None:
    model = small()
    traced = torch.compile(model, fullgraph=True, backend="eager", dynamic=True)
    for size in (3, 5):
        x = torch.linspace(-1, 1, size * 6).reshape(size, 6)
        torch.testing.assert_close(traced(x), model(x))


def test_gradients_through_a_traced_loss() -> None:
    model = small()
    x, y = torch.linspace(-1, 1, 18).reshape(3, 6), torch.ones(3, 2)

    def loss() -> torch.Tensor:
        return keras.losses.mean_squared_error(y, model(x)).mean()

    found = []
    for function in (torch.compile(loss, fullgraph=True, backend="eager"), loss):
        found.append(torch.autograd.grad(function(), list(model.parameters()), allow_unused=True))
    for a, e in zip(*found, strict=True):
        torch.testing.assert_close(a, e)


def test_training_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """`compile(jit_compile=True)` trains as without."""
    compiler = torch.compile
    traced = []

    def as_it_is(function: Any, **kwargs: Any) -> Any:
        traced.append(function)
        return compiler(function, backend="eager", **kwargs)

    monkeypatch.setattr(torch, "compile", as_it_is)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 6)).astype("float32"), rng.normal(size=(12, 2)).astype("float32")
    losses = []
    for jit in (True, False):
        keras.utils.set_random_seed(3)
        dense = [keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)]
        model = keras.Sequential([keras.Input((6,)), *dense])
        model.compile("sgd", "mse", jit_compile=jit)
        history = model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0).history
        losses.append(history["loss"])
        assert bool(traced)
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_the_table_names_ops() -> None:
    assert set(BREAKS) <= {case.op for case in one_each()}
