"""Every op of every table: value, symbolic result, gradient, compilation. No op lacks a case."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from multikeras import tree
from multikeras.backends import native
from multikeras.ops._declare import REGISTRY
from multikeras.symbolic import KerasTensor
from tests.conformance.gradients import (
    COMPILES,
    EAGER_IS_SLOW,
    compiled,
    float64,
    gradients,
    numeric_gradients,
    result_types,
)
from tests.conformance.op_cases import Case, all_cases, is_float, wide

core = native.core
CASES = all_cases()


def given(cases: Any) -> Any:
    cases = list(cases)
    return pytest.mark.parametrize("case", cases, ids=[str(case) for case in cases])


def tensors_of(case: Case) -> list[Any]:
    return [core.convert_to_tensor(a) for a in case.arrays()]


def results(outputs: Any) -> list[Any]:
    return [leaf for leaf in tree.flatten(outputs) if leaf is not None]


def check_close(actual: np.ndarray, expected: Any, tol: float, what: str) -> None:
    expected = np.asarray(expected)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, not {expected.shape}"
    if actual.dtype.kind in "biu":
        np.testing.assert_array_equal(actual, expected, err_msg=what)
        return
    if actual.dtype.kind != "c":
        actual = actual.astype(np.float64)
    np.testing.assert_allclose(actual, expected, rtol=tol, atol=tol, err_msg=what)


def eager_cases() -> list[Case]:
    """All cases; where eager calls are slow, what is not compiled, and one of each op."""
    checked = [case for case in CASES if case.reference is not False]
    if not EAGER_IS_SLOW:
        return checked
    first = {case.op: case for case in reversed(checked)}
    compiled = {id(case) for case in checked if case.compiled and case.arrays()}
    return [case for case in checked if case is first[case.op] or id(case) not in compiled]


@given(eager_cases())
def test_value(case: Case) -> None:
    with np.errstate(all="ignore"):
        actual = results(case.call(tensors_of(case)))
        expected = results(case.expected())
    assert len(actual) == len(expected)
    for number, (a, e) in enumerate(zip(actual, expected, strict=True)):
        check_close(core.convert_to_numpy(a), e, case.tol, f"output {number}")


def check_spec(case: Case, unknown: list[bool]) -> None:
    symbols = [
        KerasTensor((None, *a.shape[1:]) if open_ else a.shape, core.dtype_name(t))
        for a, t, open_ in zip(case.arrays(), tensors_of(case), unknown, strict=True)
    ]
    declared = results(case.call(symbols))
    with np.errstate(all="ignore"):
        real = result_types(lambda *values: results(case.call(list(values))), tensors_of(case))
    assert len(declared) == len(real)
    for spec, (shape, dtype) in zip(declared, real, strict=True):
        # JAX has 64 bits only where they are switched on: the name is what it makes of it.
        assert dtype == core.dtype_name(core.convert_to_tensor(np.zeros(()), spec.dtype))
        assert len(spec.shape) == len(shape), f"{spec.shape} is not {shape}"
        fits = [s == r or (s is None and any(unknown)) for s, r in zip(spec.shape, shape)]
        assert all(fits), f"{spec.shape} is not {shape}"


@given(case for case in CASES if case.symbolic and case.arrays())
def test_symbolic_result_is_the_real_one(case: Case) -> None:
    check_spec(case, [False] * len(case.arrays()))


@given(case for case in CASES if case.symbolic and any(case.shares_batch()))
def test_symbolic_result_with_unknown_batch(case: Case) -> None:
    check_spec(case, case.shares_batch())


def weights_of(shape: tuple[int, ...], number: int) -> np.ndarray:
    return np.random.default_rng((7, number)).uniform(0.5, 1.5, shape)


@given(case for case in CASES if case.grad and any(map(is_float, case.arrays())))
def test_gradient(case: Case) -> None:
    arrays = [wide(a) for a in case.arrays()]
    floats = [k for k, a in enumerate(arrays) if is_float(a)]

    def placed(values: list[Any], convert: Any) -> list[Any]:
        every = [convert(a) for a in arrays]
        for k, value in zip(floats, values, strict=True):
            every[k] = value
        return every

    def is_real(x: Any) -> bool:
        return "float" in core.dtype_name(x)

    weights: dict[int, np.ndarray] = {}  # of each output that is differentiated

    def loss(tensors: list[Any]) -> Any:
        out = results(case.call(placed(tensors, core.convert_to_tensor)))
        total = core.convert_to_tensor(0.0, "float64")
        for k, value in enumerate(out):
            if is_real(value):
                weights[k] = weights_of(tuple(core.shape(value)), k)
                product = value * core.convert_to_tensor(weights[k], core.dtype_name(value))
                total = total + core.cast(REGISTRY["sum"].public(product), "float64")
        return total

    def reference(values: list[np.ndarray]) -> float:
        if callable(case.reference) or case.reference is None:
            out = results(case.expected(placed(values, np.asarray)))
            return float(sum(np.sum(np.asarray(out[k]) * w) for k, w in weights.items()))
        return float(core.convert_to_numpy(loss([core.convert_to_tensor(v) for v in values])))

    with float64(), np.errstate(all="ignore"):
        values = [arrays[k] for k in floats]
        actual = gradients(loss, values, compiled=case.compiled)
        expected = numeric_gradients(reference, values)
    for number, (a, e) in enumerate(zip(actual, expected, strict=True)):
        check_close(np.asarray(a), e, case.grad_tol, f"gradient of tensor {number}")


if COMPILES:  # NumPy and PyTorch run eagerly by design

    @given(c for c in CASES if c.compiled and c.arrays() and c.reference is not False)
    def test_compiled_value(case: Case) -> None:
        tensors = tensors_of(case)

        def flat(*values: Any) -> list[Any]:
            return results(case.call(list(values)))

        actual = compiled(flat, tensors, case.shares_batch())(*tensors)
        with np.errstate(all="ignore"):
            expected = results(case.expected())
        assert [core.dtype_name(a) for a in actual] == [t for _, t in result_types(flat, tensors)]
        for number, (a, e) in enumerate(zip(actual, expected, strict=True)):
            check_close(core.convert_to_numpy(a), e, case.tol, f"output {number}")


def test_every_op_has_a_case() -> None:
    missing = sorted(set(REGISTRY) - {case.op for case in CASES})
    assert not missing, f"ops without a case in tests/conformance/cases_*.py: {missing}"
