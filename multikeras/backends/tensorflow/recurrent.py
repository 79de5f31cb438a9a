"""Recurrent layers of the TensorFlow backend: one product for the inputs of all steps, then a loop.

Sequences of a known, moderate length are unrolled in a graph, others run in `tf.while_loop`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

# Longer sequences run in a loop of the framework: an unrolled graph takes long to build.
_LONGEST_UNROLLED = 32
_ACTIVATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "tanh": tf.tanh,
    "relu": tf.nn.relu,
    "sigmoid": tf.sigmoid,
    "linear": lambda z: z,
}
Step = Callable[..., tuple[tf.Tensor, ...]]


def _loop(
    step: Step,
    x: tf.Tensor,
    kernel: tf.Tensor,
    bias: tf.Tensor | None,
    mask: tf.Tensor | None,
    go_backwards: bool,
    *states: tf.Tensor,
) -> tuple[tf.Tensor, ...]:
    """Steps over time; `step` gets the projected input and the states and returns the states, of
    which the first is the output."""
    steps = x.shape[1]
    x = tf.transpose(x, (1, 0, 2))
    x = tf.reverse(x, (0,)) if go_backwards else x
    shape = tf.shape(x)
    projected = tf.matmul(tf.reshape(x, (-1, x.shape[-1])), kernel)
    if bias is not None:
        projected = tf.nn.bias_add(projected, bias)
    projected = tf.reshape(projected, (shape[0], shape[1], kernel.shape[-1]))
    keep = None
    if mask is not None:
        keep = tf.transpose(tf.cast(mask, tf.bool))[..., None]
        keep = tf.reverse(keep, (0,)) if go_backwards else keep

    def masked(z: tf.Tensor, k: Any, states: tuple) -> tuple:
        new = step(z, *states)
        return new if k is None else tuple(tf.where(k, n, s) for n, s in zip(new, states))

    if steps is not None and (tf.executing_eagerly() or steps <= _LONGEST_UNROLLED):
        y, states = _unrolled(masked, projected, keep, steps, states)
    else:
        y, states = _looped(masked, projected, keep, shape[0], states)
    if keep is not None:
        # Up to the first step taken, the output would repeat the initial state; it is 0 instead.
        begun = tf.cumsum(tf.cast(keep, tf.int32), 0) > 0
        y = tf.where(begun, y, tf.zeros_like(y))
    y = tf.ensure_shape(tf.transpose(y, (1, 0, 2)), (x.shape[1], steps, states[0].shape[-1]))
    return (y, *states)


def _unrolled(
    step: Step, projected: tf.Tensor, keep: tf.Tensor | None, steps: int, states: tuple
) -> tuple[tf.Tensor, tuple]:
    inputs = tf.unstack(projected, steps)
    keeps = [None] * steps if keep is None else tf.unstack(keep, steps)
    outputs = []
    for z, k in zip(inputs, keeps):
        states = step(z, k, states)
        outputs.append(states[0])
    return tf.stack(outputs), states


def _looped(
    step: Step, projected: tf.Tensor, keep: tf.Tensor | None, steps: tf.Tensor, states: tuple
) -> tuple[tf.Tensor, tuple]:
    def array(x: tf.Tensor) -> tf.TensorArray:
        return tf.TensorArray(x.dtype, steps, element_shape=x.shape[1:]).unstack(x)

    inputs = array(projected)
    keeps = None if keep is None else array(keep)
    outputs = tf.TensorArray(states[0].dtype, steps, element_shape=states[0].shape)

    def body(t: tf.Tensor, outputs: tf.TensorArray, *states: tf.Tensor) -> tuple:
        states = step(inputs.read(t), None if keeps is None else keeps.read(t), states)
        return (t + 1, outputs.write(t, states[0]), *states)

    shapes = (tf.TensorShape(()), tf.TensorShape(None), *(s.shape for s in states))
    _, outputs, *states = tf.while_loop(
        lambda t, *_: t < steps,
        body,
        (tf.constant(0), outputs, *states),
        shape_invariants=shapes,
        maximum_iterations=steps,
    )
    return outputs.stack(), tuple(states)


def lstm(
    x: tf.Tensor,
    h: tf.Tensor,
    c: tf.Tensor,
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor | None,
    mask: tf.Tensor | None = None,
    go_backwards: bool = False,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    def step(z: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        i, f, g, o = tf.split(z + tf.matmul(h, recurrent_kernel), 4, 1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        return tf.sigmoid(o) * tf.tanh(c), c

    return _loop(step, x, kernel, bias, mask, go_backwards, h, c)  # type: ignore[return-value]


def gru(
    x: tf.Tensor,
    h: tf.Tensor,
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor | None,
    mask: tf.Tensor | None = None,
    go_backwards: bool = False,
    reset_after: bool = True,
) -> tuple[tf.Tensor, tf.Tensor]:
    cut = 2 * h.shape[-1]
    inner, outer = bias, None
    if bias is not None and reset_after:
        inner, outer = tf.unstack(bias)

    def after(z: tf.Tensor, h: tf.Tensor) -> tuple[tf.Tensor]:
        product = tf.matmul(h, recurrent_kernel)
        if outer is not None:
            product = tf.nn.bias_add(product, outer)
        u, r = tf.split(tf.sigmoid(z[:, :cut] + product[:, :cut]), 2, 1)
        candidate = tf.tanh(z[:, cut:] + r * product[:, cut:])
        return (candidate + u * (h - candidate),)

    def before(z: tf.Tensor, h: tf.Tensor) -> tuple[tf.Tensor]:
        gates = tf.sigmoid(z[:, :cut] + tf.matmul(h, recurrent_kernel[:, :cut]))
        u, r = tf.split(gates, 2, 1)
        candidate = tf.tanh(z[:, cut:] + tf.matmul(r * h, recurrent_kernel[:, cut:]))
        return (candidate + u * (h - candidate),)

    step = after if reset_after else before
    return _loop(step, x, kernel, inner, mask, go_backwards, h)  # type: ignore[return-value]


def simple_rnn(
    x: tf.Tensor,
    h: tf.Tensor,
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor | None,
    mask: tf.Tensor | None = None,
    go_backwards: bool = False,
    activation: str = "tanh",
) -> tuple[tf.Tensor, tf.Tensor]:
    function = _ACTIVATIONS[activation]

    def step(z: tf.Tensor, h: tf.Tensor) -> tuple[tf.Tensor]:
        return (function(z + tf.matmul(h, recurrent_kernel)),)

    return _loop(step, x, kernel, bias, mask, go_backwards, h)  # type: ignore[return-value]
