"""Seeds: generators, the global seed, default seeds, and what is refused."""

import random as python_random

import numpy as np
import pytest

from multikeras import ops, random, serialization
from multikeras.backends import native
from multikeras.random import SeedGenerator
from multikeras.random import seed_generator as seeds
from multikeras.variables import StatelessScope


def _uniform(seed=None):
    return ops.convert_to_numpy(random.uniform((4,), seed=seed)).tolist()


def test_state_counts_the_streams():
    generator = SeedGenerator(7, name="mine")
    assert generator.state.dtype == "uint32" and not generator.state.trainable
    assert generator.state.path == "mine/seed_generator_state"
    keys = [np.asarray(ops.convert_to_numpy(generator.next())).tolist() for _ in range(3)]
    assert keys == [[7, 0], [7, 1], [7, 2]]
    assert generator.state.numpy().tolist() == [7, 3]


def test_draws_differ_and_repeat():
    one, two = SeedGenerator(7), SeedGenerator(7)
    draws = [_uniform(one) for _ in range(3)]
    assert draws == [_uniform(two) for _ in range(3)]
    assert len({tuple(draw) for draw in draws}) == 3
    assert _uniform(7) == draws[0] == _uniform(7)


def test_the_second_draw_of_a_seed_is_not_the_first_of_the_next():
    generator = SeedGenerator(1)
    _uniform(generator)
    assert _uniform(generator) != _uniform(2)


def test_a_state_that_is_set_continues_the_run():
    generator = SeedGenerator(7)
    _uniform(generator)
    other = SeedGenerator(8)
    other.state.assign(generator.state.numpy())
    assert _uniform(other) == _uniform(generator)


def test_config_round_trip():
    generator = SeedGenerator(3, name="mine")
    assert generator.get_config() == {"seed": 3, "name": "mine"}
    entry = serialization.serialize_keras_object(generator)
    assert (entry["module"], entry["class_name"]) == ("keras.random", "SeedGenerator")
    again = serialization.deserialize_keras_object(entry)
    assert again.get_config() == generator.get_config()
    assert _uniform(again) == _uniform(generator)
    assert SeedGenerator().get_config()["seed"] is None


@pytest.mark.parametrize("seed", (-1, 2**40))
def test_any_integer_is_a_seed(seed):
    assert _uniform(SeedGenerator(seed)) == _uniform(seed)


def test_the_global_seed_repeats_everything():
    runs = []
    for _ in range(2):
        seeds.set_random_seed(5)
        runs.append(
            (
                _uniform(),
                _uniform(),
                _uniform(SeedGenerator()),
                seeds.make_default_seed(),
                python_random.random(),
                float(np.random.rand()),
            )
        )
    assert runs[0] == runs[1]
    assert len({str(part) for part in runs[0]}) == len(runs[0])
    assert runs[0][0] != _uniform(5)


def test_default_seeds_are_distinct_words():
    seeds.set_random_seed(5)
    drawn = [seeds.make_default_seed() for _ in range(200)]
    assert len(set(drawn)) == 200 and all(0 <= seed < 2**32 for seed in drawn)


def test_a_stateless_scope_holds_the_new_state():
    generator = SeedGenerator(7)
    start = native.core.convert_to_tensor(np.array([7, 5], np.uint32), "uint32")
    with StatelessScope([(generator.state, start)]) as scope:
        _uniform(generator)
        state = scope.get_current_value(generator.state)
    assert ops.convert_to_numpy(state).tolist() == [7, 6]
    assert generator.state.numpy().tolist() == [7, 0]


@pytest.mark.parametrize(
    ("call", "message"),
    (
        (lambda: SeedGenerator("a"), "SeedGenerator: `seed` must be an integer or None, got 'a'"),
        (lambda: SeedGenerator(1.5), "`seed` must be an integer"),
        (lambda: SeedGenerator(True), "`seed` must be an integer"),
        (lambda: SeedGenerator(1, other=2), "unknown arguments"),
        (lambda: random.uniform((2,), seed="a"), "a SeedGenerator or None, got 'a' of type str"),
        (lambda: seeds.set_random_seed(-1), r"in \[0, 2\*\*32\), got -1"),
        (lambda: seeds.set_random_seed(2**32), "set_random_seed: expected"),
        (lambda: seeds.set_random_seed(None), "set_random_seed: expected"),
    ),
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
