"""Functions of one tensor, element by element."""

from __future__ import annotations

from typing import Any

import torch

from multikeras.backends.torch.core import widened

negative = widened(torch.neg)
_sign = widened(torch.sign)
signbit = torch.signbit
square = widened(torch.square)
sqrt = torch.sqrt
rsqrt = torch.rsqrt
reciprocal = torch.reciprocal
exp = torch.exp
exp2 = torch.exp2
expm1 = torch.expm1
log = torch.log
log1p = torch.log1p
log2 = torch.log2
log10 = torch.log10
sin = torch.sin
cos = torch.cos
tan = torch.tan
sinh = torch.sinh
cosh = torch.cosh
tanh = torch.tanh
arcsin = torch.asin
arccos = torch.acos
arctan = torch.atan
arcsinh = torch.asinh
arccosh = torch.acosh
arctanh = torch.atanh
erf = torch.erf
erfc = torch.erfc
erfinv = torch.erfinv
floor = torch.floor
ceil = torch.ceil
deg2rad = torch.deg2rad
rad2deg = torch.rad2deg
sinc = torch.sinc
_NOT_SIGNED = frozenset((torch.bool, torch.uint8, torch.uint16, torch.uint32, torch.uint64))


def abs(x: Any) -> Any:
    return torch.abs(x) if x.dtype not in _NOT_SIGNED else x


absolute = abs


def sign(x: Any) -> Any:
    return torch.sgn(x) if x.is_complex() else _sign(x)


def trunc(x: Any) -> Any:
    return torch.trunc(x) if x.is_floating_point() else x


def round(x: Any, decimals: int) -> Any:
    if x.is_floating_point():
        return torch.round(x, decimals=decimals) if decimals else torch.round(x)
    return x if decimals >= 0 else torch.round(x.to(torch.float64), decimals=decimals).to(x.dtype)
