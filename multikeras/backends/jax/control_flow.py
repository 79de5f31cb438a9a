"""Branches and loops of `jax.lax`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def _alone(run: Callable, *args: Any) -> Any:
    """Runs a loop in a compiled function of its own.

    Outside of one, JAX keeps what it compiles for the body of a loop (and of its gradient) long
    after the body is gone; of a function it goes with the function.
    """
    return jax.jit(run)(*args)


def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    if not isinstance(pred, jax.core.Tracer):
        return true_fn() if pred else false_fn()
    return jax.lax.cond(pred.astype(bool), true_fn, false_fn)


def switch(index: Any, branches: list[Callable], *operands: Any) -> Any:
    index = jnp.asarray(index, "int32")
    return _alone(lambda i, *values: jax.lax.switch(i, branches, *values), index, *operands)


def while_loop(
    cond: Callable, body: Callable, loop_vars: tuple, maximum_iterations: int | None
) -> tuple:
    loop_vars = jax.tree.map(jnp.asarray, loop_vars)
    if maximum_iterations is None:
        return _alone(
            lambda start: jax.lax.while_loop(
                lambda values: cond(*values), lambda values: body(*values), start
            ),
            loop_vars,
        )

    def go_on(state: tuple) -> Any:
        return jnp.logical_and(state[0] < maximum_iterations, cond(*state[1]))

    start = (jnp.asarray(0, "int32"), loop_vars)
    return _alone(
        lambda start: jax.lax.while_loop(go_on, lambda s: (s[0] + 1, body(*s[1])), start), start
    )[1]


def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    return _alone(lambda start: jax.lax.fori_loop(lower, upper, body_fun, start), init_val)


def scan(
    f: Callable, init: Any, xs: Any, length: int | None, reverse: bool, unroll: int | bool
) -> tuple[Any, Any]:
    return _alone(lambda init, xs: jax.lax.scan(f, init, xs, length, reverse, unroll), init, xs)


def map(f: Callable, xs: Any) -> Any:
    return _alone(lambda xs: jax.lax.map(f, xs), xs)


def vectorized_map(function: Callable, elements: Any) -> Any:
    return jax.vmap(function)(elements)


def custom_gradient(f: Callable) -> Callable:
    def with_tuple(*args: Any) -> tuple:
        output, gradient = f(*args)

        def every(upstream: Any) -> Any:
            found = gradient(upstream)
            found = tuple(found) if isinstance(found, (tuple, list)) else (found,)
            found = tuple(
                jax.tree.map(jnp.zeros_like, a) if g is None else g
                for a, g in zip(args, found, strict=True)
            )
            return found if len(args) > 1 else found[0]

        return output, every

    return jax.custom_gradient(with_tuple)


def jvp(fun: Callable, primals: tuple, tangents: tuple, has_aux: bool) -> tuple:
    return jax.jvp(fun, primals, tangents, has_aux=has_aux)
