"""Branches, loops and gradients of one's own: eager, compiled, differentiated, symbolic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from multikeras import config, ops
from multikeras.backends import native
from multikeras.symbolic import KerasTensor, SymbolicScope
from tests.conformance.gradients import COMPILES, compiled, gradients

core = native.core
X = np.float32([1, 2, 3, 4])


def _counted(x: Any, limit: int | None) -> Any:
    def step(i: Any, total: Any) -> tuple:
        return i + 1, total + x

    start = (0, ops.zeros_like(x))
    return ops.while_loop(lambda i, _: i < 3, step, start, maximum_iterations=limit)[1]


def _scan(x: Any, reverse: bool = False) -> Any:
    def step(carry: Any, value: Any) -> tuple:
        return carry + value["a"], carry * value["a"]

    last, ys = ops.scan(step, ops.sum(x) * 0, {"a": x}, reverse=reverse)
    return ops.concatenate([ys, ops.expand_dims(last, 0)])


def _none_in_scan(x: Any) -> Any:
    def step(carry: Any, value: Any) -> tuple:
        assert carry["none"] is None
        return {"sum": carry["sum"] + value[0], "none": None}, (value[0] * 2, value[1])

    carry, ys = ops.scan(step, {"sum": x[0] * 0, "none": None}, (x, None))
    assert carry["none"] is None and ys[1] is None
    return ys[0] + carry["sum"]


def _none_in_while(x: Any) -> Any:
    def step(i: Any, none: Any, state: Any) -> tuple:
        assert none is None
        return i + 1, None, {"x": state["x"] + x}

    end = ops.while_loop(lambda i, none, state: i < 2, step, (0, None, {"x": x}))
    assert end[1] is None
    return end[2]["x"]


def _none_in_fori(x: Any) -> Any:
    end = ops.fori_loop(0, 2, lambda _, s: (s[0] * x, None), (x, None))
    assert end[1] is None
    return end[0]


def _none_in(mapping: Callable) -> Callable:
    def function(x: Any) -> Any:
        found = mapping(lambda v: {"y": v[0] * 3, "none": v[1]}, (x, None))
        assert found["none"] is None
        return found["y"]

    return function


def _none_in_branches(x: Any) -> Any:
    first = ops.cond(ops.sum(x) > 3, lambda: (x * 2, None), lambda: (x, None))
    second = ops.switch(ops.cast(x[0], "int32"), [lambda v: (v, None), lambda v: (v + 1, None)], x)
    assert first[1] is None and second[1] is None
    return first[0] * second[0]


def _recurrence(x: Any) -> Any:
    """`y = x * y + x`, by combining pairs."""

    def both(a: Any, b: Any) -> dict:
        return {"m": a["m"] * b["m"], "s": a["s"] * b["m"] + b["s"]}

    return ops.associative_scan(both, {"m": x, "s": x})["s"]


def _squared(x: Any) -> Any:
    return ops.custom_gradient(lambda v: (v * v, lambda upstream: upstream * 5.0 * v))(x)


CASES: dict[str, tuple[Callable, Any]] = {
    "cond_true": (lambda x: ops.cond(ops.sum(x) > 3, lambda: x * 2, lambda: x), 2 * X),
    "cond_false": (lambda x: ops.cond(ops.sum(x) > 99, lambda: x * 2, lambda: x), X),
    "cond_python": (lambda x: ops.cond(True, lambda: x * 2, lambda: x), 2 * X),
    "switch": (
        lambda x: ops.switch(ops.cast(x[0], "int32"), [lambda v: v, lambda v: v + 1], x),
        X + 1,
    ),
    "switch_above": (lambda x: ops.switch(9, [lambda v: v, lambda v: v + 1], x), X + 1),
    "switch_below": (lambda x: ops.switch(-1, [lambda v: v, lambda v: v + 1], x), X),
    "while": (lambda x: _counted(x, None), 3 * X),
    "while_limited": (lambda x: _counted(x, 2), 2 * X),
    "while_single": (
        lambda x: ops.while_loop(lambda s: ops.sum(s) < 30, lambda s: s * 2, x),
        4 * X,
    ),
    "fori": (
        lambda x: ops.fori_loop(0, 3, lambda i, s: s + x * ops.cast(i, "float32"), x),
        4 * X,
    ),
    "scan": (_scan, [0, 2, 9, 24, 10]),
    "scan_reverse": (lambda x: _scan(x, reverse=True), [9, 14, 12, 0, 10]),
    "scan_length": (
        lambda x: ops.scan(lambda c, _: (c * 2, c), x, None, 3)[1],
        [X, 2 * X, 4 * X],
    ),
    "map": (lambda x: ops.map(lambda v: v * 2, x), 2 * X),
    "map_structure": (lambda x: ops.map(lambda v: {"y": v[0] * v[1]}, (x, x))["y"], X * X),
    "vectorized_map": (lambda x: ops.vectorized_map(lambda v: v[0] * v[1], (x, x)), X * X),
    "associative_scan": (lambda x: ops.associative_scan(lambda a, b: a + b, x), np.cumsum(X)),
    "associative_scan_structure": (_recurrence, [1, 4, 15, 64]),
    "associative_scan_last_axis": (
        lambda x: ops.associative_scan(lambda a, b: a + b, ops.stack([x, x]), axis=-1)[1],
        np.cumsum(X),
    ),
    "associative_scan_of_one": (lambda x: ops.associative_scan(lambda a, b: a + b, x[:1]), [1]),
    "while_never": (lambda x: ops.while_loop(lambda v: ops.sum(v) < 0, lambda v: v * 2, x), X),
    "while_list": (
        lambda x: ops.while_loop(lambda a, b: a < 2, lambda a, b: [a + 1, b * 2], [0, x])[1],
        4 * X,
    ),
    "fori_downwards": (lambda x: ops.fori_loop(3, 0, lambda _, s: s * 2, x), X),
    "fori_tensors": (
        lambda x: ops.fori_loop(
            ops.cast(x[0], "int32"), ops.cast(x[2], "int32"), lambda _, s: s * 2, x
        ),
        4 * X,
    ),
    "scan_python_number": (lambda x: ops.scan(lambda c, v: (c + v, c), 0.0, x)[1], [0, 1, 3, 6]),
    "none_in_scan": (_none_in_scan, [12, 14, 16, 18]),
    "none_in_while": (_none_in_while, 3 * X),
    "none_in_fori": (_none_in_fori, X**3),
    "none_in_map": (_none_in(ops.map), 3 * X),
    "none_in_vectorized_map": (_none_in(ops.vectorized_map), 3 * X),
    "none_in_branches": (_none_in_branches, 2 * X * (X + 1)),
    "stop_gradient": (lambda x: x * ops.stop_gradient(x), X * X),
    "custom_gradient": (_squared, X * X),
    "jvp": (lambda x: ops.jvp(lambda a, b: a * b, (x, x), (x * 0 + 1, x * 0))[1], X),
    "associative_scan_reverse": (
        lambda x: ops.associative_scan(lambda a, b: a + b, x, reverse=True),
        [10, 9, 7, 4],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_value(name: str) -> None:
    function, expected = CASES[name]
    actual = ops.convert_to_numpy(function(core.convert_to_tensor(X)))
    np.testing.assert_allclose(actual, expected)


if COMPILES:

    @pytest.mark.parametrize("name", CASES)
    def test_compiled(name: str) -> None:
        function, expected = CASES[name]
        x = core.convert_to_tensor(X)
        actual = compiled(lambda x: [function(x)], [x], [False])(x)[0]
        np.testing.assert_allclose(ops.convert_to_numpy(actual), expected)


GRADIENTS: dict[str, tuple[Callable, Any]] = {
    "cond": (lambda x: ops.sum(ops.cond(True, lambda: x * x, lambda: x)), 2 * X),
    "scan": (lambda x: ops.scan(lambda c, v: (c * v, c), x[0] * 0 + 1, x)[0], 24 / X),
    "map": (lambda x: ops.sum(ops.map(lambda v: v * v, x)), 2 * X),
    "fori": (lambda x: ops.sum(ops.fori_loop(0, 2, lambda _, s: s * x, x)), 3 * X**2),
    "associative_scan": (
        lambda x: ops.sum(ops.associative_scan(lambda a, b: a + b, x)),
        [4, 3, 2, 1],
    ),
    "associative_scan_structure": (lambda x: _recurrence(x)[1], [X[1], X[0] + 1, 0, 0]),
    "switch": (
        lambda x: ops.sum(ops.switch(ops.cast(x[0], "int32"), [lambda v: v, lambda v: v * v], x)),
        2 * X,
    ),
    "cond_of_values": (
        lambda x: ops.sum(ops.cond(ops.sum(x) > 3, lambda: x**3, lambda: x)),
        3 * X**2,
    ),
    "scan_outputs": (lambda x: ops.sum(ops.scan(lambda c, v: (c + v, c * v), 0.0, x)[1]), 10 - X),
    "scan_none": (lambda x: ops.sum(_none_in_scan(x)), [6, 6, 6, 6]),
    "fori_none": (lambda x: ops.sum(_none_in_fori(x)), 3 * X**2),
    "vectorized_map": (lambda x: ops.sum(ops.vectorized_map(lambda v: v * v, x)), 2 * X),
    "stop_gradient": (lambda x: ops.sum(x * ops.stop_gradient(x)), X),
    "custom_gradient": (lambda x: ops.sum(_squared(x)), 5 * X),
    "jvp": (lambda x: ops.sum(ops.jvp(lambda a: a**3, (x,), (x * 0 + 1,))[1]), 6 * X),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient(name: str) -> None:
    function, expected = GRADIENTS[name]
    np.testing.assert_allclose(gradients(lambda xs: function(xs[0]), [X])[0], expected, rtol=1e-5)


@pytest.mark.skipif(config.backend() == "jax", reason="JAX: no reverse mode through while_loop")
def test_gradient_of_while_loop() -> None:
    def function(xs: list) -> Any:
        return ops.sum(
            ops.while_loop(lambda i, _: i < 2, lambda i, s: (i + 1, s * xs[0]), (0, xs[0]))[1]
        )

    np.testing.assert_allclose(gradients(function, [X])[0], 3 * X**2)


def test_fori_loop_takes_one_function_for_structures_of_several_forms() -> None:
    def turn(_: Any, state: Any) -> Any:
        return ops.concatenate([state[1:], state[:1]]) if hasattr(state, "shape") else state

    x = core.convert_to_tensor(X)
    for _ in range(2):
        turned = ops.convert_to_numpy(ops.fori_loop(0, 1, turn, x))
        np.testing.assert_allclose(turned, [2, 3, 4, 1])
        for start in ({"a": x, "b": None}, (x, x), [None, x]):
            assert type(ops.fori_loop(0, 2, turn, start)) is type(start)


def test_custom_gradient() -> None:
    @ops.custom_gradient
    def product(x: Any, y: Any) -> tuple:
        return x * y, lambda upstream: (upstream * 10.0, upstream * y)

    actual = gradients(lambda xs: ops.sum(product(xs[0], xs[0] * 2) * 3), [X])[0]
    np.testing.assert_allclose(actual, 30 + 12 * X)


def test_custom_gradient_of_the_keyword_form() -> None:
    @ops.custom_gradient
    def softplus(x: Any) -> tuple:
        e = ops.exp(x)

        def grad(*args: Any, upstream: Any = None) -> Any:
            if upstream is None:
                (upstream,) = args
            return ops.multiply(upstream, 1.0 - 1.0 / ops.add(1, e))

        return ops.log(1 + e), grad

    actual = gradients(lambda xs: ops.sum(softplus(xs[0])), [X])[0]
    np.testing.assert_allclose(actual, 1 / (1 + np.exp(-X)), rtol=1e-5)


def test_symbolic_results() -> None:
    k = KerasTensor((None, 4))
    with SymbolicScope():
        found = {
            "cond": ops.cond(k[0, 0] > 0, lambda: k * 2, lambda: k),
            "scan": ops.scan(lambda c, v: (c + v, v[:2]), ops.zeros((4,)), k)[1],
            "map": ops.map(lambda v: v[0], k),
            "vectorized_map": ops.vectorized_map(lambda v: v[1:], k),
            "while": ops.while_loop(lambda a: True, lambda a: a, (k,))[0],
            "fori": ops.fori_loop(0, 3, lambda _, v: v, k),
        }
    assert {name: x.shape for name, x in found.items()} == {
        "cond": (None, 4),
        "scan": (None, 2),
        "map": (None,),
        "vectorized_map": (None, 3),
        "while": (None, 4),
        "fori": (None, 4),
    }


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ops.switch(0, []), "at least one branch"),
        (lambda x: ops.scan(lambda c, v: (c, v), x), "length"),
        (lambda x: ops.scan(lambda c, v: (c, v), x, x, 7), "7"),
        (lambda x: ops.while_loop(lambda a: True, lambda a: (a, a), (x,)), "2 loop variables"),
        (lambda x: ops.while_loop(lambda a: True, lambda a: None, x), "while_loop: `body`.*None"),
        (lambda x: ops.while_loop(lambda a: True, lambda a: {"b": x}, x), "while_loop: `body`"),
        (lambda x: ops.fori_loop(0, 2, lambda i, s: (s, s), x), "fori_loop: `body_fun`"),
        (lambda x: ops.map(lambda v: v, None), "map: expected at least one tensor"),
        (lambda x: ops.map(lambda v: v[0], (x, x[:2])), r"map: .*\(4,\), \(2,\)"),
        (lambda x: ops.vectorized_map(lambda v: v, x[0]), "vectorized_map: .*first dimension"),
        (lambda x: ops.associative_scan(lambda a, b: a, (x, x[:2])), "associative_scan"),
        (lambda x: ops.jvp(lambda a: a, (x,), (x[:2],)), "jvp: a tangent"),
    ],
)
def test_errors(call: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(core.convert_to_tensor(X))
