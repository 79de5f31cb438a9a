"""Cases of choosing and counting by values."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, b, f, i

repeated = np.int32([3, 1, 2, 3, 1, 7])
table = np.float32([[1, 2, 0], [3, 4, 0], [1, 2, 0], [0, 5, 0], [1, 1, 0]])
ALL = {"return_index": True, "return_inverse": True, "return_counts": True}


def _unique(x: Any, size: Any = None, fill_value: Any = 0, axis: Any = None, **asked: Any) -> Any:
    """By going through the elements one after the other."""
    rows = x.ravel() if axis is None else np.moveaxis(x, axis, 0)
    keys = [tuple(np.ravel(row).tolist()) for row in rows]
    found = sorted(set(keys))
    index = [keys.index(key) for key in found]
    counts = [keys.count(key) for key in found]
    inverse = np.array([found.index(key) for key in keys], dtype=int)
    count = len(found) if size is None else size
    missing = max(count - len(found), 0)
    values = rows[index][:count]
    filling = np.full((missing, *values.shape[1:]), fill_value, values.dtype)
    values = np.concatenate([values, filling])
    index = (index + [index[0] if index else 0] * missing)[:count]
    counts = (counts + [0] * missing)[:count]
    every = {
        "return_index": np.array(index, dtype=int),
        "return_inverse": inverse.reshape(x.shape) if axis is None else inverse,
        "return_counts": np.array(counts, dtype=int),
    }
    values = values if axis is None else np.moveaxis(values, 0, axis)
    return (values, *(every[name] for name in every if asked.get(name)))


def _select(conditions: Any, choices: Any, default: Any = 0) -> Any:
    result = np.asarray(default)
    for condition, choice in list(zip(conditions, choices, strict=True))[::-1]:
        result = np.where(condition, choice, result)
    return result


def _isin(x: Any, pool: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    return (
        np.array([v in pool.ravel().tolist() for v in x.ravel().tolist()]).reshape(x.shape) ^ invert
    )


def _histogram(x: Any, bins: int = 10, range: Any = None) -> Any:
    counts, edges = np.histogram(x, bins, range)
    return counts.astype(float), edges.astype(float)


def _sized(*pairs: Any) -> Any:
    return [
        Case(
            "unique",
            (x,),
            settings,
            reference=_unique,
            grad=x is not table,
            batch=False,
            name=f"{x.dtype}_{number}",
        )
        for number, (x, settings) in enumerate(pairs)
    ]


CASES = [
    *(
        Case("allclose", (x, y), settings, batch=False, name=name)
        for name, x, y, settings in (
            ("same", f(2, 3), f(2, 3), {}),
            ("other", f(2, 3), f(2, 3, seed=1), {}),
            ("broadcast", f(2, 3), f(3), {"atol": 10.0}),
            ("nan", np.float32([np.nan]), np.float32([np.nan]), {"equal_nan": True}),
            ("integers", i(3), i(3), {}),
        )
    ),
    Case("select", ([b(2, 3), b(2, 3, seed=1)], [f(2, 3), f(2, 3, seed=1)]), reference=_select),
    Case("select", ([b(2, 3)], [f(2, 3)], 42), reference=_select, name="default"),
    Case("select", ([b(3, 1), b(3, 2)], [f(2), i(3, 2)], 0.5), reference=_select, batch=False),
    Case("select", ([b(4), b(4, seed=2)], [i(4), i(4, seed=1)], -1), reference=_select),
    *(
        Case("isin", (x, pool), settings, reference=_isin, batch=False, grad=False)
        for x, pool in (
            (i(2, 3), np.int32([1, 2, 5])),
            (np.float32([[1, np.nan], [2.5, 0]]), np.float32([[np.nan, 2.5], [0, 7]])),
            (b(4), np.array([True])),
            (i(3), np.zeros(0, "int32")),
        )
        for settings in ({}, {"invert": True}, {"assume_unique": True})
    ),
    *(
        Case(
            "unique",
            (x,),
            settings,
            reference=_unique,
            grad=x is not table,  # it has equal rows, which small differences tear apart
            symbolic=False,
            compiled=False,
            name=name,
        )
        for name, x, settings in (
            ("plain", repeated, {}),
            ("all", repeated, ALL),
            ("counts", f(5), {"return_counts": True}),
            ("flat", i(3, 4, high=4), ALL),
            ("bool", b(5), ALL),
            ("rows", table, {"axis": 0, **ALL}),
            ("distinct_rows", f(4, 3), {"axis": 0}),
            ("columns", table, {"axis": -1, **ALL}),
            ("blocks", i(4, 2, 3, high=2), {"axis": 0, **ALL}),
            ("vector", repeated, {"axis": 0, **ALL}),
            ("empty", repeated[:0], ALL),
        )
    ),
    *_sized(
        (repeated, {"size": 6}),
        (repeated, {"size": 6, "fill_value": -1, **ALL}),
        (repeated, {"size": 2, **ALL}),
        (f(3, 2), {"size": 8, "fill_value": 9, **ALL}),
        (table, {"axis": 0, "size": 5, **ALL}),
        (table, {"axis": 1, "size": 4, "fill_value": 3, **ALL}),
        (f(2, 3), {"axis": 1, "size": 4, "fill_value": 3}),
        (repeated[:0], {"size": 3, **ALL}),
    ),
    *(
        Case(
            "histogram",
            (x,),
            settings,
            reference=_histogram,
            grad=name != "same",
            name=f"{name}_{number}",
        )
        for name, x in (("floats", f(20)), ("integers", i(3, 5)), ("same", np.ones(3, "float32")))
        for number, settings in enumerate(({}, {"bins": 3}, {"bins": 4, "range": (0.5, 1.5)}))
    ),
    Case("histogram", (f(0), 3), reference=_histogram, grad=False, batch=False, name="empty"),
    Case("histogram", (f(5), 2, (0, 0)), reference=_histogram, grad=False, name="point"),
]
