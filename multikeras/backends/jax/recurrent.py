"""Recurrent layers of the JAX backend: one product for the inputs of all steps, then `lax.scan`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

_ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "linear": lambda z: z,
}


def _call(*settings: str) -> Callable[[Callable], Callable]:
    # Not inlined: outside a compiled step the gradient's loop would be compiled in every call,
    # and each of these executables kept.
    return partial(jax.jit, static_argnames=settings)


def _loop(
    step: Callable[..., tuple[jax.Array, ...]],
    x: jax.Array,
    kernel: jax.Array,
    bias: jax.Array | None,
    mask: jax.Array | None,
    go_backwards: bool,
    *states: jax.Array,
) -> tuple[jax.Array, ...]:
    """Steps over time; `step` gets the projected input and the states and returns the states, of
    which the first is the output."""
    projected = jnp.swapaxes(x, 0, 1) @ kernel
    if bias is not None:
        projected = projected + bias
    keep = None
    if mask is not None:
        keep = jnp.swapaxes(mask.astype(bool), 0, 1)[..., None]

    def body(states: tuple, inputs: tuple) -> tuple[tuple, jax.Array]:
        z, k = inputs
        new = step(z, *states)
        if k is not None:
            new = tuple(jnp.where(k, n, s) for n, s in zip(new, states))
        return new, new[0]

    # Not unrolled: several steps a turn were no faster on a CPU, and take longer to compile.
    states, y = lax.scan(body, states, (projected, keep), reverse=go_backwards)
    if keep is not None:
        # Up to the first step taken, the output would repeat the initial state; it is 0 instead.
        begun = lax.cummax(keep.astype(jnp.int32), 0, reverse=go_backwards)
        y = jnp.where(begun > 0, y, jnp.zeros_like(y))
    if go_backwards:
        y = jnp.flip(y, 0)
    return (jnp.swapaxes(y, 0, 1), *states)


@_call("go_backwards")
def lstm(
    x: jax.Array,
    h: jax.Array,
    c: jax.Array,
    kernel: jax.Array,
    recurrent_kernel: jax.Array,
    bias: jax.Array | None,
    mask: jax.Array | None = None,
    go_backwards: bool = False,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    def step(z: jax.Array, h: jax.Array, c: jax.Array) -> tuple[jax.Array, jax.Array]:
        i, f, g, o = jnp.split(z + h @ recurrent_kernel, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c

    return _loop(step, x, kernel, bias, mask, go_backwards, h, c)  # type: ignore[return-value]


@_call("go_backwards", "reset_after")
def gru(
    x: jax.Array,
    h: jax.Array,
    kernel: jax.Array,
    recurrent_kernel: jax.Array,
    bias: jax.Array | None,
    mask: jax.Array | None = None,
    go_backwards: bool = False,
    reset_after: bool = True,
) -> tuple[jax.Array, jax.Array]:
    cut = 2 * h.shape[-1]
    inner: Any = bias
    outer: Any = 0
    if bias is not None and reset_after:
        inner, outer = bias[0], bias[1]

    def after(z: jax.Array, h: jax.Array) -> tuple[jax.Array]:
        product = h @ recurrent_kernel + outer
        u, r = jnp.split(jax.nn.sigmoid(z[:, :cut] + product[:, :cut]), 2, -1)
        candidate = jnp.tanh(z[:, cut:] + r * product[:, cut:])
        return (candidate + u * (h - candidate),)

    def before(z: jax.Array, h: jax.Array) -> tuple[jax.Array]:
        gates = jax.nn.sigmoid(z[:, :cut] + h @ recurrent_kernel[:, :cut])
        u, r = jnp.split(gates, 2, -1)
        candidate = jnp.tanh(z[:, cut:] + (r * h) @ recurrent_kernel[:, cut:])
        return (candidate + u * (h - candidate),)

    step = after if reset_after else before
    return _loop(step, x, kernel, inner, mask, go_backwards, h)  # type: ignore[return-value]


@_call("go_backwards", "activation")
def simple_rnn(
    x: jax.Array,
    h: jax.Array,
    kernel: jax.Array,
    recurrent_kernel: jax.Array,
    bias: jax.Array | None,
    mask: jax.Array | None = None,
    go_backwards: bool = False,
    activation: str = "tanh",
) -> tuple[jax.Array, jax.Array]:
    function = _ACTIVATIONS[activation]

    def step(z: jax.Array, h: jax.Array) -> tuple[jax.Array]:
        return (function(z + h @ recurrent_kernel),)

    return _loop(step, x, kernel, bias, mask, go_backwards, h)  # type: ignore[return-value]
