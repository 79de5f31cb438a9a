"""Connectionist temporal classification: labelling sequences that are not aligned.

A. Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with
Recurrent Neural Networks", ICML 2006. Steps may emit a blank, the class `mask_index`; a path is
read by merging repeated classes and dropping blanks. Refused: tensors of other ranks, and a
`mask_index` that is no class.
"""

from __future__ import annotations

from typing import Any

from multikeras import dtypes, shapes
from multikeras.backends import checks
from multikeras.ops import arithmetic, core, creation, indexing, reductions, rules, shaping
from multikeras.ops._declare import Rule, op
from multikeras.ops.control_flow import scan
from multikeras.ops.nn import log_softmax
from multikeras.symbolic import KerasTensor

# Stands for log(0): finite, so that no gradient becomes NaN, and beyond any sum of real ones.
_NEVER = -1e30


def _loss_spec(dtype: str, *args: Any) -> KerasTensor:
    checks.ctc_loss(*args)
    target, output, target_length, output_length, _ = args
    lengths = (target.shape[:1], output.shape[:1], target_length.shape, output_length.shape)
    return KerasTensor(shapes.broadcast(*lengths), dtype)


_INTEGERS = ("target", "target_length", "output_length")


def _either(a: Any, b: Any) -> Any:
    return arithmetic.logaddexp(a, b)


def _at(x: Any, position: Any) -> Any:
    """`x[i, position[i]]`, `_NEVER` where there is no such column."""
    here = arithmetic.equal(creation.arange(x.shape[1]), shaping.expand_dims(position, -1))
    return reductions.max(arithmetic.where(here, x, _NEVER), -1)


def _shifted(x: Any) -> Any:
    """One column to the right, `_NEVER` first."""
    return shaping.pad(x, ((0, 0), (1, 0)), constant_values=_NEVER)


@op(Rule(_loss_spec, rules.to_float, ("output", *_INTEGERS), "float", loose=_INTEGERS))
def ctc_loss(
    target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0
) -> Any:
    """The negative log-likelihood of label sequences, summed over all their alignments.

    The forward recursion of Graves et al. (2006) on logarithms: one step of a scan per step of
    `output`.

    Args:
        target: class numbers (batch, labels); what follows a sequence's own length is not read.
        output: logits (batch, steps, classes).
        target_length: the number of labels of each sequence, (batch,).
        output_length: the number of steps of each sequence, (batch,).
        mask_index: the class that is the blank.

    Returns:
        One loss for each sequence, (batch,): infinity, with no gradient, where there are more
        labels than the steps can emit.

    Raises:
        ValueError: for tensors of other ranks, or a `mask_index` that is no class.

    Example:
        >>> from multikeras import ops
        >>> logits = ops.zeros((1, 2, 3))
        >>> loss = ops.ctc_loss([[1]], logits, [1], [2])
        >>> float(ops.exp(-loss)[0] * 9)  # of nine paths, (1, 1), (0, 1) and (1, 0)
        3.0
    """
    checks.ctc_loss(target, output, target_length, output_length, mask_index)
    dtype = core.dtype(output)
    if dtypes.item_bytes(dtype) < 4:
        output = core.cast(output, "float32")
    target, target_length, output_length = (
        core.cast(x, "int32") for x in (target, target_length, output_length)
    )
    labels = target.shape[1]
    inside = arithmetic.less(creation.arange(labels), shaping.expand_dims(target_length, -1))
    target = arithmetic.where(inside, target, mask_index)
    emitted = log_softmax(output)
    blank_emitted = emitted[:, :, mask_index : mask_index + 1]
    label_emitted = indexing.take_along_axis(emitted, shaping.expand_dims(target, 1), 2)
    # From one label to the next without a blank between: only if they differ.
    leap = arithmetic.where(arithmetic.equal(target[:, 1:], target[:, :-1]), _NEVER, 0.0)
    leap = shaping.pad(core.cast(leap, core.dtype(output)), ((0, 0), (1, 0)))

    def step(state: tuple, now: tuple) -> tuple:
        number, on_blank, on_label = state
        blank, label = now
        before = _either(on_label, on_blank[:, :-1])
        new_label = label + _either(before, _shifted(on_label)[:, :-1] + leap)
        new_blank = blank + _either(on_blank, _shifted(on_label))
        going = shaping.expand_dims(arithmetic.less(number, output_length), -1)
        on_blank = arithmetic.where(going, new_blank, on_blank)
        on_label = arithmetic.where(going, new_label, on_label)
        return (number + 1, on_blank, on_label), None

    # Before the first step a path stands on the first blank, at no cost.
    nothing = shaping.expand_dims(core.cast(target_length, core.dtype(output)) * 0.0, -1)
    first = creation.full((1, labels + 1), _NEVER, core.dtype(output))
    first = arithmetic.where(arithmetic.equal(creation.arange(labels + 1), 0), 0.0, first)
    start = (
        core.cast(target_length * 0, "int32"),
        nothing + first,
        nothing + first[:, 1:],
    )
    steps = (shaping.moveaxis(blank_emitted, 1, 0), shaping.moveaxis(label_emitted, 1, 0))
    (_, on_blank, on_label), _ = scan(step, start, steps)
    total = _either(_at(on_blank, target_length), _at(on_label, target_length - 1))
    possible = arithmetic.greater(total, _NEVER / 2)
    return core.cast(arithmetic.where(possible, -total, float("inf")), dtype)
