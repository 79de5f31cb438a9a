"""Dtype names and the promotion lattice: the one place that decides result dtypes.

A dtype is a string such as "float32" everywhere outside the backends. Promotion follows the
lattice of JAX's type promotion design (JEP 9407), which Keras 3 follows too, with one change:
where only integers of 64 bits and weak floats meet, the result is `floatx()`.
Refuses dtypes that no backend knows, with the list of the valid ones.
"""

from __future__ import annotations

import functools
from typing import Any

import ml_dtypes
import numpy as np

FLOAT_DTYPES = ("bfloat16", "float16", "float32", "float64")
SIGNED_DTYPES = ("int8", "int16", "int32", "int64")
UNSIGNED_DTYPES = ("uint8", "uint16", "uint32", "uint64")
INT_DTYPES = SIGNED_DTYPES + UNSIGNED_DTYPES
COMPLEX_DTYPES = ("complex64", "complex128")
FLOAT8_DTYPES = ("float8_e4m3fn", "float8_e5m2")
ALL_DTYPES = ("bool",) + INT_DTYPES + FLOAT_DTYPES + FLOAT8_DTYPES + COMPLEX_DTYPES + ("string",)

_PYTHON_DTYPES = {bool: "bool", int: "int32", str: "string"}
# Edges of the lattice; "int", "float" and "complex" are the weak dtypes of Python scalars.
_EDGES = {
    "bool": ("int",),
    "int": ("uint8", "int8"),
    "uint8": ("int16", "uint16"),
    "int8": ("int16",),
    "uint16": ("int32", "uint32"),
    "int16": ("int32",),
    "uint32": ("int64", "uint64"),
    "int32": ("int64",),
    "uint64": ("float",),
    "int64": ("float",),
    "float": ("bfloat16", "float16", "complex"),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "complex": ("complex64",),
    "float64": ("complex128",),
    "complex64": ("complex128",),
    "complex128": (),
}
_ITEM_BYTES = {"bool": 1, "string": 0, "bfloat16": 2, "float8_e4m3fn": 1, "float8_e5m2": 1}
_floatx = "float32"


def floatx() -> str:
    """The default float dtype, as a string.

    Example:
        >>> floatx()
        'float32'
    """
    return _floatx


def set_floatx(value: str) -> None:
    """Sets the default float dtype.

    Args:
        value: "bfloat16", "float16", "float32" or "float64".

    Raises:
        ValueError: for any other value.

    Example:
        >>> set_floatx("float32")
    """
    global _floatx
    if value not in FLOAT_DTYPES:
        raise ValueError(f"set_floatx: expected one of {FLOAT_DTYPES}, got {value!r}.")
    _floatx = str(value)
    promote.cache_clear()


@functools.cache
def _standardize(dtype: Any) -> str:
    if isinstance(dtype, str):
        name = {"int": "int32", "uint": "uint32"}.get(dtype, dtype)
    elif dtype in _PYTHON_DTYPES:
        name = _PYTHON_DTYPES[dtype]
    elif hasattr(dtype, "name"):  # np.dtype, tf.DType
        name = dtype.name
    elif str(dtype).startswith("torch."):
        name = str(dtype).removeprefix("torch.")
    else:
        try:
            name = np.dtype(dtype).name
        except TypeError:
            name = str(dtype)
    if name.startswith("str") and name[3:].isdigit():
        name = "string"
    if name not in ALL_DTYPES:
        raise ValueError(f"Unknown dtype {dtype!r}; expected one of {', '.join(ALL_DTYPES)}.")
    return name


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype given in any spelling.

    Args:
        dtype: a name, a Python type, a NumPy dtype or a framework's own dtype.
            None and `float` mean `floatx()`.

    Raises:
        ValueError: if it is not a known dtype.

    Example:
        >>> standardize_dtype(np.float16)
        'float16'
    """
    # Not by == alone: NumPy's float64 equals "float".
    if dtype is None or dtype is float or (isinstance(dtype, str) and dtype == "float"):
        return _floatx
    return _standardize(dtype)


def numpy_dtype(dtype: str) -> np.dtype:
    """The NumPy dtype of a name (ml_dtypes supplies bfloat16 and float8)."""
    return np.dtype(getattr(ml_dtypes, dtype, dtype))


def is_float_dtype(dtype: Any) -> bool:
    """True for the float dtypes, bfloat16 and float8 included.

    Example:
        >>> is_float_dtype("bfloat16"), is_float_dtype("int32")
        (True, False)
    """
    return "float" in standardize_dtype(dtype)


def is_int_dtype(dtype: Any) -> bool:
    """True for signed and unsigned integer dtypes, not for bool.

    Example:
        >>> is_int_dtype("uint8"), is_int_dtype("bool")
        (True, False)
    """
    return "int" in standardize_dtype(dtype)


def item_bytes(dtype: str) -> int:
    """Bytes of one element."""
    return _ITEM_BYTES[dtype] if dtype in _ITEM_BYTES else np.dtype(dtype).itemsize


@functools.cache
def _ancestors(dtype: str) -> frozenset[str]:
    found = {dtype}
    for parent in _EDGES[dtype]:
        found |= _ancestors(parent)
    return frozenset(found)


@functools.cache
def promote(*dtypes: str) -> str:
    """Result dtype of lattice members; "int", "float" and "complex" are weak (Python scalars).

    Raises:
        ValueError: if the dtypes have no common type (float8, string).

    Example:
        >>> promote("int32", "float"), promote("bfloat16", "float16"), promote("uint32", "int32")
        ('float32', 'float32', 'int64')
    """
    unique = set(dtypes)
    if len(unique) == 1 and not unique & {"int", "float", "complex"}:
        return next(iter(unique))
    for dtype in unique:
        if dtype not in _EDGES:
            raise ValueError(f"There is no implicit promotion for {sorted(unique)}; cast first.")
    common = frozenset.intersection(*(_ancestors(d) for d in unique))
    least = next(c for c in common if _ancestors(c) >= common)
    return {"int": "int32", "float": _floatx, "complex": "complex64"}.get(least, least)


_WEAK = {int: "int", float: "float", complex: "complex"}


def result_type(*dtypes: Any) -> str:
    """The dtype that values of these dtypes promote to.

    Args:
        *dtypes: dtypes in any spelling; the Python types `int`, `float` and `complex` are weak,
            as are Python scalars: they take the precision of what they meet.

    Example:
        >>> result_type("int32", "bfloat16"), result_type("float16", float)
        ('bfloat16', 'float16')
    """
    if not dtypes:
        return _floatx
    return promote(
        *(_WEAK[d] if isinstance(d, type) and d in _WEAK else standardize_dtype(d) for d in dtypes)
    )


def to_float(dtype: str) -> str:
    """The float dtype in which a float-valued function of `dtype` computes."""
    return dtype if "float" in dtype or "complex" in dtype else _floatx
