"""Every optimizer: steps against the published rule in NumPy, with all settings that optimizers
share; fused = composed, compiled = eager, state and config.

An optimizer without a case in tests/optimizers/rules.py fails `test_every_optimizer_has_a_case`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from multikeras import ops, optimizers
from multikeras.backends import native
from multikeras.variables import Variable
from tests.optimizers.rules import CASES, GRADS, STEPS, WEIGHTS, RuleCase, train

TOLERANCE = {"rtol": 2e-5, "atol": 2e-6}
each_case = pytest.mark.parametrize("case", CASES, ids=str)
# What all optimizers share is tested with one that has slots and one that has none.
SGD, ADAM = CASES[0], CASES[3]
PLAIN = pytest.mark.parametrize("case", [SGD, ADAM], ids=str)


def _variables() -> list[Variable]:
    return [Variable(w.astype("float32"), name=f"w{i}") for i, w in enumerate(WEIGHTS)]


def _tensors(grads: list[Any]) -> list[Any]:
    return [None if g is None else ops.convert_to_tensor(g, "float32") for g in grads]


def _make(case: RuleCase, **more: Any) -> optimizers.Optimizer:
    settings = {"learning_rate": case.rate, **case.settings, **more}
    if case.name == "AdamW":
        settings = {"weight_decay": 0.004, **settings}
    return getattr(optimizers, case.name)(**settings)


def _decay(case: RuleCase) -> float | None:
    return 0.004 if case.name == "AdamW" else None


def _run(optimizer: Any, grads: Any = GRADS, variables: Any = None) -> list[Any]:
    variables = _variables() if variables is None else variables
    for step in grads:
        optimizer.apply(_tensors(step), variables)
    return [np.array(v.numpy()) for v in variables]


def _close(got: list[Any], expected: list[Any], **tolerance: float) -> None:
    for a, b in zip(got, expected, strict=True):
        assert a.shape == np.shape(b)
        np.testing.assert_allclose(a, b, **(TOLERANCE | tolerance))


def test_every_optimizer_has_a_case() -> None:
    # The loss scale moves nothing itself; its tests are below.
    names = {case.name for case in CASES} | {"LossScaleOptimizer"}
    assert names == {cls.__name__ for cls in optimizers.CLASSES}


@each_case
def test_steps_of_the_rule(case: RuleCase) -> None:
    _close(_run(_make(case)), train(case, decay=_decay(case)))


@each_case
def test_weight_decay(case: RuleCase) -> None:
    _close(_run(_make(case, weight_decay=0.3)), train(case, decay=0.3))


@each_case
def test_compiled_step(case: RuleCase) -> None:
    optimizer, variables = _make(case), _variables()
    optimizer.build(variables)
    step = native.engine.compile_step(
        lambda *grads: optimizer.apply(list(grads)),
        [*variables, *optimizer.variables],
        jit=native.engine.jits_by_default,
        training=True,
    )
    for grads in GRADS:
        step(*_tensors(grads))
    _close([v.numpy() for v in variables], train(case, decay=_decay(case)))
    assert int(optimizer.iterations.numpy()) == STEPS


@each_case
def test_stateless_apply(case: RuleCase) -> None:
    optimizer, variables = _make(case), _variables()
    optimizer.build(variables)
    values, state = ([v.value for v in vs] for vs in (variables, optimizer.variables))
    for grads in GRADS:
        values, state = optimizer.stateless_apply(state, _tensors(grads), values)
    got = [ops.convert_to_numpy(value) for value in values]
    _close(got, train(case, decay=_decay(case)))
    _close([v.numpy() for v in variables], WEIGHTS, rtol=1e-6)
    assert int(optimizer.iterations.numpy()) == 0


@each_case
def test_config_makes_the_same_optimizer(case: RuleCase) -> None:
    optimizer = _make(case, clipnorm=1.5, use_ema=True, ema_momentum=0.5, name="mine")
    serialized = json.loads(json.dumps(optimizers.serialize(optimizer)))
    for again in (
        type(optimizer).from_config(optimizer.get_config()),
        optimizers.deserialize(serialized),
    ):
        assert type(again) is type(optimizer) and again.name == "mine"
        assert optimizers.serialize(again) == optimizers.serialize(optimizer)


@each_case
def test_state_goes_on_elsewhere(case: RuleCase) -> None:
    first, variables = _make(case), _variables()
    _run(first, GRADS[:3], variables)
    second, others = _make(case), [Variable(v.numpy(), name=v.name) for v in variables]
    second.build(others)
    second.set_weights(first.get_weights())
    _close(_run(second, GRADS[3:], others), _run(first, GRADS[3:], variables), rtol=1e-6)


# What all share ------------------------------------------------------------------------------


def _norm(arrays: Any) -> Any:
    return np.sqrt(sum((a**2).sum() for a in arrays))


def _clipnorm(grads: Any) -> Any:
    return [g * min(1, 0.8 / _norm([g])) for g in grads]


def _global_clipnorm(grads: Any) -> Any:
    return [g * min(1, 0.8 / _norm(grads)) for g in grads]


def _clipvalue(grads: Any) -> Any:
    return [np.clip(g, -0.8, 0.8) for g in grads]


@pytest.mark.parametrize(
    ("setting", "change"),
    [("clipnorm", _clipnorm), ("global_clipnorm", _global_clipnorm), ("clipvalue", _clipvalue)],
)
@PLAIN
def test_clipping(case: RuleCase, setting: str, change: Callable) -> None:
    _close(_run(_make(case, **{setting: 0.8})), train(case, change=change))


@pytest.mark.parametrize("setting", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_small_gradients_are_not_clipped(setting: str) -> None:
    _close(_run(_make(SGD, **{setting: 100.0})), train(SGD))


@PLAIN
def test_a_global_norm_that_is_not_finite_shows(case: RuleCase) -> None:
    bad = [np.full_like(g, np.inf) if i == 1 else g for i, g in enumerate(GRADS[0])]
    assert all(np.isnan(w).all() for w in _run(_make(case, global_clipnorm=1.0), [bad]))


@PLAIN
def test_schedule_as_learning_rate(case: RuleCase) -> None:
    schedule = optimizers.schedules.InverseTimeDecay(0.1, decay_steps=2, decay_rate=1.0)
    got = _run(_make(case, learning_rate=schedule))
    _close(got, train(case, rate=lambda i: 0.1 / (1 + i / 2)))


def test_callable_and_variable_as_learning_rate() -> None:
    rate = Variable(0.2, trainable=False)
    for given in (rate, lambda: rate.value):
        _close(_run(_make(SGD, learning_rate=given)), train(SGD, rate=lambda i: 0.2))


@PLAIN
def test_learning_rate_changed_by_hand(case: RuleCase) -> None:
    optimizer, variables = _make(case), _variables()
    _run(optimizer, GRADS[:2], variables)
    optimizer.learning_rate = 0.3
    assert float(optimizer.learning_rate.numpy()) == np.float32(0.3)
    got = _run(optimizer, GRADS[2:], variables)
    _close(got, train(case, rate=lambda i: case.rate if i < 2 else 0.3))


@PLAIN
def test_loss_scale_factor(case: RuleCase) -> None:
    optimizer = _make(case, loss_scale_factor=8.0)
    assert float(optimizer.scale_loss(ops.convert_to_tensor(0.5))) == 4.0
    got = _run(optimizer, [[8.0 * g for g in step] for step in GRADS])
    _close(got, train(case))


@PLAIN
def test_gradient_accumulation(case: RuleCase) -> None:
    optimizer, variables = (
        _make(case, gradient_accumulation_steps=2, weight_decay=0.1),
        _variables(),
    )
    means = [[(a + b) / 2 for a, b in zip(GRADS[i], GRADS[i + 1])] for i in (0, 2)]
    _close(_run(optimizer, GRADS[:1], variables), WEIGHTS, rtol=1e-6)
    _close(_run(optimizer, GRADS[1:2], variables), train(case, means[:1], decay=0.1))
    got = _run(optimizer, GRADS[2:], variables)  # the fifth gradient waits
    _close(got, train(case, means, decay=0.1))
    assert int(ops.convert_to_numpy(optimizer.iterations)) == 2


def test_gradient_accumulation_compiled() -> None:
    optimizer, variables = _make(ADAM, gradient_accumulation_steps=2), _variables()
    optimizer.build(variables)
    step = native.engine.compile_step(
        lambda *grads: optimizer.apply(list(grads)),
        [*variables, *optimizer.variables],
        jit=native.engine.jits_by_default,
        training=True,
    )
    for grads in GRADS:
        step(*_tensors(grads))
    means = [[(a + b) / 2 for a, b in zip(GRADS[i], GRADS[i + 1])] for i in (0, 2)]
    _close([v.numpy() for v in variables], train(ADAM, means))


@pytest.mark.parametrize("every", [None, 2])
def test_moving_average_of_the_variables(every: int | None) -> None:
    optimizer = _make(SGD, use_ema=True, ema_momentum=0.6, ema_overwrite_frequency=every)
    variables = _variables()
    got = _run(optimizer, GRADS, variables)
    weights, averages = list(WEIGHTS), [None] * len(WEIGHTS)
    for i, grads in enumerate(GRADS):
        for k, g in enumerate(grads):
            weights[k] = w = weights[k] - SGD.rate * g
            averages[k] = w if i == 0 else 0.6 * averages[k] + 0.4 * w
            if every and (i + 1) % every == 0:
                weights[k] = averages[k]
    _close(got, weights)
    optimizer.finalize_variable_values(variables)
    _close([v.numpy() for v in variables], averages)


def test_no_weight_decay_where_excluded() -> None:
    variables = _variables()
    optimizer = _make(SGD, weight_decay=0.3)
    optimizer.exclude_from_weight_decay(var_list=variables[:1], var_names=["w2"])
    got = _run(optimizer, GRADS, variables)
    plain, decayed = train(SGD), train(SGD, decay=0.3)
    _close(got, [plain[0], decayed[1], plain[2]])


def test_constraints_hold_after_the_step() -> None:
    variable = Variable([1.0, -1.0])
    variable.constraint = lambda w: ops.maximum(w, 0.0)
    optimizers.SGD(0.5).apply([ops.convert_to_tensor([1.0, 1.0])], [variable])
    assert variable.numpy().tolist() == [0.5, 0.0]


def test_overwritten_with_the_gradient() -> None:
    variables = [Variable([1.0]), Variable([2.0])]
    variables[0].overwrite_with_gradient = True
    optimizers.Adam(0.5).apply(
        [ops.convert_to_tensor([7.0]), ops.convert_to_tensor([1.0])], variables
    )
    assert variables[0].numpy().tolist() == [7.0]
    np.testing.assert_allclose(variables[1].numpy(), [1.5], rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop"])
def test_16_bit_variables(name: str, dtype: str) -> None:
    variable = Variable([1.0, 2.0], dtype=dtype)
    optimizer = getattr(optimizers, name)(0.125)
    optimizer.apply([ops.convert_to_tensor([1.0, -1.0], "float32")], [variable])
    assert ops.dtype(variable.value) == dtype
    moved = np.asarray(ops.convert_to_numpy(ops.cast(variable.value, "float32"))) - [1.0, 2.0]
    assert moved[0] < 0 < moved[1]


# Gradients and variables that don't fit ------------------------------------------------------


@PLAIN
def test_missing_gradients_leave_variables_alone(case: RuleCase) -> None:
    variables = _variables()
    grads = [[a, None, c] for a, _, c in GRADS]
    with pytest.warns(UserWarning, match=r"no gradients for the variables \['w1'\]"):
        got = _run(_make(case), grads, variables)
    expected = train(case)
    _close(got, [expected[0], WEIGHTS[1], expected[2]])


def test_no_gradient_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="no gradient for any variable"):
        optimizers.SGD().apply([None, None], [Variable(1.0), Variable(1.0)])


def test_no_gradients_no_step() -> None:
    optimizer = optimizers.SGD()
    optimizer.apply([], [])
    assert int(optimizer.iterations.numpy()) == 0


def test_unknown_variable_is_one_clear_error() -> None:
    optimizer = optimizers.Adam(name="adam")
    optimizer.build(_variables())
    stranger = Variable(1.0, name="stranger")
    with pytest.raises(ValueError, match=r"adam: it was not built with the variable .*stranger"):
        optimizer.apply([ops.convert_to_tensor(1.0)], [stranger])


def test_unbuilt_without_variables() -> None:
    with pytest.raises(ValueError, match="sgd: `apply` without variables needs a built optimizer"):
        optimizers.SGD(name="sgd").apply([ops.convert_to_tensor(1.0)])


def test_numbers_must_match() -> None:
    with pytest.raises(ValueError, match="expected one gradient per variable; got 1 gradients"):
        optimizers.SGD().apply([ops.convert_to_tensor(1.0)], _variables())


def test_not_variables() -> None:
    with pytest.raises(ValueError, match="expected the trainable variables as multikeras"):
        optimizers.SGD().build([np.ones(2)])


@PLAIN
def test_apply_gradients_in_any_order(case: RuleCase) -> None:
    optimizer, variables = _make(case), _variables()
    optimizer.build(variables)
    for grads in GRADS:
        pairs = list(zip(_tensors(grads), variables))
        counter = optimizer.apply_gradients(pairs[::-1])
    assert int(counter.numpy()) == STEPS
    _close([v.numpy() for v in variables], train(case))


# The update of all variables at once, where a backend has one --------------------------------

FUSED = [case for case in CASES if native.engine.fused_update(_make(case)) is not None]
each_fused = pytest.mark.parametrize("case", FUSED, ids=str)
OPTIONS: list[dict[str, Any]] = [
    {},
    {"weight_decay": 0.3},
    {"global_clipnorm": 0.8},
    {"gradient_accumulation_steps": 2},
    {"use_ema": True, "ema_overwrite_frequency": 2},
    {"learning_rate": optimizers.schedules.InverseTimeDecay(0.1, 2, 1.0)},
]


def _fused(case: RuleCase, **options: Any) -> Any:
    optimizer = _make(case, **options)
    optimizer.fused = native.engine.fused_update(optimizer)
    return optimizer


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "plain")
@each_fused
def test_fused_is_composed(case: RuleCase, options: dict[str, Any]) -> None:
    one, many = _make(case, **options), _fused(case, **options)
    _close(_run(many), _run(one))
    for a, b in zip(many.variables, one.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), err_msg=a.path, **TOLERANCE)


@each_fused
def test_fused_with_some_variables_in_another_order(case: RuleCase) -> None:
    results = []
    for optimizer in (_make(case, weight_decay=0.3), _fused(case, weight_decay=0.3)):
        variables = _variables()
        optimizer.build(variables)
        for i, grads in enumerate(GRADS):
            chosen = ([2, 0], [2, 1, 0], [1])[i % 3]
            optimizer.apply(_tensors([grads[k] for k in chosen]), [variables[k] for k in chosen])
        results.append([v.numpy() for v in variables])
    _close(*results)


@each_fused
def test_fused_after_counter_and_rate_were_set(case: RuleCase) -> None:
    results = []
    for optimizer in (_make(case), _fused(case)):
        variables = _variables()
        _run(optimizer, GRADS[:2], variables)
        optimizer.iterations.assign(7)
        optimizer.learning_rate = 0.3
        results.append(_run(optimizer, GRADS[2:], variables))
    _close(*results)


@each_fused
def test_fused_leaves_saved_state_alone(case: RuleCase) -> None:
    optimizer, variables = _fused(case), _variables()
    _run(optimizer, GRADS[:2], variables)
    saved = optimizer.get_weights()
    before = [array.copy() for array in saved]
    optimizer.set_weights(saved)
    _run(optimizer, GRADS[2:], variables)
    for a, b in zip(saved, before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_subclass_has_its_own_rule() -> None:
    class Own(optimizers.SGD):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            variable.assign(variable.value + 1.0)

    assert native.engine.fused_update(Own()) is None


# The loss scale ------------------------------------------------------------------------------


def test_loss_scale_adapts_and_leaves_bad_steps_out() -> None:
    optimizer = optimizers.LossScaleOptimizer(
        _make(ADAM), initial_scale=8.0, dynamic_growth_steps=2
    )
    variables = _variables()
    optimizer.build(variables)
    step = native.engine.compile_step(
        lambda *grads: optimizer.apply(list(grads)),
        [*variables, *optimizer.variables],
        jit=native.engine.jits_by_default,
        training=True,
    )
    bad = [np.full_like(g, np.inf) for g in GRADS[0]]
    scales = [8.0, 8.0, 16.0, 8.0, 8.0, 16.0]
    good = iter(GRADS)
    for scale, finite in zip(scales, [True, True, False, True, True, True]):
        assert float(optimizer.scale_loss(ops.convert_to_tensor(1.0))) == scale
        step(*_tensors([scale * g for g in next(good)] if finite else bad))
    _close([v.numpy() for v in variables], train(ADAM))
    assert int(optimizer.iterations.numpy()) == STEPS


def test_loss_scale_shows_the_inner_optimizer() -> None:
    inner = optimizers.SGD(0.25, momentum=0.5)
    optimizer = optimizers.LossScaleOptimizer(inner, initial_scale=4.0)
    assert float(optimizer.learning_rate.numpy()) == 0.25
    optimizer.learning_rate = 0.5
    assert float(inner.learning_rate.numpy()) == 0.5
    optimizer.build(_variables())
    assert optimizer.variables[-len(inner.variables) :] == inner.variables
    again = optimizers.deserialize(json.loads(json.dumps(optimizers.serialize(optimizer))))
    assert optimizers.serialize(again) == optimizers.serialize(optimizer)
    assert isinstance(again.inner_optimizer, optimizers.SGD)
