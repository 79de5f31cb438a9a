"""Random functions in compiled steps: the numbers of the eager call, and a state that moves on."""

import importlib

import numpy as np
import pytest

from multikeras import config, ops, random
from multikeras.backends import native
from multikeras.random import SeedGenerator
from multikeras.variables import StatelessScope

BATCH = np.arange(1.0, 41.0, dtype="float32").reshape(8, 5)


def _compiled(function):
    """`function(batch, state) -> (result, new state)` as the framework compiles it."""
    name = config.backend()
    if name == "numpy":
        return function
    framework = importlib.import_module(name)
    if name == "jax":
        return framework.jit(function)
    if name == "torch":
        framework.compiler.reset()
        return framework.compile(function, fullgraph=True, backend="eager")
    signature = [framework.TensorSpec((None, 5)), framework.TensorSpec((2,), framework.uint32)]
    return framework.function(function, input_signature=signature, autograph=False)


FUNCTIONS = {
    "dropout": lambda x, seed: random.dropout(x, 0.4, seed=seed),
    "noise shape": lambda x, seed: random.dropout(x, 0.4, (None, 1), seed=seed),
    "shuffle": lambda x, seed: random.shuffle(x, seed=seed),
    "categorical": lambda x, seed: random.categorical(x * 0.1, 7, seed=seed),
    "normal": lambda x, seed: x + random.normal(native.core.dynamic_shape(x), seed=seed),
    "uniform": lambda x, seed: x + random.uniform(native.core.dynamic_shape(x), seed=seed),
    "randint": lambda x, seed: random.randint(native.core.dynamic_shape(x), -3, 9, seed=seed),
    "gamma": lambda x, seed: random.gamma(native.core.dynamic_shape(x), x, seed=seed),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_compiled_draws_are_the_eager_ones(name):
    generator = SeedGenerator(9)

    def pure(batch, state):
        with StatelessScope([(generator.state, state)]) as scope:
            return *two_draws(batch), scope.get_current_value(generator.state)

    def in_place(batch, state):
        generator.state.assign(state)
        return *two_draws(batch), generator.state.value

    def two_draws(batch):
        return FUNCTIONS[name](batch, generator), FUNCTIONS[name](batch, generator)

    # PyTorch's steps are compiled with variables that are written in place.
    step = in_place if config.backend() == "torch" else pure
    batch = ops.convert_to_tensor(BATCH)
    start = native.core.convert_to_tensor(np.array([9, 4], np.uint32), "uint32")
    *want, last = (ops.convert_to_numpy(value) for value in step(batch, start))
    *got, state = (ops.convert_to_numpy(value) for value in _compiled(step)(batch, start))
    for eager, compiled in zip(want, got, strict=True):
        np.testing.assert_allclose(compiled, eager, rtol=2e-6, atol=1e-6)
    assert np.abs(want[0] - want[1]).max() > 0
    assert last.tolist() == state.tolist() == [9, 6]
    if step is pure:
        assert generator.state.numpy().tolist() == [9, 0]
