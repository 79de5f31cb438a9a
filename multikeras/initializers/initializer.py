"""The base classes of initializers.

An initializer is called with a shape and a dtype and gives a tensor. The built-in ones make
their values on the host, in NumPy (`host`), which is what `Variable` takes them from: the same
bits on every backend, and no copy through the framework. A class of your own only needs
`__call__`; where that is overridden, `host` is not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from multikeras import dtypes, registry
from multikeras.backends import native
from multikeras.random.seed_generator import SeedGenerator, host_seed, make_default_seed
from multikeras.serialization import deserialize_keras_object, serialize_keras_object


@registry.expose("keras")
class Initializer:
    """Base class of initializers: values for a new variable, from its shape and dtype.

    Subclass it and give `__call__`. For saving, `get_config` returns the constructor's
    arguments.

    Example:
        >>> import multikeras as keras
        >>> class Ramp(keras.initializers.Initializer):
        ...     def __call__(self, shape, dtype=None, **kwargs):
        ...         return keras.ops.convert_to_tensor(np.linspace(0, 1, shape[0]), dtype)
        >>> Ramp()((3,), dtype="float32").shape[0]
        3
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return the values.

        Args:
            shape: Shape of the variable.
            dtype: Its dtype. None stands for `floatx()`.

        Returns:
            A tensor of the backend.
        """
        raise NotImplementedError(f"{type(self).__name__} has to implement `__call__`.")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this initializer anew."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make an initializer from what `get_config` gave."""
        return cls(**config)

    def clone(self) -> Any:
        """A new initializer of the same settings; one without a seed gets a new one."""
        return type(self).from_config(self.get_config())


class HostInitializer(Initializer):
    """An initializer whose values are made by NumPy, in `host`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__call__" in cls.__dict__ and "host" not in cls.__dict__:
            cls.host = None  # type: ignore[assignment]

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> Any:
        """Return the values as a tensor of the backend; see the class.

        Args:
            shape: Shape of the variable.
            dtype: Its dtype. None stands for `floatx()`.
            **kwargs: Ignored (`layout`, as Keras passes it).
        """
        name = dtypes.standardize_dtype(dtype)
        return native.core.convert_to_tensor(self.host(tuple(shape), name), name)

    def host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Return the values as an array of the host; `dtype` is a name."""
        raise NotImplementedError(f"{type(self).__name__} has to implement `host`.")


class RandomInitializer(HostInitializer):
    """An initializer that draws: keeps its seed, and gives the same values at every call."""

    def __init__(self, seed: Any = None) -> None:
        if isinstance(seed, dict):
            seed = deserialize_keras_object(seed)
        self.seed: SeedGenerator | int | np.integer
        if seed is None:
            self.seed = make_default_seed()
        elif isinstance(seed, SeedGenerator) or (
            isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
        ):
            self.seed = seed
        else:
            raise ValueError(
                f"{type(self).__name__}: `seed` must be an integer, a SeedGenerator or None, "
                f"got {seed!r}."
            )
        self._init_seed = seed

    def _draw(self, fill: Any, shape: tuple[int, ...], dtype: str, *settings: float) -> np.ndarray:
        """Call `fill(seed, stream, shape, *settings, dtype)` with the key of this seed."""
        if not dtypes.is_float_dtype(dtype):
            raise ValueError(
                f"{type(self).__name__}: expected a float dtype, got {dtype!r} "
                f"for a variable of shape {shape}."
            )
        seed, stream = host_seed(self.seed)
        return fill(seed, stream, shape, *settings, dtypes.numpy_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this initializer anew."""
        return {"seed": serialize_keras_object(self._init_seed)}
