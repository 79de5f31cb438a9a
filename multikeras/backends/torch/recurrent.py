"""Recurrent layers of the PyTorch backend: its fused kernels where there is no mask, else a loop.

Weights are laid out as in Keras files; the framework wants them transposed, with another order of
the gates, and two biases.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

Tensor = torch.Tensor
# The update gate and the reset gate change places.
_GRU_ORDER = (1, 0, 2)
_RNN = {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}
_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "linear": lambda z: z,
}


def _full_mask(mask: Tensor | None) -> bool:
    """Whether every step is taken; looked at on the CPU only, where looking costs nothing."""
    return mask is None or (mask.device.type == "cpu" and bool(mask.all()))


def _zeros(bias: Tensor | None, like: Tensor) -> Tensor:
    return like.new_zeros(like.shape[0]) if bias is None else bias


def _parameters(kernel: Tensor, recurrent: Tensor, inner: Tensor, outer: Tensor) -> list[Tensor]:
    return [kernel.t().contiguous(), recurrent.t().contiguous(), inner, outer]


def lstm(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    x = x.flip(1) if go_backwards else x
    if _full_mask(mask):
        inner = _zeros(bias, kernel.t())
        weights = _parameters(kernel, recurrent_kernel, inner, torch.zeros_like(inner))
        states = [h.unsqueeze(0), c.unsqueeze(0)]
        y, h, c = torch.lstm(x, states, weights, True, 1, 0.0, False, False, True)
        return y, h.squeeze(0), c.squeeze(0)

    def step(z: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = torch.addmm(z, h, recurrent_kernel).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    return _masked_loop(step, _projected(x, kernel, bias), mask, go_backwards, h, c)


def _projected(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    return torch.nn.functional.linear(x, kernel.t(), bias)


def _masked_loop(
    step: Callable[..., tuple[Tensor, ...]],
    projected: Tensor,
    mask: Tensor | None,
    go_backwards: bool,
    *states: Tensor,
) -> tuple[Tensor, ...]:
    """Steps over time; `step` gets the projected input and the states and returns the states, of
    which the first is the output."""
    inputs = projected.unbind(1)
    if mask is None:
        mask = projected.new_ones(projected.shape[:2], dtype=torch.bool)
    mask = mask.to(torch.bool)
    keep = (mask.flip(1) if go_backwards else mask).unsqueeze(-1)
    outputs = []
    for z, k in zip(inputs, keep.unbind(1)):
        new = step(z, *states)
        states = tuple(torch.where(k, n, s) for n, s in zip(new, states))
        outputs.append(states[0])
    y = torch.stack(outputs, 1)
    # Up to the first step taken, the output would repeat the initial state; it is 0 instead.
    return (y * keep.cummax(1).values.to(y.dtype), *states)


def _reordered(w: Tensor, order: tuple[int, ...]) -> Tensor:
    parts = w.chunk(len(order), -1)
    return torch.cat([parts[i] for i in order], -1)


def gru(
    x: Tensor,
    h: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    reset_after: bool = True,
) -> tuple[Tensor, Tensor]:
    x = x.flip(1) if go_backwards else x
    if reset_after and _full_mask(mask):
        inner, outer = (None, None) if bias is None else bias.unbind(0)
        weights = _parameters(
            *(_reordered(w, _GRU_ORDER) for w in (kernel, recurrent_kernel)),
            *(_reordered(_zeros(b, kernel.t()), _GRU_ORDER) for b in (inner, outer)),
        )
        y, h = torch.gru(x, h.unsqueeze(0), weights, True, 1, 0.0, False, False, True)
        return y, h.squeeze(0)
    units = h.shape[-1]
    inner = bias if bias is None or not reset_after else bias[0]

    def after(z: Tensor, h: Tensor) -> tuple[Tensor]:
        product = h @ recurrent_kernel if bias is None else torch.addmm(
            bias[1], h, recurrent_kernel
        )
        u, r = torch.sigmoid(z[:, : 2 * units] + product[:, : 2 * units]).chunk(2, 1)
        candidate = torch.tanh(z[:, 2 * units :] + r * product[:, 2 * units :])
        return (candidate + u * (h - candidate),)

    def before(z: Tensor, h: Tensor) -> tuple[Tensor]:
        gates = torch.addmm(z[:, : 2 * units], h, recurrent_kernel[:, : 2 * units])
        u, r = torch.sigmoid(gates).chunk(2, 1)
        candidate = torch.tanh(
            torch.addmm(z[:, 2 * units :], r * h, recurrent_kernel[:, 2 * units :])
        )
        return (candidate + u * (h - candidate),)

    step = after if reset_after else before
    return _masked_loop(step, _projected(x, kernel, inner), mask, go_backwards, h)


def simple_rnn(
    x: Tensor,
    h: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    activation: str = "tanh",
) -> tuple[Tensor, Tensor]:
    x = x.flip(1) if go_backwards else x
    if activation in _RNN and _full_mask(mask):
        inner = _zeros(bias, kernel.t())
        weights = _parameters(kernel, recurrent_kernel, inner, torch.zeros_like(inner))
        y, h = _RNN[activation](x, h.unsqueeze(0), weights, True, 1, 0.0, False, False, True)
        return y, h.squeeze(0)
    function = _ACTIVATIONS[activation]

    def step(z: Tensor, h: Tensor) -> tuple[Tensor]:
        return (function(torch.addmm(z, h, recurrent_kernel)),)

    return _masked_loop(step, _projected(x, kernel, bias), mask, go_backwards, h)
