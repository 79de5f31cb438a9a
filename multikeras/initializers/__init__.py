"""Initializers: the values that new variables begin with."""

import inspect
from typing import Any

import numpy as np

from multikeras import registry as _registry
from multikeras.backends import native as _native
from multikeras.initializers.constant import STFT as STFT
from multikeras.initializers.constant import Constant as Constant
from multikeras.initializers.constant import Identity as Identity
from multikeras.initializers.constant import Ones as Ones
from multikeras.initializers.constant import Zeros as Zeros
from multikeras.initializers.initializer import Initializer as Initializer
from multikeras.initializers.random import GlorotNormal as GlorotNormal
from multikeras.initializers.random import GlorotUniform as GlorotUniform
from multikeras.initializers.random import HeNormal as HeNormal
from multikeras.initializers.random import HeUniform as HeUniform
from multikeras.initializers.random import LecunNormal as LecunNormal
from multikeras.initializers.random import LecunUniform as LecunUniform
from multikeras.initializers.random import Orthogonal as Orthogonal
from multikeras.initializers.random import RandomNormal as RandomNormal
from multikeras.initializers.random import RandomUniform as RandomUniform
from multikeras.initializers.random import TruncatedNormal as TruncatedNormal
from multikeras.initializers.random import VarianceScaling as VarianceScaling
from multikeras.serialization import deserialize_keras_object as _deserialize
from multikeras.serialization import serialize_keras_object as _serialize

IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal
STFTInitializer = STFT
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
stft = STFT
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros


def serialize(initializer: Any) -> Any:
    """Return the config that `deserialize` makes an initializer from.

    Args:
        initializer: An initializer or a named function.

    Example:
        >>> serialize(Zeros())["class_name"]
        'Zeros'
    """
    return _serialize(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make an initializer from its config.

    Args:
        config: What `serialize` gave, or a name such as `"glorot_uniform"`.
        custom_objects: Names of your own classes and functions. Defaults to none.

    Raises:
        ValueError: If the config names nothing known.

    Example:
        >>> deserialize(serialize(Constant(2.0))).value
        2.0
    """
    if isinstance(config, str):
        with _registry.CustomObjectScope(custom_objects):
            return get(config)
    return _deserialize(config, custom_objects)


def get(identifier: Any) -> Any:
    """Return the initializer that `identifier` stands for.

    Args:
        identifier: None (which gives None), a name (`"glorot_uniform"`, `"GlorotUniform"`), a
            config, an initializer or its class, a function of `(shape, dtype)`, or an array of
            the values themselves.

    Returns:
        An initializer, a function or None.

    Raises:
        ValueError: If it is none of these.

    Example:
        >>> type(get("he_normal")).__name__
        'HeNormal'
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return _deserialize(identifier)
    if isinstance(identifier, str):
        found = _registry.get_registered_object(identifier)
        found = found or _registry.find("keras.initializers", identifier)
        if found is None:
            hint = _registry.suggest(identifier, _registry.names("keras.initializers"))
            raise ValueError(f"initializers.get: unknown initializer {identifier!r}.{hint}")
        return found() if inspect.isclass(found) else found
    if isinstance(identifier, np.ndarray) or _native.core.is_tensor(identifier):
        return Constant(identifier)
    if callable(identifier):
        return identifier() if inspect.isclass(identifier) else identifier
    raise ValueError(
        "initializers.get: expected a name, a config, an initializer, a function or an array, "
        f"got {identifier!r} of type {type(identifier).__name__}."
    )
