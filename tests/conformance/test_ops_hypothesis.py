"""Shapes at random: broadcasting, axes, slices, reshaping and products against NumPy in float64.

Drawn without chance (`derandomize`), from small pools, so that a compiling backend meets few
shapes. Each op must give NumPy's value, and its symbolic result must have the real shape and
dtype. Values stay away from where functions have kinks or overflow; tests/conformance/test_dtypes
holds the dtypes of pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multikeras import ops
from multikeras.backends import native
from multikeras.symbolic import KerasTensor

core = native.core
quick = settings(
    derandomize=True,
    max_examples=80,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum", "less", "arctan2")
REDUCTIONS = ("sum", "mean", "max", "min", "prod", "var", "std", "any", "all", "argmax", "cumsum")
NEEDS_ELEMENTS = {"max", "min", "argmax", "mean", "var", "std"}
DTYPES = ("float32", "int32", "bool", "uint8")
SIZES = st.sampled_from((0, 1, 2, 3))
SHAPES = st.lists(SIZES, min_size=1, max_size=3).map(tuple)


def draw_array(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng((seed, *shape)).uniform(0.5, 3.5, shape)
    return (values > 1.5) if dtype == "bool" else values.astype(dtype)


def check(function: Callable[..., Any], reference: Callable[..., Any], *arrays: np.ndarray) -> None:
    """Value and symbolic result of a function of tensors."""
    tensors = [core.convert_to_tensor(a) for a in arrays]
    wide = [a.astype("float64") if a.dtype.kind == "f" else a for a in arrays]
    with np.errstate(all="ignore"):
        result = function(*tensors)
        actual = core.convert_to_numpy(result)
        expected = np.asarray(reference(*wide))
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual.astype("float64"), expected, rtol=2e-5, atol=1e-5)
    spec = function(*(KerasTensor(a.shape, core.dtype_name(t)) for a, t in zip(arrays, tensors)))
    assert (tuple(spec.shape), spec.dtype) == (actual.shape, core.dtype_name(result))


@st.composite
def broadcastable(draw: Any) -> list[tuple[int, ...]]:
    """Two shapes that broadcast, with ones and missing dimensions."""
    full = draw(st.lists(SIZES, max_size=3))
    shapes = []
    for _ in range(2):
        kept = full[draw(st.integers(0, len(full))) :]
        shapes.append(tuple(1 if draw(st.booleans()) else dim for dim in kept))
    return shapes


@quick
@given(broadcastable(), st.sampled_from(BINARY), st.sampled_from(("float32", "int32")))
def test_broadcasting(shapes: list[tuple[int, ...]], name: str, dtype: str) -> None:
    arrays = [draw_array(shape, dtype, seed) for seed, shape in enumerate(shapes)]
    check(getattr(ops, name), getattr(np, name), *arrays)


@quick
@given(broadcastable(), SHAPES)
def test_where_and_broadcast_to(shapes: list[tuple[int, ...]], front: tuple[int, ...]) -> None:
    first, second = shapes
    condition = draw_array(first, "bool")
    check(ops.where, np.where, condition, draw_array(second, "float32"), draw_array((), "float32"))
    shape = (*front, *second)
    check(lambda x: ops.broadcast_to(x, shape), lambda x: np.broadcast_to(x, shape),
          draw_array(second, "float32"))  # fmt: skip


@st.composite
def reductions(draw: Any) -> tuple[str, tuple[int, ...], Any, bool]:
    name, shape = draw(st.sampled_from(REDUCTIONS)), draw(SHAPES)
    if name in NEEDS_ELEMENTS:
        shape = tuple(max(dim, 1) for dim in shape)
    one = st.integers(-len(shape), len(shape) - 1)
    several = st.lists(one, min_size=1, unique_by=lambda a: a % len(shape)).map(tuple)
    single = name in ("argmax", "cumsum")
    axis = draw(one if single else st.one_of(st.none(), one, several))
    return name, shape, axis, draw(st.booleans())


@quick
@given(reductions(), st.sampled_from(DTYPES))
def test_reductions(drawn: tuple[str, tuple[int, ...], Any, bool], dtype: str) -> None:
    name, shape, axis, keepdims = drawn
    kwargs: dict[str, Any] = {"axis": axis}
    if name != "cumsum":
        kwargs["keepdims"] = keepdims
    x = draw_array(shape, "float32" if name == "argmax" else dtype)
    check(lambda x: getattr(ops, name)(x, **kwargs), lambda x: getattr(np, name)(x, **kwargs), x)


BOUNDS = st.one_of(st.none(), st.integers(-4, 4))
STEPS = st.sampled_from((None, 1, 2, -1, -2))
ITEMS = st.one_of(
    st.builds(slice, BOUNDS, BOUNDS, STEPS),
    st.integers(-2, 1),
    st.just(None),
)


@quick
@given(st.lists(ITEMS, max_size=4).map(tuple), st.booleans())
def test_items(key: tuple[Any, ...], ellipsis: bool) -> None:
    if sum(item is not None for item in key) > 3:
        key = key[:3]
    key = (..., *key) if ellipsis else key
    x = draw_array((2, 3, 2), "float32")
    check(lambda x: ops.get_item(x, key), lambda x: x[key], x)


@quick
@given(SHAPES, st.randoms(use_true_random=False))
def test_reshape_and_transpose(shape: tuple[int, ...], chance: Any) -> None:
    x = draw_array(shape, "float32")
    axes = list(range(len(shape)))
    chance.shuffle(axes)
    check(lambda x: ops.transpose(x, axes), lambda x: np.transpose(x, axes), x)
    turned = tuple(shape[k] for k in axes)
    check(lambda x: ops.reshape(x, turned), lambda x: x.reshape(turned), x)
    flat = (-1,) if 0 in shape else (shape[0], -1, 1)
    check(lambda x: ops.reshape(x, flat), lambda x: x.reshape(flat), x)
    check(lambda x: ops.flip(x, axes[0]), lambda x: np.flip(x, axes[0]), x)


@st.composite
def contractions(draw: Any) -> tuple[str, list[tuple[int, ...]]]:
    """An equation of einsum of two tensors, and their shapes."""
    sizes = dict(zip("abcd", draw(st.tuples(*[st.sampled_from((0, 1, 2, 3))] * 4)), strict=True))
    letters = st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True)
    first, second = draw(letters), draw(letters)
    both = sorted({*first, *second})
    kept = draw(st.permutations(both))[: draw(st.integers(0, len(both)))]
    equation = f"{''.join(first)},{''.join(second)}->{''.join(kept)}"
    return equation, [tuple(sizes[k] for k in term) for term in (first, second)]


@quick
@given(contractions())
def test_einsum(drawn: tuple[str, list[tuple[int, ...]]]) -> None:
    equation, shapes = drawn
    arrays = [draw_array(shape, "float32", seed) for seed, shape in enumerate(shapes)]
    check(lambda *t: ops.einsum(equation, *t), lambda *t: np.einsum(equation, *t), *arrays)


@quick
@given(broadcastable(), SIZES, SIZES, SIZES)
def test_matmul(batches: list[tuple[int, ...]], m: int, k: int, n: int) -> None:
    arrays = [
        draw_array((*batches[0], m, k), "float32"),
        draw_array((*batches[1], k, n), "float32", 1),
    ]
    check(ops.matmul, np.matmul, *arrays)
