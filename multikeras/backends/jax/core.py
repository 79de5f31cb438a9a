"""Tensors, dtypes and variables of the JAX backend."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from multikeras import config, dtypes

TENSOR_TYPES = frozenset({type(jnp.zeros(()))})
PLAIN_TYPES = TENSOR_TYPES
FLOATS = frozenset(np.dtype(dtypes.numpy_dtype(name)) for name in dtypes.FLOAT_DTYPES)
# What `compiled_body` takes for a setting: whatever else comes may be a tensor.
_SETTINGS = frozenset({bool, int, float, str, type(None), type, np.dtype})
_AT_ONCE, _REMEMBERED = 16, 512
_NAMES = {dtypes.numpy_dtype(name): name for name in dtypes.ALL_DTYPES if name != "string"}


class BaseVariable:
    """What lets `jax.numpy` functions take variables."""

    __array_priority__ = 100

    def __jax_array__(self) -> jax.Array:
        return self.value  # type: ignore[attr-defined]


class BaseLayer:
    """Layers need nothing of this framework."""


def plain(fn: Callable) -> Callable:
    """The same function: no quicker one for plain tensors."""
    return fn


def _is_setting(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_setting, value))
    return type(value) in _SETTINGS


def compiled_body(body: Callable, tensors: tuple[int, ...]) -> Callable:
    """The body of a composed op as one compiled function of the arguments at `tensors`.

    For each choice of the other arguments there is one. It is compiled at once, which is quicker
    than to compile the body op by op; where an op has seen many choices, the second time that one
    comes, as they may be new in every call.
    """
    known: dict[str, Callable | None] = {}

    def call(*args: Any) -> Any:
        settings = [None if k in tensors else value for k, value in enumerate(args)]
        if not all(map(_is_setting, settings)):
            return body(*args)
        # Bodies read these two as they run.
        key = repr((settings, config.floatx(), config.image_data_format()))
        run = known.get(key)
        if run is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            if len(known) >= _AT_ONCE and key not in known:
                known[key] = None
                return body(*args)
            run = known[key] = _of_tensors(body, tensors, copy.deepcopy(settings))
        return run(*[args[k] for k in tensors])

    return call


def _of_tensors(body: Callable, tensors: tuple[int, ...], settings: list[Any]) -> Callable:
    def function(*values: Any) -> Any:
        filled = list(settings)
        for place, value in zip(tensors, values, strict=True):
            filled[place] = value
        return body(*filled)

    return jax.jit(function, inline=True)


def is_tensor(x: Any) -> bool:
    return isinstance(x, jax.Array)


def dtype_name(x: Any) -> str:
    return _NAMES.get(x.dtype) or dtypes.standardize_dtype(x.dtype)


def shape(x: Any) -> tuple[int, ...]:
    return x.shape


def native_dtype(dtype: str) -> np.dtype:
    """The dtype JAX has for a name: 64 bits only where `jax_enable_x64` is on."""
    return jax.dtypes.canonicalize_dtype(dtypes.numpy_dtype(dtype))


def cast(x: Any, dtype: str) -> Any:
    target = native_dtype(dtype)
    return x if x.dtype == target else x.astype(target)


def convert_to_tensor(x: Any, dtype: str | None = None) -> Any:
    if isinstance(x, jax.Array):
        return x if dtype is None else cast(x, dtype)
    return jnp.asarray(x, dtype=None if dtype is None else native_dtype(dtype))


def scalar(value: float, like: Any) -> Any:
    """A Python number beside a tensor, in the tensor's dtype."""
    return np.asarray(value, like.dtype)


def convert_to_numpy(x: Any) -> np.ndarray:
    return np.asarray(x)


def make_variable(value: Any, dtype: str, trainable: bool, name: str) -> jax.Array:
    with jax.ensure_compile_time_eval():  # also where a step is being traced
        return jnp.array(value, dtype=native_dtype(dtype))


def read_variable(storage: jax.Array) -> jax.Array:
    return storage


def set_trainable(storage: jax.Array, trainable: bool) -> jax.Array:
    return storage


def assign_variable(storage: jax.Array, value: jax.Array) -> jax.Array:
    if isinstance(value, jax.core.Tracer):
        raise ValueError(
            "A variable was assigned inside a JAX transformation that does not thread it. Use "
            "stateless_call (or a StatelessScope) in code of your own under jax.jit or jax.grad."
        )
    # A copy: a buffer that two variables share could not be donated.
    return jnp.array(value)


def stop_gradient(variable: jax.Array) -> jax.Array:
    return jax.lax.stop_gradient(variable)


dynamic_shape = shape
