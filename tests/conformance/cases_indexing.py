"""Cases of brackets, gathers, scatters and one-hot vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, f, i

x = f(3, 4, 5)
ALL = slice(None)
BACK = slice(None, None, -1)
ints = np.int32


def item(key: Any, name: str, **settings: Any) -> Case:
    return Case("get_item", (x, key), reference=lambda x, key: x[key], name=name, **settings)


def _scattered(how: Any) -> Any:
    def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> Any:
        result = np.array(inputs)
        places = tuple(np.moveaxis(indices, -1, 0))
        if how is None:
            result[places] = updates
        else:
            how.at(result, places, updates)
        return result

    return scatter_update


def _scatter(indices: Any, values: Any, shape: Any) -> Any:
    return _scattered(np.add)(np.zeros(shape), indices, values)


def _block(start: Any, sizes: Any, shape: Any) -> tuple:
    return tuple(
        slice(s, d if n == -1 else s + n) for s, n, d in zip(start, sizes, shape, strict=True)
    )


def _slice_update(inputs: Any, start: Any, updates: Any) -> Any:
    result = np.array(inputs)
    result[_block(start, updates.shape, inputs.shape)] = updates
    return result


def _one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Any:
    hot = np.arange(num_classes) == np.expand_dims(x, -1)
    return np.moveaxis(hot.astype(dtype or "float32"), -1, axis)


def _multi_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Any:
    return _one_hot(x, num_classes, axis, dtype).max(1 if x.ndim > 1 else 0)


def _take_along(x: Any, indices: Any, axis: Any = None) -> Any:
    return np.take_along_axis(x, indices, axis)


rows = ints([[0], [2], [0]])
places = ints([[0, 1], [2, 3], [-1, 0]])

CASES = [
    item(1, "int", batch=False),
    item(-1, "negative", batch=False),
    item((ALL, 2), "second"),
    item((ALL, slice(1, 3)), "slice"),
    item((ALL, slice(-2, None), slice(None, None, 2)), "steps"),
    item((ALL, BACK), "reversed"),
    item((ALL, slice(3, 0, -2), BACK), "backwards"),
    item((ALL, slice(2, 2)), "empty", grad=False),
    item((..., 0), "ellipsis"),
    item((ALL, None, ..., None), "new_axes"),
    item(None, "new_axis"),
    item((0, ..., BACK), "mixed", batch=False),
    item(ints([0, 2, 0]), "array", batch=False),
    item((ALL, ints([1, 1, 3])), "second_array"),
    item((ALL, ints([[0, 1], [-1, 2]])), "matrix"),
    item((ALL, ints([1, 3]), ints([0, -1])), "two_arrays"),
    item((ints([0, 1]), ALL, ints([0, 4])), "apart", batch=False),
    item((0, ALL, ints([1, 3])), "int_and_array", batch=False),
    item((ALL, BACK, ints([1, 3])), "reversed_and_array"),
    item((ALL, None, ints([1, 3])), "new_axis_and_array"),
    item((ALL, [1, 3]), "list"),
    item((ALL, np.bool_([True, False, True, True])), "mask", symbolic=False, compiled=False),
    item(x > 0.5, "whole_mask", symbolic=False, compiled=False),
    *(
        Case(
            "take",
            (x, index),
            {"axis": axis},
            batch=axis is not None and axis != 0,
            name=f"{index.shape}_{axis}",
        )
        for index in (ints([0, 2, 0, -1]), ints([[1, 0], [2, 2]]), ints(1))
        for axis in (None, 0, 1, -1)
    ),
    Case("take", (f(6, 3), i(4, 2, high=6)), {"axis": 0}, batch=False, name="rows"),
    *(
        Case(
            "take_along_axis",
            (x, i(*shape, high=3)),
            {"axis": axis},
            reference=_take_along,
            name=str(axis),
        )
        for axis, shape in ((0, (2, 4, 5)), (1, (3, 6, 5)), (-1, (3, 4, 1)))
    ),
    Case("take_along_axis", (x, ints([0, 59, -1])), reference=_take_along, batch=False),
    Case("scatter", (rows, f(3), (4,)), reference=_scatter, batch=False),
    Case("scatter", (rows, f(3, 2), (3, 2)), reference=_scatter, batch=False),
    Case("scatter", (places, f(3), (3, 4)), reference=_scatter, batch=False),
    *(
        Case(
            "scatter_update",
            (f(3, 4), index, updates, how),
            reference=_scattered(ufunc),
            batch=False,
            name=f"{how}_{index.shape[-1]}",
        )
        for index, updates in ((ints([[2], [0]]), f(2, 4, seed=3)), (places, f(3, seed=3)))
        for how, ufunc in (
            (None, None),
            ("add", np.add),
            ("mul", np.multiply),
            ("max", np.maximum),
            ("min", np.minimum),
        )
    ),
    Case(
        "scatter_update",
        (i(3), rows, i(3, seed=1), "add"),
        reference=_scattered(np.add),
        batch=False,
        name="repeated",
    ),
    *(
        Case(
            "slice",
            (x, start, shape),
            name=f"{start}_{shape}",
            batch=False,
            reference=lambda x, start, shape: x[_block(start, shape, x.shape)],
        )
        for start, shape in (((0, 1, 2), (2, 3, 1)), ((1, 0, 0), (-1, 2, -1)))
    ),
    Case("slice_update", (x, (1, 0, 2), f(2, 3, 2, seed=1)), reference=_slice_update, batch=False),
    Case("slice_update", (i(4), (1,), i(2, seed=1)), reference=_slice_update, batch=False),
    *(
        Case("one_hot", (ints([[0, 2], [-1, 7]]), 4), settings, reference=_one_hot)
        for settings in ({}, {"axis": 1}, {"axis": 0, "dtype": "int32"}, {"dtype": "bool"})
        if settings.get("axis") != 0
    ),
    Case("one_hot", (ints([0, 2, 1]), 3), {"axis": 0, "dtype": "int32"}, reference=_one_hot),
    *(
        Case("multi_hot", (index, 4), settings, reference=_multi_hot, batch=index.ndim > 1)
        for index in (ints([0, 2]), ints([[0, 2], [1, 1]]), i(2, 3, 2, high=4))
        for settings in ({}, {"dtype": "int32"}, {"dtype": "bool"})
    ),
]
