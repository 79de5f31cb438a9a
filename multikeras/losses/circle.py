"""The circle loss, for embeddings whose likeness is to follow their labels (Sun et al., 2020)."""

from __future__ import annotations

from typing import Any, ClassVar

from multikeras import ops, registry
from multikeras.losses.wrapper import LossFunctionWrapper

_FAR = -1e9  # a logit that adds nothing to a sum of exponentials


@registry.expose("keras.losses")
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Pulls embeddings of one label together and pushes those of different labels apart.

    With `s` the cosine of two embeddings: `log(1 + sum_neg exp(gamma * a_n * (s - margin)) *
    sum_pos exp(-gamma * a_p * (s - 1 + margin)))`, weights `a_p = max(1 + margin - s, 0)` and
    `a_n = max(s + margin, 0)`.

    Args:
        y_true: class numbers, `(batch,)` or `(batch, 1)`.
        y_pred: embeddings of length 1, `(batch, n)`.
        ref_labels: labels of the embeddings that are compared with; None: `y_true`.
        ref_embeddings: the embeddings that are compared with; None: `y_pred`.
        remove_diagonal: whether an embedding is not compared with itself (only without
            references).
        gamma: the scale.
        margin: how strict the loss is.

    Returns:
        One loss per embedding, `(batch,)`.

    Example:
        >>> from multikeras import losses, ops
        >>> embeddings = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
        >>> ops.convert_to_numpy(losses.circle([0, 0, 1], embeddings)).round(4).tolist()
        [0.0, 0.0, 0.0]
    """
    return circle_with_mask(
        y_true, y_pred, ref_labels, ref_embeddings, remove_diagonal, gamma, margin
    )[0]


def circle_with_mask(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> tuple[Any, Any]:
    """`circle`, and which embeddings have both a like and an unlike one (others have loss 0)."""
    y_pred = ops.convert_to_tensor(y_pred)
    dtype = ops.dtype(y_pred)
    labels = ops.reshape(ops.cast(ops.convert_to_tensor(y_true), "int32"), (-1, 1))
    own = ref_embeddings is None
    references = y_pred if own else ops.convert_to_tensor(ref_embeddings, dtype)
    if ref_labels is None:
        columns = ops.reshape(labels, (1, -1))
    else:
        columns = ops.reshape(ops.cast(ops.convert_to_tensor(ref_labels), "int32"), (1, -1))
    distance = ops.subtract(1.0, ops.matmul(y_pred, ops.transpose(references)))
    same = ops.equal(labels, columns)
    different = ops.logical_not(same)
    if remove_diagonal and own:
        count = ops.shape(same)[0]
        same = ops.logical_and(same, ops.logical_not(ops.eye(count, dtype="bool")))
    attract = ops.stop_gradient(ops.maximum(ops.add(distance, margin), 0.0))
    repel = ops.stop_gradient(ops.maximum(ops.subtract(1.0 + margin, distance), 0.0))
    positive = ops.multiply(ops.multiply(gamma, attract), ops.subtract(distance, margin))
    negative = ops.multiply(ops.multiply(gamma, repel), ops.subtract(1.0 - margin, distance))
    positive = ops.where(same, positive, _FAR)
    negative = ops.where(different, negative, _FAR)
    joint = ops.add(ops.logsumexp(positive, axis=1), ops.logsumexp(negative, axis=1))
    paired = ops.logical_and(ops.any(same, axis=1), ops.any(different, axis=1))
    return ops.softplus(joint), paired


@registry.expose("keras.losses")
class Circle(LossFunctionWrapper):
    """`circle` within a batch, reduced over it.

    Args:
        gamma: the scale.
        margin: how strict the loss is.
        remove_diagonal: whether an embedding is not compared with itself.
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> loss = losses.Circle()([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> round(float(loss), 4)
        0.0
    """

    keeps_labels = True
    shown: ClassVar[tuple[str, ...]] = ("gamma", "margin", "remove_diagonal")

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            circle,
            reduction=reduction,
            name=name,
            dtype=dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )

    def call_with_mask(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """The losses per embedding, and which embeddings have pairs."""
        return circle_with_mask(y_true, y_pred, **self._fn_kwargs)
