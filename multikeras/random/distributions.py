"""Random tensors: every distribution is composed of the portable words and plain ops.

Uniform numbers, masks, integers and orders follow from the words exactly, so they are equal on
all backends; the others go through one formula in single precision and agree to its rounding.
A `seed` is an integer (the same numbers at every call), a `SeedGenerator` (new ones), or None
for the global generator, which `multikeras.utils.set_random_seed` seeds. Draws have no gradient
with respect to the parameters of `gamma`, `beta`, `binomial` and `categorical`. Refused:
dtypes that a distribution can't have, and parameters out of its range where they are known.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from multikeras import dtypes, ops
from multikeras.backends import native
from multikeras.ops import rules
from multikeras.ops._declare import op
from multikeras.ops._drawing import supply
from multikeras.random.seed_generator import draw_seed
from multikeras.symbolic import KerasTensor

_primitives = importlib.import_module(f"{native.__name__}.random")
# Bits of the significand: below 1, uniform numbers of few bits are cut, not rounded up to 1.
_HALF_BITS = {"float16": 11, "bfloat16": 8}
# Candidates for each gamma number; all are refused once in 3e10 at the worst `alpha`.
_TRIES = 8
_GAMMA_ROWS = 3 * _TRIES + 1
# Binomial: below this many trials each is drawn; above, the count is halved.
_TRIALS = 16
_MOST_TRIALS = 2**24


def _extent(name: str, shape: Any) -> tuple[tuple[Any, ...], Any]:
    """The dimensions of a result and their product; in a graph they may be scalar tensors."""
    dims = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    size: Any = 1
    known = []
    for dim in dims:
        if isinstance(dim, (int, np.integer)):
            dim = int(dim)
        elif not native.core.is_tensor(dim):
            raise ValueError(f"{name}: `shape` must hold integers, got {shape!r}.")
        known.append(dim)
        size = size * dim
    if isinstance(size, int) and any(isinstance(dim, int) and dim < 0 for dim in known):
        raise ValueError(f"{name}: `shape` must not hold negative sizes, got {shape!r}.")
    return tuple(known), size


def _float_dtype(name: str, dtype: Any) -> tuple[str, str]:
    """The result's dtype and the one to compute in."""
    dtype = dtypes.standardize_dtype(dtype)
    if not dtypes.is_float_dtype(dtype):
        raise ValueError(f"random.{name}: `dtype` must be a float dtype, got {dtype!r}.")
    return dtype, "float64" if dtype == "float64" else "float32"


def _parameter(value: Any, dtype: str) -> Any:
    return value if isinstance(value, (int, float)) else ops.cast(value, dtype)


def _uniform(seed: Any, rows: int, size: Any) -> Any:
    """Single precision numbers in [0, 1), shape `(rows, size)`."""
    return ops.reshape(
        _primitives.random_uniform_floats(draw_seed(seed), rows * size), (rows, size)
    )


def uniform(
    shape: Sequence[int],
    minval: Any = 0.0,
    maxval: Any = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> Any:
    """Draw uniformly from [minval, maxval).

    Args:
        shape: Shape of the result.
        minval: Smallest value, a number or a tensor that broadcasts to `shape`. Defaults to 0.
        maxval: Bound above, likewise; rounding may reach it. Defaults to 1.
        dtype: Float dtype of the result. Defaults to `floatx()`.
        seed: An integer, a `SeedGenerator`, or None for the global generator.

    Returns:
        A tensor of `shape` and `dtype`, of 24 random bits an element.

    Raises:
        ValueError: If `dtype` is not float.

    Example:
        >>> import multikeras as keras
        >>> values = keras.random.uniform((3,), seed=1)
        >>> keras.ops.convert_to_numpy(values).tolist()
        [0.70394366979599, 0.5895256400108337, 0.05771493911743164]
    """
    dtype, working = _float_dtype("uniform", dtype)
    dims, size = _extent("random.uniform", shape)
    values = ops.reshape(_primitives.random_uniform_floats(draw_seed(seed), size), dims)
    if dtype in _HALF_BITS:
        steps = 2.0 ** _HALF_BITS[dtype]
        values = ops.floor(values * steps) * (1.0 / steps)
    if not (_is_number(minval, 0.0) and _is_number(maxval, 1.0)):
        low, high = _parameter(minval, working), _parameter(maxval, working)
        values = ops.cast(values, working) * (high - low) + low
    return ops.cast(values, dtype)


def _is_number(value: Any, number: float) -> bool:
    return isinstance(value, (int, float)) and value == number


def _normals(uniforms: Any) -> Any:
    """Normal numbers of pairs of uniform ones, `(..., 2)`, in the same shape (Box-Muller)."""
    # 1 - u lies in (0, 1], where the logarithm is finite.
    radius = ops.sqrt(-2.0 * ops.log(1.0 - uniforms[..., 0]))
    angle = (2.0 * math.pi) * uniforms[..., 1]
    return ops.stack([radius * ops.cos(angle), radius * ops.sin(angle)], axis=-1)


@supply  # ops draw too
def normal(
    shape: Sequence[int],
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> Any:
    """Draw from a normal distribution.

    Two uniform numbers make two normal ones: Box and Muller, "A Note on the Generation of Random
    Normal Deviates", Annals of Mathematical Statistics 29 (1958).

    Args:
        shape: Shape of the result.
        mean: Mean, a number or a tensor that broadcasts to `shape`. Defaults to 0.
        stddev: Standard deviation, likewise. Defaults to 1.
        dtype: Float dtype of the result. Defaults to `floatx()`.
        seed: An integer, a `SeedGenerator`, or None for the global generator.

    Returns:
        A tensor of `shape` and `dtype`. No value is further than 5.8 deviations from the mean.

    Raises:
        ValueError: If `dtype` is not float.

    Example:
        >>> import multikeras as keras
        >>> values = keras.ops.convert_to_numpy(keras.random.normal((10000,), 3.0, 2.0, seed=1))
        >>> round(float(values.mean())), round(float(values.std()))
        (3, 2)
    """
    dtype, working = _float_dtype("normal", dtype)
    dims, size = _extent("random.normal", shape)
    pairs = (size + 1) // 2
    uniforms = _primitives.random_uniform_floats(draw_seed(seed), 2 * pairs)
    values = _normals(ops.reshape(uniforms, (pairs, 2)))
    values = ops.reshape(ops.reshape(values, (2 * pairs,))[:size], dims)
    return _located(values, mean, stddev, dtype, working)


def _located(values: Any, mean: Any, stddev: Any, dtype: str, working: str) -> Any:
    if not (_is_number(mean, 0.0) and _is_number(stddev, 1.0)):
        values = ops.cast(values, working) * _parameter(stddev, working) + _parameter(mean, working)
    return ops.cast(values, dtype)


# The inverse error function where -log(1 - x**2) < 5, highest power first: M. Giles,
# "Approximating the erfinv Function", GPU Computing Gems Jade Edition (2011), single precision.
_ERFINV = (
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    0.00021858087,
    -0.00125372503,
    -0.00417768164,
    0.246640727,
    1.50140941,
)
_ERF_SQRT_2 = 0.9544997361036416


def truncated_normal(
    shape: Sequence[int],
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> Any:
    """Draw from a normal distribution cut off two standard deviations from its mean.

    Args:
        shape: Shape of the result.
        mean: Mean, a number or a tensor that broadcasts to `shape`. Defaults to 0.
        stddev: Standard deviation before the cut, likewise. Defaults to 1.
        dtype: Float dtype of the result. Defaults to `floatx()`.
        seed: An integer, a `SeedGenerator`, or None for the global generator.

    Returns:
        A tensor of `shape` and `dtype`.

    Raises:
        ValueError: If `dtype` is not float.

    Example:
        >>> import multikeras as keras
        >>> values = keras.random.truncated_normal((1000,), seed=1)
        >>> bool(abs(keras.ops.convert_to_numpy(values)).max() <= 2.0)
        True
    """
    dtype, working = _float_dtype("truncated_normal", dtype)
    dims, size = _extent("random.truncated_normal", shape)
    uniforms = ops.reshape(_primitives.random_uniform_floats(draw_seed(seed), size), dims)
    # The middle of each of the 2**24 intervals, mapped to (-1, 1): exact in single precision.
    centred = (2.0 * uniforms - (1.0 - 2.0**-24)) * _ERF_SQRT_2
    depth = -ops.log((1.0 - centred) * (1.0 + centred)) - 2.5
    ratio: Any = _ERFINV[0]
    for coefficient in _ERFINV[1:]:
        ratio = ratio * depth + coefficient
    values = ops.clip(math.sqrt(2.0) * ratio * centred, -2.0, 2.0)
    return _located(values, mean, stddev, dtype, working)


def randint(
    shape: Sequence[int], minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None
) -> Any:
    """Draw integers from [minval, maxval).

    Args:
        shape: Shape of the result.
        minval: Smallest value: an integer, or an integer tensor that broadcasts to `shape`.
        maxval: Bound above, likewise; at most `minval + 2**32`.
        dtype: Integer dtype of the result. Defaults to "int32".
        seed: An integer, a `SeedGenerator`, or None for the global generator.

    Returns:
        A tensor of `shape` and `dtype`: `minval + (word * (maxval - minval) >> 32)`.

    Raises:
        ValueError: If `dtype` is not an integer dtype or the range is empty or too wide.

    Example:
        >>> import multikeras as keras
        >>> keras.ops.convert_to_numpy(keras.random.randint((4,), 0, 10, seed=1)).tolist()
        [7, 5, 0, 1]
    """
    dtype = dtypes.standardize_dtype(dtype)
    if not dtypes.is_int_dtype(dtype):
        raise ValueError(f"random.randint: `dtype` must be an integer dtype, got {dtype!r}.")
    dims, size = _extent("random.randint", shape)
    if all(isinstance(bound, (int, float, np.number)) for bound in (minval, maxval)):
        low = int(minval)
        span: Any = int(maxval) - low
        if not 1 <= span <= 2**32:
            raise ValueError(
                "random.randint: [minval, maxval) must hold between 1 and 2**32 integers, "
                f"got [{minval}, {maxval})."
            )
        limits = np.iinfo(dtype)
        if low < limits.min or low + span - 1 > limits.max:
            raise ValueError(
                f"random.randint: [{minval}, {maxval}) doesn't fit the dtype {dtype!r}."
            )
    else:
        low, high = ops.cast(minval, dtype), ops.cast(maxval, dtype)
        span = ops.reshape(ops.broadcast_to(high - low, dims), (size,))
    offsets = _primitives.random_integers(draw_seed(seed), size, span)
    return ops.reshape(ops.cast(offsets, dtype), dims) + low


def _dropout_dims(shape: tuple[Any, ...], noise_shape: Any) -> tuple[Any, ...]:
    if noise_shape is None:
        return shape
    if len(noise_shape) != len(shape):
        raise ValueError(
            f"random.dropout: `noise_shape` must have {len(shape)} axes like the input, "
            f"got {tuple(noise_shape)}."
        )
    dims = tuple(own if dim is None else dim for own, dim in zip(shape, noise_shape, strict=True))
    for own, dim in zip(shape, dims, strict=True):
        if isinstance(own, int) and isinstance(dim, int) and dim not in (1, own):
            raise ValueError(
                f"random.dropout: `noise_shape` {tuple(noise_shape)} doesn't broadcast to {shape}."
            )
    return dims


@op(rules.unary(rules.to_float, tensor="inputs"))
def dropout(
    inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Any = None
) -> Any:
    """Set a random part of the inputs to zero and scale up the rest, keeping the expected sum.

    Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR
    15 (2014).

    Args:
        inputs: A tensor; integers are converted to `floatx()`.
        rate: The part to drop, in [0, 1].
        noise_shape: Shape of the mask, broadcast to the inputs': an axis of 1 is kept or dropped
            as a whole; None stands for the inputs' own size. Defaults to that of the inputs.
        seed: An integer, a `SeedGenerator`, or None for the global generator.

    Returns:
        A tensor of the inputs' shape. The same seed drops the same elements on every backend.

    Raises:
        ValueError: If `rate` is not in [0, 1] or `noise_shape` doesn't fit.

    Example:
        >>> import multikeras as keras
        >>> dropped = keras.random.dropout(keras.ops.convert_to_tensor([1.0] * 6), 0.5, seed=3)
        >>> sorted(set(keras.ops.convert_to_numpy(dropped).tolist()))
        [0.0, 2.0]
    """
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"random.dropout: `rate` must be in [0, 1], got {rate!r}.")
    # A word is kept if its upper 24 bits reach the rate: compared as integers, hence exactly.
    bound = math.ceil(rate * 2**24) << 8
    if bound == 0:
        return inputs
    if bound >= 2**32:
        return inputs * 0.0
    dims, size = _extent(
        "random.dropout", _dropout_dims(native.core.dynamic_shape(inputs), noise_shape)
    )
    mask = ops.reshape(_primitives.random_keep_mask(draw_seed(seed), size, bound), dims)
    factors = native.core.cast(mask, native.core.dtype_name(inputs)) * (1.0 / (1.0 - rate))
    return inputs * factors


@op(rules.unary())
def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """Put the slices along an axis in random order.

    Args:
        x: A tensor.
        axis: The axis. Defaults to 0.
        seed: An integer, a `SeedGenerator`, or None for the global generator.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> import multikeras as keras
        >>> sorted(keras.ops.convert_to_numpy(keras.random.shuffle([1, 2, 3], seed=1)).tolist())
        [1, 2, 3]
    """
    order = _primitives.random_permutation(draw_seed(seed), native.core.dynamic_shape(x)[axis])
    return ops.take(x, order, axis=axis)


def _categorical_spec(_: Any, logits: Any, num_samples: int, dtype: Any = "int32", *__: Any) -> Any:
    if len(logits.shape) != 2:
        raise ValueError(
            "random.categorical: `logits` must have the shape (batch, classes), "
            f"got {logits.shape}."
        )
    return KerasTensor((logits.shape[0], num_samples), dtypes.standardize_dtype(dtype))


@op(rules.custom(_categorical_spec, ("logits",)))
def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Draw classes, each with the probability that its logit gives it.

    Args:
        logits: Unnormalized log-probabilities, shape `(batch, classes)`.
        num_samples: How many to draw for each row.
        dtype: Integer dtype of the result. Defaults to "int32".
        seed: An integer, a `SeedGenerator`, or None for the global generator.

    Returns:
        A tensor of shape `(batch, num_samples)` of class indices.

    Raises:
        ValueError: If `logits` doesn't have two axes.

    Example:
        >>> import multikeras as keras
        >>> draws = keras.random.categorical([[-1e9, 0.0], [0.0, -1e9]], 3, seed=1)
        >>> keras.ops.convert_to_numpy(draws).tolist()
        [[1, 1, 1], [0, 0, 0]]
    """
    if len(logits.shape) != 2:
        _categorical_spec(None, logits, num_samples, dtype)
    logits = ops.cast(logits, "float32")
    batch = native.core.dynamic_shape(logits)[0]
    weights = ops.exp(logits - ops.max(logits, axis=1, keepdims=True))
    reached = ops.cumsum(weights, axis=1)
    total = reached[:, -1:]
    uniforms = _primitives.random_uniform_floats(draw_seed(seed), batch * num_samples)
    target = ops.reshape(uniforms, (batch, num_samples)) * total
    # How many classes end at or before the target. Rounding may put that on the total itself:
    # then the last class of any weight is meant.
    passed = ops.sum(ops.cast(reached[:, None, :] <= target[:, :, None], "int32"), axis=2)
    last = ops.sum(ops.cast(reached < total, "int32"), axis=1, keepdims=True)
    return ops.cast(ops.minimum(passed, last), dtype)


def _log_gamma_variates(uniforms: Any, alpha: Any) -> Any:
    """Logarithms of gamma numbers: `uniforms` are `(_GAMMA_ROWS, n)`, `alpha` is `(n,)`.

    G. Marsaglia and W. W. Tsang, "A Simple Method for Generating Gamma Variables", ACM
    Transactions on Mathematical Software 26 (2000), with a fixed number of tries.
    """
    small = alpha < 1.0
    shape = ops.where(small, alpha + 1.0, alpha) - 1.0 / 3.0
    spread = 1.0 / ops.sqrt(9.0 * shape)
    first, second = uniforms[:_TRIES], uniforms[_TRIES : 2 * _TRIES]
    x = ops.sqrt(-2.0 * ops.log(1.0 - first)) * ops.cos((2.0 * math.pi) * second)
    root = 1.0 + spread * x
    log_v = 3.0 * ops.log(ops.maximum(root, 1e-30))
    margin = 0.5 * x * x + shape * (1.0 - ops.exp(log_v) + log_v)
    accepted = ops.logical_and(root > 0.0, ops.log(1.0 - uniforms[2 * _TRIES : -1]) < margin)
    chosen = 0.0 * log_v[0]
    for turn in reversed(range(_TRIES)):
        chosen = ops.where(accepted[turn], log_v[turn], chosen)
    boost = ops.where(small, ops.log(1.0 - uniforms[-1]) / alpha, 0.0 * alpha)
    return ops.log(shape) + chosen + boost


def _flat(value: Any, dims: tuple[Any, ...], size: Any) -> Any:
    value = ops.cast(ops.convert_to_tensor(value), "float32")
    return ops.reshape(ops.broadcast_to(value, dims), (size,))


def _check_positive(name: str, argument: str, value: Any) -> None:
    if isinstance(value, (int, float)) and not value > 0:
        raise ValueError(f"random.{name}: `{argument}` must be positive, got {value!r}.")


def gamma(shape: Sequence[int], alpha: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Draw from the gamma distribution of shape parameter `alpha` and scale 1.

    Args:
        shape: Shape of the result.
        alpha: Positive number, or a tensor that broadcasts to `shape`.
        dtype: Float dtype of the result. Defaults to `floatx()`.
        seed: An integer, a `SeedGenerator`, or None for the global generator.

    Returns:
        A tensor of `shape` and `dtype`.

    Raises:
        ValueError: If `dtype` is not float or `alpha` is a number that isn't positive.

    Example:
        >>> import multikeras as keras
        >>> values = keras.ops.convert_to_numpy(keras.random.gamma((10000,), 4.0, seed=1))
        >>> round(float(values.mean())), round(float(values.var()))
        (4, 4)
    """
    dtype, _ = _float_dtype("gamma", dtype)
    _check_positive("gamma", "alpha", alpha)
    dims, size = _extent("random.gamma", shape)
    logs = _log_gamma_variates(_uniform(seed, _GAMMA_ROWS, size), _flat(alpha, dims, size))
    return ops.cast(ops.reshape(ops.exp(logs), dims), dtype)


def _beta_variates(uniforms: Any, alpha: Any, beta: Any) -> Any:
    """X / (X + Y) of two gamma numbers, from their logarithms, which don't underflow."""
    first = _log_gamma_variates(uniforms[:_GAMMA_ROWS], alpha)
    second = _log_gamma_variates(uniforms[_GAMMA_ROWS:], beta)
    return ops.sigmoid(first - second)


def beta(shape: Sequence[int], alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Draw from the beta distribution.

    Args:
        shape: Shape of the result.
        alpha: First parameter, a positive number or a tensor that broadcasts to `shape`.
        beta: Second parameter, likewise.
        dtype: Float dtype of the result. Defaults to `floatx()`.
        seed: An integer, a `SeedGenerator`, or None for the global generator.

    Returns:
        A tensor of `shape` and `dtype`, of values in [0, 1].

    Raises:
        ValueError: If `dtype` is not float or a parameter is a number that isn't positive.

    Example:
        >>> import multikeras as keras
        >>> values = keras.ops.convert_to_numpy(keras.random.beta((10000,), 1.0, 3.0, seed=1))
        >>> round(float(values.mean()), 2)
        0.25
    """
    dtype, _ = _float_dtype("beta", dtype)
    _check_positive("beta", "alpha", alpha)
    _check_positive("beta", "beta", beta)
    dims, size = _extent("random.beta", shape)
    uniforms = _uniform(seed, 2 * _GAMMA_ROWS, size)
    values = _beta_variates(uniforms, _flat(alpha, dims, size), _flat(beta, dims, size))
    return ops.cast(ops.reshape(values, dims), dtype)


def _halvings(counts: Any) -> int:
    """How many halvings bring `counts` down to what is drawn trial by trial."""
    most = _MOST_TRIALS
    if isinstance(counts, (int, float, np.number, np.ndarray, list, tuple)):
        most = int(np.max(counts, initial=0))
        if not 0 <= most <= _MOST_TRIALS or np.min(counts, initial=0) < 0:
            raise ValueError(f"random.binomial: `counts` must be in [0, 2**24], got {counts!r}.")
    return max(0, most.bit_length() - _TRIALS.bit_length() + 1)


def binomial(
    shape: Sequence[int],
    counts: Any,
    probabilities: Any,
    dtype: Any = None,
    seed: Any = None,
) -> Any:
    """Draw numbers of successes in independent trials.

    Up to 16 trials are drawn one by one. Of more, the middle order statistic is drawn first,
    which leaves less than half of them open (L. Devroye, "Non-Uniform Random Variate Generation",
    1986, chapter X.4).

    Args:
        shape: Shape of the result.
        counts: Numbers of trials, up to 2**24: a number or a tensor that broadcasts to `shape`.
        probabilities: Probability of success, likewise, in [0, 1].
        dtype: Float dtype of the result. Defaults to `floatx()`.
        seed: An integer, a `SeedGenerator`, or None for the global generator.

    Returns:
        A tensor of `shape` and `dtype`, of whole numbers.

    Raises:
        ValueError: If `dtype` is not float, or `counts` or `probabilities` are numbers out of
            range.

    Example:
        >>> import multikeras as keras
        >>> draws = keras.ops.convert_to_numpy(keras.random.binomial((10000,), 100, 0.3, seed=1))
        >>> round(float(draws.mean())), round(float(draws.var()))
        (30, 21)
    """
    dtype, _ = _float_dtype("binomial", dtype)
    if isinstance(probabilities, (int, float)) and not 0 <= probabilities <= 1:
        raise ValueError(
            f"random.binomial: `probabilities` must be in [0, 1], got {probabilities!r}."
        )
    dims, size = _extent("random.binomial", shape)
    halvings = _halvings(counts)
    # Rows lie one after another, so unneeded halvings at the end don't change the others' words.
    uniforms = _uniform(seed, _TRIALS + halvings * 2 * _GAMMA_ROWS, size)
    chance = _flat(probabilities, dims, size)
    trials = total = _flat(counts, dims, size)
    certain = chance >= 1.0
    found = 0.0 * trials
    for turn in range(halvings):
        start = _TRIALS + turn * 2 * _GAMMA_ROWS
        rows = uniforms[start : start + 2 * _GAMMA_ROWS]
        found, trials, chance = _halve(rows, found, trials, chance)
    numbers = ops.cast(np.arange(_TRIALS, dtype="float32")[:, None], "float32")
    hits = ops.logical_and(uniforms[:_TRIALS] < chance, numbers < trials)
    found = found + ops.sum(ops.cast(hits, "float32"), axis=0)
    return ops.cast(ops.reshape(ops.where(certain, total, found), dims), dtype)


def _halve(rows: Any, found: Any, trials: Any, chance: Any) -> tuple[Any, Any, Any]:
    """Where more than `_TRIALS` are open: place their median, and go on with one side of it."""
    open_ = trials > float(_TRIALS)
    middle = ops.floor(trials * 0.5) + 1.0
    median = _beta_variates(rows, middle, ops.maximum(trials + 1.0 - middle, 1.0))
    below = median <= chance
    tiny = 1e-30
    above_chance = (chance - median) / ops.maximum(1.0 - median, tiny)
    below_chance = chance / ops.maximum(median, tiny)
    following = ops.clip(ops.where(below, above_chance, below_chance), 0.0, 1.0)
    left = ops.where(below, trials - middle, middle - 1.0)
    gained = ops.where(ops.logical_and(open_, below), middle, 0.0 * middle)
    return (
        found + gained,
        ops.where(open_, left, trials),
        ops.where(open_, following, chance),
    )
