"""Cases of softmax, cross-entropies, moments, normalization and dense layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.cases_activation import sigmoid
from tests.conformance.op_cases import Case, f, i


def axes_of(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def log_softmax(x: Any, axis: Any = -1) -> Any:
    z = x - x.max(axes_of(axis), keepdims=True)
    return z - np.log(np.exp(z).sum(axes_of(axis), keepdims=True))


def softmax(x: Any, axis: Any = -1) -> Any:
    return np.exp(log_softmax(x, axis))


def clipped(p: Any) -> Any:
    return np.clip(p, 1e-7, 1 - 1e-7)


def categorical(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    if from_logits:
        return -(target * log_softmax(output, axis)).sum(axis)
    return -(target * np.log(clipped(output / output.sum(axis, keepdims=True)))).sum(axis)


def sparse(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    if target.ndim == output.ndim:
        target = target.squeeze(axis)
    wanted = np.moveaxis(np.eye(output.shape[axis])[target], -1, axis)
    return categorical(wanted, output, from_logits, axis)


def binary(target: Any, output: Any, from_logits: bool = False) -> Any:
    p = clipped(sigmoid(output) if from_logits else output)
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    axes = axes_of(axes)
    return x.mean(axes, keepdims=keepdims), x.var(axes, keepdims=keepdims)


def on_axis(vector: Any, axis: int, ndim: int) -> Any:
    return vector.reshape([-1 if a == axis % ndim else 1 for a in range(ndim)])


def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None,
    epsilon: float = 1e-3,
) -> Any:  # fmt: skip
    mean, variance = (on_axis(v, axis, x.ndim) for v in (mean, variance))
    y = (x - mean) / np.sqrt(variance + epsilon)
    y = y if scale is None else y * on_axis(scale, axis, x.ndim)
    return y if offset is None else y + on_axis(offset, axis, x.ndim)


def batch_normalization_train(x: Any, offset: Any, scale: Any, axis: Any, epsilon: float) -> Any:
    mean, variance = x.mean(axis, keepdims=True), x.var(axis, keepdims=True)
    y = (x - mean) / np.sqrt(variance + epsilon)
    y = y if scale is None else y * scale.reshape(mean.shape)
    y = y if offset is None else y + offset.reshape(mean.shape)
    return y, mean.squeeze(axis), variance.squeeze(axis)


def normalized(x: Any, axis: Any, epsilon: Any, centre: bool) -> tuple[Any, list[int]]:
    axes = tuple(a % x.ndim for a in ([axis] if isinstance(axis, int) else axis))
    x = x - x.mean(axes, keepdims=True) if centre else x
    epsilon = 1e-7 if epsilon is None else epsilon
    y = x / np.sqrt((x * x).mean(axes, keepdims=True) + epsilon)
    return y, [n if a in axes else 1 for a, n in enumerate(x.shape)]


def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: Any = None
) -> Any:
    y, shape = normalized(x, axis, epsilon, True)
    y = y if gamma is None else y * gamma.reshape(shape)
    return y if beta is None else y + beta.reshape(shape)


def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: Any = None) -> Any:
    y, shape = normalized(x, axis, epsilon, False)
    return y if scale is None else y * scale.reshape(shape)


ACTIVATIONS = {
    None: lambda y: y,
    "linear": lambda y: y,
    "relu": lambda y: np.maximum(y, 0),
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "softmax": softmax,
}


def dense(x: Any, kernel: Any, bias: Any = None, activation: Any = None) -> Any:
    return ACTIVATIONS[activation](x @ kernel + (0 if bias is None else bias))


def p(*shape: int, seed: int = 1) -> np.ndarray:
    """Positive numbers, to be probabilities."""
    return f(*shape, low=0.1, high=0.9, seed=seed)


image = f(3, 4, 2, 5)
v = {n: p(n, seed=3) for n in (2, 3, 4, 5)}
large = np.array([[1000.0, -1000.0, 0.0], [-1e4, 0.0, 1e4]], "float32")

CASES = [
    *(
        Case("dense", (f(3, 4), f(4, 2), p(2)), {"activation": a}, dense)
        for a in ACTIVATIONS
    ),
    Case("dense", (f(3, 4), f(4, 2)), reference=dense),
    Case("dense", (f(2, 3, 4), f(4, 5), p(5)), {"activation": "relu"}, dense),
    Case("dense", (f(2, 3, 4), f(4, 5)), {"activation": "tanh"}, dense),
    Case("dense", (f(4), f(4, 5), p(5)), {"activation": "sigmoid"}, dense, batch=False),
    *(
        Case(op, (x,), {"axis": axis}, reference, name=f"{'x'.join(map(str, x.shape))}-{axis}")
        for op, reference in (("softmax", softmax), ("log_softmax", log_softmax))
        for x, axis in (
            (f(3, 4), -1), (image, 1), (image, 0), (image, (1, 3)), (image, [2, 1]), (f(3, 4), None)
        )
    ),
    Case("softmax", (large,), reference=softmax, grad=False, name="large"),
    Case("log_softmax", (large,), reference=log_softmax, grad=False, name="large"),
    Case("softmax", (i(2, 3),), reference=softmax, name="int"),
    *(
        Case("sparse_categorical_crossentropy", (i(*a, high=3), o), {"from_logits": logits, **kw},
             sparse, name=f"{'x'.join(map(str, a))}-{logits}")
        for logits, o2, o3 in ((False, p(4, 3), p(2, 3, 4)), (True, f(4, 3), f(2, 3, 4)))
        for a, o, kw in (((4,), o2, {}), ((4, 1), o2, {}), ((2, 4), o3, {"axis": 1}))
    ),
    Case("sparse_categorical_crossentropy", (i(4, high=3, dtype="uint8"), p(4, 3)),
         reference=sparse, name="uint8"),
    Case("sparse_categorical_crossentropy", (i(4, high=3, dtype="int64"), p(4, 3)),
         reference=sparse, name="int64"),
    Case("sparse_categorical_crossentropy", (i(2, high=3), large), {"from_logits": True}, sparse,
         grad=False, name="large"),
    *(
        Case("categorical_crossentropy", (p(*o.shape), o), {"from_logits": logits, "axis": axis},
             categorical)
        for logits, o, axis in (
            (False, p(4, 3), -1), (True, f(4, 3), -1), (False, p(2, 3, 4), 1), (True, f(2, 3, 4), 1)
        )
    ),
    Case("categorical_crossentropy", (np.eye(3, dtype="int32")[[0, 2]], p(2, 3)),
         reference=categorical, name="int_target"),
    Case("categorical_crossentropy",
         (np.eye(3, dtype="float32"), np.eye(3, dtype="float32")[[0, 2, 1]]),
         reference=categorical, grad=False, name="certain"),
    Case("binary_crossentropy", (p(3, 4, seed=2), p(3, 4)), reference=binary),
    Case("binary_crossentropy", (p(3, 4, seed=2), f(3, 4)), {"from_logits": True}, binary),
    Case("binary_crossentropy", (i(3, 4, high=2), p(3, 4)), reference=binary, name="int_target"),
    *(
        Case("moments", (image, axes), {"keepdims": k}, moments, name=f"{axes}-{k}")
        for axes in (0, -1, [0, 1, 2], (1, 3), None) for k in (False, True)
    ),
    Case("moments", (i(3, 4), 1), reference=moments, name="int"),
    *(
        Case("batch_normalization", (x, v[n], p(n), axis), kwargs, batch_normalization,
             name=f"{x.ndim}d-{axis}-{len(kwargs)}")
        for x, axis, n in ((image, -1, 5), (image, 1, 4), (f(3, 2), 1, 2), (f(2, 4, 3), 1, 4))
        for kwargs in ({}, {"offset": v[n], "scale": p(n, seed=5), "epsilon": 0.01},
                       {"scale": p(n, seed=5)}, {"offset": v[n]})
    ),
    *(
        Case("batch_normalization_train", (x, o, s, axes, 0.01), {}, batch_normalization_train,
             grad=False, tol=2e-5, name=f"{x.ndim}d-{axes}-{o is None}")
        for x, axes, n in (
            (image, (0, 1, 2), 5), (image, (0, 2, 3), 4), (f(6, 2), (0,), 2),
            (f(2, 4, 3), (0, 1), 3), (f(2, 4, 3), (0, 2), 4),
        )
        for o, s in ((None, None), (v[n], p(n, seed=5)))
    ),
    *(
        # The mean and the variance that come out are constants to differentiation.
        Case("batch_normalization_train", (x, o, s, axes, 0.01), {},
             lambda *args: batch_normalization_train(*args)[0],
             through=lambda op, *args: op(*args)[0],
             tol=2e-5, name=f"gradient-{x.ndim}d-{axes}-{o is None}")
        for x, axes, n in (
            (image, (0, 2, 3), 4), (f(6, 2), (0,), 2), (f(2, 4, 3), (0, 1), 3)
        )
        for o, s in ((None, None), (v[n], p(n, seed=5)))
    ),
    *(
        Case("layer_normalization", (f(3, 4, 5), g, b), {"axis": axis, **kw}, layer_normalization,
             grad_tol=1e-3, name=f"{axis}-{g is None}-{len(kw)}")
        for axis, g, b, kw in (
            (-1, None, None, {}), (-1, p(5), v[5], {"epsilon": 0.01}), (1, p(4), v[4], {}),
            ((1, 2), p(4, 5), None, {}), ([-2, -1], p(4, 5), f(4, 5), {}), (-1, None, v[5], {}),
        )
    ),
    Case("layer_normalization", (f(3, 4) * np.float32(1e-3),), reference=layer_normalization,
         tol=1e-3, grad=False, name="small"),
    *(
        Case("rms_normalization", (f(3, 4, 5), s), {"axis": axis, **kw}, rms_normalization,
             grad_tol=1e-3, name=f"{axis}-{s is None}")
        for axis, s, kw in (
            (-1, None, {}), (-1, p(5), {"epsilon": 0.01}), (1, p(4), {}), ((1, 2), p(4, 5), {})
        )
    ),
]  # fmt: skip
