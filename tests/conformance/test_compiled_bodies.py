"""Composed ops whose body may be compiled: calls that come again do as the first did."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from multikeras import config, ops
from multikeras.ops._declare import REGISTRY
from tests.conformance.gradients import gradients
from tests.conformance.op_cases import all_cases

X = np.random.default_rng(0).uniform(0, 1, (2, 6, 5, 3)).astype("float32")
LOGITS = np.random.default_rng(1).normal(size=(2, 4, 3)).astype("float32")


def test_settings_are_told_apart() -> None:
    x = ops.convert_to_tensor([3.0, 1.0, 2.0, 8.0])
    for _ in range(3):
        assert float(ops.quantile(x, 0.5)) == 2.5
        assert float(ops.quantile(x, 0.5, method="lower")) == 2.0
        assert ops.quantile(x, 0.5, keepdims=True).shape == (1,)
        assert ops.quantile(x, 0.5, keepdims=False).shape == ()


def test_lists_are_settings_and_may_change() -> None:
    size = [1, 1]
    x = ops.convert_to_tensor(X)
    for _ in range(3):
        np.testing.assert_allclose(ops.convert_to_numpy(ops.image.gaussian_blur(x, size)), X)
    size[:] = [3, 3]
    blurred = ops.convert_to_numpy(ops.image.gaussian_blur(x, size))
    assert np.abs(blurred - X).max() > 0.01
    longer = ops.convert_to_tensor(X[:1])
    assert ops.image.gaussian_blur(longer, [1, 1]).shape == (1, 6, 5, 3)


def test_many_settings() -> None:
    x = ops.convert_to_tensor(X)
    for sigma in (*np.linspace(0.5, 1.5, 20).tolist(), 0.5, 1.5, 1.5):
        y = ops.convert_to_numpy(ops.image.gaussian_blur(x, (1, 3), sigma))
        side = np.exp(-0.5 / sigma**2)
        middle = (X[:, :, 1] + side * (X[:, :, 0] + X[:, :, 2])) / (1 + 2 * side)
        np.testing.assert_allclose(y[:, :, 1], middle, rtol=1e-4)


def test_the_data_format_is_that_of_the_call() -> None:
    x = ops.convert_to_tensor(X)
    try:
        for _ in range(3):
            config.set_image_data_format("channels_last")
            assert ops.adaptive_average_pool(x, 2).shape == (2, 2, 2, 3)
            config.set_image_data_format("channels_first")
            assert ops.adaptive_average_pool(x, 2).shape == (2, 6, 2, 2)
    finally:
        config.set_image_data_format("channels_last")


def test_arguments_of_every_kind() -> None:
    for _ in range(3):
        assert float(ops.median([1.0, 5.0, 3.0])) == 3.0
        assert float(ops.ldexp(3.0, 2)) == 12.0
        parts = [ops.ones((1, 3, 5)), ops.zeros((1, 3, 5))]
        assert ops.istft(tuple(parts), 8, 4, 8).shape == ops.istft(parts, 8, 4, 8).shape
        # A tensor where a setting is expected.
        filled = ops.image.affine_transform(
            ops.ones((1, 3, 3, 1)),
            ops.convert_to_tensor([[1.0, 0, 9, 0, 1, 0, 0, 0]]),
            fill_value=ops.convert_to_tensor(7.0),
        )
        assert ops.convert_to_numpy(filled).max() == 7.0


def test_errors_stay_the_same() -> None:
    for _ in range(3):
        with pytest.raises(ValueError, match="ctc_loss"):
            ops.ctc_loss([[1]], LOGITS, [1, 1], [4, 4], mask_index=9)


def test_gradients_of_calls_that_come_again() -> None:
    def loss(xs: list) -> Any:
        lengths = [2, 1], [4, 3]
        return ops.sum(ops.ctc_loss([[1, 2], [2, 0]], xs[0], *lengths))

    first = gradients(loss, [LOGITS], compiled=False)[0]
    for compiled in (False, False, True):
        np.testing.assert_allclose(gradients(loss, [LOGITS], compiled)[0], first, rtol=1e-4)


NAMES = sorted(name for name, op in REGISTRY.items() if op.compiled)


@pytest.mark.parametrize("name", NAMES)
def test_three_calls_agree(name: str) -> None:
    case = next(case for case in all_cases() if case.op == name)
    tensors = [ops.convert_to_tensor(array) for array in case.arrays()]
    with np.errstate(all="ignore"):
        found = [_host(case.call(tensors)) for _ in range(3)]
    for again in found[1:]:
        for a, b in zip(found[0], again, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def _host(result: Any) -> list[np.ndarray]:
    parts = result if isinstance(result, (tuple, list)) else [result]
    return [ops.convert_to_numpy(part) for part in parts]
