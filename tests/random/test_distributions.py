"""Distributions: exact against the words where they promise it, moments and fit elsewhere."""

import math

import numpy as np
import pytest

from multikeras import dtypes, ops, random
from multikeras.backends.threefry import threefry_words
from multikeras.symbolic import KerasTensor

SEED = 21
COUNT = 40001


def _host(x):
    return np.asarray(ops.convert_to_numpy(x))


def _uniforms(count, seed=SEED):
    return (threefry_words(seed, 0, count) >> 8).astype("float64") * 2.0**-24


def test_uniform_is_the_words():
    np.testing.assert_array_equal(_host(random.uniform((5, 7), seed=SEED)).ravel(), _uniforms(35))
    scaled = _host(random.uniform((35,), -2.0, 3.0, seed=SEED))
    np.testing.assert_allclose(scaled, 5.0 * _uniforms(35) - 2.0, atol=1e-6)
    bounds = np.array([0.0, 10.0], "float32"), np.array([5.0, 20.0], "float32")
    rows = _host(random.uniform((8, 2), *bounds, seed=SEED))
    assert (rows >= bounds[0]).all() and (rows <= bounds[1]).all()


@pytest.mark.parametrize("dtype", ("float16", "bfloat16"))
def test_uniform_stays_below_one_in_few_bits(dtype):
    values = _host(random.uniform((COUNT,), dtype=dtype, seed=SEED)).astype("float64")
    assert values.max() < 1.0
    assert np.abs(values - _uniforms(COUNT)).max() <= 2.0**-8


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    (
        (0, 10, "int32"),
        (-5, 6, "int8"),
        (-128, 128, "int8"),
        (0, 256, "uint8"),
        (-(2**31), 2**31, "int32"),
        (3, 4, "int16"),
    ),
)
def test_randint_is_the_words(low, high, dtype):
    values = _host(random.randint((7, 9), low, high, dtype, seed=SEED))
    assert values.dtype == dtype and values.shape == (7, 9)
    want = [low + (int(word) * (high - low) >> 32) for word in threefry_words(SEED, 0, 63)]
    assert values.ravel().tolist() == want


def test_randint_takes_bounds_that_are_tensors():
    low, high = np.array([0, 10], "int32"), np.array([5, 30], "int32")
    values = _host(random.randint((50, 2), low, high, seed=SEED))
    words = threefry_words(SEED, 0, 100).reshape(50, 2).astype("int64")
    np.testing.assert_array_equal(values, low + (words * (high - low) >> 32))


@pytest.mark.parametrize("rate", (0.1, 0.5, 2.0**-24, 1.0 - 2.0**-24))
def test_dropout_compares_integers(rate):
    x = np.arange(1, 1002, dtype="float32")
    got = _host(random.dropout(x, rate, seed=SEED))
    keep = (threefry_words(SEED, 0, 1001) >> 8) >= math.ceil(rate * 2**24)
    np.testing.assert_allclose(got, np.where(keep, x / (1.0 - rate), 0.0), rtol=1e-6)


def test_dropout_masks():
    x = np.ones((6, 4, 3), "float32")
    rows = _host(random.dropout(x, 0.5, noise_shape=(None, 1, 3), seed=SEED))
    assert (rows == rows[:, :1]).all() and 0 < (rows == 0).sum() < rows.size
    assert _host(random.dropout(x, 0.0, seed=SEED)).all()
    assert not _host(random.dropout(x, 1.0, seed=SEED)).any()
    assert _host(random.dropout(x.astype("float16"), 0.5, seed=SEED)).dtype == np.float16
    assert _host(random.dropout([1, 2], 0.5, seed=SEED)).dtype == np.float32


@pytest.mark.parametrize("axis", (0, 1, -1))
def test_shuffle_moves_whole_slices(axis):
    x = np.arange(60).reshape(3, 4, 5)
    order = np.argsort(threefry_words(SEED, 0, x.shape[axis]), kind="stable")
    np.testing.assert_array_equal(
        _host(random.shuffle(x, axis, seed=SEED)), np.take(x, order, axis)
    )


def _moments(values, mean, variance, kurtosis=3.0):
    values = values.astype("float64")
    count = values.size
    assert abs(values.mean() - mean) < 5 * math.sqrt(variance / count)
    assert abs(values.var() - variance) < 5 * variance * math.sqrt((kurtosis - 1) / count)


def test_normal():
    values = _host(random.normal((COUNT,), 2.0, 3.0, seed=SEED))
    _moments(values, 2.0, 9.0)
    u = _uniforms(2)
    radius = math.sqrt(-2 * math.log(1 - u[0]))
    pair = [radius * math.cos(2 * math.pi * u[1]), radius * math.sin(2 * math.pi * u[1])]
    np.testing.assert_allclose((values[:2] - 2.0) / 3.0, pair, atol=1e-5)
    means = np.array([0.0, 100.0], "float32")
    assert abs(_host(random.normal((200, 2), means, seed=SEED)).mean(0) - means).max() < 0.5


def test_truncated_normal():
    values = _host(random.truncated_normal((COUNT,), 1.0, 2.0, seed=SEED))
    _moments(values, 1.0, 4.0 * 0.7737413, 2.4)
    assert values.min() >= -3.0 and values.max() <= 5.0
    # Its distribution function takes it back to the uniform numbers it came from.
    z = (values.astype("float64") - 1.0) / 2.0
    cdf = np.array([0.5 * (1 + math.erf(x / math.sqrt(2))) for x in z[:2000]])
    np.testing.assert_allclose((cdf - 0.02275013) / 0.95449974, _uniforms(2000), atol=2e-6)


@pytest.mark.parametrize("alpha", (0.05, 0.7, 1.0, 3.5, 200.0))
def test_gamma(alpha):
    values = _host(random.gamma((COUNT,), alpha, seed=SEED))
    _moments(values, alpha, alpha, 3 + 6 / alpha)
    assert values.min() >= 0.0


def test_gamma_is_exponential_at_one():
    values = np.sort(_host(random.gamma((COUNT,), 1.0, seed=SEED)).astype("float64"))
    ranks = (np.arange(COUNT) + 0.5) / COUNT
    assert np.abs(1 - np.exp(-values) - ranks).max() < 1.95 / math.sqrt(COUNT)


def test_parameters_broadcast():
    alpha = np.array([0.5, 5.0, 50.0], "float32")
    means = _host(random.gamma((4000, 3), alpha, seed=SEED)).mean(0)
    np.testing.assert_allclose(means, alpha, rtol=0.1)
    counts = np.array([5.0, 50.0, 500.0], "float32")
    means = _host(random.binomial((4000, 3), counts, 0.25, seed=SEED)).mean(0)
    np.testing.assert_allclose(means, counts * 0.25, rtol=0.05)


@pytest.mark.parametrize(("a", "b"), ((0.5, 0.5), (2.0, 3.0), (0.02, 0.05), (100.0, 1.0)))
def test_beta(a, b):
    values = _host(random.beta((COUNT,), a, b, seed=SEED))
    variance = a * b / ((a + b) ** 2 * (a + b + 1))
    _moments(values, a / (a + b), variance, 20.0)
    assert values.min() >= 0.0 and values.max() <= 1.0


@pytest.mark.parametrize(
    ("count", "chance"), ((3, 0.4), (16, 0.5), (17, 0.9), (100, 0.01), (5000, 0.3), (10**6, 0.5))
)
def test_binomial(count, chance):
    values = _host(random.binomial((COUNT // 4,), count, chance, seed=SEED))
    _moments(values, count * chance, count * chance * (1 - chance), 6.0)
    assert (values == np.round(values)).all()
    assert values.min() >= 0 and values.max() <= count


def test_binomial_frequencies():
    values = _host(random.binomial((COUNT,), 20, 0.3, seed=SEED)).astype(int)
    expected = [math.comb(20, k) * 0.3**k * 0.7 ** (20 - k) * COUNT for k in range(21)]
    found = np.bincount(values, minlength=21)
    likely = [k for k in range(21) if expected[k] > 5]
    chi_square = sum((found[k] - expected[k]) ** 2 / expected[k] for k in likely)
    assert chi_square < len(likely) + 5 * math.sqrt(2 * len(likely))


def test_binomial_at_the_ends_and_with_tensors():
    assert not _host(random.binomial((5,), 100, 0.0, seed=SEED)).any()
    assert (_host(random.binomial((5,), 100, 1.0, seed=SEED)) == 100).all()
    known = _host(random.binomial((50,), 40, 0.3, seed=SEED))
    tensor = ops.convert_to_tensor(40.0)
    np.testing.assert_array_equal(_host(random.binomial((50,), tensor, 0.3, seed=SEED)), known)


def test_categorical():
    logits = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 1e-30, 0.5]], "float32"))
    logits[1, 1] = -np.inf
    draws = _host(random.categorical(logits, 20000, seed=SEED))
    assert draws.shape == (2, 20000) and draws.dtype == np.int32
    frequencies = np.stack([np.bincount(row, minlength=3) / 20000 for row in draws])
    assert np.abs(frequencies - np.exp(logits)).max() < 5 * 0.5 / math.sqrt(20000)
    assert frequencies[1, 1] == 0.0


def test_categorical_never_leaves_the_support():
    logits = np.where(np.arange(300) < 2, 0.0, -np.inf).astype("float32")[None]
    draws = _host(random.categorical(logits, 50000, seed=SEED))
    assert set(draws.ravel().tolist()) == {0, 1}


@pytest.mark.parametrize(
    ("call", "shape", "dtype"),
    (
        (lambda x: random.dropout(x, 0.5), (None, 3), "float32"),
        (lambda x: random.shuffle(x, 1), (None, 3), "float32"),
        (lambda x: random.categorical(x, 5, "int64"), (None, 5), "int64"),
    ),
)
def test_symbolic_inputs_give_symbolic_results(call, shape, dtype):
    result = call(KerasTensor((None, 3)))
    assert isinstance(result, KerasTensor)
    assert (result.shape, result.dtype) == (shape, dtype)


@pytest.mark.parametrize("name", ("uniform", "normal", "truncated_normal"))
@pytest.mark.parametrize("shape", ((), (0, 3), 4, (2, 1, 3), [5]))
@pytest.mark.parametrize("dtype", (None, "float16", "bfloat16", "float32"))
def test_shapes_and_dtypes(name, shape, dtype):
    values = getattr(random, name)(shape, dtype=dtype, seed=SEED)
    assert tuple(values.shape) == ((4,) if shape == 4 else tuple(shape))
    assert dtypes.standardize_dtype(values.dtype) == (dtype or "float32")


@pytest.mark.parametrize(
    ("call", "message"),
    (
        (lambda: random.uniform((2,), dtype="int32"), "random.uniform: `dtype` must be a float"),
        (lambda: random.normal((None, 2)), "`shape` must hold integers"),
        (lambda: random.normal((-1, 2)), "must not hold negative"),
        (lambda: random.randint((2,), 0, 5, dtype="float32"), "must be an integer dtype"),
        (lambda: random.randint((2,), 5, 5), "between 1 and 2"),
        (lambda: random.randint((2,), 0, 300, dtype="uint8"), "doesn't fit the dtype 'uint8'"),
        (lambda: random.dropout(np.ones(3), 1.5), "`rate` must be in"),
        (lambda: random.dropout(np.ones((3, 2)), 0.5, (3,)), "must have 2 axes"),
        (lambda: random.dropout(np.ones((3, 2)), 0.5, (3, 4)), "doesn't broadcast"),
        (lambda: random.categorical(np.ones(3), 2), r"\(batch, classes\)"),
        (lambda: random.gamma((2,), -1.0), "`alpha` must be positive"),
        (lambda: random.beta((2,), 1.0, 0.0), "`beta` must be positive"),
        (lambda: random.binomial((2,), -1, 0.5), "`counts` must be in"),
        (lambda: random.binomial((2,), 1, 1.5), "`probabilities` must be in"),
    ),
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
