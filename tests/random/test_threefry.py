"""The portable generator: published answers, equal words on all backends, host distributions."""

import importlib
import statistics

import numpy as np
import pytest

from multikeras import config
from multikeras.backends import threefry
from multikeras.random import _threefry as host

SIZES = (0, 1, 2, 7, 16, 17, 1000, 65537)
SEED, STREAM = 0xDEADBEEF, 3

# From the kat_vectors of Random123: counter, key, output.
KNOWN_ANSWERS = (
    ((0x00000000, 0x00000000), (0x00000000, 0x00000000), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
)


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_known_answers(counter, key, answer):
    low, high = (np.array([word], np.uint32) for word in counter)
    first, second = threefry.threefry_2x32(key, low, high)
    assert (first[0], second[0]) == answer
    assert (low[0], high[0]) == counter


def test_words_are_interleaved():
    size = 2 * threefry._CHUNK + 2 * 5
    counters = np.arange(size // 2, dtype=np.uint32)
    first, second = threefry.threefry_2x32((SEED, STREAM), counters, np.zeros_like(counters))
    words = threefry.threefry_words(SEED, STREAM, size)
    assert words.dtype == np.uint32
    np.testing.assert_array_equal(words[0::2], first)
    np.testing.assert_array_equal(words[1::2], second)


@pytest.mark.parametrize("size", (2, 40))
def test_counters_above_32_bits_use_the_high_word(size):
    start = 2**33 - 4
    words = threefry.threefry_words(SEED, STREAM, size, start)
    positions = start // 2 + np.arange(size // 2, dtype=np.uint64)
    low, high = (positions & 0xFFFFFFFF).astype("uint32"), (positions >> 32).astype("uint32")
    first, second = threefry.threefry_2x32((SEED, STREAM), low, high)
    np.testing.assert_array_equal(words.reshape(-1, 2), np.stack([first, second], 1))


@pytest.mark.parametrize("size", SIZES)
def test_a_longer_draw_begins_with_the_shorter(size):
    longest = threefry.threefry_words(SEED, STREAM, 70000)
    np.testing.assert_array_equal(threefry.threefry_words(SEED, STREAM, size), longest[:size])
    middle = threefry.threefry_words(SEED, STREAM, size, 68)
    np.testing.assert_array_equal(middle, longest[68 : 68 + size])


def test_streams_and_seeds_do_not_meet():
    draws = {
        threefry.threefry_words(seed, stream, 4).tobytes()
        for seed in range(30)
        for stream in range(30)
    }
    assert len(draws) == 900


@pytest.mark.parametrize(
    ("arguments", "named"),
    (((-1, 0, 1), "seed"), ((0, 2**32, 1), "stream"), ((0, 0, -1), "size"), ((0.5, 0, 1), "seed")),
)
def test_bad_arguments_are_named(arguments, named):
    with pytest.raises(ValueError, match=f"`{named}` must"):
        threefry.threefry_words(*arguments)


def test_fold_seed_keeps_words_and_separates_others():
    for seed in (0, 1, 2**32 - 1):
        assert threefry.fold_seed(seed) == seed
    others = [-1, -2, 2**32, 2**32 + 1, 2**40, 2**64, -(2**64), 2**200]
    folded = {threefry.fold_seed(seed) for seed in others}
    assert len(folded) == len(others)
    assert all(0 <= word < 2**32 for word in folded)


# --- Backends ---------------------------------------------------------------------------------


def _numpy_case():
    module = importlib.import_module("multikeras.backends.numpy.random")
    return module, lambda pair: np.array(pair, np.uint32), lambda function: function


def _jax_case():
    jax = importlib.import_module("jax")
    module = importlib.import_module("multikeras.backends.jax.random")

    def compiled(function):
        return jax.jit(function, static_argnums=1)

    return module, lambda pair: jax.numpy.array(pair, "uint32"), compiled


def _torch_case(dtype):
    torch = importlib.import_module("torch")
    module = importlib.import_module("multikeras.backends.torch.random")

    def compiled(function):
        torch.compiler.reset()
        return torch.compile(function, fullgraph=True, backend="eager")

    def key(pair):
        return torch.tensor(pair, dtype=torch.int64).to(getattr(torch, dtype))

    return module, key, compiled


def _tensorflow_case(jit):
    tf = importlib.import_module("tensorflow")
    module = importlib.import_module("multikeras.backends.tensorflow.random")

    def compiled(function):
        return tf.function(function, jit_compile=jit)

    return module, lambda pair: tf.constant(pair, tf.uint32), compiled


BACKENDS = {
    "numpy": _numpy_case,
    "jax": _jax_case,
    "torch": lambda: _torch_case("int64"),
    "torch uint32": lambda: _torch_case("uint32"),
    "torch int32": lambda: _torch_case("int32"),  # as the two's complement of a word
    "tensorflow": lambda: _tensorflow_case(False),
    "tensorflow xla": lambda: _tensorflow_case(True),
}


def _params():
    """The backend in use; the others where all frameworks are at hand."""
    for name in BACKENDS:
        own = name.split()[0] == config.backend()
        yield pytest.param(name, marks=() if own else pytest.mark.all_backends)


@pytest.fixture(params=_params())
def backend(request):
    return BACKENDS[request.param]()


@pytest.mark.parametrize("size", SIZES)
def test_backends_make_the_same_words(backend, size):
    module, key, _ = backend
    want = threefry.threefry_words(SEED, STREAM, size)
    words = np.asarray(module.random_bits(key((SEED, STREAM)), size))
    np.testing.assert_array_equal(words, want)
    assert words.shape == (size,)


@pytest.mark.parametrize("size", (0, 7, 65537))
def test_compiled_words_are_the_same(backend, size):
    module, key, compiled = backend
    words = np.asarray(compiled(module.random_bits)(key((SEED, STREAM)), size))
    np.testing.assert_array_equal(words, threefry.threefry_words(SEED, STREAM, size))


def test_backends_make_the_same_floats(backend):
    module, key, compiled = backend
    want = (threefry.threefry_words(SEED, STREAM, 1001) >> 8).astype("float32") * 2.0**-24
    for function in (module.random_uniform_floats, compiled(module.random_uniform_floats)):
        floats = np.asarray(function(key((SEED, STREAM)), 1001))
        assert floats.dtype == np.float32
        assert 0.0 <= floats.min() and floats.max() < 1.0
        np.testing.assert_array_equal(floats, want)


@pytest.mark.parametrize("span", (1, 6, 2**16, 2**31 + 11, 2**32 - 1, 2**32))
def test_backends_make_the_same_integers(backend, span):
    module, key, compiled = backend
    words = threefry.threefry_words(SEED, STREAM, 1001).tolist()
    want = [word * span >> 32 for word in words]

    def draw(key, size):
        return module.random_integers(key, size, span)

    for function in (draw, compiled(draw)):
        got = np.asarray(function(key((SEED, STREAM)), 1001)).astype(np.int64)
        assert got.tolist() == want


@pytest.mark.parametrize("bound", (0, 256, 2**31, 2**32 - 1))
def test_backends_make_the_same_masks(backend, bound):
    module, key, compiled = backend

    def draw(key, size):
        return module.random_keep_mask(key, size, bound)

    want = threefry.threefry_words(SEED, STREAM, 1001) >= np.uint32(bound)
    for function in (draw, compiled(draw)):
        np.testing.assert_array_equal(np.asarray(function(key((SEED, STREAM)), 1001)), want)


@pytest.mark.parametrize("size", (0, 1, 1000))
def test_backends_make_the_same_permutation(backend, size):
    module, key, compiled = backend
    want = host.host_permutation(SEED, STREAM, size)
    for function in (module.random_permutation, compiled(module.random_permutation)):
        got = np.asarray(function(key((SEED, STREAM)), size))
        assert got.dtype == np.int32
        np.testing.assert_array_equal(got, want)


def test_keys_advance_by_one_stream(backend):
    module, key, compiled = backend

    def advance(state, size):
        return module.next_key(state)

    for function in (advance, compiled(advance)):
        used, following = function(key((SEED, STREAM)), 1)
        assert (np.asarray(used).astype(np.int64) & 0xFFFFFFFF).tolist() == [SEED, STREAM]
        assert np.asarray(following).astype(np.int64).tolist() == [SEED, STREAM + 1]


@pytest.mark.all_backends
def test_torch_keys_outlive_a_write_to_the_state():
    module, key, _ = _torch_case("int64")
    state = key((SEED, STREAM))
    used, following = module.next_key(state)
    state.copy_(following)
    assert used.tolist() == [SEED, STREAM]


@pytest.mark.all_backends
@pytest.mark.parametrize("jit", (False, True))
def test_tensorflow_takes_sizes_that_are_tensors(jit):
    tf = importlib.import_module("tensorflow")
    module, key, _ = _tensorflow_case(jit)

    @tf.function(input_signature=[tf.TensorSpec((None, 3))], jit_compile=jit)
    def draw(batch):
        words = module.random_bits(key((SEED, STREAM)), tf.size(batch))
        return tf.reshape(words, tf.shape(batch))

    for rows in (0, 1, 341, 700, 5462):
        want = threefry.threefry_words(SEED, STREAM, 3 * rows).reshape(rows, 3)
        np.testing.assert_array_equal(draw(tf.zeros((rows, 3))).numpy(), want)


@pytest.mark.all_backends
def test_torch_device_path_makes_the_same_words():
    module, key, _ = _torch_case("int64")
    for size in SIZES:
        words = module._device_words(key((SEED, STREAM)), size).numpy()
        np.testing.assert_array_equal(words, threefry.threefry_words(SEED, STREAM, size))


# --- Host distributions -----------------------------------------------------------------------


def test_words_are_uniform():
    words = threefry.threefry_words(11, 0, 1 << 20)
    for shift in (0, 8, 16, 24):
        counts = np.bincount((words >> np.uint32(shift)) & np.uint32(255), minlength=256)
        chi_square = float(((counts - 4096) ** 2 / 4096).sum())
        assert 255 - 5 * 22.6 < chi_square < 255 + 5 * 22.6
    bits = np.unpackbits(words.view(np.uint8)).mean()
    assert abs(bits - 0.5) < 5 * 0.5 / np.sqrt(32 * words.size)


@pytest.mark.parametrize(
    ("draw", "mean", "variance", "low", "high"),
    (
        (lambda shape: host.host_uniform(5, 1, shape, -1.0, 3.0), 1.0, 4 / 3, -1.0, 3.0),
        (lambda shape: host.host_normal(5, 1, shape, 2.0, 0.5), 2.0, 0.25, -2.0, 6.0),
        (
            lambda shape: host.host_truncated_normal(5, 1, shape, 1.0, 2.0),
            1.0,
            4 * 0.7737413,
            -3.0,
            5.0,
        ),
        (lambda shape: host.host_integers(5, 1, shape, -3, 4), 0.0, 4.0, -3, 3),
    ),
    ids=("uniform", "normal", "truncated", "integers"),
)
def test_moments(draw, mean, variance, low, high):
    values = draw((300, 1001)).astype("float64")
    count = values.size
    assert values.shape == (300, 1001)
    assert abs(values.mean() - mean) < 5 * np.sqrt(variance / count)
    assert abs(values.var() - variance) < 5 * variance * np.sqrt(2 / count)
    assert low <= values.min() and values.max() <= high


def test_distribution_functions_fit():
    normal = statistics.NormalDist()
    inside = normal.cdf(2) - normal.cdf(-2)
    cases = {
        "normal": (host.host_normal(9, 0, (20001,)), normal.cdf),
        "truncated": (
            host.host_truncated_normal(9, 0, (20001,)),
            lambda x: (normal.cdf(x) - normal.cdf(-2)) / inside,
        ),
    }
    for name, (values, cdf) in cases.items():
        ranks = (np.arange(values.size) + 0.5) / values.size
        distance = np.abs(np.array([cdf(x) for x in np.sort(values).tolist()]) - ranks).max()
        assert distance < 1.95 / np.sqrt(values.size), name  # Kolmogorov-Smirnov, 0.1 %


def test_quantile_is_exact_to_double_precision():
    centred = np.linspace(-0.4772, 0.4772, 1001)
    want = [statistics.NormalDist().inv_cdf(x + 0.5) for x in centred.tolist()]
    # Forming x + 0.5 for the reference costs half an ulp, times 1/density (18 at the ends).
    np.testing.assert_allclose(host._normal_quantile(centred), want, rtol=0, atol=4e-15)


def test_blocks_do_not_show():
    size = 2 * host._BLOCK + 3
    long, short = (host.host_normal(3, 4, (n,), dtype="float64") for n in (size, 7))
    np.testing.assert_array_equal(long[:7], short)
    words = threefry.threefry_words(3, 4, size + 1)[-2:].astype("float64")
    radius = np.sqrt(-2 * np.log((words[0] + 1) * 2.0**-32))
    np.testing.assert_allclose(long[-1], radius * np.cos(words[1] * 2.0**-31 * np.pi), rtol=1e-12)


def test_equal_words_keep_their_order():
    words = np.array([5, 2**32 - 1, 5, 0, 5, 2**32 - 1], np.uint32)
    assert threefry.stable_order(words).tolist() == [3, 0, 2, 4, 1, 5]


def test_permutation_is_the_stable_order_of_the_words():
    for size in (0, 1, 2, 1000):
        order = host.host_permutation(7, 2, size)
        words = threefry.threefry_words(7, 2, size)
        np.testing.assert_array_equal(order, np.argsort(words, kind="stable"))
        assert order.dtype == np.int64


@pytest.mark.parametrize("shape", ((5, 5), (7, 3), (3, 7)))
def test_orthogonal(shape):
    q = host.host_orthogonal(1, 2, *shape, dtype="float64")
    small = q.T @ q if shape[0] >= shape[1] else q @ q.T
    np.testing.assert_allclose(small, np.eye(min(shape)), atol=1e-12)
    assert q.shape == shape


def test_empty_ranges_are_refused():
    for low, high in ((3, 3), (4, 1), (0, 2**32 + 1)):
        with pytest.raises(ValueError, match="between 1 and 2"):
            host.host_integers(1, 2, (3,), low, high)
