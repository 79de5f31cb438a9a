"""How numbers are stored: their bits, neighbours, ranges, and how many there are.

Except for `view` these are made of other ops: floats are read as integers of the same width, so
that results are exact to the last bit on every backend, subnormal numbers included.
"""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from multikeras import dtypes, shapes
from multikeras.ops import arithmetic, core, rules
from multikeras.ops._compose import composed
from multikeras.ops._declare import Rule, op
from multikeras.symbolic import KerasTensor

_INTEGERS = {1: "int8", 2: "int16", 4: "int32", 8: "int64"}


def _viewed(_: str | None, x: KerasTensor, dtype: Any) -> KerasTensor:
    dtype = dtypes.standardize_dtype(dtype)
    old, new = dtypes.item_bytes(x.dtype), dtypes.item_bytes(dtype)
    if old == new:
        return KerasTensor(x.shape, dtype)
    last = x.shape[-1] if x.shape else 1
    if not x.shape or (last is not None and last * old % new):
        raise ValueError(
            f"view: the {old} bytes of each element of a tensor of shape {x.shape} can't be read "
            f"as {dtype} elements of {new} bytes along the last axis."
        )
    return KerasTensor((*x.shape[:-1], None if last is None else last * old // new), dtype)


@op(rules.custom(_viewed, ("x",)))
def reinterpret(x: Any, dtype: str) -> Any:
    """What `view` gives, for dtypes that are known to fit, without bools.

    Args:
        x: a tensor.
        dtype: the name of a dtype.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.representation import reinterpret
        >>> int(reinterpret(1.0, "int32"))
        1065353216
    """


@composed("x")
def view(x: Any, dtype: Any = None) -> Any:
    """The same bits, read as another dtype.

    Args:
        x: a tensor of any shape.
        dtype: default: that of `x`. If its elements are of another size, the last axis becomes
            longer or shorter. As "bool", a byte is true if it is not 0.

    Raises:
        ValueError: if the last axis doesn't hold a whole number of the new elements, or the
            backend has no such dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.view([1.0, -2.0], "int32")).tolist()
        [1065353216, -1073741824]
    """
    old = core.dtype(x)
    dtype = old if dtype is None else dtypes.standardize_dtype(dtype)
    if dtype == old:
        return x
    if "string" in (dtype, old):
        raise ValueError(f"view: strings have no bits of a fixed number, got {old} to {dtype}.")
    if old == "bool":
        x = core.cast(x, "uint8")
    as_bool, dtype = dtype == "bool", "uint8" if dtype == "bool" else dtype
    symbolic = isinstance(x, KerasTensor)
    if not symbolic and core.dtype(core.cast(core.convert_to_tensor(0), dtype)) != dtype:
        raise ValueError(f"view: this backend has no {dtype} as it is set up.")
    _viewed(None, x if symbolic else KerasTensor(tuple(x.shape), core.dtype(x)), dtype)
    if core.dtype(x) != dtype:
        x = reinterpret(x, dtype)
    return arithmetic.not_equal(x, 0) if as_bool else x


def _places(x: Any, wide: str) -> Any:
    """Integers in the order of the floats: neighbours differ by 1, both zeros are 0."""
    bits = view(x, _INTEGERS[dtypes.item_bytes(core.dtype(x))])
    lowest = np.iinfo(core.dtype(bits)).min
    bits = core.cast(bits, wide)
    return arithmetic.where(arithmetic.less(bits, 0), arithmetic.subtract(lowest, bits), bits)


@composed("x1", "x2", promote=rules.to_float, compiled=True)
def nextafter(x1: Any, x2: Any) -> Any:
    """The next representable number from `x1` towards `x2`.

    Args:
        x1, x2: tensors of shapes that broadcast; integers become floats.

    Returns:
        `x2` where they are equal, NaN where one is NaN. No gradient flows.

    Example:
        >>> from multikeras import ops
        >>> float(ops.nextafter(1.0, 2.0)) - 1.0 == 2.0**-23
        True
    """
    dtype = core.dtype(x1)
    narrow = _INTEGERS[dtypes.item_bytes(dtype)]
    wide = "int64" if narrow == "int64" else "int32"
    here, there = _places(x1, wide), _places(x2, wide)
    up = core.cast(arithmetic.greater(there, here), wide)
    down = core.cast(arithmetic.less(there, here), wide)
    place = arithmetic.subtract(arithmetic.add(here, up), down)
    lowest = np.iinfo(narrow).min
    # A step down from 0 has the sign bit, which counts from the lowest integer.
    bits = arithmetic.where(arithmetic.less(place, 0), arithmetic.subtract(lowest, place), place)
    found = view(core.cast(bits, narrow), dtype)
    found = arithmetic.where(arithmetic.equal(here, there), x2, found)
    unordered = arithmetic.logical_or(arithmetic.isnan(x1), arithmetic.isnan(x2))
    return core.stop_gradient(arithmetic.where(unordered, core.cast(math.nan, dtype), found))


def _power_of_two(exponent: Any, dtype: str) -> Any:
    """Exactly 2**exponent, for exponents of normal numbers."""
    bias, shift, integer = (1023, 52, "int64") if dtype == "float64" else (127, 23, "int32")
    bits = arithmetic.multiply(arithmetic.add(core.cast(exponent, integer), bias), 1 << shift)
    return view(bits, dtype)


def _ldexp_spec(dtype: str, x1: KerasTensor, x2: KerasTensor) -> KerasTensor:
    if not (dtypes.is_int_dtype(x2.dtype) or x2.dtype == "bool"):
        raise TypeError(f"ldexp: expected integers for `x2`, got {x2.dtype}.")
    return KerasTensor(shapes.broadcast(x1.shape, x2.shape), dtype)


@op(Rule(_ldexp_spec, rules.to_float, ("x1", "x2"), "float", loose=("x2",)), compiled=True)
def ldexp(x1: Any, x2: Any) -> Any:
    """`x1 * 2**x2`, exactly, also where `2**x2` alone would overflow.

    Args:
        x1: numbers; integers become floats.
        x2: integers, of a shape that broadcasts with that of `x1`.

    Raises:
        TypeError: if `x2` is not of an integer dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.ldexp([1.0, 3.0], [4, -1])).tolist()
        [16.0, 1.5]
    """
    given = core.dtype(x2)
    if not (dtypes.is_int_dtype(given) or given == "bool"):
        raise TypeError(f"ldexp: expected integers for `x2`, got {given}.")
    dtype = core.dtype(x1)
    work = "float64" if dtype == "float64" else "float32"
    # Three factors: the largest quotient of two floats is out of the range of one.
    reach = 2200 if work == "float64" else 300
    x2 = core.cast(saturate_cast(x2, "int16") if given != "bool" else x2, "int32")
    x2 = arithmetic.clip(x2, -reach, reach)
    third = arithmetic.floor_divide(x2, 3)
    rest = arithmetic.subtract(x2, arithmetic.multiply(third, 2))
    step = _power_of_two(third, work)
    x1 = arithmetic.multiply(arithmetic.multiply(core.cast(x1, work), step), step)
    return core.cast(arithmetic.multiply(x1, _power_of_two(rest, work)), dtype)


# Asked for once: what traces a function can't ask.
_LIMITS: dict[str, tuple[Any, Any]] = {}
_SIGNIFICANT_BITS: dict[str, int] = {}
for _name in sorted(dtypes.INT_DTYPES):
    _LIMITS[_name] = int(np.iinfo(_name).min), int(np.iinfo(_name).max)
for _name in sorted(dtypes.FLOAT_DTYPES):
    _info = ml_dtypes.finfo(dtypes.numpy_dtype(_name))
    _LIMITS[_name] = float(_info.min), float(_info.max)
    _SIGNIFICANT_BITS[_name] = _info.nmant + 1


def _limits(dtype: str) -> tuple[Any, Any]:
    if dtype == "bool":
        return 0, 1
    return _LIMITS[dtype]


def _saturated(_: None, x: KerasTensor, dtype: Any) -> KerasTensor:
    return KerasTensor(x.shape, dtypes.standardize_dtype(dtype))


@op(rules.custom(_saturated, ("x",)))
def saturate_cast(x: Any, dtype: Any) -> Any:
    """`x` in another dtype; what is out of its range becomes its smallest or largest number.

    Args:
        x: a tensor of any shape.
        dtype: the dtype wanted, in any spelling. NaN becomes 0 in an integer dtype.

    Raises:
        ValueError: for complex tensors, and for an unknown dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.saturate_cast([-7.5, 7.5, 700.0], "uint8")).tolist()
        [0, 7, 255]
    """
    dtype, given = dtypes.standardize_dtype(dtype), core.dtype(x)
    if "complex" in given:
        raise ValueError(f"saturate_cast: expected real numbers for `x`, got {given}.")
    if given == "bool" or "complex" in dtype:
        return core.cast(x, dtype)
    low, high = _limits(dtype)
    own_low, own_high = _limits(given)
    whole = dtypes.is_int_dtype(dtype) and not dtypes.is_int_dtype(given)
    below = max(low, own_low)
    top = min(high, own_high)
    if whole:
        # The last number of the float dtype that the integer dtype reaches.
        bits, kept = high.bit_length(), _SIGNIFICANT_BITS[given]
        if high < own_high and bits > kept:
            top = 2.0**bits - 2.0 ** (bits - kept)
        x = arithmetic.where(arithmetic.isnan(x), core.cast(0, given), x)
    if dtypes.is_int_dtype(given):
        below, top = int(below), int(top)
    within = (below, top) == (own_low, own_high) and dtypes.is_int_dtype(given)
    bounded = x if within else arithmetic.clip(x, below, top)
    result = core.cast(bounded, dtype)
    if whole and top < high and own_high > high:
        most = core.convert_to_tensor(np.array(high, dtype), dtype)
        result = arithmetic.where(arithmetic.greater(x, top), most, result)
    return result


@op(rules.custom(lambda _, x: KerasTensor((), "int32"), ("x",)))
def size(x: Any) -> Any:
    """The number of elements, as an int32 scalar.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> int(ops.size([[1, 2, 3], [4, 5, 6]]))
        6
    """
    dims = core.shape(x)
    if all(isinstance(dim, int) for dim in dims):
        return core.convert_to_tensor(math.prod(dims), "int32")
    total = core.convert_to_tensor(1, "int32")
    for dim in dims:
        total = arithmetic.multiply(total, dim)
    return total
