"""Recurrent layers of the PyTorch backend, by its fused kernels where the activations are theirs.

A masked step leaves the state as it is, so the kernels get the other steps alone, moved to the
front, and the outputs are put back in their places. Without a kernel there is a loop. Weights are
laid out as in Keras files; the framework wants them transposed, with another order of the gates,
and two biases.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

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


def _in_order(x: Tensor, mask: Tensor | None, go_backwards: bool) -> tuple[Tensor, Tensor | None]:
    """Sequence and mask in the order of processing; no mask where every step is taken."""
    # Looked at on the CPU only, where looking costs nothing.
    if mask is not None and mask.device.type == "cpu" and bool(mask.all()):
        mask = None
    if not go_backwards:
        return x, mask
    return x.flip(1), None if mask is None else mask.flip(1)


def _masked(
    run: Callable[[Tensor], tuple[Tensor, Tensor]], x: Tensor, mask: Tensor | None, h: Tensor
) -> tuple[Tensor, Tensor]:
    """`run` (sequence -> outputs, state), whose outputs are its states, on the steps taken."""
    if mask is None:
        return run(x)
    x, count, last = _steps_taken(x, mask)
    y, _ = run(x)
    return _put_back(y, last), _final(y, count, h)


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
    x, mask = _in_order(x, mask, go_backwards)
    inner = _zeros(bias, kernel.t())
    weights = _parameters(kernel, recurrent_kernel, inner, torch.zeros_like(inner))
    if mask is None:
        states = [h.unsqueeze(0), c.unsqueeze(0)]
        y, h, c = torch.lstm(x, states, weights, True, 1, 0.0, False, False, True)
        return y, h.squeeze(0), c.squeeze(0)
    x, count, last = _steps_taken(x, mask)
    y, cell = _packed_lstm(x, count, h, c, weights)
    cell = torch.where((count > 0).unsqueeze(-1), cell, c)
    return _put_back(y, last), _final(y, count, h), cell


def _projected(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    return torch.nn.functional.linear(x, kernel.t(), bias)


def _loop(
    step: Callable[..., tuple[Tensor, ...]], projected: Tensor, *states: Tensor
) -> tuple[Tensor, ...]:
    """Steps over time; `step` gets the projected input and the states and returns the states, of
    which the first is the output."""
    outputs = []
    for z in projected.unbind(1):
        states = step(z, *states)
        outputs.append(states[0])
    return (torch.stack(outputs, 1), *states)


def _steps_taken(x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`x` with the steps that are taken moved to the front, how many they are (batch,), and for
    each step the number of the last one taken, -1 before the first (batch, time)."""
    keep = mask.to(torch.bool)
    order = torch.argsort((~keep).to(torch.int8), dim=1, stable=True)
    taken = keep.cumsum(1)
    x = x.gather(1, order.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
    return x, taken[:, -1], taken - 1


def _put_back(y: Tensor, last: Tensor) -> Tensor:
    """Outputs of the steps taken as outputs of all; 0 before the first."""
    index = last.clamp(min=0).unsqueeze(-1).expand(-1, -1, y.shape[-1])
    return y.gather(1, index).masked_fill((last < 0).unsqueeze(-1), 0)


def _final(y: Tensor, count: Tensor, initial: Tensor) -> Tensor:
    """The output of the last step taken, or the initial state."""
    index = (count - 1).clamp(min=0).view(-1, 1, 1).expand(-1, 1, y.shape[-1])
    return torch.where((count > 0).unsqueeze(-1), y.gather(1, index).squeeze(1), initial)


def _packed_lstm(
    x: Tensor, count: Tensor, h: Tensor, c: Tensor, weights: list[Tensor]
) -> tuple[Tensor, Tensor]:
    """Outputs and last cell states of sequences of `count` steps each; at least one is made."""
    lengths = count.clamp(min=1).cpu()
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    order = packed.sorted_indices
    states = [h.index_select(0, order).unsqueeze(0), c.index_select(0, order).unsqueeze(0)]
    data, _, cell = torch.lstm(
        packed.data, packed.batch_sizes, states, weights, True, 1, 0.0, False, False
    )
    y, _ = pad_packed_sequence(packed._replace(data=data), True, total_length=x.shape[1])
    return y, cell.squeeze(0).index_select(0, packed.unsorted_indices)


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
    x, mask = _in_order(x, mask, go_backwards)
    if not reset_after:
        step = _gru_before(recurrent_kernel)
        return _masked(lambda x: _loop(step, _projected(x, kernel, bias), h), x, mask, h)
    inner, outer = (None, None) if bias is None else bias.unbind(0)
    weights = _parameters(
        *(_reordered(w, _GRU_ORDER) for w in (kernel, recurrent_kernel)),
        *(_reordered(_zeros(b, kernel.t()), _GRU_ORDER) for b in (inner, outer)),
    )

    def run(x: Tensor) -> tuple[Tensor, Tensor]:
        y, last = torch.gru(x, h.unsqueeze(0), weights, True, 1, 0.0, False, False, True)
        return y, last.squeeze(0)

    return _masked(run, x, mask, h)


def _gru_before(recurrent: Tensor) -> Callable[[Tensor, Tensor], tuple[Tensor]]:
    """The step of a GRU whose reset gate multiplies the state."""
    cut = recurrent.shape[1] // 3 * 2

    def step(z: Tensor, h: Tensor) -> tuple[Tensor]:
        gates = torch.sigmoid(torch.addmm(z[:, :cut], h, recurrent[:, :cut]))
        u, r = gates.chunk(2, 1)
        candidate = torch.tanh(torch.addmm(z[:, cut:], r * h, recurrent[:, cut:]))
        return (candidate + u * (h - candidate),)

    return step


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
    x, mask = _in_order(x, mask, go_backwards)
    if activation in _RNN:
        inner = _zeros(bias, kernel.t())
        weights = _parameters(kernel, recurrent_kernel, inner, torch.zeros_like(inner))

        def run(x: Tensor) -> tuple[Tensor, Tensor]:
            start = h.unsqueeze(0)
            y, last = _RNN[activation](x, start, weights, True, 1, 0.0, False, False, True)
            return y, last.squeeze(0)
    else:
        function = _ACTIVATIONS[activation]

        def step(z: Tensor, h: Tensor) -> tuple[Tensor]:
            return (function(torch.addmm(z, h, recurrent_kernel)),)

        def run(x: Tensor) -> tuple[Tensor, Tensor]:
            return _loop(step, _projected(x, kernel, bias), h)  # type: ignore[return-value]

    return _masked(run, x, mask, h)
