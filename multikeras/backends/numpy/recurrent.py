"""Recurrent layers of the NumPy backend, whole sequences at a time, with gradients through time.

One matrix product projects the input of all steps; the loop over time does the recurrent product
and the gates in buffers made once. For the gradient, everything that does not depend on the
incoming one is computed for all steps together before the loop runs backwards.

Where `mask` is False the state is carried over and the output repeats the previous output, zeros
at the start. Gate orders, biases and the meaning of `go_backwards` are those of Keras files.
Other activations than the standard ones are not done here; there is a plain loop over cells for
those. `inner` names below: T steps, B samples, U units, arrays are (T, B, ...).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from multikeras.backends.numpy import _nested
from multikeras.backends.numpy._gradients import differentiable

__all__ = ["gru", "lstm", "simple_rnn"]

Recorded = tuple[Any, Callable[..., tuple[Any, ...]]]
Mask = np.ndarray | None


# ---------------------------------------------------------------------------------------- shared


def _steps_first(x: np.ndarray, go_backwards: bool) -> np.ndarray:
    """(batch, time, ...) as (time, batch, ...) in order of processing; its own inverse."""
    if go_backwards:
        x = x[:, ::-1]
    return np.ascontiguousarray(np.swapaxes(x, 0, 1))


def _batch_first(x: np.ndarray, go_backwards: bool = False) -> np.ndarray:
    return np.ascontiguousarray(np.swapaxes(x[::-1] if go_backwards else x, 0, 1))


def _masks(mask: Mask, go_backwards: bool) -> tuple[Mask, Mask]:
    """(steps taken, steps before the first that is taken), both (T, B, 1), or None."""
    if mask is None or mask.all():
        return None, None
    keep = _steps_first(mask.astype(bool, copy=False), go_backwards)[..., None]
    return keep, ~np.logical_or.accumulate(keep, axis=0)


def _projected(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    z = np.dot(x.reshape(-1, x.shape[-1]), kernel)
    if bias is not None:
        z += bias
    return z.reshape(*x.shape[:-1], kernel.shape[1])


def _outputs(states: np.ndarray, blank: Mask) -> np.ndarray:
    y = _batch_first(states)
    if blank is not None:
        y[np.swapaxes(blank, 0, 1)[..., 0]] = 0
    return y


def _output_gradient(g: np.ndarray | None, blank: Mask) -> np.ndarray | None:
    if g is None:
        return None
    g = _steps_first(g, False)
    return g if blank is None else g * ~blank


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sum over steps and samples of the outer products of a and b."""
    return np.dot(a.reshape(-1, a.shape[-1]).T, b.reshape(-1, b.shape[-1]))


def _total(d: np.ndarray) -> np.ndarray:
    flat = d.reshape(-1, d.shape[-1])
    return np.dot(np.ones(len(flat), d.dtype), flat)


def _start(g: np.ndarray | None, like: np.ndarray) -> np.ndarray:
    return np.zeros_like(like) if g is None else np.array(g, dtype=like.dtype)


# ------------------------------------------------------------------------------------------ LSTM

# Gates are kept as o, i, f, g: the first three are sigmoids, the last three meet the cell's
# gradient. Files have i, f, g, o.
_LSTM_ORDER = (3, 0, 1, 2)
_LSTM_FILE_ORDER = (1, 2, 3, 0)


def _reordered(w: np.ndarray, units: int, order: tuple[int, ...]) -> np.ndarray:
    return np.concatenate([w[..., i * units : (i + 1) * units] for i in order], axis=-1)


def _half_first(w: np.ndarray, width: int) -> np.ndarray:
    """`w` with its first columns halved: sigmoid(z) = (tanh(z / 2) + 1) / 2, one tanh for all."""
    w = w.copy()
    w[..., :width] *= 0.5
    return w


def _lstm_forward(
    x: np.ndarray,
    h0: np.ndarray,
    c0: np.ndarray,
    weights: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    keep: Mask,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Gates (T, B, 4U), states h and c (T + 1, B, U), tanh(c) (T, B, U)."""
    units = h0.shape[-1]
    kernel, recurrent, bias = (
        None if w is None else _half_first(_reordered(w, units, _LSTM_ORDER), 3 * units)
        for w in weights
    )
    gates = _projected(x, kernel, bias)
    steps = len(gates)
    h = np.empty((steps + 1, *h0.shape), x.dtype)
    c = np.empty_like(h)
    squashed = np.empty((steps, *h0.shape), x.dtype)
    h[0], c[0] = h0, c0
    product = np.empty(gates.shape[1:], x.dtype)
    update = np.empty(h0.shape, x.dtype)
    for t in range(steps):
        z, after = gates[t], c[t + 1]
        np.dot(h[t], recurrent, out=product)
        np.add(z, product, out=z)
        np.tanh(z, out=z)
        sigmoids = z[:, : 3 * units]
        np.multiply(sigmoids, 0.5, out=sigmoids)
        np.add(sigmoids, 0.5, out=sigmoids)
        np.multiply(z[:, 2 * units : 3 * units], c[t], out=after)
        np.multiply(z[:, units : 2 * units], z[:, 3 * units :], out=update)
        np.add(after, update, out=after)
        np.tanh(after, out=squashed[t])
        np.multiply(z[:, :units], squashed[t], out=h[t + 1])
        if keep is not None:
            skip = ~keep[t]
            np.copyto(h[t + 1], h[t], where=skip)
            np.copyto(after, c[t], where=skip)
    return gates, h, c, squashed


def _lstm_factors(
    gates: np.ndarray, c: np.ndarray, squashed: np.ndarray, keep: Mask
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the gradients of a step are multiplied by, for all steps: (gates, cell, carry)."""
    steps, batch, units = squashed.shape
    view = gates.reshape(steps, batch, 4, units)
    o, i, f, g = (view[:, :, k] for k in range(4))
    factors = np.empty_like(view)
    factors[:, :, :3] = view[:, :, :3] - view[:, :, :3] ** 2
    factors[:, :, 0] *= squashed
    factors[:, :, 1] *= g
    factors[:, :, 2] *= c[:-1]
    factors[:, :, 3] = i * (1 - g * g)
    cell = o * (1 - squashed * squashed)
    carry = f
    if keep is not None:
        factors *= keep[..., None]
        cell *= keep
        carry = np.where(keep, f, np.ones((), f.dtype))
    return factors, cell, carry


def _lstm_gradient(
    needs: tuple[int, ...],
    x: np.ndarray,
    h: np.ndarray,
    c: np.ndarray,
    kernel: np.ndarray,
    recurrent_kernel: np.ndarray,
    bias: np.ndarray | None,
    mask: Mask = None,
    go_backwards: bool = False,
) -> Recorded:
    steps = _steps_first(x, go_backwards)
    keep, blank = _masks(mask, go_backwards)
    weights = (kernel, recurrent_kernel, bias)
    gates, hs, cs, squashed = _lstm_forward(steps, h, c, weights, keep)
    units = h.shape[-1]

    def backward(g_out: Any, g_h: Any, g_c: Any) -> tuple[Any, ...]:
        g_out = _output_gradient(g_out, blank)
        d, cell, carry = _lstm_factors(gates, cs, squashed, keep)
        flat = d.reshape(gates.shape)
        back = np.ascontiguousarray(_reordered(recurrent_kernel, units, _LSTM_ORDER).T)
        dh, dc = _start(g_h, h), _start(g_c, c)
        work = np.empty_like(dh)
        for t in range(len(d) - 1, -1, -1):
            if g_out is not None:
                np.add(dh, g_out[t], out=dh)
            np.multiply(dh, cell[t], out=work)
            np.add(dc, work, out=dc)
            d_t = d[t]
            np.multiply(d_t[:, 0], dh, out=d_t[:, 0])
            np.multiply(d_t[:, 1:], dc[:, None], out=d_t[:, 1:])
            np.multiply(dc, carry[t], out=dc)
            if keep is None:
                np.dot(flat[t], back, out=dh)
            else:
                np.multiply(dh, ~keep[t], out=dh)
                np.add(dh, np.dot(flat[t], back, out=work), out=dh)
        flat = _reordered(flat, units, _LSTM_FILE_ORDER)
        gx = gk = gr = gb = None
        if 0 in needs:
            gx = _batch_first(_projected(flat, kernel.T, None), go_backwards)
            gx = gx if not go_backwards else np.ascontiguousarray(gx)
        if 3 in needs:
            gk = _product(steps, flat)
        if 4 in needs:
            gr = _product(hs[:-1], flat)
        if 5 in needs:
            gb = _total(flat)
        return gx, dh, dc, gk, gr, gb

    return (_outputs(hs[1:], blank), hs[-1].copy(), cs[-1].copy()), backward


@differentiable(_lstm_gradient, outputs=3, composed=_nested.lstm)
def lstm(
    x: np.ndarray,
    h: np.ndarray,
    c: np.ndarray,
    kernel: np.ndarray,
    recurrent_kernel: np.ndarray,
    bias: np.ndarray | None,
    mask: Mask = None,
    go_backwards: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Long short-term memory (Hochreiter and Schmidhuber, 1997): (outputs, h, c).

    x (batch, time, features), h and c (batch, units), kernel (features, 4 units),
    recurrent_kernel (units, 4 units), bias (4 units,) or None, gates in the order i, f, g, o;
    mask (batch, time) of bool. outputs (batch, time, units) are in the order of processing.
    """
    keep, blank = _masks(mask, go_backwards)
    weights = (kernel, recurrent_kernel, bias)
    _, hs, cs, _ = _lstm_forward(_steps_first(x, go_backwards), h, c, weights, keep)
    return _outputs(hs[1:], blank), hs[-1].copy(), cs[-1].copy()


# ------------------------------------------------------------------------------------------- GRU


def _gru_biases(bias: np.ndarray | None, reset_after: bool) -> tuple[Any, Any]:
    if bias is None:
        return None, None
    return (bias[0], bias[1]) if reset_after else (bias, None)


def _gru_forward(
    x: np.ndarray,
    h0: np.ndarray,
    weights: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    keep: Mask,
    reset_after: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gates z, r and candidate (T, B, 3U), states (T + 1, B, U), and what the reset gate met:
    the recurrent part of the candidate (reset_after) or r * h."""
    units = h0.shape[-1]
    kernel, recurrent, bias = (None if w is None else _half_first(w, 2 * units) for w in weights)
    inner, outer = _gru_biases(bias, reset_after)
    gates = _projected(x, kernel, inner)
    steps = len(gates)
    h = np.empty((steps + 1, *h0.shape), x.dtype)
    met = np.empty((steps, *h0.shape), x.dtype)
    h[0] = h0
    if not reset_after:
        recurrent, candidate_kernel = recurrent[:, : 2 * units].copy(), recurrent[:, 2 * units :]
        candidate_kernel = np.ascontiguousarray(candidate_kernel)
    product = np.empty((len(h0), recurrent.shape[1]), x.dtype)
    work = np.empty(h0.shape, x.dtype)
    for t in range(steps):
        gate, candidate, before, after = (
            gates[t, :, : 2 * units],
            gates[t, :, 2 * units :],
            h[t],
            h[t + 1],
        )
        np.dot(before, recurrent, out=product)
        if outer is not None:
            np.add(product, outer, out=product)
        np.add(gate, product[:, : 2 * units], out=gate)
        np.tanh(gate, out=gate)
        np.multiply(gate, 0.5, out=gate)
        np.add(gate, 0.5, out=gate)
        z, r = gate[:, :units], gate[:, units:]
        if reset_after:
            met[t] = product[:, 2 * units :]
            np.multiply(r, met[t], out=work)
        else:
            np.multiply(r, before, out=met[t])
            np.dot(met[t], candidate_kernel, out=work)
        np.add(candidate, work, out=candidate)
        np.tanh(candidate, out=candidate)
        np.subtract(before, candidate, out=after)
        np.multiply(after, z, out=after)
        np.add(after, candidate, out=after)
        if keep is not None:
            np.copyto(after, before, where=~keep[t])
    return gates, h, met


def _gru_loop_after(
    gates: np.ndarray,
    h: np.ndarray,
    met: np.ndarray,
    keep: Mask,
    recurrent: np.ndarray,
    g_out: Any,
    dh: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of (input part, recurrent part) of the gates; leaves that of h0 in `dh`."""
    steps, batch, units = met.shape
    z, r, candidate = np.moveaxis(gates.reshape(steps, batch, 3, units), 2, 0)
    inner = (1 - z) * (1 - candidate * candidate)
    d = np.empty((steps, batch, 3, units), gates.dtype)
    d[:, :, 0] = (h[:-1] - candidate) * (z - z * z)
    d[:, :, 1] = inner * met * (r - r * r)
    d[:, :, 2] = inner * r
    if keep is not None:
        d *= keep[..., None]
        inner *= keep
        z = np.where(keep, z, np.ones((), z.dtype))
    flat, back = d.reshape(gates.shape), np.ascontiguousarray(recurrent.T)
    work = np.empty_like(dh)
    for t in range(steps - 1, -1, -1):
        if g_out is not None:
            np.add(dh, g_out[t], out=dh)
        np.multiply(d[t], dh[:, None], out=d[t])
        np.multiply(inner[t], dh, out=inner[t])
        np.multiply(dh, z[t], out=dh)
        np.add(dh, np.dot(flat[t], back, out=work), out=dh)
    whole = flat.copy()
    whole[..., 2 * units :] = inner
    return whole, flat


def _gru_loop_before(
    gates: np.ndarray,
    h: np.ndarray,
    met: np.ndarray,
    keep: Mask,
    recurrent: np.ndarray,
    g_out: Any,
    dh: np.ndarray,
) -> np.ndarray:
    """Gradients of the gates where the reset gate acts on h; leaves that of h0 in `dh`."""
    steps, batch, units = met.shape
    z, r, candidate = np.moveaxis(gates.reshape(steps, batch, 3, units), 2, 0)
    d = np.empty((steps, batch, 3, units), gates.dtype)
    d[:, :, 0] = (h[:-1] - candidate) * (z - z * z)
    d[:, :, 1] = h[:-1] * (r - r * r)
    d[:, :, 2] = (1 - z) * (1 - candidate * candidate)
    if keep is not None:
        d *= keep[..., None]
        z = np.where(keep, z, np.ones((), z.dtype))
    flat = d.reshape(gates.shape)
    gate_back = np.ascontiguousarray(recurrent[:, : 2 * units].T)
    candidate_back = np.ascontiguousarray(recurrent[:, 2 * units :].T)
    for t in range(steps - 1, -1, -1):
        if g_out is not None:
            np.add(dh, g_out[t], out=dh)
        d[t, :, 0] *= dh
        d[t, :, 2] *= dh
        through = np.dot(d[t, :, 2], candidate_back)
        d[t, :, 1] *= through
        np.multiply(dh, z[t], out=dh)
        dh += through * r[t]
        dh += np.dot(flat[t, :, : 2 * units], gate_back)
    return flat


def _gru_gradient(
    needs: tuple[int, ...],
    x: np.ndarray,
    h: np.ndarray,
    kernel: np.ndarray,
    recurrent_kernel: np.ndarray,
    bias: np.ndarray | None,
    mask: Mask = None,
    go_backwards: bool = False,
    reset_after: bool = True,
) -> Recorded:
    steps = _steps_first(x, go_backwards)
    keep, blank = _masks(mask, go_backwards)
    weights = (kernel, recurrent_kernel, bias)
    gates, hs, met = _gru_forward(steps, h, weights, keep, reset_after)
    units = h.shape[-1]

    def backward(g_out: Any, g_h: Any) -> tuple[Any, ...]:
        dh = _start(g_h, h)
        common = (gates, hs, met, keep, recurrent_kernel, _output_gradient(g_out, blank), dh)
        if reset_after:
            inner, outer = _gru_loop_after(*common)
            gr = _product(hs[:-1], outer) if 3 in needs else None
        else:
            inner = outer = _gru_loop_before(*common)
            gr = None
            if 3 in needs:
                cut = 2 * units
                parts = [_product(hs[:-1], outer[..., :cut]), _product(met, outer[..., cut:])]
                gr = np.concatenate(parts, axis=1)
        gx = gk = gb = None
        if 0 in needs:
            gx = _batch_first(_projected(inner, kernel.T, None), go_backwards)
        if 2 in needs:
            gk = _product(steps, inner)
        if 4 in needs:
            gb = np.stack([_total(inner), _total(outer)]) if reset_after else _total(inner)
        return gx, dh, gk, gr, gb

    return (_outputs(hs[1:], blank), hs[-1].copy()), backward


@differentiable(_gru_gradient, outputs=2, composed=_nested.gru)
def gru(
    x: np.ndarray,
    h: np.ndarray,
    kernel: np.ndarray,
    recurrent_kernel: np.ndarray,
    bias: np.ndarray | None,
    mask: Mask = None,
    go_backwards: bool = False,
    reset_after: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Gated recurrent unit (Cho et al., 2014, arXiv:1406.1078): (outputs, h).

    Shapes as in `lstm` with 3 units, gates in the order update, reset, candidate. With
    `reset_after` the reset gate multiplies the recurrent product and bias is (2, 3 units), the
    second row inside that product; without, it multiplies h, and bias is (3 units,).
    """
    keep, blank = _masks(mask, go_backwards)
    weights = (kernel, recurrent_kernel, bias)
    _, hs, _ = _gru_forward(_steps_first(x, go_backwards), h, weights, keep, reset_after)
    return _outputs(hs[1:], blank), hs[-1].copy()


# ------------------------------------------------------------------------------------- simple RNN


def _sigmoid(z: np.ndarray) -> None:
    z *= 0.5
    np.tanh(z, out=z)
    z *= 0.5
    z += 0.5


# name -> (in place on the pre-activation, slope from the output)
_RNN_ACTIVATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "tanh": (lambda z: np.tanh(z, out=z), lambda y: 1 - y * y),
    "relu": (lambda z: np.maximum(z, 0, out=z), lambda y: (y > 0).astype(y.dtype)),
    "sigmoid": (_sigmoid, lambda y: y - y * y),
    "linear": (lambda z: None, np.ones_like),
}
RNN_ACTIVATIONS = frozenset(_RNN_ACTIVATIONS)


def _rnn_forward(
    x: np.ndarray,
    h0: np.ndarray,
    weights: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    keep: Mask,
    activation: str,
) -> tuple[np.ndarray, np.ndarray]:
    kernel, recurrent, bias = weights
    z = _projected(x, kernel, bias)
    act = _RNN_ACTIVATIONS[activation][0]
    h = np.empty((len(z) + 1, *h0.shape), x.dtype)
    h[0] = h0
    for t in range(len(z)):
        after = np.dot(h[t], recurrent, out=h[t + 1])
        np.add(after, z[t], out=after)
        act(after)
        if keep is not None:
            z[t] = after
            np.copyto(after, h[t], where=~keep[t])
        # z is kept as the output of the cell: what a masked step would have answered
    return h, z if keep is not None else h[1:]


def _simple_rnn_gradient(
    needs: tuple[int, ...],
    x: np.ndarray,
    h: np.ndarray,
    kernel: np.ndarray,
    recurrent_kernel: np.ndarray,
    bias: np.ndarray | None,
    mask: Mask = None,
    go_backwards: bool = False,
    activation: str = "tanh",
) -> Recorded:
    steps = _steps_first(x, go_backwards)
    keep, blank = _masks(mask, go_backwards)
    hs, answers = _rnn_forward(steps, h, (kernel, recurrent_kernel, bias), keep, activation)

    def backward(g_out: Any, g_h: Any) -> tuple[Any, ...]:
        g_out = _output_gradient(g_out, blank)
        d = _RNN_ACTIVATIONS[activation][1](answers)
        if keep is not None:
            d *= keep
        dh, back = _start(g_h, h), np.ascontiguousarray(recurrent_kernel.T)
        for t in range(len(d) - 1, -1, -1):
            if g_out is not None:
                dh += g_out[t]
            d[t] *= dh
            if keep is None:
                np.dot(d[t], back, out=dh)
            else:
                dh *= ~keep[t]
                dh += np.dot(d[t], back)
        gx = gk = gr = gb = None
        if 0 in needs:
            gx = _batch_first(_projected(d, kernel.T, None), go_backwards)
        if 2 in needs:
            gk = _product(steps, d)
        if 3 in needs:
            gr = _product(hs[:-1], d)
        if 4 in needs:
            gb = _total(d)
        return gx, dh, gk, gr, gb

    return (_outputs(hs[1:], blank), hs[-1].copy()), backward


@differentiable(_simple_rnn_gradient, outputs=2, composed=_nested.simple_rnn)
def simple_rnn(
    x: np.ndarray,
    h: np.ndarray,
    kernel: np.ndarray,
    recurrent_kernel: np.ndarray,
    bias: np.ndarray | None,
    mask: Mask = None,
    go_backwards: bool = False,
    activation: str = "tanh",
) -> tuple[np.ndarray, np.ndarray]:
    """h = activation(x @ kernel + h @ recurrent_kernel + bias), step by step: (outputs, h).

    `activation` is one of `RNN_ACTIVATIONS`; shapes as in `lstm` with as many columns as units.
    """
    keep, blank = _masks(mask, go_backwards)
    weights = (kernel, recurrent_kernel, bias)
    hs, _ = _rnn_forward(_steps_first(x, go_backwards), h, weights, keep, activation)
    return _outputs(hs[1:], blank), hs[-1].copy()
