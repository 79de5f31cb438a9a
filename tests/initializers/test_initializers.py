"""Initializers: values, statistics, configs, lookups, and what they refuse."""

import math

import numpy as np
import pytest

from multikeras import config, initializers, ops
from multikeras.random import SeedGenerator
from multikeras.random.seed_generator import set_random_seed
from multikeras.variables import Variable

SEEDED = {"seed": None, "input_axes": None, "output_axes": None}
CONFIGS = {
    "Constant": {"value": 0.0},
    "Zeros": {},
    "Ones": {},
    "Identity": {},
    "GlorotNormal": SEEDED,
    "GlorotUniform": SEEDED,
    "HeNormal": SEEDED,
    "HeUniform": SEEDED,
    "LecunNormal": SEEDED,
    "LecunUniform": SEEDED,
    "Orthogonal": {"seed": None, "gain": 1.0},
    "RandomNormal": {"seed": None, "mean": 0.0, "stddev": 0.05},
    "RandomUniform": {"seed": None, "minval": -0.05, "maxval": 0.05},
    "TruncatedNormal": {"seed": None, "mean": 0.0, "stddev": 0.05},
    "VarianceScaling": {
        "seed": None,
        "scale": 1.0,
        "mode": "fan_in",
        "distribution": "truncated_normal",
        "input_axes": None,
        "output_axes": None,
    },
    "STFT": {"side": "real", "window": "hann", "periodic": False, "scaling": "density"},
}
RANDOM = sorted(name for name, config in CONFIGS.items() if "seed" in config)


def _values(initializer, shape=(4, 3), dtype=None):
    return ops.convert_to_numpy(initializer(shape, dtype=dtype))


@pytest.mark.parametrize("name", CONFIGS)
def test_configs_are_those_of_keras(name):
    initializer = getattr(initializers, name)()
    assert initializer.get_config() == CONFIGS[name]
    entry = initializers.serialize(initializer)
    assert entry == {
        "module": "keras.initializers",
        "class_name": name,
        "config": CONFIGS[name],
        "registered_name": None,
    }
    assert type(initializers.deserialize(entry)) is type(initializer)


@pytest.mark.parametrize("name", CONFIGS)
def test_calls_repeat_and_follow_the_config(name):
    settings = {"seed": 3} if "seed" in CONFIGS[name] else {}
    initializer = getattr(initializers, name)(**settings)
    shape = (6, 1, 5) if name == "STFT" else (6, 5)
    first = _values(initializer, shape)
    assert first.shape == shape and first.dtype == np.float32
    again = initializers.deserialize(initializers.serialize(initializer))
    for other in (initializer, again, initializer.clone()):
        np.testing.assert_array_equal(_values(other, shape), first)
    variable = Variable(initializer, shape=shape, dtype="float32")
    np.testing.assert_array_equal(variable.numpy(), first)


@pytest.mark.parametrize("name", RANDOM)
def test_unseeded_initializers_differ_and_repeat_after_seeding(name):
    runs = []
    for _ in range(2):
        set_random_seed(12)
        one, two = getattr(initializers, name)(), getattr(initializers, name)()
        values = _values(one)
        np.testing.assert_array_equal(values, _values(one))
        assert np.abs(values - _values(two)).max() > 1e-3
        runs.append(values)
    np.testing.assert_array_equal(*runs)


def test_a_seed_generator_gives_new_values_each_time():
    initializer = initializers.RandomNormal(seed=SeedGenerator(3))
    first, second = _values(initializer), _values(initializer)
    assert np.abs(first - second).max() > 1e-3
    entry = initializers.serialize(initializer)
    assert entry["config"]["seed"]["class_name"] == "SeedGenerator"
    np.testing.assert_array_equal(_values(initializers.deserialize(entry)), first)


@pytest.mark.parametrize("dtype", ("float16", "bfloat16", "float32"))
def test_low_precision_is_the_rounded_value(dtype):
    shape = (50, 40)
    want = initializers.GlorotNormal(seed=1).host(shape, "float64")
    variable = Variable(initializers.GlorotNormal(seed=1), shape=shape, dtype=dtype)
    tolerance = {"float16": 1e-3, "bfloat16": 8e-3, "float32": 1e-7}[dtype]
    np.testing.assert_allclose(variable.numpy().astype("float64"), want, rtol=tolerance, atol=1e-6)


def test_first_values_never_change():
    """Models of a seed depend on these numbers on every backend: a change is a new version."""
    uniform = initializers.GlorotUniform(seed=1337).host((2, 2), "float32")
    normal = initializers.RandomNormal(stddev=1.0, seed=1337).host((4,), "float32")
    truncated = initializers.HeNormal(seed=1337).host((2, 2), "float32")
    assert uniform.ravel().tolist() == FIRST_VALUES["uniform"]
    np.testing.assert_allclose(normal, FIRST_VALUES["normal"], rtol=2e-7)
    np.testing.assert_allclose(truncated.ravel(), FIRST_VALUES["truncated"], rtol=2e-7)


@pytest.mark.parametrize(
    ("shape", "axes", "fans"),
    (
        ((), {}, (1, 1)),
        ((30,), {}, (30, 30)),
        ((30, 50), {}, (30, 50)),
        ((3, 2, 8, 16), {}, (48, 96)),
        ((4, 5, 6), {"input_axes": (0, 1), "output_axes": (2,)}, (20, 6)),
        ((4, 5, 6), {"input_axes": [0], "output_axes": [2]}, (4, 6)),
        ((4, 5, 6), {"input_axes": (0,)}, (20, 24)),
    ),
)
def test_fans(shape, axes, fans):
    counts = {"fan_in": fans[0], "fan_out": fans[1], "fan_avg": sum(fans) / 2}
    words = initializers.RandomUniform(-1.0, 1.0, seed=4).host(shape, "float64")
    for mode, count in counts.items():
        scaled = initializers.VarianceScaling(2.0, mode, "uniform", seed=4, **axes)
        limit = math.sqrt(6.0 / count)
        np.testing.assert_allclose(scaled.host(shape, "float64"), limit * words, rtol=1e-9)


@pytest.mark.parametrize(
    "distribution", ("truncated_normal", "normal", "untruncated_normal", "uniform")
)
def test_every_distribution_has_the_variance_asked_for(distribution):
    initializer = initializers.VarianceScaling(3.0, "fan_in", distribution, seed=5)
    values = initializer.host((300, 400), "float64")
    assert abs(values.std() * math.sqrt(300 / 3.0) - 1.0) < 0.01
    assert abs(values.mean()) < 5 * values.std() / math.sqrt(values.size)


@pytest.mark.parametrize("shape", ((5, 5), (4, 2, 3), (2, 7)))
def test_orthogonal(shape):
    q = initializers.Orthogonal(gain=2.0, seed=1).host(shape, "float64").reshape(-1, shape[-1])
    product = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(product, 4.0 * np.eye(product.shape[0]), atol=1e-12)


def test_constants():
    assert _values(initializers.Constant(2), (2,), "int32").tolist() == [2, 2]
    rows = initializers.Constant([1.0, 2.0])
    assert _values(rows, (2, 2)).tolist() == [[1.0, 2.0], [1.0, 2.0]]
    assert _values(initializers.Identity(3.0), (2, 3)).tolist() == [[3, 0, 0], [0, 3, 0]]
    assert _values(initializers.Ones(), (2,), "bool").tolist() == [True, True]
    array = np.array([1.0, 2.0])
    again = initializers.deserialize(initializers.serialize(initializers.Constant(array)))
    assert _values(again, (2,)).tolist() == [1.0, 2.0]
    gain = initializers.deserialize(initializers.serialize(initializers.Identity(3.0)))
    assert gain.gain == 3.0


def test_stft_is_the_fourier_transform_of_windowed_frames():
    frame = np.cos(np.arange(8.0)) + np.arange(8.0)
    window = np.hanning(8)
    want = np.fft.rfft(frame * window / np.sqrt((window**2).sum()))
    for side, part in (("real", want.real), ("imag", want.imag)):
        kernel = initializers.STFT(side).host((8, 1, 5), "float64")
        np.testing.assert_allclose(frame @ kernel[:, 0], part, atol=1e-12)
    plain = initializers.STFT("real", None, None).host((6, 1, 9), "float64")
    np.testing.assert_allclose(frame[:6] @ plain[:, 0], np.fft.rfft(frame[:6], 16).real, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "length", "periodic", "values"),
    (
        ("hann", 4, True, [0.0, 0.5, 1.0, 0.5]),
        ("hann", 5, False, [0.0, 0.5, 1.0, 0.5, 0.0]),
        ("hamming", 3, False, [0.08, 1.0, 0.08]),
        ("blackman", 3, False, [0.0, 1.0, 0.0]),
        ("bartlett", 5, False, [0.0, 0.5, 1.0, 0.5, 0.0]),
        ("bartlett", 4, True, [0.0, 0.5, 1.0, 0.5]),
        ("boxcar", 3, False, [1.0, 1.0, 1.0]),
    ),
)
def test_windows(name, length, periodic, values):
    kernel = initializers.STFT("real", name, None, periodic).host((length, 1, 2), "float64")
    np.testing.assert_allclose(kernel[:, 0, 0], values, atol=1e-12)


@pytest.mark.parametrize(
    ("identifier", "kind"),
    (
        ("glorot_uniform", "GlorotUniform"),
        ("GlorotUniform", "GlorotUniform"),
        ("IdentityInitializer", "Identity"),
        ("OrthogonalInitializer", "Orthogonal"),
        ("zeros", "Zeros"),
        ({"class_name": "Zeros", "config": {}}, "Zeros"),
        (initializers.Zeros, "Zeros"),
        (initializers.Zeros(), "Zeros"),
        (np.ones(2), "Constant"),
    ),
)
def test_get(identifier, kind):
    assert type(initializers.get(identifier)).__name__ == kind


def test_get_passes_functions_and_none():
    def two(shape, dtype=None):
        return np.full(shape, 2.0, dtype)

    assert initializers.get(two) is two
    assert initializers.get(None) is None
    assert Variable(initializers.get(two), shape=(2,)).numpy().tolist() == [2.0, 2.0]


def test_a_call_of_ones_own_is_used_for_variables():
    class Mine(initializers.GlorotUniform):
        def __call__(self, shape, dtype=None, **kwargs):
            return np.full(shape, 7.0, "float32")

    assert Variable(Mine(), shape=(2,)).numpy().tolist() == [7.0, 7.0]


@pytest.mark.parametrize(
    ("make", "message"),
    (
        (lambda: initializers.get("glorot_unifrom"), "Did you mean 'glorot_uniform'"),
        (lambda: initializers.get(3), "got 3 of type int"),
        (lambda: initializers.VarianceScaling(scale=0.0), "`scale` must be positive"),
        (lambda: initializers.VarianceScaling(mode="foo"), "`mode` must be one of"),
        (lambda: initializers.VarianceScaling(distribution="foo"), "`distribution` must be one"),
        (lambda: initializers.HeNormal(input_axes=0), "HeNormal: `input_axes` must be a tuple"),
        (lambda: initializers.HeNormal(seed="a"), "HeNormal: `seed` must be"),
        (lambda: initializers.HeNormal()((2,), dtype="int32"), "expected a float dtype"),
        (lambda: initializers.Identity()((2,)), "shape of a matrix"),
        (lambda: initializers.Orthogonal()((2,)), "two axes or more"),
        (lambda: initializers.Constant([1.0, 2.0])((3,)), "don't broadcast"),
        (lambda: initializers.STFT("foo"), "`side` must be"),
        (lambda: initializers.STFT(window="foo"), "`window` must be one of"),
        (lambda: initializers.STFT(scaling="foo"), "`scaling` must be"),
        (lambda: initializers.STFT()((2, 3)), "1D convolution"),
    ),
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        make()


def test_base_class_asks_for_a_call():
    with pytest.raises(NotImplementedError, match="has to implement `__call__`"):
        initializers.Initializer()((2,))


def test_floatx_is_the_default_dtype():
    config.set_floatx("float16")
    try:
        assert _values(initializers.GlorotUniform()).dtype == np.float16
    finally:
        config.set_floatx("float32")


# Computed once from the formulas in multikeras/random/_threefry.py.
FIRST_VALUES = {
    "uniform": [0.3336441218852997, -0.9469567537307739, 0.6698613166809082, -0.2567635178565979],
    "normal": [0.7196376919746399, 0.6217522621154785, -0.5668348670005798, 0.4386749267578125],
    "truncated": [
        0.3773029148578644,
        -1.2751928567886353,
        0.8067174553871155,
        -0.28817522525787354,
    ],
}
