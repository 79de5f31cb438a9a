"""Cases of reshaping, joining, cutting, repeating and padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, b, f, i

x = f(2, 3, 4)


def _rearranged(tensor: Any, pattern: str, sizes: dict[str, int]) -> Any:
    if pattern == "b (h w) c -> b c h w":
        rows, places, channels = tensor.shape
        split = tensor.reshape(rows, sizes["h"], places // sizes["h"], channels)
        return split.transpose(0, 3, 1, 2)
    return tensor.transpose(0, 2, 1).reshape(tensor.shape[0], -1)


def _tuple(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


PADS: list[tuple[Any, dict[str, Any]]] = [
    (1, {}),
    (((1, 0), (0, 2), (2, 2)), {}),
    (((0, 0), (1, 2), (3, 1)), {"mode": "reflect"}),
    (((0, 0), (3, 2), (1, 1)), {"mode": "symmetric"}),
    (((0, 0), (2, 0), (5, 9)), {"mode": "edge"}),
    (((0, 0), (1, 4), (9, 1)), {"mode": "wrap"}),
]

CASES = [
    *(
        Case("reshape", (x, shape), reference=np.reshape, name=str(shape), batch=False)
        for shape in ((6, 4), (-1,), (3, -1, 2), 24, (2, 3, 2, 2))
    ),
    Case("reshape", (x, (-1, 12)), name="rows"),
    Case("reshape", (x, (None, 2, 6)), reference=lambda x, _: x.reshape(-1, 2, 6), name="None"),
    Case("reshape", (i(3, 4), (4, 3)), batch=False),
    Case("ravel", (x,)),
    Case("ravel", (f(),)),
    Case("transpose", (x,)),
    *(Case("transpose", (x, axes), name=str(axes)) for axes in ((0, 2, 1), (-1, 0, 1))),
    Case("swapaxes", (x, 1, -1)),
    Case("swapaxes", (x, 0, 2)),
    *(
        Case("moveaxis", (x, source, target), name=f"{source}_{target}")
        for source, target in ((0, -1), (2, 0), ((0, 1), (2, 0)), ([2], [1]))
    ),
    *(
        Case(
            "expand_dims",
            (x, axis),
            reference=lambda x, a: np.expand_dims(x, _tuple(a)),
            name=str(axis),
        )
        for axis in (0, 1, -1, (0, -1), (1, 2))
    ),
    *(Case("squeeze", (f(2, 1, 3, 1), axis), name=str(axis)) for axis in (None, 1, -1, (1, 3))),
    *(
        Case("concatenate", ([f(2, 3, 4), f(2, 3, 4, seed=1)], axis), name=str(axis))
        for axis in (0, 1, -1)
    ),
    Case("concatenate", ([f(2, 3), f(2, 1), f(2, 4)],), {"axis": 1}),
    Case("concatenate", ([f(2), i(2)],), name="promotes", batch=False),
    *(
        Case("stack", ([f(2, 3), f(2, 3, seed=1), f(2, 3, seed=2)], axis), name=str(axis))
        for axis in (0, 1, -1)
    ),
    *(
        Case(op, ([f(*shape), f(*shape, seed=1)],), batch=len(shape) > 1)
        for op in ("hstack", "vstack", "dstack")
        for shape in ((3,), (2, 3), (2, 3, 4))
    ),
    Case("append", (f(2, 3), f(2, 3, seed=1)), batch=False),
    Case("append", (f(2, 3), f(2, 3, seed=1)), {"axis": 1}),
    *(
        Case("split", (f(4, 6), cuts, axis), name=f"{cuts}_{axis}", batch=axis != 0)
        for cuts, axis in ((2, 0), (3, 1), ([1, 4], 1), ([2, 2], -1), ((1, 3), 0), ([4, 9], 1))
    ),
    Case("array_split", (f(3, 7), 3), {"axis": 1}),
    Case("array_split", (f(5, 2), 2), batch=False),
    Case("hsplit", (f(2, 4), 2)),
    Case("hsplit", (f(4), [1]), batch=False),
    Case("vsplit", (f(4, 2), 2), batch=False),
    Case("dsplit", (f(2, 3, 4), [1, 3])),
    *(
        Case(
            "unstack",
            (x,),
            {"axis": axis},
            batch=axis != 0,
            reference=lambda x, axis: list(np.moveaxis(x, axis, 0)),
        )
        for axis in (0, 1, -1)
    ),
    Case("unstack", (x, 2, 0), reference=lambda x, *_: list(x), batch=False, name="num"),
    *(Case("tile", (f(2, 3), n), name=str(n), batch=False) for n in (2, (2, 1), (2, 1, 3), (1, 4))),
    Case("tile", (x, (1, 2, 1)), name="unknown_batch"),
    *(
        Case("repeat", (f(2, 3), n), {"axis": axis}, batch=False, name=f"{n}_{axis}")
        for n, axis in ((2, None), (2, 0), (3, 1), (3, -1))
    ),
    Case("repeat", (f(2, 3), [2, 0, 1]), {"axis": 1}, name="each"),
    *(
        Case("broadcast_to", (f(*shape), target), batch=False, name=f"{shape}_{target}")
        for shape, target in (((3,), (2, 3)), ((2, 1), (2, 3)), ((), (2,)), ((1, 3, 1), (2, 3, 4)))
    ),
    *(
        Case(
            "pad",
            (f(2, 3, 4), width),
            settings,
            reference=np.pad,
            batch=bool(settings),
            name=f"{settings.get('mode', '')}{width}",
        )
        for width, settings in PADS
    ),
    Case("pad", (f(2, 3), ((0, 0), (1, 2))), {"constant_values": 7.0}),
    Case("pad", (i(2, 3), ((0, 0), (1, 2))), {"constant_values": 7}),
    Case("pad", (b(2, 3), ((0, 0), (1, 2)))),
    *(Case("flip", (x,), {"axis": axis}) for axis in (None, 0, -1, (0, 2))),
    Case("fliplr", (x,)),
    Case("flipud", (x,)),
    *(
        Case("roll", (x, shift), {"axis": axis}, name=f"{shift}_{axis}")
        for shift, axis in ((1, None), (-2, 1), (5, 0), ((1, 2), (0, 2)), (1, (0, 1)))
    ),
    *(
        Case("rot90", (x, k, axes), name=f"{k}_{axes}")
        for k, axes in ((1, (0, 1)), (2, (0, 1)), (3, (1, 2)), (0, (0, 1)), (5, (2, 0)))
    ),
    Case("_rearranged", (f(2, 6, 3), "b (h w) c -> b c h w", {"h": 2}), reference=_rearranged),
    Case("_rearranged", (f(2, 6, 3), "b n c -> b (c n)", {}), reference=_rearranged),
    Case(
        "_rearranged",
        (f(2, 6, 3), "b ... c -> b (c ...)", {}),
        reference=_rearranged,
        name="ellipsis",
    ),
]
