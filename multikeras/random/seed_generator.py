"""`SeedGenerator`, the global seed, and how a `seed` argument becomes a key.

A key is a pair of 32-bit words, (seed, stream). A `SeedGenerator` hands out the streams of its
seed one after another; an integer seed always means stream 0. Refuses seeds that are neither
integers nor generators.
"""

from __future__ import annotations

import importlib
import random as python_random
import secrets
from typing import Any

import numpy as np

from multikeras import registry
from multikeras.backends import native
from multikeras.backends.threefry import fold_seed, threefry_words
from multikeras.variables import Variable, auto_name

_primitives = importlib.import_module(f"{native.__name__}.random")
# Streams of the global seed that no generator reaches: the source of default seeds.
_DEFAULT_SEEDS = 2**32 - 1
_GLOBAL_GENERATOR = 2**32 - 2


class _Global:
    """The seed of this process, how many default seeds it gave, and its own generator."""

    seed: int | None = None
    drawn: int = 0
    generator: SeedGenerator | None = None


def _is_integer(seed: Any) -> bool:
    return isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)


@registry.expose("keras.random")
class SeedGenerator:
    """A source of keys for random functions: each call draws from a new stream.

    Layers that draw random numbers hold one. Its state is a variable, so it goes through
    compiled steps and is saved with the model, and a run can be continued where it stopped.

    Args:
        seed: An integer, or None to take the next default seed (reproducible after
            `multikeras.utils.set_random_seed`). Defaults to None.
        name: Name of the generator. Defaults to a unique one.

    Attributes:
        state: A `uint32` variable of shape `(2,)`, not trainable: the seed and the next stream.

    Raises:
        ValueError: If `seed` is not an integer.

    Example:
        >>> import multikeras as keras
        >>> generator = keras.random.SeedGenerator(seed=7)
        >>> first = keras.random.uniform((3,), seed=generator)
        >>> second = keras.random.uniform((3,), seed=generator)
        >>> generator.state.numpy().tolist()
        [7, 2]
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        custom = kwargs.pop("custom_state", None)
        if kwargs:
            raise ValueError(f"SeedGenerator: unknown arguments {sorted(kwargs)}.")
        if seed is not None and not _is_integer(seed):
            raise ValueError(f"SeedGenerator: `seed` must be an integer or None, got {seed!r}.")
        self.name = auto_name("seed_generator") if name is None else name
        self._initial_seed = seed
        start = [fold_seed(make_default_seed() if seed is None else int(seed)), 0]
        self.state = Variable(
            np.array(start if custom is None else custom, np.uint32),
            dtype="uint32",
            trainable=False,
            autocast=False,
            name="seed_generator_state",
        )
        # A generator stands outside of layers' scopes: its path begins with its own name.
        self.state.path = f"{self.name}/seed_generator_state"

    @property
    def seed(self) -> int | None:
        """The `seed` that the generator was made with."""
        return self._initial_seed

    def next(self, ordered: bool = True) -> Any:
        """Return the key of the next stream and move on.

        Args:
            ordered: Kept for compatibility: draws are always in order.

        Returns:
            An integer tensor of shape `(2,)`.
        """
        key, following = _primitives.next_key(self.state.value)
        self.state.assign(following)
        return key

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this generator anew: `seed` and `name`."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """Make a generator from what `get_config` gave."""
        return cls(**config)


def set_random_seed(seed: int) -> None:
    """Seed everything that draws: multikeras, Python's `random`, NumPy and the framework.

    From here on, the same program draws the same numbers: initial weights, dropout masks and
    the order of shuffled data.

    Args:
        seed: An integer in [0, 2**32).

    Raises:
        ValueError: If `seed` is anything else.

    Example:
        >>> import multikeras as keras
        >>> set_random_seed(1)
        >>> first = keras.ops.convert_to_numpy(keras.random.normal((2,)))
        >>> set_random_seed(1)
        >>> bool((first == keras.ops.convert_to_numpy(keras.random.normal((2,)))).all())
        True
    """
    if not _is_integer(seed) or not 0 <= seed < 2**32:
        raise ValueError(f"set_random_seed: expected an integer in [0, 2**32), got {seed!r}.")
    seed = int(seed)
    python_random.seed(seed)
    np.random.seed(seed)
    _primitives.seed_framework(seed)
    _Global.seed = seed
    _Global.drawn = 0
    _Global.generator = None


def global_seed() -> int:
    """The seed of this process, as set by `set_random_seed` or drawn from the system.

    Example:
        >>> global_seed() == global_seed()
        True
    """
    if _Global.seed is None:
        _Global.seed = secrets.randbits(32)
    return _Global.seed


def make_default_seed() -> int:
    """Return a new seed for whatever was given none: the next one of the global seed.

    Returns:
        An integer in [0, 2**32). After `set_random_seed` the same ones follow in the same order.

    Example:
        >>> make_default_seed() == make_default_seed()
        False
    """
    position = _Global.drawn
    _Global.drawn += 1
    words = threefry_words(global_seed(), _DEFAULT_SEEDS, 1, 2 * position)
    return int(words[0])


def global_generator() -> SeedGenerator:
    """Return the generator that functions with `seed=None` draw from.

    Its seed is the global one, moved away from those that programs choose.
    """
    if _Global.generator is None:
        seed = int(threefry_words(global_seed(), _GLOBAL_GENERATOR, 1)[0])
        _Global.generator = SeedGenerator(seed, name="global_seed_generator")
    return _Global.generator


def host_seed(seed: Any) -> tuple[int, int]:
    """Return the key, (seed, stream) as Python integers, of a `seed` argument on the host.

    Args:
        seed: An integer, a `SeedGenerator` (which moves on), or None for a new default seed.

    Raises:
        ValueError: If `seed` is anything else.

    Example:
        >>> host_seed(5)
        (5, 0)
    """
    if isinstance(seed, SeedGenerator):
        word, stream = seed.state.numpy().tolist()
        seed.state.assign(np.array([word, (stream + 1) % 2**32], np.uint32))
        return word, stream
    if seed is None:
        return make_default_seed(), 0
    return _seed_word(seed), 0


def draw_seed(seed: Any) -> Any:
    """Return the key, an integer tensor of shape `(2,)`, that a `seed` argument stands for.

    Args:
        seed: An integer (always the same key), a `SeedGenerator` (which moves on), or None for
            the global generator.

    Raises:
        ValueError: If `seed` is anything else.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        return global_generator().next()
    return native.core.convert_to_tensor(np.array([_seed_word(seed), 0], np.uint32), "uint32")


def _seed_word(seed: Any) -> int:
    if not _is_integer(seed):
        raise ValueError(
            "random: `seed` must be an integer, a SeedGenerator or None, "
            f"got {seed!r} of type {type(seed).__name__}."
        )
    return fold_seed(int(seed))
