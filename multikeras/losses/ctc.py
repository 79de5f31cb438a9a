"""Connectionist temporal classification (Graves et al., 2006)."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.losses.wrapper import LossFunctionWrapper


@registry.expose("keras.losses")
def ctc(y_true: Any, y_pred: Any) -> Any:
    """The negative log-likelihood of a label sequence, summed over its alignments.

    Every label sequence and every output sequence counts with its full length; class 0 is the
    blank. For shorter sequences use `multikeras.ops.ctc_loss`.

    Args:
        y_true: class numbers, `(batch, max_labels)`.
        y_pred: logits, `(batch, steps, classes)`.

    Returns:
        One loss per sequence, `(batch,)`.

    Raises:
        ValueError: for tensors of other ranks.

    Example:
        >>> from multikeras import losses
        >>> tuple(losses.ctc([[1]], [[[0.0, 1.0], [1.0, 0.0]]]).shape)
        (1,)
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) != 2 or len(y_pred.shape) != 3:
        raise ValueError(
            "ctc: targets must have shape (batch, max_labels) and predictions (batch, steps, "
            f"classes); got {tuple(y_true.shape)} and {tuple(y_pred.shape)}."
        )
    batch = ops.shape(y_true)[0]
    ones = ops.ones((batch,), dtype="int32")
    labels = ops.multiply(ones, ops.shape(y_true)[1])
    steps = ops.multiply(ones, ops.shape(y_pred)[1])
    return ops.ctc_loss(ops.cast(y_true, "int32"), y_pred, labels, steps, mask_index=0)


@registry.expose("keras.losses")
class CTC(LossFunctionWrapper):
    """`ctc`, reduced over the batch.

    Args:
        reduction: how the losses of a batch become one number; see `Loss`.
        name: the loss's name.
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Example:
        >>> from multikeras import losses
        >>> float(losses.CTC()([[1]], [[[0.0, 1.0], [1.0, 0.0]]])) > 0
        True
    """

    keeps_labels = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "ctc",
        dtype: Any = None,
    ) -> None:
        super().__init__(ctc, reduction=reduction, name=name, dtype=dtype)
