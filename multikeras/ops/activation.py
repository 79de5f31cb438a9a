"""Activation functions: element by element, except `glu` and `sparsemax`, which work on an axis.

Integers are computed in `floatx()`, except by the functions that only select or clip (`relu`,
`relu6`, `hard_tanh`, `threshold`), which keep the dtype. `softmax` is in `nn`.
"""

from __future__ import annotations

from typing import Any

from multikeras import shapes
from multikeras.ops import rules
from multikeras.ops._declare import op
from multikeras.symbolic import KerasTensor

_float = rules.unary(rules.to_float)
_same = rules.unary()


@op(_same)
def relu(x: Any) -> Any:
    """Rectified linear unit: the larger of `x` and 0.

    Args:
        x: a real tensor of any shape; the dtype stays.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.relu([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """


@op(_same)
def relu6(x: Any) -> Any:
    """`relu` that stops at 6: `min(max(x, 0), 6)`.

    Args:
        x: a real tensor of any shape; the dtype stays.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.relu6([-1.0, 2.0, 8.0])).tolist()
        [0.0, 2.0, 6.0]
    """


@op(_float)
def sigmoid(x: Any) -> Any:
    """Logistic function, `1 / (1 + exp(-x))`.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.sigmoid([0.0, 100.0])).tolist()
        [0.5, 1.0]
    """


@op(_float)
def silu(x: Any) -> Any:
    """Sigmoid-weighted linear unit, also called swish: `x * sigmoid(x)` (arXiv:1702.03118).

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.silu([0.0, 100.0])).tolist()
        [0.0, 100.0]
    """


@op(_float)
def softplus(x: Any) -> Any:
    """Smooth `relu`: `log(1 + exp(x))`, without overflow.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.softplus([-200.0, 200.0])).tolist()
        [0.0, 200.0]
    """


@op(_float)
def softsign(x: Any) -> Any:
    """`x / (1 + |x|)`: like tanh, but slow to saturate.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.softsign([-1.0, 0.0, 3.0])).tolist()
        [-0.5, 0.0, 0.75]
    """


@op(_float)
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` where positive, `negative_slope * x` elsewhere.

    Args:
        x: a tensor of any shape.
        negative_slope: slope on the negative side.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.leaky_relu([-2.0, 3.0], 0.5)).tolist()
        [-1.0, 3.0]
    """


@op(_float)
def elu(x: Any, alpha: float = 1.0) -> Any:
    """Exponential linear unit: `x` where positive, else `alpha * (exp(x) - 1)`
    (arXiv:1511.07289).

    Args:
        x: a tensor of any shape.
        alpha: minus the limit on the negative side.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.elu([-200.0, 3.0], alpha=2.0)).tolist()
        [-2.0, 3.0]
    """


@op(_float)
def selu(x: Any) -> Any:
    """Scaled `elu`, with the constants of self-normalizing networks (arXiv:1706.02515).

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.selu([0.0, 1.0])).tolist()
        [0.0, 1.0507]
    """


@op(_float)
def celu(x: Any, alpha: float = 1.0) -> Any:
    """`elu` with a slope that is continuous for every alpha:
    `max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)` (arXiv:1704.07483).

    Args:
        x: a tensor of any shape.
        alpha: minus the limit on the negative side, not 0.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.celu([-500.0, 3.0], alpha=2.0)).tolist()
        [-2.0, 3.0]
    """


@op(_float)
def gelu(x: Any, approximate: bool = True) -> Any:
    """Gaussian error linear unit: `x` times the normal distribution function of `x`
    (arXiv:1606.08415).

    Args:
        x: a tensor of any shape.
        approximate: use the paper's formula with tanh instead of the error function.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.gelu([0.0, 30.0])).tolist()
        [0.0, 30.0]
    """


def _glu_spec(dtype: str, x: KerasTensor, axis: int = -1) -> KerasTensor:
    axis = shapes.normalize_axis(axis, len(x.shape), "glu")
    size = x.shape[axis]
    if size is not None and size % 2:
        raise ValueError(f"the size of axis {axis} must be even to be halved, got {size}.")
    shape = list(x.shape)
    shape[axis] = None if size is None else size // 2
    return KerasTensor(tuple(shape), dtype)


@op(rules.custom(_glu_spec, ("x",), rules.to_float))
def glu(x: Any, axis: int = -1) -> Any:
    """Gated linear unit: one half of `x` times the sigmoid of the other (arXiv:1612.08083).

    Args:
        x: a tensor whose size along `axis` is even.
        axis: the axis that is cut in two; its size is halved.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.glu([4.0, 6.0, 0.0, 0.0])).tolist()
        [2.0, 3.0]
    """


@op(_float)
def hard_sigmoid(x: Any) -> Any:
    """Sigmoid out of three straight lines: `x / 6 + 1 / 2`, kept within [0, 1].

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.hard_sigmoid([-4.0, 0.0, 4.0])).tolist()
        [0.0, 0.5, 1.0]
    """


@op(_float)
def hard_silu(x: Any) -> Any:
    """`x * hard_sigmoid(x)`, also called hard swish (arXiv:1905.02244).

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.hard_silu([0.0, 4.0])).tolist()
        [0.0, 4.0]
    """


@op(_same)
def hard_tanh(x: Any) -> Any:
    """`x` kept within [-1, 1].

    Args:
        x: a real tensor of any shape; the dtype stays.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.hard_tanh([-4.0, 0.5, 4.0])).tolist()
        [-1.0, 0.5, 1.0]
    """


@op(_float)
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` where its magnitude exceeds `threshold`, else 0.

    Args:
        x: a tensor of any shape.
        threshold: not negative.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.hard_shrink([-2.0, 0.25, 1.0])).tolist()
        [-2.0, 0.0, 1.0]
    """


@op(_float)
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` brought nearer to 0 by `threshold`; 0 where it is as near already.

    Args:
        x: a tensor of any shape.
        threshold: not negative.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.soft_shrink([-2.0, 0.25, 1.0])).tolist()
        [-1.5, 0.0, 0.5]
    """


@op(_float)
def tanh_shrink(x: Any) -> Any:
    """`x - tanh(x)`.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.tanh_shrink([0.0, 20.0])).tolist()
        [0.0, 19.0]
    """


@op(_float)
def log_sigmoid(x: Any) -> Any:
    """`log(sigmoid(x))`, without underflow.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.log_sigmoid([-200.0])).tolist()
        [-200.0]
    """


@op(_float)
def mish(x: Any) -> Any:
    """`x * tanh(softplus(x))` (arXiv:1908.08681); for `activations.mish`.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras.ops.activation import mish
        >>> float(mish(0.0))
        0.0
    """


@op(_float)
def sparse_plus(x: Any) -> Any:
    """Smooth `relu` that is exactly 0 up to -1 and exactly `x` from 1, with `(x + 1) ** 2 / 4`
    between them.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.sparse_plus([-2.0, 0.0, 3.0])).tolist()
        [0.0, 0.25, 3.0]
    """


@op(_float)
def sparse_sigmoid(x: Any) -> Any:
    """`(x + 1) / 2`, kept within [0, 1]: the slope of `sparse_plus`.

    Args:
        x: a tensor of any shape.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.sparse_sigmoid([-2.0, 0.0, 3.0])).tolist()
        [0.0, 0.5, 1.0]
    """


@op(_float)
def sparsemax(x: Any, axis: int = -1) -> Any:
    """The nearest point to `x` among the probability distributions: a sparse softmax
    (arXiv:1602.02068).

    Args:
        x: a tensor of rank 1 or more.
        axis: the axis along which the result adds up to 1.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.sparsemax([0.5, 1.0, -3.0])).tolist()
        [0.25, 0.75, 0.0]
    """


@op(_float)
def squareplus(x: Any, b: float = 4) -> Any:
    """Smooth `relu` without exponentials: `(x + sqrt(x ** 2 + b)) / 2` (arXiv:2112.11687).

    Args:
        x: a tensor of any shape.
        b: how smooth; 0 gives `relu`.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.squareplus([0.0, 1.5])).tolist()
        [1.0, 2.0]
    """


@op(_same)
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` where it exceeds `threshold`, else `default_value`.

    Args:
        x: a real tensor of any shape; the dtype stays.
        threshold: what must be exceeded.
        default_value: what stands in the other places.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.threshold([-1.0, 2.0], 1.0, 7.0)).tolist()
        [7.0, 2.0]
    """

# Other names of the same functions.
hard_swish = hard_silu
swish = silu
