"""The loop on JAX: one jitted step that takes the state and gives it back, donated."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Model = tuple[Any, Callable[[Any, jax.Array], jax.Array]]
RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def adam(params: Any, grads: Any, m: Any, v: Any, t: jax.Array) -> tuple[Any, Any, Any]:
    """One update of Adam (https://arxiv.org/abs/1412.6980): parameters and both moments."""
    tree = jax.tree_util.tree_map
    m = tree(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, grads)
    v = tree(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, grads)
    rate = RATE * jnp.sqrt(1 - BETA2**t) / (1 - BETA1**t)
    return tree(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + EPSILON), params, m, v), m, v


def train(
    model: Model, x: np.ndarray, y: np.ndarray, batch_size: int, epochs: int
) -> Callable[[], float]:
    """`model` is (parameters, function of parameters and inputs that gives logits)."""
    params, apply = model
    count = len(x)

    def loss_of(params: Any, x: jax.Array, y: jax.Array) -> jax.Array:
        logs = jax.nn.log_softmax(apply(params, x))
        return -jnp.mean(jnp.take_along_axis(logs, y[:, None], axis=1))

    @partial(jax.jit, donate_argnums=0)
    def step(state: Any, x: jax.Array, y: jax.Array) -> Any:
        params, m, v, t, total = state
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        return *adam(params, grads, m, v, t + 1), t + 1, total + loss * len(x)

    zeros = jax.tree_util.tree_map(jnp.zeros_like, params)
    copy = jax.tree_util.tree_map(jnp.copy, zeros)
    state = (params, zeros, copy, jnp.zeros(()), jnp.zeros(()))

    def run() -> float:
        nonlocal state
        for _ in range(epochs):
            state = (*state[:4], jnp.zeros(()))
            order = np.random.permutation(count)
            for start in range(0, count, batch_size):
                rows = order[start : start + batch_size]
                state = step(state, x[rows], y[rows])
            mean = float(state[4]) / count
        return mean

    return run
