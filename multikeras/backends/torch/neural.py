"""Neural-network functions of the PyTorch backend, by its fused kernels where shapes allow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F

from multikeras import config
from multikeras.backends import checks

# Probabilities are kept this far from 0 and 1 before a logarithm is taken of them.
_EPSILON = 1e-7
_HALVES = frozenset({torch.float16, torch.bfloat16})
_IN_PLACE: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": torch.relu_,
    "sigmoid": torch.sigmoid_,
    "tanh": torch.tanh_,
    "softmax": lambda y: torch.softmax(y, -1),
    "linear": lambda y: y,
}


def dense(
    x: torch.Tensor,
    kernel: torch.Tensor,
    bias: torch.Tensor | None = None,
    activation: str | None = None,
) -> torch.Tensor:
    if bias is None:
        y = torch.matmul(x, kernel)
    elif x.ndim == 2:
        y = torch.addmm(bias, x, kernel)
    else:
        y = F.linear(x, kernel.t(), bias)
    # The product is nobody else's, and its gradient does not look at it.
    return y if activation is None else _IN_PLACE[activation](y)


def _over_axes(
    function: Callable[[torch.Tensor, int], torch.Tensor], x: torch.Tensor, axis: Any
) -> torch.Tensor:
    if isinstance(axis, int):
        return function(x, axis)
    axes = tuple(range(x.ndim)) if axis is None else tuple(a % x.ndim for a in axis)
    last = tuple(range(-len(axes), 0))
    moved = x.movedim(axes, last)
    return function(moved.flatten(-len(axes)), -1).reshape(moved.shape).movedim(last, axes)


def softmax(x: torch.Tensor, axis: int | Sequence[int] | None = -1) -> torch.Tensor:
    return torch.softmax(x, axis) if type(axis) is int else _over_axes(torch.softmax, x, axis)


def log_softmax(x: torch.Tensor, axis: int | Sequence[int] | None = -1) -> torch.Tensor:
    if type(axis) is int:
        return torch.log_softmax(x, axis)
    return _over_axes(torch.log_softmax, x, axis)


def sparse_categorical_crossentropy(
    target: torch.Tensor, output: torch.Tensor, from_logits: bool = False, axis: int = -1
) -> torch.Tensor:
    labels = target.long()
    if not checks.label_shape(target, output, axis):
        labels = labels.unsqueeze(axis)
    if from_logits:
        return -torch.log_softmax(output, axis).gather(axis, labels).squeeze(axis)
    chosen = output.gather(axis, labels).squeeze(axis) / output.sum(axis)
    return -torch.log(torch.clamp(chosen, _EPSILON, 1 - _EPSILON))


def categorical_crossentropy(
    target: torch.Tensor, output: torch.Tensor, from_logits: bool = False, axis: int = -1
) -> torch.Tensor:
    checks.same_shape("categorical_crossentropy", target, output)
    if from_logits:
        return -(target * torch.log_softmax(output, axis)).sum(axis)
    q = output / output.sum(axis, keepdim=True)
    return -(target * torch.log(torch.clamp(q, _EPSILON, 1 - _EPSILON))).sum(axis)


def binary_crossentropy(
    target: torch.Tensor, output: torch.Tensor, from_logits: bool = False
) -> torch.Tensor:
    checks.same_shape("binary_crossentropy", target, output)
    if from_logits:
        return F.binary_cross_entropy_with_logits(output, target, reduction="none")
    p = torch.clamp(output, _EPSILON, 1 - _EPSILON)
    if p.dtype in _HALVES or target.requires_grad:
        # 1 - 1e-7 is 1 in 16 bits; torch's own kernel limits the logarithms instead.
        wide = output.float() if output.dtype in _HALVES else output
        wide = torch.clamp(wide, _EPSILON, 1 - _EPSILON)
        losses = target * torch.log(wide) + (1 - target) * torch.log(1 - wide)
        return -losses.to(output.dtype)
    return F.binary_cross_entropy(p, target, reduction="none")


def moments(
    x: torch.Tensor, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    wide = x.float() if x.dtype in _HALVES else x
    dim = None if axes is None else [axes] if isinstance(axes, int) else list(axes)
    variance, mean = torch.var_mean(wide, dim, correction=0, keepdim=keepdims)
    return mean.to(x.dtype), variance.to(x.dtype)


def _on_axis(vector: torch.Tensor, axis: int, ndim: int) -> torch.Tensor:
    if axis in (-1, ndim - 1):
        return vector
    return vector.reshape([-1] + [1] * (ndim - 1 - axis % ndim))


def batch_normalization(
    x: torch.Tensor,
    mean: torch.Tensor,
    variance: torch.Tensor,
    axis: int,
    offset: torch.Tensor | None = None,
    scale: torch.Tensor | None = None,
    epsilon: float = 1e-3,
) -> torch.Tensor:
    factor = torch.rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    shift = -mean * factor if offset is None else torch.addcmul(offset, mean, factor, value=-1)
    return torch.addcmul(_on_axis(shift, axis, x.ndim), x, _on_axis(factor, axis, x.ndim))


def batch_normalization_train(
    x: torch.Tensor,
    offset: torch.Tensor | None,
    scale: torch.Tensor | None,
    axis: Sequence[int],
    epsilon: float,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    axes = {a % x.ndim for a in axis}
    kept = [i for i in range(x.ndim) if i not in axes]
    if len(kept) != 1:
        return _normalize_over(x, offset, scale, sorted(axes), epsilon)
    features = kept[0]
    if features == x.ndim - 1 and x.is_contiguous():
        view = x.view(-1, x.shape[-1])
    else:
        view = x.movedim(features, 1) if features != 1 else x
    y, mean, inverse = torch.native_batch_norm(
        view, scale, offset, None, None, True, 0.0, epsilon
    )
    y = y.view(x.shape) if view.ndim == 2 else y.movedim(1, features)
    # The kernel gives 1 / sqrt(variance + epsilon), in float32 for 16-bit data.
    variance = torch.clamp_min(inverse.pow(-2) - epsilon, 0)
    return y, mean.to(x.dtype), variance.to(x.dtype)


def _normalize_over(
    x: torch.Tensor, offset: Any, scale: Any, axes: list[int], epsilon: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    mean, variance = moments(x, axes, True)
    y = (x - mean) * torch.rsqrt(variance + epsilon)
    if scale is not None:
        y = y * scale.reshape(mean.shape)
    if offset is not None:
        y = y + offset.reshape(mean.shape)
    for a in reversed(axes):
        mean, variance = mean.squeeze(a), variance.squeeze(a)
    return y, mean.detach(), variance.detach()


def _trailing(
    norm: Callable[..., torch.Tensor], x: torch.Tensor, axis: Any, parameters: tuple, epsilon: Any
) -> torch.Tensor:
    """Applies `norm`, which works on the last axes, to any."""
    epsilon = config.epsilon() if epsilon is None else epsilon
    axes = (axis,) if isinstance(axis, int) else axis
    axes = sorted(a % x.ndim for a in axes)
    last = list(range(x.ndim - len(axes), x.ndim))
    moved = x if axes == last else x.movedim(axes, last)
    sizes = moved.shape[x.ndim - len(axes) :]
    parameters = tuple(None if p is None else p.reshape(sizes) for p in parameters)
    y = norm(moved, sizes, *parameters, eps=epsilon)
    return y if axes == last else y.movedim(last, axes)


def layer_normalization(
    x: torch.Tensor,
    gamma: torch.Tensor | None = None,
    beta: torch.Tensor | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
) -> torch.Tensor:
    if axis == -1 and epsilon is not None:
        return torch.layer_norm(x, x.shape[-1:], gamma, beta, epsilon)
    return _trailing(F.layer_norm, x, axis, (gamma, beta), epsilon)


def rms_normalization(
    x: torch.Tensor,
    scale: torch.Tensor | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
) -> torch.Tensor:
    return _trailing(F.rms_norm, x, axis, (scale,), epsilon)
