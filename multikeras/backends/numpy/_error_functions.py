"""The complementary error function and the inverse error function on arrays.

Sources of the formulas: W. J. Cody, "Rational Chebyshev approximations for the error function",
Mathematics of Computation 23 (1969), 631-637, for the complement; for the inverse M. Giles,
"Approximating the erfinv function", GPU Computing Gems Jade Edition (2012), refined by Halley's
method. Only real floating-point input; computed in float64, answered in the dtype of `x`.
"""

from __future__ import annotations

import numpy as np

from multikeras.backends.numpy._special import _MIDDLE, _ratio, erf_array

__all__ = ["erfc_array", "erfinv_array"]

_ONE_OVER_ROOT_PI = 0.56418958354775628695
# From 4 on, in powers of 1 / x**2, highest first.
_TAIL = (
    (
        1.63153871373020978e-2,
        3.05326634961232344e-1,
        3.60344899949804439e-1,
        1.25781726111229246e-1,
        1.60837851487422766e-2,
        6.58749161529837803e-4,
    ),
    (
        1.0,
        2.56852019228982242e0,
        1.87295284992346047e0,
        5.27905102951428412e-1,
        6.05183413124413191e-2,
        2.33520497626869185e-3,
    ),
)
_FAR = 27.3  # beyond, the answer is below the least float64


def erfc_array(x: np.ndarray) -> np.ndarray:
    """One minus the error function of every element, in the dtype of `x`.

    Example:

    >>> import numpy as np
    >>> erfc_array(np.array([0.0, 0.5, 5.0])).round(13).tolist()
    [1.0, 0.4795001221870, 0.0000000000015]
    """
    wide = np.asarray(x, np.float64)
    size = np.minimum(np.abs(wide), _FAR)
    near = np.minimum(size, 4.0)
    tail = np.maximum(size, 4.0)
    squared = 1 / (tail * tail)
    far = (_ONE_OVER_ROOT_PI - squared * _ratio(squared, _TAIL)) / tail
    y = np.exp(-size * size) * np.where(size <= 4.0, _ratio(near, _MIDDLE), far)
    y = np.where(wide < 0, 2 - y, y)
    y = np.where(size <= 0.46875, 1 - erf_array(wide), y)
    return np.where(np.isnan(wide), wide, y).astype(np.asarray(x).dtype)


_CENTRE = (
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    0.00021858087,
    -0.00125372503,
    -0.00417768164,
    0.246640727,
    1.50140941,
)
_EDGE = (
    -0.000200214257,
    0.000100950558,
    0.00134934322,
    -0.00367342844,
    0.00573950773,
    -0.0076224613,
    0.00943887047,
    1.00167406,
    2.83297682,
)


def erfinv_array(x: np.ndarray) -> np.ndarray:
    """The inverse error function of every element, in the dtype of `x`; NaN outside [-1, 1].

    Example:

    >>> import numpy as np
    >>> erfinv_array(np.array([0.0, 0.520499878, 1.0])).round(6).tolist()
    [0.0, 0.5, inf]
    """
    wide = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        inside = np.where(np.abs(wide) < 1, wide, 0.0)
        w = -np.log((1 - inside) * (1 + inside))
        centre, edge = np.polyval(_CENTRE, w - 2.5), np.polyval(_EDGE, np.sqrt(w) - 3)
        y = inside * np.where(w < 5, centre, edge)
        rest = 1 - np.abs(inside)
        for _ in range(2):
            # The complement tells values close to 1 apart.
            miss = np.sign(inside) * (rest - erfc_array(np.abs(y)))
            step = miss * np.exp(np.minimum(y * y, 700.0)) * np.sqrt(np.pi) / 2
            y = y + step / (1 - y * step)
        y = np.where(wide == 1, np.inf, np.where(wide == -1, -np.inf, y))
        y = np.where((np.abs(wide) > 1) | np.isnan(wide), np.nan, y)
    return y.astype(np.asarray(x).dtype)
