"""Functions of two tensors, element by element."""

from __future__ import annotations

from typing import Any

import torch

from multikeras.backends.torch.core import widened

add = widened(torch.add)
subtract = widened(torch.sub)
multiply = torch.mul
divide = true_divide = torch.div
mod = widened(torch.remainder)
fmod = widened(torch.fmod)
power = widened(torch.pow)
arctan2 = torch.atan2
maximum = widened(torch.maximum)
minimum = widened(torch.minimum)
fmax = widened(torch.fmax)
fmin = widened(torch.fmin)
logaddexp = torch.logaddexp
isnan = torch.isnan
isinf = torch.isinf
isfinite = torch.isfinite
equal = torch.eq
not_equal = torch.ne
greater = widened(torch.gt)
greater_equal = widened(torch.ge)
less = widened(torch.lt)
less_equal = widened(torch.le)
logical_and = widened(torch.logical_and)
logical_or = widened(torch.logical_or)
logical_xor = widened(torch.logical_xor)
logical_not = widened(torch.logical_not)
clip = widened(torch.clamp)
isclose = torch.isclose


def _floor_divide(x1: Any, x2: Any) -> Any:
    # Unlike torch.floor_divide this has a gradient, which is 0.
    return torch.div(x1, x2, rounding_mode="floor")


floor_divide = widened(_floor_divide)


def where(condition: Any, x1: Any, x2: Any) -> Any:
    if condition.dtype is not torch.bool:
        condition = condition != 0
    if x1 is None:
        return tuple(i.to(torch.int32) for i in torch.where(condition))
    return torch.where(condition, x1, x2)


def hypot(x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
    length = torch.hypot(x1, x2)
    if not length.requires_grad:
        return length
    # PyTorch's slope at (0, 0) is NaN; here it is 0.
    zero = length == 0
    return torch.where(zero, 0.0, torch.hypot(torch.where(zero, 1.0, x1), x2))
