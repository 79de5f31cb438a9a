"""Branches and loops that `tf.function` can trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from multikeras import tree
from multikeras.backends import loops
from multikeras.backends.tensorflow import core


def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    if isinstance(pred, (bool, int)) or hasattr(pred, "numpy"):
        return true_fn() if pred else false_fn()
    return tf.cond(tf.cast(pred, tf.bool), true_fn, false_fn)


def switch(index: Any, branches: list[Callable], *operands: Any) -> Any:
    last = len(branches) - 1
    index = tf.clip_by_value(tf.cast(index, tf.int32), 0, last)
    return tf.switch_case(index, [lambda f=f: f(*operands) for f in branches])


def while_loop(
    cond: Callable, body: Callable, loop_vars: tuple, maximum_iterations: int | None
) -> tuple:
    if tf.executing_eagerly():
        return loops.while_loop(cond, body, loop_vars, maximum_iterations)
    return tuple(tf.while_loop(cond, body, loop_vars, maximum_iterations=maximum_iterations))


def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    def step(i: tf.Tensor, value: Any) -> tuple:
        return i + 1, body_fun(i, value)

    start = (tf.cast(lower, tf.int32), init_val)
    end = tf.cast(upper, tf.int32)
    return tf.while_loop(lambda i, _: i < end, step, start)[1]


def scan(
    f: Callable, init: Any, xs: Any, length: Any, reverse: bool, unroll: int | bool
) -> tuple[Any, Any]:
    if length is None:
        length = tf.shape(tree.flatten(xs)[0])[0]
    elif tf.executing_eagerly():
        return loops.scan(tf.stack, f, init, xs, int(length), reverse)

    def at(k: Any) -> Any:
        return length - 1 - k if reverse else k

    # The first step stands before the loop: it tells what the outputs look like.
    carry, y = f(init, None if xs is None else loops.step_of(xs, at(0)))
    arrays = [
        tf.TensorArray(leaf.dtype, size=length, element_shape=leaf.shape).write(at(0), leaf)
        for leaf in _flat(y)
    ]

    def step(k: tf.Tensor, state: list, written: list) -> tuple:
        inside = _filled(carry, state)
        new, y = f(inside, None if xs is None else loops.step_of(xs, at(k)))
        written = [a.write(at(k), row) for a, row in zip(written, _flat(y), strict=True)]
        return k + 1, _flat(new), written

    flat = _flat(carry)
    start = (tf.constant(1), flat, arrays)
    _, flat, arrays = tf.while_loop(lambda k, *_: k < length, step, start)
    return _filled(carry, flat), _filled(y, [array.stack() for array in arrays])


def _flat(structure: Any) -> list[tf.Tensor]:
    """The tensors of a structure; a None is no tensor, and stays where it is."""
    return [tf.convert_to_tensor(leaf) for leaf in tree.flatten(structure) if leaf is not None]


def _filled(structure: Any, tensors: list[tf.Tensor]) -> Any:
    supply = iter(tensors)
    return tree.map_structure(lambda leaf: None if leaf is None else next(supply), structure)


def map(f: Callable, xs: Any) -> Any:
    length = core.shape(tree.flatten(xs)[0])[0]
    return scan(lambda carry, x: (carry, f(x)), tf.constant(0), xs, length, False, 1)[1]


def vectorized_map(function: Callable, elements: Any) -> Any:
    return tf.vectorized_map(function, elements)


def custom_gradient(f: Callable) -> Callable:
    return tf.custom_gradient(f)


def jvp(fun: Callable, primals: tuple, tangents: tuple, has_aux: bool) -> tuple:
    # Tensors of their own: one that is given twice has two directions.
    primals = tree.map_structure(tf.identity, primals)
    with tf.autodiff.ForwardAccumulator(
        primals=tree.flatten(primals), tangents=tree.flatten(tangents)
    ) as accumulator:
        result = fun(*primals)
    value, aux = result if has_aux else (result, None)

    def change(output: Any) -> tf.Tensor:
        found = accumulator.jvp(output) if tf.is_tensor(output) else None
        return tf.zeros_like(output) if found is None else found

    changes = tree.map_structure(change, value)
    return (value, changes, aux) if has_aux else (value, changes)
