"""Cases of products of vectors, matrices and tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.op_cases import Case, b, f, i

MATMULS = [
    ((2, 3), (3, 4)),
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((2, 3), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((2, 5, 2, 3), (5, 3, 4)),
]
EINSUMS: list[tuple[str, list[tuple[int, ...]]]] = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij, jk", [(2, 3), (3, 4)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]),
    ("bhqd,bhkd->bhqk", [(2, 2, 3, 4), (2, 2, 5, 4)]),
    ("abc,cde->abde", [(2, 3, 4), (4, 2, 3)]),
    ("...ij,...jk->...ik", [(2, 3, 4), (4, 5)]),
    ("...ij,jk->...ik", [(2, 2, 3, 4), (4, 5)]),
    ("...x,xy->...y", [(2, 3, 4), (4, 5)]),
    ("ij->ji", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("ij->i", [(2, 3)]),
    ("i,j->ij", [(2,), (3,)]),
    ("i,i->i", [(3,), (3,)]),
    ("i,i", [(3,), (3,)]),
    ("ij,kl", [(2, 3), (4, 5)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
    ("abc,cd,be->ade", [(2, 3, 4), (4, 5), (3, 6)]),
    ("bi,bj,b->ij", [(2, 3), (2, 4), (2,)]),
]


def _einsum(subscripts: str, operands: list[Any]) -> Any:
    return np.einsum(subscripts, *operands)


CASES = [
    *(
        Case("matmul", (f(*a), f(*c, seed=1)), batch=a[0] != c[0] and len(a) > 1)
        for a, c in MATMULS
    ),
    Case("matmul", (i(2, 3), i(3, 4)), batch=False),
    Case("matmul", (b(2, 3), b(3, 4)), batch=False),
    Case(
        "matmul",
        (i(2, 3, dtype="int8"), i(3, 4, dtype="int8")),
        batch=False,
        name="int8",
        reference=lambda x, y: np.matmul(x.astype("int32"), y),
    ),
    Case("matmul", (f(2, 3), i(3, 4)), batch=False, name="promotes"),
    *(
        Case("dot", (f(*a), f(*c, seed=1)), batch=False)
        for a, c in (*MATMULS[:5], ((5, 2, 3), (5, 3, 4)), ((), (2, 3)), ((2, 3), ()))
    ),
    *(
        Case("inner", (f(*a), f(*c, seed=1)), batch=False)
        for a, c in (((3,), (3,)), ((2, 3), (4, 3)), ((2, 3), (3,)), ((), (2,)))
    ),
    Case("vdot", (f(2, 3), f(2, 3, seed=1)), batch=False),
    *(
        Case(op, (f(*a), f(*c, seed=1)), reference=ref, batch=False)
        for op, ref in (("outer", np.outer), ("outer_product", np.multiply.outer))
        for a, c in (((2,), (3,)), ((2, 3), (4,)))
    ),
    *(
        Case(
            "tensordot",
            (f(2, 3, 3), f(3, 3, 2, seed=1)),
            {"axes": axes},
            batch=False,
            name=str(axes).replace(" ", ""),
        )
        for axes in (0, 1, 2, ((1, 2), (0, 1)), ([2], [1]), (-1, 0))
    ),
    *(
        Case(
            "einsum_of",
            (equation, [f(*s, seed=k) for k, s in enumerate(shapes)]),
            reference=_einsum,
            name=equation.replace(" ", "_"),
            batch=equation.startswith("b"),
        )
        for equation, shapes in EINSUMS
    ),
    Case(
        "einsum_of",
        ("ij,jk->ik", [i(2, 3), i(3, 2)]),
        reference=_einsum,
        name="integers",
        batch=False,
    ),
]
