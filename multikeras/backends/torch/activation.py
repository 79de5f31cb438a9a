"""Activation functions of the PyTorch backend, the framework's own kernels where it has them."""

from __future__ import annotations

import torch
import torch.nn.functional as F

relu = torch.relu
relu6 = F.relu6
sigmoid = torch.sigmoid
silu = F.silu
softsign = F.softsign
leaky_relu = F.leaky_relu
elu = F.elu
selu = torch.selu
celu = torch.celu
glu = F.glu
hard_sigmoid = F.hardsigmoid
hard_silu = F.hardswish
hard_tanh = F.hardtanh
hard_shrink = F.hardshrink
soft_shrink = F.softshrink
log_sigmoid = F.logsigmoid
mish = F.mish


def softplus(x: torch.Tensor) -> torch.Tensor:
    # Past 40 the result is x to the last digit of float64; the default of 20 is not enough there.
    return F.softplus(x, 1.0, 40.0)


def gelu(x: torch.Tensor, approximate: bool = True) -> torch.Tensor:
    return F.gelu(x, approximate="tanh" if approximate else "none")


def tanh_shrink(x: torch.Tensor) -> torch.Tensor:
    return x - torch.tanh(x)


def sparse_plus(x: torch.Tensor) -> torch.Tensor:
    middle = torch.clamp(x + 1, 0, 2)
    return torch.where(x >= 1, x, middle * middle * 0.25)


def sparse_sigmoid(x: torch.Tensor) -> torch.Tensor:
    return torch.clamp((x + 1) * 0.5, 0, 1)


def sparsemax(x: torch.Tensor, axis: int = -1) -> torch.Tensor:
    z = x.movedim(axis, -1)
    ordered = torch.sort(z, dim=-1, descending=True).values
    rank = torch.arange(1, z.shape[-1] + 1, dtype=z.dtype, device=z.device)
    excess = torch.cumsum(ordered, -1) - 1
    count = torch.sum(ordered * rank > excess, -1, keepdim=True)
    level = torch.gather(excess, -1, count - 1) / count.to(z.dtype)
    return torch.relu(z - level).movedim(-1, axis)


def squareplus(x: torch.Tensor, b: float = 4) -> torch.Tensor:
    return (x + torch.sqrt(x * x + b)) * 0.5


def threshold(x: torch.Tensor, threshold: float, default_value: float) -> torch.Tensor:
    return F.threshold(x, threshold, default_value)
