"""Products of vectors, matrices and tensors. PyTorch lacks some for integers and bools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from multikeras.backends.contractions import contracted_axes, split_subscripts
from multikeras.backends.torch import core


def _computed(product: Callable[..., torch.Tensor], *xs: torch.Tensor) -> torch.Tensor:
    """The product in a dtype that can be multiplied, brought back."""
    dtype = xs[0].dtype
    if dtype in core.FLOATS or dtype.is_complex:
        return product(*xs)
    if dtype is torch.bool:
        return _computed(product, *(x.to(torch.int32) for x in xs)) != 0
    if dtype in (torch.uint16, torch.uint32, torch.uint64):
        return _computed(product, *(x.to(torch.int64) for x in xs)).to(dtype)
    if xs[0].is_cuda:  # no integer products there; double is exact up to 2**53
        return product(*(x.double() for x in xs)).to(dtype)
    return product(*xs)


def matmul(x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
    return torch.matmul(x1, x2) if x1.dtype in core.FLOATS else _computed(torch.matmul, x1, x2)


def tensordot(x1: torch.Tensor, x2: torch.Tensor, axes: Any = 2) -> torch.Tensor:
    pair = contracted_axes(axes, x1.ndim, x2.ndim)
    return _computed(lambda a, b: torch.tensordot(a, b, pair), x1, x2)


def einsum_of(subscripts: str, operands: Any) -> torch.Tensor:
    terms, result = split_subscripts(subscripts, tuple(x.ndim for x in operands))
    equation = ",".join(terms) + "->" + result
    return _computed(lambda *xs: torch.einsum(equation, *xs), *operands)
