"""`einsum` on NumPy multiplies its operands in the best order, forward and backward."""

import functools
import itertools
import math
import tracemalloc

import numpy as np
import pytest

from multikeras.backends.contractions import contraction_order, split_subscripts
from multikeras.backends.numpy import _gradients, products

CASES = {
    "chain": ("ab,bc,cd,de->ae", ((40, 2), (2, 30), (30, 3), (3, 50))),
    "vector_last": ("ab,bc,cd,d->a", ((20, 30), (30, 40), (40, 50), (50,))),
    "vectors": ("a,b,a,b->", ((60,), (70,), (60,), (70,))),
    "greedy_goes_wrong": ("ab,bc,cd,de,ef->af", ((30, 35), (35, 15), (15, 5), (5, 10), (10, 20))),
    "bilinear": ("zi,ijk,zj,zk->z", ((8, 5), (5, 6, 7), (8, 6), (8, 7))),
    "batch": ("zab,zbc,zcd,zd->za", ((3, 9, 4), (3, 4, 8), (1, 8, 5), (3, 5))),
    "diagonal": ("aab,bc,cd,d->a", ((6, 6, 4), (4, 9), (9, 3), (3,))),
    "six": ("ab,bc,cd,de,ef,f->a", ((5, 9), (9, 4), (4, 8), (8, 3), (3, 7), (7,))),
}


def arrays(shapes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape) for shape in shapes]


def cheapest(terms, result, sizes):
    """The fewest multiplications, by trying all orders of products of two."""

    @functools.cache
    def rest(held):
        if len(held) == 1:
            return 0
        costs = []
        for i in range(len(held)):
            for j in range(i + 1, len(held)):
                others = [t for k, t in enumerate(held) if k not in (i, j)]
                one, two = (set(held[k]) for k in (i, j))
                outside = set(result).union(*others)
                labels = (one & (two | outside)) | (two & (one | outside))
                made = "".join(sorted(labels & outside))
                cost = math.prod(sizes[c] for c in labels)
                costs.append(cost + rest(tuple(sorted([*others, made]))))
        return min(costs)

    return rest(tuple(sorted(terms)))


@pytest.mark.parametrize("name", CASES)
def test_products_are_made_in_the_order_of_least_work(name, monkeypatch):
    subscripts, shapes = CASES[name]
    terms, result = split_subscripts(subscripts, tuple(map(len, shapes)))
    sizes = {}
    for term, shape in zip(terms, shapes, strict=True):
        for label, size in zip(term, shape, strict=True):
            sizes[label] = max(size, sizes.get(label, 1))
    best = cheapest(terms, result, sizes)
    assert contraction_order(terms, result, shapes)[1] == best

    done = []
    plain = products._product

    def counted(x1, x2):
        y = plain(x1, x2)
        done.append(y.size * x1.shape[-1])
        return y

    monkeypatch.setattr(products, "_product", counted)
    operands = arrays(shapes)
    np.testing.assert_allclose(
        products.einsum_of(subscripts, operands), np.einsum(subscripts, *operands)
    )
    assert done and sum(done) <= best


@pytest.mark.parametrize("name", CASES)
def test_gradients_of_many_operands(name):
    subscripts, shapes = CASES[name]
    operands = arrays(shapes)
    moves = [np.sin(np.arange(x.size)).reshape(x.shape) for x in operands]
    weights = np.cos(np.arange(np.einsum(subscripts, *operands).size))
    weights = weights.reshape(np.einsum(subscripts, *operands).shape)

    def loss(values):
        return (products.einsum_of(subscripts, values) * weights).sum(), None

    _, _, gradients = _gradients.run(loss, operands)
    for i, (gradient, move) in enumerate(zip(gradients, moves, strict=True)):
        # Linear in each operand: the change along `move` is the answer with `move` in its place.
        moved = [move if j == i else x for j, x in enumerate(operands)]
        expected = (np.einsum(subscripts, *moved) * weights).sum()
        np.testing.assert_allclose((gradient * move).sum(), expected, rtol=1e-9)


def test_neither_the_answer_nor_a_gradient_makes_a_large_product():
    operands = [np.ones(n, "float32") for n in (2000, 3000, 2000, 3000)]
    tracemalloc.start()
    try:
        _gradients.run(lambda v: (products.einsum_of("i,j,i,j->", v), None), operands)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20  # the product of the first two alone is 24 MB


def test_integers_go_the_same_way():
    subscripts, shapes = CASES["greedy_goes_wrong"]
    operands = [np.arange(math.prod(s), dtype="int64").reshape(s) % 7 for s in shapes]
    answer = products.einsum_of(subscripts, operands)
    assert answer.dtype == np.int64
    assert np.array_equal(answer, np.linalg.multi_dot(operands))


def test_twelve_operands_are_still_quick_to_order():
    labels = "abcdefghijklm"
    subscripts = ",".join(map("".join, itertools.pairwise(labels))) + "->am"
    operands = [np.eye(3) * i for i in range(1, 13)]
    answer = products.einsum_of(subscripts, operands)
    np.testing.assert_allclose(answer, np.eye(3) * math.factorial(12))
