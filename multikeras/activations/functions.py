"""Activation functions: element-wise (and softmax-like) functions by their Keras names.

Each takes a tensor of any shape and gives one of the same shape, except `glu`, which halves an
axis. Integers are computed in `floatx()` where the op is float-valued. Everything here is an
expression over `multikeras.ops`; nothing keeps state.
"""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry

expose = registry.expose("keras.activations")


@expose
def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """Rectified linear unit: `max(x, 0)`, with a leak, a ceiling and a threshold on demand.

    Args:
        x: the input tensor.
        negative_slope: slope below the threshold.
        max_value: the largest value given out; None: no ceiling.
        threshold: values below it are damped to `negative_slope * (x - threshold)`.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.relu([-2.0, 0.0, 3.0], max_value=2.0)).tolist()
        [0.0, 0.0, 2.0]
    """
    if negative_slope == 0.0 and threshold == 0.0:
        if max_value is None:
            return ops.relu(x)
        if max_value == 6:
            return ops.relu6(x)
    x = ops.convert_to_tensor(x)
    if threshold == 0.0 and max_value is None:
        return ops.leaky_relu(x, negative_slope)
    if threshold == 0.0:
        result = ops.relu(x)
    else:
        result = ops.where(ops.greater(x, threshold), x, ops.zeros_like(x))
    if max_value is not None:
        result = ops.minimum(result, max_value)
    if negative_slope != 0.0:
        leak = ops.multiply(ops.relu(ops.subtract(threshold, x)), negative_slope)
        result = ops.subtract(result, leak)
    return result


@expose
def relu6(x: Any) -> Any:
    """`min(max(x, 0), 6)`.

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.relu6([-1.0, 3.0, 8.0])).tolist()
        [0.0, 3.0, 6.0]
    """
    return ops.relu6(x)


@expose
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` where positive, `negative_slope * x` elsewhere (Maas et al., 2013).

    Args:
        x: the input tensor.
        negative_slope: the slope for negative values.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.leaky_relu([-2.0, 1.0], 0.5)).tolist()
        [-1.0, 1.0]
    """
    return ops.leaky_relu(x, negative_slope=negative_slope)


@expose
def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2016).

    Args:
        x: the input tensor.
        alpha: minus the value that large negative inputs approach.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.elu([0.0, 2.0])).tolist()
        [0.0, 2.0]
    """
    return ops.elu(x, alpha=alpha)


@expose
def selu(x: Any) -> Any:
    """Scaled ELU, which keeps zero mean and unit variance (Klambauer et al., 2017).

    Use it with the "lecun_normal" initializer and `AlphaDropout`.

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.selu([0.0, 1.0])).round(4).tolist()
        [0.0, 1.0506999492645264]
    """
    return ops.selu(x)


@expose
def celu(x: Any, alpha: float = 1.0) -> Any:
    """`max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))` (Barron, 2017): smooth for any alpha.

    Args:
        x: the input tensor.
        alpha: minus the value that large negative inputs approach.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.celu([0.0, 2.0])).tolist()
        [0.0, 2.0]
    """
    return ops.celu(x, alpha=alpha)


@expose
def gelu(x: Any, approximate: bool = False) -> Any:
    """Gaussian error linear unit, `x * P(X <= x)` for a standard normal X
    (Hendrycks and Gimpel, 2016).

    Args:
        x: the input tensor.
        approximate: whether to use the tanh formula instead of the exact one.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.gelu([0.0, 10.0])).tolist()
        [0.0, 10.0]
    """
    return ops.gelu(x, approximate=approximate)


@expose
def silu(x: Any) -> Any:
    """`x * sigmoid(x)`, also called swish (Ramachandran et al., 2017).

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.silu([0.0, 20.0])).tolist()
        [0.0, 20.0]
    """
    return ops.silu(x)


@expose
def mish(x: Any) -> Any:
    """`x * tanh(softplus(x))` (Misra, 2019).

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.mish([0.0, 20.0])).tolist()
        [0.0, 20.0]
    """
    x = ops.convert_to_tensor(x)
    return ops.multiply(x, ops.tanh(ops.softplus(x)))


@expose
def sigmoid(x: Any) -> Any:
    """`1 / (1 + exp(-x))`.

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.sigmoid([0.0])).tolist()
        [0.5]
    """
    return ops.sigmoid(x)


@expose
def log_sigmoid(x: Any) -> Any:
    """`log(sigmoid(x))`, without underflow.

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.log_sigmoid([-100.0])).tolist()
        [-100.0]
    """
    return ops.log_sigmoid(x)


@expose
def hard_sigmoid(x: Any) -> Any:
    """A piecewise linear sigmoid: `clip(x / 6 + 1/2, 0, 1)` (Courbariaux et al., 2015).

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.hard_sigmoid([-3.0, 0.0, 3.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    return ops.hard_sigmoid(x)


@expose
def hard_silu(x: Any) -> Any:
    """`x * hard_sigmoid(x)`, also called hard swish (Howard et al., 2019).

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.hard_silu([-3.0, 0.0, 3.0])).tolist()
        [0.0, 0.0, 3.0]
    """
    return ops.hard_silu(x)


@expose
def sparse_sigmoid(x: Any) -> Any:
    """`clip((x + 1) / 2, 0, 1)` (Martins and Astudillo, 2016).

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.sparse_sigmoid([-2.0, 0.0, 2.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    return ops.sparse_sigmoid(x)


@expose
def tanh(x: Any) -> Any:
    """Hyperbolic tangent.

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.tanh([0.0])).tolist()
        [0.0]
    """
    return ops.tanh(x)


@expose
def hard_tanh(x: Any) -> Any:
    """`clip(x, -1, 1)`.

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.hard_tanh([-2.0, 0.5, 2.0])).tolist()
        [-1.0, 0.5, 1.0]
    """
    return ops.hard_tanh(x)


@expose
def tanh_shrink(x: Any) -> Any:
    """`x - tanh(x)`.

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.tanh_shrink([0.0])).tolist()
        [0.0]
    """
    return ops.tanh_shrink(x)


@expose
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Moves values towards zero by `threshold`; those within it become zero.

    Args:
        x: the input tensor.
        threshold: half the width of the dead zone.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.soft_shrink([-1.0, 0.2, 2.0])).tolist()
        [-0.5, 0.0, 1.5]
    """
    return ops.soft_shrink(x, threshold=threshold)


@expose
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Zero where `|x| <= threshold`, `x` elsewhere.

    Args:
        x: the input tensor.
        threshold: half the width of the dead zone.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.hard_shrink([-1.0, 0.2, 2.0])).tolist()
        [-1.0, 0.0, 2.0]
    """
    return ops.hard_shrink(x, threshold=threshold)


@expose
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` where it is greater than `threshold`, `default_value` elsewhere.

    Args:
        x: the input tensor.
        threshold: the bound.
        default_value: what stands for values at or below the bound.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.threshold([-1.0, 2.0], 0.0, 9.0)).tolist()
        [9.0, 2.0]
    """
    return ops.threshold(x, threshold, default_value)


@expose
def softplus(x: Any) -> Any:
    """`log(exp(x) + 1)`.

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.softplus([100.0])).tolist()
        [100.0]
    """
    return ops.softplus(x)


@expose
def sparse_plus(x: Any) -> Any:
    """0 for `x <= -1`, `(x + 1)^2 / 4` between -1 and 1, `x` above: a softplus with real zeros.

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.sparse_plus([-2.0, 0.0, 2.0])).tolist()
        [0.0, 0.25, 2.0]
    """
    return ops.sparse_plus(x)


@expose
def squareplus(x: Any, b: float = 4) -> Any:
    """`(x + sqrt(x^2 + b)) / 2` (Barron, 2021).

    Args:
        x: the input tensor.
        b: how round the corner at zero is.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.squareplus([0.0])).tolist()
        [1.0]
    """
    return ops.squareplus(x, b=b)


@expose
def softsign(x: Any) -> Any:
    """`x / (|x| + 1)`.

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.softsign([-1.0, 1.0])).tolist()
        [-0.5, 0.5]
    """
    return ops.softsign(x)


@expose
def exponential(x: Any) -> Any:
    """`exp(x)`.

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.exponential([0.0])).tolist()
        [1.0]
    """
    return ops.exp(x)


@expose
def linear(x: Any) -> Any:
    """`x` itself.

    Args:
        x: the input tensor.

    Example:
        >>> from multikeras import activations
        >>> activations.linear(3)
        3
    """
    return x


@expose
def softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """Exponentials along `axis`, divided by their sum: probabilities that sum to one.

    Args:
        x: the input tensor.
        axis: the axis of the classes, or several, over which the sum is taken jointly.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.softmax([[1.0, 1.0]])).tolist()
        [[0.5, 0.5]]
    """
    return ops.softmax(x, axis=axis)


@expose
def log_softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """`log(softmax(x))`, without underflow.

    Args:
        x: the input tensor.
        axis: the axis of the classes, or several.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.log_softmax([[0.0, -200.0]])).tolist()
        [[0.0, -200.0]]
    """
    return ops.log_softmax(x, axis=axis)


@expose
def sparsemax(x: Any, axis: int = -1) -> Any:
    """The nearest point of the probability simplex, which holds real zeros
    (Martins and Astudillo, 2016).

    Args:
        x: the input tensor.
        axis: the axis of the classes.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.sparsemax([[3.0, 1.0]])).tolist()
        [[1.0, 0.0]]
    """
    return ops.sparsemax(x, axis=axis)


@expose
def glu(x: Any, axis: int = -1) -> Any:
    """Gated linear unit: the first half of `axis` times the sigmoid of the second half
    (Dauphin et al., 2017).

    Args:
        x: the input tensor; the length of `axis` must be even.
        axis: the axis that is split.

    Example:
        >>> from multikeras import activations, ops
        >>> ops.convert_to_numpy(activations.glu([[4.0, 0.0]])).tolist()
        [[2.0]]
    """
    return ops.glu(x, axis=axis)


swish = silu
hard_swish = hard_silu
