"""Updates of all variables at once, by `torch._foreach_*` kernels.

`fused_update(optimizer)` gives a function `(optimizer, gradients, variables, learning_rate)`
for the rules that have one here, or None. Numbers such as the bias correction are kept on the
host: the learning rate and the step count are read from their tensors only when somebody else
wrote them, so a step on a GPU waits for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import torch

_counts: WeakKeyDictionary[Any, tuple[torch.Tensor, int, int]] = WeakKeyDictionary()
_rates: WeakKeyDictionary[Any, tuple[torch.Tensor, int, float]] = WeakKeyDictionary()


def _count(optimizer: Any) -> int:
    """How many steps were made. Each step raises the version of the counter's tensor by one; any
    other number of writes means that it was set to something else."""
    storage = optimizer._iterations._value
    version = storage._version
    known = _counts.get(optimizer)
    if known is not None and known[0] is storage and version == known[1] + 1:
        count = known[2] + 1
    else:
        count = int(storage)
    _counts[optimizer] = (storage, version, count)
    every = optimizer.gradient_accumulation_steps
    return count // every if every else count


def _rate(optimizer: Any, learning_rate: Any) -> float:
    storage = getattr(learning_rate, "_value", None)
    if storage is None:
        return float(learning_rate)
    known = _rates.get(optimizer)
    if known is not None and known[0] is storage and known[1] == storage._version:
        return known[2]
    value = float(storage)
    _rates[optimizer] = (storage, storage._version, value)
    return value


def _storages(optimizer: Any, slots: list[Any], variables: list[Any]) -> list[torch.Tensor]:
    if len(variables) == len(slots):  # in the order in which it was built
        return [slot._value for slot in slots]
    index = optimizer._index
    return [slots[index[id(variable)]]._value for variable in variables]


def _ordered(optimizer: Any, grads: list[Any], variables: list[Any]) -> tuple[list, list]:
    """Gradients and variables in the order of the slots."""
    built = optimizer._trainable_variables
    if len(variables) != len(built) or all(a is b for a, b in zip(variables, built, strict=True)):
        return grads, variables
    index = optimizer._index
    pairs = sorted(zip(grads, variables, strict=True), key=lambda pair: index[id(pair[1])])
    return [g for g, _ in pairs], [v for _, v in pairs]


def _decay(optimizer: Any, variables: list[Any], rate: float) -> None:
    if not optimizer.weight_decay:
        return
    decayed = [v._value for v in variables if optimizer.decays(v)]
    if decayed:
        torch._foreach_mul_(decayed, 1.0 - rate * optimizer.weight_decay)


def _sgd(
    optimizer: Any, grads: list[Any], params: list[Any], variables: list[Any], rate: float
) -> None:
    if not optimizer.momentum:
        torch._foreach_add_(params, grads, alpha=-rate)
        return
    moves = _storages(optimizer, optimizer._momentums, variables)
    torch._foreach_mul_(moves, optimizer.momentum)
    torch._foreach_add_(moves, grads, alpha=-rate)
    if optimizer.nesterov:
        torch._foreach_add_(params, moves, alpha=optimizer.momentum)
        torch._foreach_add_(params, grads, alpha=-rate)
    else:
        torch._foreach_add_(params, moves)


def _is_uniform(params: list[torch.Tensor]) -> bool:
    """Whether PyTorch's own kernel of Adam can take all of them in one call."""
    first = params[0]
    return first.device.type in ("cpu", "cuda") and all(
        p.dtype is first.dtype and p.device == first.device and p.is_contiguous() for p in params
    )


def _adam(
    optimizer: Any, grads: list[Any], params: list[Any], variables: list[Any], rate: float
) -> None:
    step = _count(optimizer) + 1
    beta_1, beta_2 = optimizer.beta_1, optimizer.beta_2
    correction = math.sqrt(-math.expm1(step * math.log(beta_2))) if beta_2 > 0.0 else 1.0
    means = _storages(optimizer, optimizer._momentums, variables)
    squares = _storages(optimizer, optimizer._velocities, variables)
    if _is_uniform(params):
        # PyTorch adds epsilon to the corrected root, Keras's formula to the uncorrected one.
        maxima = _storages(optimizer, optimizer._maxima, variables) if optimizer.amsgrad else []
        count = torch.tensor(float(step), device=params[0].device)
        torch._fused_adam_(
            params,
            [g.contiguous() for g in grads],
            means,
            squares,
            maxima,
            [count] * len(params),
            lr=rate,
            beta1=beta_1,
            beta2=beta_2,
            weight_decay=0.0,
            eps=optimizer.epsilon / correction,
            amsgrad=optimizer.amsgrad,
            maximize=False,
        )
        return
    rate = rate * correction / (-math.expm1(step * math.log(beta_1)) if beta_1 > 0.0 else 1.0)
    torch._foreach_lerp_(means, grads, 1.0 - beta_1)
    torch._foreach_mul_(squares, beta_2)
    torch._foreach_addcmul_(squares, grads, grads, 1.0 - beta_2)
    if optimizer.amsgrad:
        maxima = _storages(optimizer, optimizer._maxima, variables)
        torch._foreach_maximum_(maxima, squares)
        squares = maxima
    roots = torch._foreach_sqrt(squares)
    torch._foreach_add_(roots, optimizer.epsilon)
    torch._foreach_addcdiv_(params, means, roots, -rate)


def _rmsprop(
    optimizer: Any, grads: list[Any], params: list[Any], variables: list[Any], rate: float
) -> None:
    rho = optimizer.rho
    squares = _storages(optimizer, optimizer._velocities, variables)
    torch._foreach_mul_(squares, rho)
    torch._foreach_addcmul_(squares, grads, grads, 1.0 - rho)
    if optimizer.centered:
        means = _storages(optimizer, optimizer._means, variables)
        torch._foreach_lerp_(means, grads, 1.0 - rho)
        roots = torch._foreach_addcmul(squares, means, means, -1.0)
        torch._foreach_add_(roots, optimizer.epsilon)
    else:
        roots = torch._foreach_add(squares, optimizer.epsilon)
    torch._foreach_sqrt_(roots)
    if optimizer.momentum > 0:
        moves = _storages(optimizer, optimizer._momentums, variables)
        torch._foreach_mul_(moves, optimizer.momentum)
        torch._foreach_addcdiv_(moves, grads, roots, rate)
        torch._foreach_sub_(params, moves)
    else:
        torch._foreach_addcdiv_(params, grads, roots, -rate)


_RULES = {"SGD": _sgd, "Adam": _adam, "AdamW": _adam, "RMSprop": _rmsprop}


def fused_update(optimizer: Any) -> Callable[..., None] | None:
    """The update of all variables at once for this optimizer, or None."""
    kind = type(optimizer)
    rule = _RULES.get(kind.__name__) if kind.__module__.startswith("multikeras.") else None
    if rule is None:
        return None

    def update(optimizer: Any, grads: list[Any], variables: list[Any], learning_rate: Any) -> None:
        grads, variables = _ordered(optimizer, grads, variables)
        with torch.no_grad():
            rate = _rate(optimizer, learning_rate)
            params = [variable._value for variable in variables]
            if any(g.dtype is not p.dtype for g, p in zip(grads, params, strict=True)):
                grads = [g.to(p.dtype) for g, p in zip(grads, params, strict=True)]
            _decay(optimizer, variables, rate)
            rule(optimizer, grads, params, variables, rate)

    return update
