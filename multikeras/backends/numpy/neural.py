"""Neural-network functions of the NumPy backend: dense layers here, the rest from its own files.

Each kernel is a plain function of arrays of one floating dtype and one node of a gradient trace
with a hand-written backward pass. The raw function, free of the check for traced arguments, is
`.fun`. Conversion, promotion and the checking of arguments belong to the op declarations; what
is checked here is only what indexing would get silently wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from multikeras.backends.numpy._activations import (
    column_sums,
    erf,
    gelu,
    log_softmax,
    relu,
    sigmoid,
    sigmoid_into,
    sigmoid_slope,
    silu,
    softmax,
    softmax_gradient_of,
    softmax_into,
    softplus,
    tanh_slope,
)
from multikeras.backends.numpy._attention import dot_product_attention
from multikeras.backends.numpy._crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from multikeras.backends.numpy._gradients import HALVES, differentiable
from multikeras.backends.numpy._normalization import (
    batch_normalization,
    batch_normalization_train,
    layer_normalization,
    moments,
    rms_normalization,
)

__all__ = [
    "batch_normalization",
    "batch_normalization_train",
    "binary_crossentropy",
    "categorical_crossentropy",
    "dense",
    "dot_product_attention",
    "erf",
    "gelu",
    "layer_normalization",
    "log_softmax",
    "moments",
    "relu",
    "rms_normalization",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "sparse_categorical_crossentropy",
]

_add, _dot, _maximum, _multiply = np.add, np.dot, np.maximum, np.multiply
_ndarray = np.ndarray
# As an array it costs a ufunc half of what a Python number does.
_ZERO = np.zeros((), np.float32)

Recorded = tuple[Any, Callable[..., tuple[Any, ...]]]

# name -> (in-place forward, gradient from the answer and g)
_FUSED_ACTIVATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "relu": (lambda y: _maximum(y, 0, out=y), lambda y, g: _multiply(g, y > 0)),
    "tanh": (lambda y: np.tanh(y, out=y), tanh_slope),
    "sigmoid": (lambda y: sigmoid_into(y, y), sigmoid_slope),
    "softmax": (
        lambda y: softmax_into(y, -1, y),
        lambda y, g: softmax_gradient_of(y, g, -1),
    ),
}
FUSED_ACTIVATIONS = frozenset(_FUSED_ACTIVATIONS) | {"linear"}


def _dense_plain(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None = None,
    activation: str | None = None,
) -> np.ndarray:
    # np.dot calls BLAS for two dimensions only.
    flat = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
    y = _dot(flat, kernel)
    if bias is not None:
        _add(y, bias, y)
    if activation == "relu":
        _maximum(y, _ZERO, out=y)
    elif activation is not None and activation != "linear":
        _FUSED_ACTIVATIONS[activation][0](y)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], kernel.shape[1])


def _dense_gradient(
    needs: tuple[int, ...],
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None = None,
    activation: str | None = None,
) -> Recorded:
    y = _dense_plain(x, kernel, bias, activation)

    def backward(g: np.ndarray) -> tuple[Any, ...]:
        if activation is not None and activation != "linear":
            g = _FUSED_ACTIVATIONS[activation][1](y, g)
        g = g if g.ndim == 2 else g.reshape(-1, g.shape[-1])
        gx = gk = gb = None
        if 0 in needs:
            gx = _dot(g, kernel.T)
            gx = gx if x.ndim == 2 else gx.reshape(x.shape)
        if 1 in needs:
            gk = _dot((x if x.ndim == 2 else x.reshape(-1, x.shape[-1])).T, g)
        if 2 in needs:
            gb = column_sums(g)
        return gx, gk, gb

    return y, backward


def _dense_composed(x: Any, kernel: Any, bias: Any = None, activation: str | None = None) -> Any:
    y = anp.dot(x, kernel)
    y = y if bias is None else y + bias
    table = {"relu": relu, "tanh": anp.tanh, "sigmoid": sigmoid, "softmax": softmax}
    return y if activation in (None, "linear") else table[activation](y)


_dense_kernel = differentiable(_dense_gradient, composed=_dense_composed)(_dense_plain)


def dense(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None = None,
    activation: str | None = None,
) -> np.ndarray:
    """activation(x @ kernel + bias): x (..., in), kernel (in, out), bias (out,).

    `activation` is one of `FUSED_ACTIVATIONS` or None.
    """
    if (
        type(x) is _ndarray
        and type(kernel) is _ndarray
        and (bias is None or type(bias) is _ndarray)
        and x.dtype not in HALVES
    ):
        return _dense_plain(x, kernel, bias, activation)
    return _dense_kernel(x, kernel, bias, activation)


dense.fun = _dense_kernel.fun  # type: ignore[attr-defined]
