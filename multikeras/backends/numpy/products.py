"""Products of tensors through BLAS: an `einsum` becomes transposes and `matmul`s, two by two."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import autograd.numpy as anp
import numpy as np
from autograd.extend import Box

from multikeras.backends.contractions import (
    contracted_axes,
    contraction_order,
    split_subscripts,
)
from multikeras.backends.numpy import core

# Up to so many operands the order of the products is the best one, beyond it a greedy one.
_EXACT = 8
_WIDE = frozenset({np.dtype("float32"), np.dtype("float64")})


def _traced(*xs: Any) -> bool:
    return any(isinstance(x, Box) for x in xs)


def _is_half(dtype: np.dtype) -> bool:
    return dtype.itemsize == 2 and dtype in core.FLOATS


def matmul(x1: Any, x2: Any) -> Any:
    dtype = x1.dtype
    if _is_half(dtype):
        # NumPy has no quick loop for 16-bit floats, and sums in them lose digits.
        x1, x2 = core.cast(x1, "float32"), core.cast(x2, "float32")
        return core.cast(_product(x1, x2), dtype.name)
    return _product(x1, x2)


def _product(x1: Any, x2: Any) -> Any:
    return anp.matmul(x1, x2) if _traced(x1, x2) else np.matmul(x1, x2)


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    dtype = x1.dtype
    pair = contracted_axes(axes, x1.ndim, x2.ndim)
    if _is_half(dtype):
        x1, x2 = core.cast(x1, "float32"), core.cast(x2, "float32")
    return core.cast(_tensordot(x1, x2, *pair), dtype.name)


def _tensordot(x1: Any, x2: Any, one: tuple[int, ...], two: tuple[int, ...]) -> Any:
    if not _traced(x1, x2):
        return np.tensordot(x1, x2, (one, two))
    rest1 = [i for i in range(x1.ndim) if i not in one]
    rest2 = [i for i in range(x2.ndim) if i not in two]
    depth = int(np.prod([x1.shape[i] for i in one], dtype=np.int64))
    shape = tuple(x1.shape[i] for i in rest1) + tuple(x2.shape[i] for i in rest2)
    rows = anp.transpose(x1, rest1 + list(one)).reshape((-1, depth) if x1.size else (0, depth))
    columns = anp.transpose(x2, list(two) + rest2).reshape((depth, -1) if x2.size else (depth, 0))
    return anp.matmul(rows, columns).reshape(shape)


@functools.lru_cache(maxsize=1024)
def _path(
    terms: tuple[str, ...], result: str, shapes: tuple[tuple[int, ...], ...]
) -> tuple[tuple[int, ...], ...]:
    """Which operands to contract, step by step; each result goes to the end of the list."""
    if len(shapes) < 3:
        return (tuple(range(len(shapes))),)
    if len(shapes) <= _EXACT:
        return contraction_order(terms, result, shapes)[0]
    stand_ins = [np.broadcast_to(np.float32(0), shape) for shape in shapes]
    subscripts = ",".join(terms) + "->" + result
    return tuple(np.einsum_path(subscripts, *stand_ins, optimize="greedy")[0][1:])


@functools.lru_cache(maxsize=1024)
def _plan(first: str, second: str, keep: str) -> tuple[str, str, str, str]:
    """Labels of a product of two: batch, summed, of the first alone, of the second alone."""
    both = [c for c in first if c in second]
    return (
        "".join(c for c in both if c in keep),
        "".join(c for c in both if c not in keep),
        "".join(c for c in first if c not in second),
        "".join(c for c in second if c not in first),
    )


def _reduced(x: Any, term: str, keep: str) -> tuple[Any, str]:
    """Repeated labels become diagonals; labels that nobody else has are summed over."""
    while len(set(term)) < len(term):
        label = next(c for c in term if term.count(c) > 1)
        a, b = term.index(label), term.rindex(label)
        diagonal = np.arange(x.shape[a])
        order = [i for i in range(x.ndim) if i not in (a, b)]
        x = anp.transpose(x, [a, b, *order])[diagonal, diagonal]
        term = label + "".join(term[i] for i in order)
    lone = tuple(i for i, c in enumerate(term) if c not in keep)
    if lone:
        x = anp.sum(x, axis=lone)
        term = "".join(c for c in term if c in keep)
    return x, term


def _ordered(x: Any, term: str, order: str) -> Any:
    return x if term == order else anp.transpose(x, [term.index(c) for c in order])


def _pair(x1: Any, first: str, x2: Any, second: str, keep: str) -> tuple[Any, str]:
    x1, first = _reduced(x1, first, keep + second)
    x2, second = _reduced(x2, second, keep + first)
    for label in [c for c in first if c in second and c not in keep]:
        # A dimension of 1 against a longer one broadcasts: the longer is summed by itself.
        size1, size2 = x1.shape[first.index(label)], x2.shape[second.index(label)]
        if size1 != size2:
            x1, first = _reduced(x1, first, first.replace(label, ""))
            x2, second = _reduced(x2, second, second.replace(label, ""))
    batch, summed, only1, only2 = _plan(first, second, keep)
    x1 = _ordered(x1, first, batch + only1 + summed)
    x2 = _ordered(x2, second, batch + summed + only2)
    lead, n1 = len(batch), len(only1)
    batch1, batch2 = x1.shape[:lead], x2.shape[:lead]
    rest1, rest2 = x1.shape[lead : lead + n1], x2.shape[lead + len(summed) :]
    shape = np.broadcast_shapes(batch1, batch2) + rest1 + rest2
    term = batch + only1 + only2
    if not summed:
        x1 = x1.reshape(batch1 + rest1 + (1,) * len(rest2))
        return x1 * x2.reshape(batch2 + (1,) * len(rest1) + rest2), term
    depth = int(np.prod(x1.shape[lead + n1 :]))
    x1 = x1.reshape((*batch1, int(np.prod(rest1)), depth))
    x2 = x2.reshape((*batch2, depth, int(np.prod(rest2))))
    return _product(x1, x2).reshape(shape), term


class _Two(NamedTuple):
    """A product of two as one matrix product: orders (None: as it is) and shapes on the way."""

    order1: tuple[int, ...] | None
    shape1: tuple[int, ...]
    order2: tuple[int, ...] | None
    shape2: tuple[int, ...]
    shape: tuple[int, ...]
    order: tuple[int, ...] | None


def _places(term: str, wanted: str) -> tuple[int, ...] | None:
    return None if term == wanted else tuple(term.index(c) for c in wanted)


@functools.lru_cache(maxsize=1024)
def _two(subscripts: str, shape1: tuple[int, ...], shape2: tuple[int, ...]) -> _Two | None:
    """The plan without diagonals, labels summed in one operand alone, and broadcasting."""
    (first, second), result = split_subscripts(subscripts, (len(shape1), len(shape2)))
    sizes = dict(zip(first, shape1, strict=True))
    if any(sizes.setdefault(c, n) != n for c, n in zip(second, shape2, strict=True)):
        return None
    batch, summed, only1, only2 = _plan(first, second, result)
    repeats = len(set(first)) < len(first) or len(set(second)) < len(second)
    if repeats or not summed or any(c not in result for c in only1 + only2):
        return None

    def size(labels: str) -> int:
        return math.prod(sizes[c] for c in labels)

    lead = tuple(sizes[c] for c in batch)
    made = batch + only1 + only2
    return _Two(
        _places(first, batch + only1 + summed),
        (*lead, size(only1), size(summed)),
        _places(second, batch + summed + only2),
        (*lead, size(summed), size(only2)),
        tuple(sizes[c] for c in made),
        _places(made, result),
    )


def _by_plan(plan: _Two, x1: Any, x2: Any) -> Any:
    if plan.order1 is not None:
        x1 = anp.transpose(x1, plan.order1) if isinstance(x1, Box) else x1.transpose(plan.order1)
    if plan.order2 is not None:
        x2 = anp.transpose(x2, plan.order2) if isinstance(x2, Box) else x2.transpose(plan.order2)
    y = _product(
        x1 if x1.shape == plan.shape1 else x1.reshape(plan.shape1),
        x2 if x2.shape == plan.shape2 else x2.reshape(plan.shape2),
    )
    y = y if y.shape == plan.shape else y.reshape(plan.shape)
    if plan.order is None:
        return y
    return anp.transpose(y, plan.order) if isinstance(y, Box) else y.transpose(plan.order)


def einsum_of(subscripts: str, operands: Any) -> Any:
    operands = list(operands)
    dtype = operands[0].dtype
    if len(operands) == 2 and dtype in _WIDE:
        plan = _two(subscripts, operands[0].shape, operands[1].shape)
        if plan is not None:
            return _by_plan(plan, *operands)
    ranks = tuple(x.ndim for x in operands)
    terms, result = split_subscripts(subscripts, ranks)
    path = _path(terms, result, tuple(x.shape for x in operands))
    if dtype.kind in "biu":
        order: Any = False if len(operands) < 3 else ["einsum_path", *path]
        return np.asarray(np.einsum(",".join(terms) + "->" + result, *operands, optimize=order))
    if _is_half(dtype):
        operands = [core.cast(x, "float32") for x in operands]
    named = list(zip(operands, terms, strict=True))
    for step in path:
        chosen = [named[i] for i in step]
        named = [item for i, item in enumerate(named) if i not in step]
        keep = result + "".join(term for _, term in named)
        x, term = chosen[0]
        for other, label in chosen[1:]:
            later = "".join(t for _, t in chosen if t is not label)
            x, term = _pair(x, term, other, label, keep if len(chosen) == 2 else keep + later)
        named.append((x, term))
    x, term = _reduced(*named[0], result)
    return core.cast(_ordered(x, term, result), dtype.name)
