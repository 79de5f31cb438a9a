"""Conversion, casting and inspection of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from multikeras import dtypes, tree
from multikeras.backends import native
from multikeras.ops import rules
from multikeras.ops._declare import host_array, op
from multikeras.symbolic import KerasTensor
from multikeras.variables import Variable


def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    """A tensor of the backend from an array-like, a number, a Variable or a tensor.

    Args:
        x: the value; KerasTensors pass through (cast if need be).
        dtype: default: that of the value; Python floats give `floatx()`, integers int32.
        sparse, ragged: kept for compatibility; tensors are dense.

    Example:
        >>> convert_to_numpy(convert_to_tensor([1, 2], "float32")).tolist()
        [1.0, 2.0]
    """
    dtype = None if dtype is None else dtypes.standardize_dtype(dtype)
    if isinstance(x, KerasTensor):
        return x if dtype in (None, x.dtype) else cast(x, dtype)
    if isinstance(x, Variable):
        x = x.value
    elif isinstance(x, (bool, int, float)) and not isinstance(x, np.generic) and dtype is None:
        dtype = dtypes.promote(type(x).__name__)
    elif isinstance(x, (list, tuple)):
        x = tree.map_structure(lambda v: v.value if isinstance(v, Variable) else v, x)
        if dtype is None and not any(native.core.is_tensor(leaf) for leaf in tree.flatten(x)):
            x = host_array(x)
    return native.core.convert_to_tensor(x, dtype)


def convert_to_numpy(x: Any) -> np.ndarray:
    """The values as a NumPy array on the host.

    Example:
        >>> convert_to_numpy(convert_to_tensor(2.0)).item()
        2.0
    """
    if isinstance(x, Variable):
        return x.numpy()
    if isinstance(x, (list, tuple)):
        x = convert_to_tensor(x)
    return native.core.convert_to_numpy(x) if native.core.is_tensor(x) else np.asarray(x)


def is_tensor(x: Any) -> bool:
    """True for the backend's own tensors.

    Example:
        >>> is_tensor(convert_to_tensor(1)), is_tensor([1])
        (True, False)
    """
    return native.core.is_tensor(x)


def shape(x: Any) -> tuple:
    """The shape as a tuple; unknown dimensions are None (symbolic) or scalar tensors (traced).

    Example:
        >>> shape(convert_to_tensor([[1, 2, 3]]))
        (1, 3)
    """
    if isinstance(x, (KerasTensor, Variable)):
        return x.shape
    if not native.core.is_tensor(x):
        return np.shape(x)
    return native.core.dynamic_shape(x)


def ndim(x: Any) -> int:
    """The rank.

    Example:
        >>> ndim([[1, 2]])
        2
    """
    return len(x.shape) if hasattr(x, "shape") else np.ndim(x)


def dtype(x: Any) -> str:
    """The dtype's name.

    Example:
        >>> dtype(convert_to_tensor(1.0))
        'float32'
    """
    return dtypes.standardize_dtype(x.dtype)


@op(rules.custom(lambda _, x, dtype: KerasTensor(x.shape, dtypes.standardize_dtype(dtype)), ("x",)))
def cast(x: Any, dtype: Any) -> Any:
    """`x` in another dtype.

    Args:
        x: a tensor of any shape.
        dtype: the dtype wanted, in any spelling.

    Example:
        >>> convert_to_numpy(cast([1.7, -1.7], "int32")).tolist()
        [1, -1]
    """
    return native.core.cast(x, dtypes.standardize_dtype(dtype))


@op(rules.unary(tensor="variable"))
def stop_gradient(variable: Any) -> Any:
    """The same values, as a constant for differentiation.

    Example:
        >>> float(stop_gradient(3.0))
        3.0
    """
