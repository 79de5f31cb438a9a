"""Functions of neural networks: softmax, cross-entropies, moments and normalization.

`dense` and `batch_normalization_train` are the fused forms that layers call; they are not
exported. Activations, convolutions, attention and recurrent layers have files of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from multikeras import dtypes, shapes
from multikeras.backends import checks
from multikeras.ops import rules
from multikeras.ops._declare import Rule, op
from multikeras.symbolic import KerasTensor

_float = rules.unary(rules.to_float)

# What `dense` can apply in the same call, by the names of `activations`.
FUSED_ACTIVATIONS = frozenset({"linear", "relu", "sigmoid", "softmax", "tanh"})


def _as_first(found: list[str]) -> str:
    """The dtype of the first tensor, made float: parameters follow the data."""
    return dtypes.to_float(dtypes.promote(found[0]))


def _dense_spec(
    dtype: str, x: KerasTensor, kernel: KerasTensor, bias: Any = None, activation: Any = None
) -> KerasTensor:
    if len(kernel.shape) != 2 or not x.shape:
        raise ValueError(
            f"expected x (..., in) and kernel (in, out), got {x.shape} and {kernel.shape}."
        )
    return KerasTensor(shapes.matmul(x.shape, kernel.shape), dtype)


@op(rules.custom(_dense_spec, ("x", "kernel", "bias"), rules.common))
def dense(x: Any, kernel: Any, bias: Any = None, activation: str | None = None) -> Any:
    """`activation(x @ kernel + bias)` in one call.

    Args:
        x: (..., in).
        kernel: (in, out).
        bias: (out,) or None.
        activation: a name in `FUSED_ACTIVATIONS`, or None.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.neural import dense
        >>> y = dense([[1.0, 2.0]], [[1.0, 0.0], [0.0, -1.0]], [0.5, 0.5], "relu")
        >>> ops.convert_to_numpy(y).tolist()
        [[1.5, 0.0]]
    """


@op(_float)
def softmax(x: Any, axis: int | Sequence[int] | None = -1) -> Any:
    """`exp(x)` over its sum along `axis`, without overflow.

    Args:
        x: a tensor of rank 1 or more.
        axis: an axis or several, over which the result adds up to 1; None for all.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.softmax([[1.0, 1.0], [0.0, 200.0]])).tolist()
        [[0.5, 0.5], [0.0, 1.0]]
    """


@op(_float)
def log_softmax(x: Any, axis: int | Sequence[int] | None = -1) -> Any:
    """The logarithm of `softmax(x, axis)`, exact where that would be 0.

    Args:
        x: a tensor of rank 1 or more.
        axis: an axis or several; None for all.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.log_softmax([0.0, 200.0])).tolist()
        [-200.0, 0.0]
    """


def _sparse_spec(
    dtype: str, target: KerasTensor, output: KerasTensor, from_logits: bool = False, axis: int = -1
) -> KerasTensor:
    checks.label_shape(target, output, axis)
    return KerasTensor(shapes.reduce(output.shape, axis), dtype)


@op(Rule(_sparse_spec, rules.to_float, ("target", "output"), "float", loose=("target",)))
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """Minus the log-probability that `output` gives to the class `target`.

    Args:
        target: integer labels, of the shape of `output` without its class axis (or with 1 there).
        output: probabilities along `axis`, which are divided by their sum first and kept 1e-7
            away from 0 and 1; or logits.
        from_logits: whether `output` holds logits.
        axis: the class axis.

    Returns:
        A tensor of the shape of `output` without its class axis.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> from multikeras import ops
        >>> loss = ops.sparse_categorical_crossentropy([0, 1], [[1.0, 3.0], [1.0, 1.0]])
        >>> ops.convert_to_numpy(loss).tolist()
        [1.3863, 0.6931]
    """


def _categorical_spec(
    dtype: str, target: KerasTensor, output: KerasTensor, from_logits: bool = False, axis: int = -1
) -> KerasTensor:
    checks.same_shape("categorical_crossentropy", target, output)
    return KerasTensor(shapes.reduce(output.shape, axis), dtype)


@op(rules.custom(_categorical_spec, ("target", "output"), rules.to_float))
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """`-sum(target * log(output))` along `axis`.

    Args:
        target: the wanted distribution, such as one-hot vectors.
        output: probabilities of the same shape, which are divided by their sum first and kept
            1e-7 away from 0 and 1; or logits.
        from_logits: whether `output` holds logits.
        axis: the class axis.

    Returns:
        A tensor of the shape of `output` without its class axis.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> from multikeras import ops
        >>> loss = ops.categorical_crossentropy([[1.0, 0.0]], [[1.0, 3.0]])
        >>> ops.convert_to_numpy(loss).tolist()
        [1.3863]
    """


def _binary_spec(
    dtype: str, target: KerasTensor, output: KerasTensor, from_logits: bool = False
) -> KerasTensor:
    checks.same_shape("binary_crossentropy", target, output)
    return KerasTensor(output.shape, dtype)


@op(rules.custom(_binary_spec, ("target", "output"), rules.to_float))
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """`-(target * log(output) + (1 - target) * log(1 - output))`, element by element.

    Args:
        target: probabilities of the positive class.
        output: predicted probabilities of the same shape, kept 1e-7 away from 0 and 1; or logits.
        from_logits: whether `output` holds logits.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> from multikeras import ops
        >>> loss = ops.binary_crossentropy([1.0, 0.0], [0.5, 0.75])
        >>> ops.convert_to_numpy(loss).tolist()
        [0.6931, 1.3863]
    """


def _moments_spec(
    dtype: str, x: KerasTensor, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[KerasTensor, KerasTensor]:
    shape = shapes.reduce(x.shape, axes, keepdims)
    return KerasTensor(shape, dtype), KerasTensor(shape, dtype)


@op(rules.custom(_moments_spec, ("x",), rules.to_float))
def moments(
    x: Any, axes: int | Sequence[int] | None, keepdims: bool = False, synchronized: bool = False
) -> tuple[Any, Any]:
    """Mean and (population) variance over `axes`; 16-bit floats are summed in 32 bits.

    Args:
        x: a tensor.
        axes: the axes to average over; None for all.
        keepdims: keep them with size 1.
        synchronized: accepted; statistics are those of the tensor given.

    Returns:
        `(mean, variance)`.

    Example:
        >>> from multikeras import ops
        >>> mean, variance = ops.moments([[1.0, 3.0]], axes=1)
        >>> ops.convert_to_numpy(mean).tolist(), ops.convert_to_numpy(variance).tolist()
        ([2.0], [1.0])
    """


@op(
    rules.like(
        lambda x, *_: x.shape, rules.to_float, None, ("x", "mean", "variance", "offset", "scale")
    )
)
def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Any:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset` (arXiv:1502.03167).

    Args:
        x: a tensor.
        mean, variance, offset, scale: vectors along `axis` of x; the last two may be None.
        axis: the axis of the features.
        epsilon: keeps the division finite.

    Example:
        >>> from multikeras import ops
        >>> y = ops.batch_normalization([[3.0], [5.0]], [3.0], [4.0], -1, epsilon=0.0)
        >>> ops.convert_to_numpy(y).tolist()
        [[0.0], [1.0]]
    """


def _train_spec(
    dtype: str, x: KerasTensor, offset: Any, scale: Any, axis: Any, epsilon: float
) -> tuple[KerasTensor, ...]:
    shape = shapes.reduce(x.shape, axis)
    return KerasTensor(x.shape, dtype), KerasTensor(shape, dtype), KerasTensor(shape, dtype)


@op(rules.custom(_train_spec, ("x", "offset", "scale"), rules.to_float))
def batch_normalization_train(
    x: Any, offset: Any, scale: Any, axis: tuple[int, ...], epsilon: float
) -> tuple[Any, Any, Any]:
    """Normalizes by the batch's own statistics: what `BatchNormalization` does in training.

    Args:
        x: a tensor.
        offset, scale: as large as the axes that stay, or None.
        axis: the axes averaged over.
        epsilon: keeps the division finite.

    Returns:
        `(y, mean, variance)`; the gradient of y runs through the statistics, while the mean and
        the (population) variance returned are constants to it.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.neural import batch_normalization_train
        >>> y, mean, variance = batch_normalization_train([[1.0], [3.0]], None, None, (0,), 0.0)
        >>> ops.convert_to_numpy(y).tolist(), float(mean[0]), float(variance[0])
        ([[-1.0], [1.0]], 2.0, 1.0)
    """


@op(rules.like(lambda x, *_: x.shape, _as_first, None, ("x", "gamma", "beta")))
def layer_normalization(
    x: Any,
    gamma: Any = None,
    beta: Any = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
) -> Any:
    """Mean 0 and variance 1 along `axis`, times `gamma`, plus `beta` (arXiv:1607.06450).

    Args:
        x: a tensor; its dtype, made float, is that of the result.
        gamma, beta: of the sizes of `axis`, or None.
        axis: the axes of one normalized sample.
        epsilon: added to the variance; default: `config.epsilon()`.

    Example:
        >>> from multikeras import ops
        >>> y = ops.layer_normalization([[1.0, 3.0]], [2.0, 2.0], [1.0, 0.0])
        >>> ops.convert_to_numpy(y).round(3).tolist()
        [[-1.0, 2.0]]
    """


@op(rules.like(lambda x, *_: x.shape, _as_first, None, ("x", "scale")))
def rms_normalization(
    x: Any, scale: Any = None, axis: int | Sequence[int] = -1, epsilon: float | None = None
) -> Any:
    """`x` over its root mean square along `axis`, times `scale` (arXiv:1910.07467).

    Args:
        x: a tensor; its dtype, made float, is that of the result.
        scale: of the sizes of `axis`, or None.
        axis: the axes of one normalized sample.
        epsilon: added to the mean square; default: `config.epsilon()`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.rms_normalization([[3.0, -3.0]])).round(3).tolist()
        [[1.0, -1.0]]
    """
