"""Complex tensors: their parts, and how they are made of real ones.

Real dtypes are numbers without an imaginary part here, not errors. `join_complex` is what the
other ops (and Fourier transforms) are made with; it is not exported. There is no complex dtype of
less than 64 bits: 16-bit floats become "complex64".
"""

from __future__ import annotations

import math
from typing import Any

from multikeras import dtypes
from multikeras.ops import arithmetic, core, elementwise, indexing, rules, shaping
from multikeras.ops._compose import composed
from multikeras.ops._declare import op


def _is_complex(x: Any) -> bool:
    return "complex" in core.dtype(x)


def to_part(found: list[str]) -> str:
    """The float dtype of a complex number's parts, at least 32 bits wide."""
    dtype = dtypes.to_float(rules.real_dtype(dtypes.promote(*found)))
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def _joined(dtype: str) -> str:
    return "complex128" if dtype == "float64" else "complex64"


@op(rules.unary(out=rules.real_dtype))
def real(x: Any) -> Any:
    """The real parts; a tensor that is not complex stays as it is.

    Args:
        x: a tensor of any shape and dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.real([1 + 2j, 3j])).tolist()
        [1.0, 0.0]
    """


@op(rules.unary(out=rules.real_dtype))
def imag(x: Any) -> Any:
    """The imaginary parts; zeros of the same dtype for a tensor that is not complex.

    Args:
        x: a tensor of any shape and dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.imag([1 + 2j, 3j])).tolist()
        [2.0, 3.0]
    """


@op(rules.unary())
def conjugate(x: Any) -> Any:
    """The complex conjugates; also under the name `conj`.

    Args:
        x: a tensor of any shape and dtype; what is not complex stays as it is.

    Example:
        >>> from multikeras import ops
        >>> complex(ops.convert_to_numpy(ops.conj(1 + 2j)))
        (1-2j)
    """


@op(rules.elementwise(to_part, _joined))
def join_complex(real: Any, imag: Any) -> Any:
    """`real + 1j * imag`, also where one of them is infinite.

    Args:
        real, imag: floats of one shape.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.complex_numbers import join_complex
        >>> complex(ops.convert_to_numpy(join_complex(1.0, -2.0)))
        (1-2j)
    """


@composed("x")
def isreal(x: Any) -> Any:
    """Whether the imaginary part is 0, element by element.

    Args:
        x: a tensor of any shape and dtype.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.isreal([1 + 2j, 3 + 0j])).tolist()
        [False, True]
    """
    return arithmetic.equal(imag(x), 0)


@composed("x", promote=rules.to_float)
def angle(x: Any) -> Any:
    """The angle from the positive real axis in (-pi, pi], in radians.

    Args:
        x: a tensor of any shape; negative real numbers have the angle pi.

    Returns:
        Floats of the same shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.angle([1j, -1 + 0j, 1 + 1j])).tolist()
        [1.5708, 3.1416, 0.7854]
    """
    if _is_complex(x):
        return arithmetic.arctan2(imag(x), real(x))
    half_turn = core.cast(math.pi, core.dtype(x))
    turned = arithmetic.where(elementwise.signbit(x), half_turn, core.cast(0.0, core.dtype(x)))
    return arithmetic.where(arithmetic.isnan(x), x, turned)


@composed("abs_", "angle", promote=to_part)
def polar(abs_: Any, angle: Any) -> Any:
    """Complex numbers of these absolute values and angles.

    Args:
        abs_: floats.
        angle: radians, of a shape that broadcasts with that of `abs_`.

    Returns:
        "complex64", or "complex128" for float64.

    Example:
        >>> from multikeras import ops
        >>> z = ops.polar([2.0, 1.0], [0.0, 3.1415927])
        >>> ops.convert_to_numpy(ops.real(z)).tolist()
        [2.0, -1.0]
    """
    return join_complex(
        arithmetic.multiply(abs_, elementwise.cos(angle)),
        arithmetic.multiply(abs_, elementwise.sin(angle)),
    )


@composed("x", promote=to_part)
def view_as_complex(x: Any) -> Any:
    """Complex numbers of pairs along the last axis.

    Args:
        x: (..., 2): real and imaginary parts.

    Returns:
        (...,): "complex64", or "complex128" for float64.

    Raises:
        ValueError: if the last dimension is not 2.

    Example:
        >>> from multikeras import ops
        >>> complex(ops.convert_to_numpy(ops.view_as_complex([1.0, -2.0])))
        (1-2j)
    """
    if not len(x.shape) or x.shape[-1] not in (2, None):
        raise ValueError(
            "view_as_complex: expected `x` of a shape (..., 2), real and imaginary parts, "
            f"got {tuple(x.shape)}."
        )
    return join_complex(indexing.get_item(x, (..., 0)), indexing.get_item(x, (..., 1)))


@composed("x", promote=rules.to_float)
def view_as_real(x: Any) -> Any:
    """Real and imaginary parts side by side along a new last axis.

    Args:
        x: a tensor of any shape; a real one gets imaginary parts of 0.

    Returns:
        (..., 2): floats.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.view_as_real([1 + 2j, 3j])).tolist()
        [[1.0, 2.0], [0.0, 3.0]]
    """
    return shaping.stack([real(x), imag(x)], -1)


# Other names of the same functions.
conj = conjugate
