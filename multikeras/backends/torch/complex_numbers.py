"""Complex tensors: their parts, and how they are made."""

from __future__ import annotations

from typing import Any

import torch

join_complex = torch.complex


def real(x: Any) -> Any:
    return torch.real(x) if x.is_complex() else x


def imag(x: Any) -> Any:
    return torch.imag(x) if x.is_complex() else torch.zeros_like(x)


def conjugate(x: Any) -> Any:
    return torch.resolve_conj(torch.conj(x)) if x.is_complex() else x
