"""Tensors, dtypes and variables of the NumPy backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import ml_dtypes
import numpy as np
from autograd.extend import Box, defvjp, notrace_primitive, primitive
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.tracer import getval

from multikeras import dtypes

TENSOR_TYPES = frozenset({np.ndarray, ArrayBox})
PLAIN_TYPES = frozenset({np.ndarray})
FLOATS = frozenset(dtypes.numpy_dtype(name) for name in dtypes.FLOAT_DTYPES)
_NAMES = {dtypes.numpy_dtype(name): name for name in dtypes.ALL_DTYPES if name != "string"}

for _scalar in (ml_dtypes.bfloat16, np.longdouble):
    ArrayBox.register(_scalar)


class BaseVariable:
    """What lets NumPy work with variables: it leaves `array * variable` to the variable."""

    __array_ufunc__ = None
    __array_priority__ = 100


def _defer(name: str) -> None:
    """Makes an operator of autograd's boxes leave variables to the variables, as arrays do."""
    method = getattr(ArrayBox, name)

    def operator(self: Any, other: Any) -> Any:
        return NotImplemented if isinstance(other, BaseVariable) else method(self, other)

    setattr(ArrayBox, name, operator)


for _name in "add sub mul truediv pow mod matmul eq ne lt le gt ge".split():
    _defer(f"__{_name}__")


class BaseLayer:
    """Layers need nothing of this framework."""


def plain(fn: Callable) -> Callable:
    """The function below autograd's wrapper: quicker where no argument is a box."""
    return getattr(fn, "fun", fn)


def compiled_body(body: Callable, tensors: tuple[int, ...]) -> Callable:
    """The body of a composed op as it is: eager calls compile nothing."""
    return body


def is_tensor(x: Any) -> bool:
    return isinstance(x, (np.ndarray, ArrayBox, np.generic))


def dtype_name(x: Any) -> str:
    dtype = x.dtype
    return _NAMES.get(dtype) or dtypes.standardize_dtype(dtype)


def native_dtype(dtype: str) -> np.dtype:
    return dtypes.numpy_dtype(dtype)


def shape(x: Any) -> tuple[int, ...]:
    return x.shape


@primitive
def _astype(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return x.astype(dtype)


defvjp(_astype, lambda ans, x, dtype: lambda g: g.astype(x.dtype), argnums=(0,))


def cast(x: Any, dtype: str) -> Any:
    target = dtypes.numpy_dtype(dtype)
    if x.dtype == target:
        return x
    if not isinstance(x, Box):
        return np.asarray(x.astype(target))
    # No gradient flows through integers.
    return np.asarray(getval(x)).astype(target) if target.kind in "biu" else _astype(x, target)


def convert_to_tensor(x: Any, dtype: str | None = None) -> Any:
    if isinstance(x, ArrayBox):
        return x if dtype is None else cast(x, dtype)
    target = None if dtype is None else dtypes.numpy_dtype(dtype)
    if isinstance(x, (np.ndarray, np.generic)):
        return np.asarray(x, dtype=target)
    if isinstance(x, (list, tuple)) and _holds_box(x):
        stacked = anp.array(x)
        return stacked if dtype is None else cast(stacked, dtype)
    return np.asarray(x, dtype=target)


def _holds_box(x: Any) -> bool:
    return isinstance(x, Box) or (isinstance(x, (list, tuple)) and any(map(_holds_box, x)))


def scalar(value: float, like: Any) -> Any:
    """A Python number beside a tensor, in the tensor's dtype."""
    return np.asarray(value, like.dtype)


def convert_to_numpy(x: Any) -> np.ndarray:
    while isinstance(x, Box):
        x = x._value
    return np.asarray(x)


def make_variable(value: Any, dtype: str, trainable: bool, name: str) -> np.ndarray:
    return np.array(convert_to_numpy(value), dtype=dtypes.numpy_dtype(dtype))


def read_variable(storage: np.ndarray) -> np.ndarray:
    return storage


def set_trainable(storage: np.ndarray, trainable: bool) -> np.ndarray:
    return storage


def assign_variable(storage: np.ndarray, value: Any) -> np.ndarray:
    # A fresh array, never a write into the old one: whoever holds the old value keeps it.
    return np.array(convert_to_numpy(value)) if value is not storage else storage


@notrace_primitive
def stop_gradient(variable: Any) -> Any:
    return variable


dynamic_shape = shape
