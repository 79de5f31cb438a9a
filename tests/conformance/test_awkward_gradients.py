"""Gradients where they are awkward: at ties, at zeros, on borders, without elements.

Where a function has no derivative the frameworks disagree; here every backend gives the value of
the table. A branch that is not taken gives no NaN if its own slope is finite; slopes that are
infinite stay so (sqrt at 0), and a norm or deviation of 0, a root of 0 times 0, has none (NaN).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from multikeras import ops
from tests.conformance.gradients import BACKEND, gradients

INF, NAN = np.inf, np.nan
# Where a framework's own kernel has another slope and ours would cost every call: at a tie of
# `maximum` all goes to the first, and bounds of `clip` count as inside; the slope of x ** 0 at 0
# is 0 times infinity; JAX divides products of scattered values by each. Strict: the values must be
# these.
OTHERS = {
    ("maximum_ties", "tensorflow"): [[1, 0], [0, 1]],
    ("minimum_ties", "tensorflow"): [[1, 1], [0, 0]],
    ("maximum_number", "tensorflow"): [[1, 1]],
    ("clip_borders", "tensorflow"): [[1, 1, 1, 0]],
    ("clip_borders", "torch"): [[1, 1, 1, 0]],
    ("power_0", "tensorflow"): [[NAN, 0]],
    ("power_0", "jax"): [[NAN, 0]],
    ("segment_prod_zeros", "jax"): [[NAN, 0, NAN, NAN, 0, 1]],
}
Row = tuple[str, Callable[..., Any], list[Any], list[Any]]


def _square_of_slice(x: Any) -> Any:
    return ops.square(ops.get_item(x, slice(None, None, -2)))


def _weighted_turn(x: Any) -> Any:
    turned = ops.get_item(x, (slice(None, None, -1), slice(None, None, -1)))
    return ops.multiply(turned, np.array([[1, 2], [3, 4]], "float32"))


# (name, function, its arguments, gradients of the sum of its result)
ROWS: list[Row] = [
    ("where_nan_value_untaken", lambda x: ops.where(x > 0, x, NAN * ops.ones_like(x)), [[1, 2]],
     [[1, 1]]),
    ("where_guarded_log", lambda x: ops.where(x > 0, ops.log(ops.where(x > 0, x, 1.0)), 0.0),
     [[0, 2]], [[0, 0.5]]),
    ("where_constant_nan", lambda x: ops.where(ops.isnan(x), 0.0, x * x), [[NAN, 2]], [[NAN, 4]]),
    ("divide_no_nan", ops.divide_no_nan, [[1, 2], [0, 4]], [[0, 0.25], [0, -0.125]]),
    ("sqrt_0", ops.sqrt, [[0, 4]], [[INF, 0.25]]),
    ("norm_0", ops.norm, [[0, 0]], [[NAN, NAN]]),
    ("norm_rows_0", lambda x: ops.norm(x, axis=-1), [[[0, 0], [3, 4]]], [[[NAN, NAN], [0.6, 0.8]]]),
    ("norm_1_at_0", lambda x: ops.norm(x, ord=1), [[0, -2]], [[0, -1]]),
    ("norm_inf_tie", lambda x: ops.norm(x, ord=np.inf), [[2, -2, 1]], [[0.5, -0.5, 0]]),
    ("normalize_0", lambda x: ops.normalize(x, axis=-1), [[[0.0, 0.0]]], [[[1e7, 1e7]]]),
    ("std_of_constants", ops.std, [[2, 2, 2]], [[NAN, NAN, NAN]]),
    ("var_of_constants", ops.var, [[2, 2, 2]], [[0, 0, 0]]),
    ("std_of_rows", lambda x: ops.std(x, axis=-1), [[[2, 2], [1, 3]]], [[[NAN, NAN], [-0.5, 0.5]]]),
    ("abs_0", ops.abs, [[0, -2]], [[0, -1]]),
    ("sign_0", ops.sign, [[0, -2]], [[0, 0]]),
    ("relu_0", ops.relu, [[0, -1, 1]], [[0, 0, 1]]),
    ("relu6_borders", ops.relu6, [[0, 3, 6]], [[0, 1, 0]]),
    ("leaky_relu_0", lambda x: ops.leaky_relu(x, 0.25), [[0, -1, 1]], [[0.25, 0.25, 1]]),
    ("max_ties", ops.max, [[2, 2, 1]], [[0.5, 0.5, 0]]),
    ("min_ties", ops.min, [[2, 1, 1, 1]], [[0, 1 / 3, 1 / 3, 1 / 3]]),
    ("max_ties_rows", lambda x: ops.max(x, axis=1), [[[1, 1], [0, 2]]], [[[0.5, 0.5], [0, 1]]]),
    ("amax_ties", ops.amax, [[2, 2, 1]], [[0.5, 0.5, 0]]),
    ("maximum_ties", ops.maximum, [[1, 2], [1, 3]], [[0.5, 0], [0.5, 1]]),
    ("minimum_ties", ops.minimum, [[1, 2], [1, 3]], [[0.5, 1], [0.5, 0]]),
    ("maximum_number", lambda x: ops.maximum(x, 0.0), [[0, 1]], [[0.5, 1]]),
    ("clip_borders", lambda x: ops.clip(x, 0.0, 1.0), [[0, 0.5, 1, 2]], [[0.5, 1, 0.5, 0]]),
    ("median_ties", ops.median, [[1, 2, 2, 5]], [[0, 1, 0, 0]]),
    ("sort_ties", lambda x: ops.sort(x)[:1], [[2, 1, 1]], [[0, 1, 0]]),
    ("top_k_ties", lambda x: ops.top_k(x, 1)[0], [[1, 3, 3]], [[0, 1, 0]]),
    ("take_repeated", lambda x: ops.take(x, [1, 1, 0, 1], axis=0), [[5, 6, 7]], [[1, 3, 0]]),
    ("take_negative", lambda x: ops.take(x, [-1, 2, 0], axis=0), [[5, 6, 7]], [[1, 0, 2]]),
    ("take_along_axis_repeated", lambda x: ops.take_along_axis(x, np.array([1, 1, 1]), 0),
     [[5, 6, 7]], [[0, 3, 0]]),
    ("scatter_repeated", lambda v: ops.square(ops.scatter(np.array([[1], [1]]), v, (3,))),
     [[2, 3]], [[10, 10]]),
    ("scatter_update", lambda x, v: ops.scatter_update(x, np.array([[1]]), v), [[5, 6], [7]],
     [[1, 0], [1]]),
    ("segment_sum_empty", lambda x: ops.square(ops.segment_sum(x, np.array([0, 0, 2]), 4)),
     [[1, 2, 3]], [[6, 6, 6]]),
    ("segment_max_ties", lambda x: ops.segment_max(x, np.array([0, 0, 1]), 2), [[2, 2, 3]],
     [[0.5, 0.5, 1]]),
    ("segment_prod_zeros", lambda x: ops.segment_prod(x, np.array([0, 0, 1, 1, 1, 2]), 3),
     [[0, 5, 0, 0, 2, 3]], [[5, 0, 0, 0, 0, 1]]),
    ("negative_step", _square_of_slice, [[1, 2, 3]], [[2, 0, 6]]),
    ("negative_steps", _weighted_turn, [[[0, 0], [0, 0]]], [[[4, 3], [2, 1]]]),
    ("repeated_item", lambda x: ops.square(ops.get_item(x, np.array([0, 0, 1]))), [[1, 2]],
     [[4, 4]]),
    ("prod_one_zero", ops.prod, [[2, 0, 3]], [[0, 6, 0]]),
    ("prod_two_zeros", ops.prod, [[0, 0, 3]], [[0, 0, 0]]),
    ("prod_rows", lambda x: ops.prod(x, axis=1), [[[2, 0], [3, 4]]], [[[0, 2], [4, 3]]]),
    ("cumprod_zero", ops.cumprod, [[2, 0, 3]], [[1, 8, 0]]),
    ("cumprod_zeros", ops.cumprod, [[0, 0, 3]], [[1, 0, 0]]),
    ("arccos_borders", ops.arccos, [[-1, 0, 1]], [[-INF, -1, -INF]]),
    ("arcsin_borders", ops.arcsin, [[-1, 0, 1]], [[INF, 1, INF]]),
    ("arctanh_border", ops.arctanh, [[1, 0]], [[INF, 1]]),
    ("arccosh_border", ops.arccosh, [[1]], [[INF]]),
    ("log_0", ops.log, [[0, 2]], [[INF, 0.5]]),
    ("log1p_-1", ops.log1p, [[-1, 1]], [[INF, 0.5]]),
    ("power_of_0", lambda x: ops.power(x, 2.0), [[0, 3]], [[0, 6]]),
    ("power_0", lambda x: ops.power(x, 0.0), [[0, 3]], [[0, 0]]),
    ("exponent_of_0", lambda y: ops.power(np.float32(0), y), [[1, 2]], [[0, 0]]),
    ("logsumexp_-inf", ops.logsumexp, [[-INF, 0]], [[0, 1]]),
    ("softmax_masked", lambda x: ops.softmax(x)[1:], [[-INF, 0, 0]], [[0, 0, 0]]),
    ("logaddexp_far", ops.logaddexp, [[-1000], [1000]], [[0], [1]]),
    ("softplus_far", ops.softplus, [[-1000, 0, 1000]], [[0, 0.5, 1]]),
    ("sigmoid_far", ops.sigmoid, [[-1000, 0, 1000]], [[0, 0.25, 0]]),
    ("tanh_far", ops.tanh, [[-1000, 0, 1000]], [[0, 1, 0]]),
    ("arctan2_0", ops.arctan2, [[0, 1], [1, 0]], [[1, 0], [0, -1]]),
    ("hypot_0", ops.hypot, [[0, 3], [0, 4]], [[0, 0.6], [0, 0.8]]),
    ("sinc_0", ops.sinc, [[0]], [[0]]),
    ("sum_of_none", ops.sum, [np.zeros((0, 3))], [np.zeros((0, 3))]),
    ("prod_of_none", ops.prod, [np.zeros((0,))], [np.zeros((0,))]),
    ("matmul_of_none", ops.matmul, [np.zeros((2, 0)), np.zeros((0, 3))],
     [np.zeros((2, 0)), np.zeros((0, 3))]),
    ("concatenate_with_none", lambda x, y: ops.concatenate([x, y]), [np.zeros((0,)), [1, 2]],
     [np.zeros((0,)), [1, 1]]),
    ("take_none", lambda x: ops.take(x, np.zeros((0,), "int32"), axis=0), [[1, 2]], [[0, 0]]),
    ("unused", lambda x, y: x * 1.0, [[1], [2]], [[1], [0]]),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_gradient(row: Row) -> None:
    name, function, arguments, expected = row
    expected = OTHERS.get((name, BACKEND), expected)
    arrays = [np.array(a, "float32") for a in arguments]
    with np.errstate(all="ignore"):
        found = gradients(lambda tensors: ops.sum(function(*tensors)), arrays)
    for number, (actual, wanted) in enumerate(zip(found, expected, strict=True)):
        np.testing.assert_allclose(
            np.asarray(actual), wanted, rtol=1e-5, atol=1e-6, err_msg=f"argument {number}"
        )
