"""How the PyTorch backend runs steps: eagerly, or through `torch.compile` where asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from multikeras import tree
from multikeras.backends.arguments import replaced
from multikeras.backends.torch import core
from multikeras.backends.torch.fused import fused_update as fused_update

compiles = False
jits_by_default = False
steps_per_dispatch = 1


class _Taping(threading.local):
    """How many calls of `value_and_grad` this thread is inside of."""

    depth = 0


taping = _Taping()


def _detached(x: Any) -> Any:
    return x.detach() if isinstance(x, torch.Tensor) else x


def value_and_grad(
    fn: Callable, variables: list[Any], has_aux: bool = False, argnums: tuple[int, ...] = ()
) -> Callable:
    variables = list(variables)

    def call(*args: Any, **kwargs: Any) -> Any:
        inner = taping.depth > 0
        given = [args[i] if args[i].requires_grad else args[i].detach() for i in argnums]
        args = replaced(args, argnums, given)
        storages = [v.storage for v in variables] + given
        frozen = [s for s in storages if not s.requires_grad]
        for storage in frozen:
            storage.requires_grad_(True)
        taping.depth += 1
        try:
            with torch.enable_grad():
                out = fn(*args, **kwargs)
                loss, aux = out if has_aux else (out, None)
                if loss.requires_grad:
                    grads = torch.autograd.grad(
                        loss, storages, allow_unused=True, create_graph=inner
                    )
                else:
                    grads = [None] * len(storages)
        finally:
            taping.depth -= 1
            for storage in frozen:
                storage.requires_grad_(False)
        grads = [
            torch.zeros_like(s) if g is None else g for s, g in zip(storages, grads, strict=True)
        ]
        if not inner:  # an outer function may need what comes out differentiable
            loss, aux = loss.detach(), tree.map_structure(_detached, aux)
        return ((loss, aux) if has_aux else loss), grads

    return call


def compile_step(
    fn: Callable, state: list[Any], jit: bool = False, training: bool = False
) -> Callable:
    step = torch.compile(fn) if jit else fn
    return step if training else torch.no_grad()(step)


def compile_steps(step: Callable, size: int, jit: bool = False) -> None:
    """No dispatch to save: several steps are a Python loop."""
    return None


def hold(array: Any) -> Any:
    """An array as it is best kept for taking batches: a tensor on the device."""
    if isinstance(array, np.ndarray) and array.dtype.kind not in "biufc":
        return array
    return core.convert_to_tensor(array)


def take(held: Any, indices: Any) -> Any:
    """Rows of a held array: a slice, or an array of indices."""
    if isinstance(indices, slice) or not isinstance(held, torch.Tensor):
        return held[indices]
    return held.index_select(0, torch.as_tensor(indices, device=held.device))


def place(batch: Any) -> Any:
    """A leaf of a batch as a tensor on the device."""
    tensor = core.convert_to_tensor(batch)
    return tensor.to(core.default_device()) if isinstance(batch, torch.Tensor) else tensor


def to_host(x: Any) -> np.ndarray:
    return core.convert_to_numpy(x)


def tracing() -> bool:
    """Whether this runs inside a function that is being compiled."""
    return torch.compiler.is_compiling()
