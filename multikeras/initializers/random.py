"""Initializers that draw from a distribution; the numbers come from `multikeras.random`.

Each keeps one seed and gives the same values at every call of one shape (a `SeedGenerator` as
seed gives new ones). They refuse dtypes that aren't float.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multikeras import registry
from multikeras.initializers.initializer import RandomInitializer
from multikeras.random import _threefry as host_random


@registry.expose(
    "keras.initializers", aliases=("keras.initializers.random_normal", "keras.initializers.normal")
)
class RandomNormal(RandomInitializer):
    """Draws from a normal distribution.

    Args:
        mean: Mean. Defaults to 0.
        stddev: Standard deviation. Defaults to 0.05.
        seed: An integer, a `SeedGenerator`, or None for the next default seed.

    Example:
        >>> import multikeras as keras
        >>> keras.initializers.RandomNormal(stddev=1.0, seed=1)((2, 3)).shape[1]
        3
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Return the values as an array of the host; `dtype` is a name."""
        return self._draw(host_random.host_normal, shape, dtype, self.mean, self.stddev)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this initializer anew."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@registry.expose("keras.initializers", aliases=("keras.initializers.truncated_normal",))
class TruncatedNormal(RandomInitializer):
    """Draws from a normal distribution cut off two standard deviations from its mean.

    Args:
        mean: Mean. Defaults to 0.
        stddev: Standard deviation before the cut. Defaults to 0.05.
        seed: An integer, a `SeedGenerator`, or None for the next default seed.

    Example:
        >>> import multikeras as keras
        >>> values = keras.initializers.TruncatedNormal(stddev=1.0, seed=1)((100,))
        >>> bool(abs(keras.ops.convert_to_numpy(values)).max() <= 2.0)
        True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Return the values as an array of the host; `dtype` is a name."""
        return self._draw(host_random.host_truncated_normal, shape, dtype, self.mean, self.stddev)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this initializer anew."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@registry.expose(
    "keras.initializers",
    aliases=("keras.initializers.random_uniform", "keras.initializers.uniform"),
)
class RandomUniform(RandomInitializer):
    """Draws uniformly from [minval, maxval).

    Args:
        minval: Smallest value. Defaults to -0.05.
        maxval: Bound above. Defaults to 0.05.
        seed: An integer, a `SeedGenerator`, or None for the next default seed.

    Example:
        >>> import multikeras as keras
        >>> values = keras.initializers.RandomUniform(0.0, 1.0, seed=1)((100,))
        >>> bool(keras.ops.convert_to_numpy(values).min() >= 0.0)
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Return the values as an array of the host; `dtype` is a name."""
        return self._draw(host_random.host_uniform, shape, dtype, self.minval, self.maxval)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this initializer anew."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


_MODES: dict[str, Callable[[float, float], float]] = {
    "fan_in": lambda fan_in, fan_out: fan_in,
    "fan_out": lambda fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2,
}
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
# What cutting at two standard deviations leaves of the standard deviation.
_TRUNCATED_STDDEV = 0.87962566103423978


def _fans(
    shape: tuple[int, ...], input_axes: Sequence[int] | None, output_axes: Sequence[int] | None
) -> tuple[float, float]:
    """How many inputs and outputs a weight of this shape joins."""
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[i] for i in input_axes), math.prod(shape[i] for i in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    # All but the last two axes belong to the window of a convolution.
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


@registry.expose("keras.initializers", aliases=("keras.initializers.variance_scaling",))
class VarianceScaling(RandomInitializer):
    """Draws with variance `scale / n`, where `n` counts the units that a weight joins.

    Args:
        scale: Positive number. Defaults to 1.
        mode: `n` is the number of inputs (`"fan_in"`), of outputs (`"fan_out"`) or the mean of
            both (`"fan_avg"`). Defaults to `"fan_in"`.
        distribution: `"truncated_normal"` (also called `"normal"`), `"untruncated_normal"` or
            `"uniform"`. Defaults to `"truncated_normal"`.
        seed: An integer, a `SeedGenerator`, or None for the next default seed.
        input_axes: The axes that count as inputs, with `output_axes`. Defaults to the last but
            one, times all before.
        output_axes: The axes that count as outputs. Defaults to the last, times all before the
            last two.

    Raises:
        ValueError: If `scale` is not positive, or `mode` or `distribution` is none of these.

    Example:
        >>> import multikeras as keras
        >>> initializer = keras.initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=1)
        >>> values = keras.ops.convert_to_numpy(initializer((100, 6)))
        >>> bool(abs(values).max() <= 1.0)
        True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        name = type(self).__name__
        if not scale > 0.0:
            raise ValueError(f"{name}: `scale` must be positive, got {scale!r}.")
        if mode not in _MODES:
            raise ValueError(f"{name}: `mode` must be one of {sorted(_MODES)}, got {mode!r}.")
        distribution = str(distribution).lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in _DISTRIBUTIONS:
            raise ValueError(
                f"{name}: `distribution` must be one of {_DISTRIBUTIONS}, got {distribution!r}."
            )
        for argument, axes in (("input_axes", input_axes), ("output_axes", output_axes)):
            if axes is not None and not isinstance(axes, (list, tuple)):
                raise ValueError(f"{name}: `{argument}` must be a tuple of axes, got {axes!r}.")
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes

    def host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Return the values as an array of the host; `dtype` is a name."""
        count = _MODES[self.mode](*_fans(shape, self.input_axes, self.output_axes))
        stddev = math.sqrt(self.scale / max(1.0, count))
        if self.distribution == "uniform":
            limit = math.sqrt(3.0) * stddev
            return self._draw(host_random.host_uniform, shape, dtype, -limit, limit)
        if self.distribution == "untruncated_normal":
            return self._draw(host_random.host_normal, shape, dtype, 0.0, stddev)
        stddev /= _TRUNCATED_STDDEV
        return self._draw(host_random.host_truncated_normal, shape, dtype, 0.0, stddev)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this initializer anew."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _NamedScaling(VarianceScaling):
    """A `VarianceScaling` whose scale, mode and distribution are part of its name."""

    _settings: tuple[float, str, str]

    def __init__(
        self,
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self._settings, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this initializer anew."""
        config = super().get_config()
        return {name: config[name] for name in ("seed", "input_axes", "output_axes")}


@registry.expose("keras.initializers", aliases=("keras.initializers.glorot_uniform",))
class GlorotUniform(_NamedScaling):
    """Draws uniformly with variance `2 / (fan_in + fan_out)`; also called Xavier.

    Glorot and Bengio, "Understanding the Difficulty of Training Deep Feedforward Neural
    Networks", AISTATS 2010.

    Args:
        seed: An integer, a `SeedGenerator`, or None for the next default seed.
        input_axes: As in `VarianceScaling`.
        output_axes: As in `VarianceScaling`.

    Example:
        >>> import multikeras as keras
        >>> keras.initializers.GlorotUniform(seed=1)((4, 2)).shape[0]
        4
    """

    _settings = (1.0, "fan_avg", "uniform")


@registry.expose("keras.initializers", aliases=("keras.initializers.glorot_normal",))
class GlorotNormal(_NamedScaling):
    """Draws from a truncated normal with variance `2 / (fan_in + fan_out)`; also called Xavier.

    Glorot and Bengio, "Understanding the Difficulty of Training Deep Feedforward Neural
    Networks", AISTATS 2010.

    Args:
        seed: An integer, a `SeedGenerator`, or None for the next default seed.
        input_axes: As in `VarianceScaling`.
        output_axes: As in `VarianceScaling`.

    Example:
        >>> import multikeras as keras
        >>> keras.initializers.GlorotNormal(seed=1)((4, 2)).shape[0]
        4
    """

    _settings = (1.0, "fan_avg", "truncated_normal")


@registry.expose("keras.initializers", aliases=("keras.initializers.he_uniform",))
class HeUniform(_NamedScaling):
    """Draws uniformly with variance `2 / fan_in`, for layers before a ReLU.

    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", ICCV 2015.

    Args:
        seed: An integer, a `SeedGenerator`, or None for the next default seed.
        input_axes: As in `VarianceScaling`.
        output_axes: As in `VarianceScaling`.

    Example:
        >>> import multikeras as keras
        >>> keras.initializers.HeUniform(seed=1)((4, 2)).shape[0]
        4
    """

    _settings = (2.0, "fan_in", "uniform")


@registry.expose("keras.initializers", aliases=("keras.initializers.he_normal",))
class HeNormal(_NamedScaling):
    """Draws from a truncated normal with variance `2 / fan_in`, for layers before a ReLU.

    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", ICCV 2015.

    Args:
        seed: An integer, a `SeedGenerator`, or None for the next default seed.
        input_axes: As in `VarianceScaling`.
        output_axes: As in `VarianceScaling`.

    Example:
        >>> import multikeras as keras
        >>> keras.initializers.HeNormal(seed=1)((4, 2)).shape[0]
        4
    """

    _settings = (2.0, "fan_in", "truncated_normal")


@registry.expose("keras.initializers", aliases=("keras.initializers.lecun_uniform",))
class LecunUniform(_NamedScaling):
    """Draws uniformly with variance `1 / fan_in`.

    LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998.

    Args:
        seed: An integer, a `SeedGenerator`, or None for the next default seed.
        input_axes: As in `VarianceScaling`.
        output_axes: As in `VarianceScaling`.

    Example:
        >>> import multikeras as keras
        >>> keras.initializers.LecunUniform(seed=1)((4, 2)).shape[0]
        4
    """

    _settings = (1.0, "fan_in", "uniform")


@registry.expose("keras.initializers", aliases=("keras.initializers.lecun_normal",))
class LecunNormal(_NamedScaling):
    """Draws from a truncated normal with variance `1 / fan_in`; goes with SELU.

    LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998.

    Args:
        seed: An integer, a `SeedGenerator`, or None for the next default seed.
        input_axes: As in `VarianceScaling`.
        output_axes: As in `VarianceScaling`.

    Example:
        >>> import multikeras as keras
        >>> keras.initializers.LecunNormal(seed=1)((4, 2)).shape[0]
        4
    """

    _settings = (1.0, "fan_in", "truncated_normal")


@registry.expose(
    "keras.initializers",
    aliases=("keras.initializers.orthogonal", "keras.initializers.OrthogonalInitializer"),
)
class Orthogonal(RandomInitializer):
    """Draws an orthogonal matrix, or one with orthonormal rows or columns if it isn't square.

    A shape of more axes is taken as a matrix of all but the last by the last. Saxe, McClelland
    and Ganguli, "Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear Neural
    Networks", ICLR 2014.

    Args:
        gain: Factor on the matrix. Defaults to 1.
        seed: An integer, a `SeedGenerator`, or None for the next default seed.

    Raises:
        ValueError: When called with a shape of less than two axes.

    Example:
        >>> import multikeras as keras
        >>> q = keras.ops.convert_to_numpy(keras.initializers.Orthogonal(seed=1)((3, 3)))
        >>> bool(np.allclose(q @ q.T, np.eye(3), atol=1e-5))
        True
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Return the values as an array of the host; `dtype` is a name."""
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: expected a shape of two axes or more, got {shape}.")
        return self._draw(self._fill, shape, dtype)

    def _fill(self, seed: int, stream: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        rows = math.prod(shape[:-1])
        matrix = host_random.host_orthogonal(seed, stream, rows, shape[-1], "float64")
        return (self.gain * matrix).reshape(shape).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this initializer anew."""
        return {**super().get_config(), "gain": self.gain}
