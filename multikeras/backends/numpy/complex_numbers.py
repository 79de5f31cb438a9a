"""Complex arrays: their parts, and how they are made.

The gradient that reaches a complex value z is the one with which the loss changes by Re(g dz), as
autograd has it.
"""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, primitive


def real(x: Any) -> Any:
    return anp.real(x) if x.dtype.kind == "c" else x


def imag(x: Any) -> Any:
    return anp.imag(x) if x.dtype.kind == "c" else np.zeros(x.shape, x.dtype)


def conjugate(x: Any) -> Any:
    return anp.conjugate(x) if x.dtype.kind == "c" else x


@primitive
def join_complex(real: Any, imag: Any) -> Any:
    joined = np.empty(np.shape(real), np.result_type(real, np.complex64))
    joined.real = real
    joined.imag = imag
    return joined


defvjp(
    join_complex,
    lambda ans, real, imag: lambda g: anp.real(g),
    lambda ans, real, imag: lambda g: -anp.imag(g),
)
