"""Linear algebra of `torch.linalg`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch


def _in_single(fn: Callable) -> Callable:
    """Computes 16-bit floats in float32 and rounds the results."""

    @functools.wraps(fn)
    def wide(x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        if x.dtype not in (torch.float16, torch.bfloat16):
            return fn(x, *args, **kwargs)
        args = tuple(a.float() if isinstance(a, torch.Tensor) else a for a in args)
        result = fn(x.float(), *args, **kwargs)

        def narrow(part: torch.Tensor) -> torch.Tensor:
            return part.to(x.dtype) if part.dtype is torch.float32 else part

        return tuple(map(narrow, result)) if isinstance(result, tuple) else narrow(result)

    return wide


@_in_single
def cholesky(x: torch.Tensor, upper: bool = False) -> torch.Tensor:
    return torch.linalg.cholesky(x, upper=upper)


@_in_single
def det(x: torch.Tensor) -> torch.Tensor:
    return torch.linalg.det(x)


@_in_single
def slogdet(x: torch.Tensor) -> tuple:
    return tuple(torch.linalg.slogdet(x))


@_in_single
def inv(x: torch.Tensor) -> torch.Tensor:
    return torch.linalg.inv(x)


@_in_single
def solve(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    if b.ndim == a.ndim - 1:
        return torch.linalg.solve(a, b[..., None])[..., 0]
    return torch.linalg.solve(a, b)


@_in_single
def solve_triangular(a: torch.Tensor, b: torch.Tensor, lower: bool = False) -> torch.Tensor:
    if b.ndim == a.ndim - 1:
        return torch.linalg.solve_triangular(a, b[..., None], upper=not lower)[..., 0]
    return torch.linalg.solve_triangular(a, b, upper=not lower)


@_in_single
def qr(x: torch.Tensor, mode: str = "reduced") -> tuple:
    return tuple(torch.linalg.qr(x, mode))


@_in_single
def svd(x: torch.Tensor, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    if not compute_uv:
        return torch.linalg.svdvals(x)
    return tuple(torch.linalg.svd(x, full_matrices=full_matrices))


@_in_single
def eigh(x: torch.Tensor) -> tuple:
    return tuple(torch.linalg.eigh(x))


@_in_single
def eig(x: torch.Tensor) -> tuple:
    return tuple(torch.linalg.eig(x))


@_in_single
def pinv(x: torch.Tensor, rcond: float | None = None) -> torch.Tensor:
    if rcond is None:
        rcond = torch.finfo(x.dtype).eps * max(x.shape[-2:])
    return torch.linalg.pinv(x, rtol=rcond)


@_in_single
def lu_factor(x: torch.Tensor) -> tuple:
    lu, pivots = torch.linalg.lu_factor(x)
    return lu, (pivots - 1).to(torch.int32)


def diagonal(x: torch.Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> torch.Tensor:
    return torch.diagonal(x, offset, axis1, axis2)


def diag(x: torch.Tensor, k: int = 0) -> torch.Tensor:
    return torch.diag(x, k)
