"""Every layer of every table: values, shapes, dtypes, configs, files, masks, training.

Values are those of NumPy loops (layer_references.py); compiled runs give what eager runs give.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import multikeras as keras
from multikeras import ops, tree
from multikeras.backends import native
from multikeras.layers.call_context import call_scope
from multikeras.serialization import deserialize_keras_object, serialize_keras_object
from multikeras.symbolic import KerasTensor
from tests.conformance.frameworks import quick_compilation, result_dtypes
from tests.conformance.layer_cases import NO_CASE, LayerCase, all_cases, exported
from tests.conformance.op_cases import is_float

core, engine = native.core, native.engine
CASES = all_cases()


@pytest.fixture(scope="module", autouse=True)
def compile_quickly() -> Any:
    with quick_compilation():
        yield


def given(cases: Any) -> Any:
    cases = list(cases)
    return pytest.mark.parametrize("case", cases, ids=[str(case) for case in cases])


def tensor(array: np.ndarray) -> Any:
    return core.convert_to_tensor(array)


def host(outputs: Any) -> list[np.ndarray]:
    leaves = [leaf for leaf in tree.flatten(outputs) if leaf is not None]
    return [x if isinstance(x, np.ndarray) else core.convert_to_numpy(x) for x in leaves]


def built(case: LayerCase, **kwargs: Any) -> Any:
    """A layer with weights that are all different from each other, and none of them zero."""
    layer = case.make(**kwargs)
    case.run(layer, lambda a: KerasTensor(a.shape, a.dtype.name))
    rng = np.random.default_rng(5)
    for weight in layer.weights:
        low, high = (0.5, 1.5) if weight.name == "moving_variance" else (-0.9, 0.9)
        weight.assign(rng.uniform(low, high, weight.shape))
    return layer


def assert_same(actual: Any, expected: Any, tol: float, what: str) -> None:
    """Two structures of arrays or tensors agree leaf by leaf."""
    found, wanted = (host(x) for x in (actual, expected))
    assert len(found) == len(wanted), f"{what}: {len(found)} arrays, not {len(wanted)}"
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == b.shape, f"{what}: shape {a.shape}, not {b.shape}"
        a, b = (x.astype("float64") for x in (a, b))
        np.testing.assert_allclose(a, b, rtol=tol, atol=tol, err_msg=what)


def compile_call(call: Any, layer: Any, training: bool = False) -> Any:
    """The call as its framework runs it fastest."""
    jit = engine.jits_by_default
    return engine.compile_step(call, layer.variables, jit=jit, training=training)


def wide(array: np.ndarray) -> np.ndarray:
    return array.astype("float64") if is_float(array) else array


@given(case for case in CASES if case.reference)
def test_values(case: LayerCase) -> None:
    layer = built(case)
    weights = [w.numpy().astype("float64") for w in layer.weights]
    actual = tree.flatten(case.run(layer, tensor))
    expected = tree.flatten(case.run(lambda *a, **k: case.reference(weights, *a, **k), wide))
    assert len(actual) == len(expected)
    for number, (a, e) in enumerate(zip(actual, expected, strict=True)):
        a = core.convert_to_numpy(a)
        assert a.shape == e.shape
        np.testing.assert_allclose(a, e, rtol=case.tol, atol=case.tol, err_msg=f"output {number}")


@given(CASES)
def test_weights_are_as_stated(case: LayerCase) -> None:
    layer = case.make()
    case.run(layer, lambda a: KerasTensor(a.shape, a.dtype.name))
    counts = len(layer.trainable_weights), len(layer.non_trainable_weights)
    assert layer.built
    assert counts == case.weights
    assert len({w.path for w in layer.weights}) == len(layer.weights)
    assert all(w.path.startswith(f"{layer.name}/") for w in layer.weights)
    assert layer.count_params() == sum(w.numpy().size for w in layer.weights)
    layer.trainable = False
    assert not layer.trainable_weights


@given(CASES)
def test_symbolic_results_are_the_real_ones(case: LayerCase) -> None:
    layer = built(case)
    real = tree.flatten(case.run(layer, tensor))
    for unknown in (False, True) if case.batch else (False,):

        def symbol(a: np.ndarray, unknown: bool = unknown) -> KerasTensor:
            shape = (None, *a.shape[1:]) if unknown else a.shape
            return KerasTensor(shape, core.dtype_name(tensor(a)))

        for own in (case.make(), layer):  # the first is built by the symbolic call
            declared = tree.flatten(case.run(own, symbol))
            assert len(declared) == len(real)
            for spec, value in zip(declared, real, strict=True):
                shape = tuple(core.shape(value))
                assert spec.dtype == core.dtype_name(value)
                assert spec.shape == ((None, *shape[1:]) if unknown else shape)


@given(case for case in CASES if len(case.inputs) == 1 and not case.call)
def test_compute_output_shape(case: LayerCase) -> None:
    layer = case.make()
    shapes = tree.map_structure(lambda a: a.shape, case.inputs[0])
    real = tree.flatten(case.run(built(case), tensor))
    found = tree.flatten(
        tree.map_shape_structure(lambda s: KerasTensor(s), layer.compute_output_shape(shapes))
    )
    assert [t.shape for t in found] == [tuple(core.shape(value)) for value in real]


@given(case for case in CASES if case.files)
def test_config_makes_the_same_layer(case: LayerCase) -> None:
    layer = built(case)
    entry = json.loads(json.dumps(serialize_keras_object(layer)))
    again = deserialize_keras_object(entry)
    assert type(again) is type(layer)
    assert json.loads(json.dumps(serialize_keras_object(again)))["config"] == entry["config"]
    case.run(again, lambda a: KerasTensor(a.shape, a.dtype.name))
    assert [(w.name, w.shape) for w in again.weights] == [(w.name, w.shape) for w in layer.weights]
    again.set_weights(layer.get_weights())
    assert_same(case.run(again, tensor), case.run(layer, tensor), 0, "outputs")
    plain = type(layer).from_config(layer.get_config())
    assert plain.name == layer.name


@given(case for case in CASES if case.training != "given")
def test_training_flag(case: LayerCase) -> None:
    layer = built(case)
    still = host(case.run(layer, tensor, training=False))
    first, second = (host(case.run(layer, tensor, training=True)) for _ in range(2))
    same = all(np.array_equal(a, b) for a, b in zip(still, first, strict=True))
    repeated = all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    if case.training == "same":
        assert same and repeated
    else:
        assert not same
        assert repeated is (case.training == "differs" and not case.kwargs.get("stateful", False))


def loss_of(case: LayerCase, layer: Any, tensors: list[Any]) -> Any:
    """A scalar that depends on every element of every float output in its own way."""
    supply = iter(tensors)
    outputs = case.run(layer, lambda _: next(supply))
    total = 0.0
    for number, value in enumerate(tree.flatten(outputs)):
        rng = np.random.default_rng((3, number))
        scale = rng.uniform(0.5, 1.5, tuple(core.shape(value))).astype("float32")
        total = total + ops.sum(ops.multiply(value, scale))
    return total, outputs


@given(CASES)
def test_compiled_step_is_eager_and_its_gradients_lead_down(case: LayerCase) -> None:
    """One compiled function: the outputs are the eager ones, and following the gradients makes
    the loss fall."""
    layer = built(case)
    trained = layer.trainable_variables
    tensors = [tensor(a) for a in case.arrays()]
    eager = host(case.run(layer, tensor))
    if case.kwargs.get("stateful"):
        layer.reset_state()

    def step(*inputs: Any) -> Any:
        if not trained:
            return (*loss_of(case, layer, list(inputs)), [])
        take = engine.value_and_grad(
            lambda: loss_of(case, layer, list(inputs)), trained, has_aux=True
        )
        (loss, outputs), grads = take()
        return loss, outputs, grads

    compiled = compile_call(step, layer, training=True)
    loss, outputs, grads = compiled(*tensors)
    assert_same(outputs, eager, case.tol, "compiled outputs")
    if not trained:
        return
    grads = [np.asarray(core.convert_to_numpy(g), "float64") for g in grads]
    for weight, grad in zip(trained, grads, strict=True):
        assert grad.shape == weight.shape
        assert np.isfinite(grad).all(), weight.path
        if not weight.path.endswith(case.no_grad or "\0"):
            assert np.abs(grad).max() > 1e-6, f"{weight.path} gets no gradient"
    rate = 1e-3 / max(np.abs(g).max() for g in grads)
    for weight, grad in zip(trained, grads, strict=True):
        weight.assign(weight.numpy() - rate * grad)
    if case.kwargs.get("stateful"):
        layer.reset_state()
    after = compiled(*tensors)[0]
    fall = rate * sum((g**2).sum() for g in grads)
    change = float(core.convert_to_numpy(loss)) - float(core.convert_to_numpy(after))
    assert change == pytest.approx(fall, rel=0.1, abs=1e-5)


@given(CASES)
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(case: LayerCase, policy: str) -> None:
    """The outputs are in 16 bits, the weights in 32. Values are checked of float16, whose range is
    the narrow one."""
    exact = case.run(built(case), tensor)
    keras.config.set_dtype_policy(policy)
    layer = built(case)

    def call(*tensors: Any) -> Any:
        supply = iter(tensors)
        return case.run(layer, lambda _: next(supply))

    tensors = [tensor(a) for a in case.arrays()]
    compute = policy.removeprefix("mixed_")
    assert layer.compute_dtype == compute
    assert {w.dtype for w in layer.weights} <= {"float32"}
    if policy == "mixed_bfloat16":
        assert set(result_dtypes(call, tensors)) == {compute}
        return
    outputs = compile_call(call, layer)(*tensors)
    assert {core.dtype_name(t) for t in tree.flatten(outputs)} == {compute}
    assert_same(outputs, exact, 0.06, "outputs")


def masks_of(case: LayerCase) -> list[np.ndarray]:
    """For every input a mask (batch, second dimension)."""
    found = []
    for number, array in enumerate(tree.flatten(case.inputs)):
        shape = (*array.shape, 1)[:2]
        mask = np.random.default_rng((1, number)).integers(0, 2, shape).astype(bool)
        mask[:, 0] = True
        found.append(mask)
    return found


@given(case for case in CASES if case.mask is not None)
def test_masks(case: LayerCase) -> None:
    layer = built(case)
    masks = masks_of(case)
    arrays = tree.flatten(case.inputs)
    tensors = [layer._convert_leaf(tensor(a)) for a in arrays]
    supply = iter(tensors)
    args = tree.map_structure(lambda _: next(supply), case.inputs)
    call = tree.map_structure(lambda v: tensor(v) if isinstance(v, np.ndarray) else v, case.call)
    call.pop("mask", None)
    with call_scope() as context:
        for x, mask in zip(tensors, masks, strict=True):
            context.set_mask(x, tensor(mask))
        first = tree.flatten(layer(*args, **call))[0]
        found = (
            None
            if any(first is x for x in tensors) and case.mask == "lost"
            else (context.mask_of(first))
        )
    makes = type(layer)._makes_masks and callable(case.mask) and not layer.supports_masking
    assert layer.supports_masking is (case.mask != "lost") or makes
    if case.mask in ("lost", "ends"):
        assert found is None
        return
    if case.mask == "passes":
        expected = masks[0]
    elif case.mask.__code__.co_varnames[:1] == ("inputs",):
        expected = case.mask(arrays, masks)
    else:
        expected = case.mask(*masks)
    assert found is not None
    np.testing.assert_array_equal(core.convert_to_numpy(found), expected)


@given(case for case in CASES if case.files)
def test_a_model_of_one_layer_predicts_and_comes_back_from_a_file(
    case: LayerCase, tmp_path: Any
) -> None:
    layer = built(case)
    eager = host(case.run(layer, tensor))
    if case.kwargs.get("stateful"):
        layer.reset_state()
    inputs: list[Any] = []

    def leaf(a: np.ndarray) -> Any:
        shape = {"batch_shape": a.shape} if not case.batch else {"shape": a.shape[1:]}
        inputs.append(keras.Input(**shape, dtype=a.dtype.name))
        return inputs[-1]

    model = keras.Model(inputs, case.run(layer, leaf))
    path = tmp_path / "model.keras"
    model.save(path)
    again = keras.models.load_model(path)
    arrays = case.arrays()
    predicted = again.predict(arrays if len(arrays) > 1 else arrays[0], verbose=0)
    assert_same(predicted, eager, case.tol, "predictions")


def test_every_layer_has_a_case() -> None:
    classes = {case.cls for case in CASES}
    missing = sorted(n for n, c in exported().items() if c not in classes and n not in NO_CASE)
    assert not missing, f"layers without a case in tests/conformance/layers_*.py: {missing}"
