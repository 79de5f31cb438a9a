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
from multikeras.ops import (
    arithmetic,
    bitwise,
    core,
    creation,
    indexing,
    products,
    reductions,
    rules,
    shaping,
    sorting,
)
from multikeras.ops._declare import Rule, op
from multikeras.ops.control_flow import scan
from multikeras.ops.neural import log_softmax
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


@op(
    Rule(_loss_spec, rules.to_float, ("output", *_INTEGERS), "float", loose=_INTEGERS),
    compiled=True,
)
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


_STRATEGIES = ("greedy", "beam_search")


def _check_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str,
    beam_width: int,
    top_paths: int,
    mask_index: int | None,
) -> None:
    checks.rank("ctc_decode", "inputs", inputs, "batch, steps, classes")
    checks.rank("ctc_decode", "sequence_lengths", sequence_lengths, "batch")
    if strategy not in _STRATEGIES:
        raise ValueError(f"ctc_decode: `strategy` must be one of {_STRATEGIES}, got {strategy!r}.")
    if mask_index is not None:
        checks.class_number("ctc_decode", "mask_index", mask_index, inputs.shape[2])
    if strategy == "beam_search" and not 1 <= top_paths <= beam_width:
        raise ValueError(
            "ctc_decode: `top_paths` must be between 1 and `beam_width`, got "
            f"top_paths={top_paths} and beam_width={beam_width}."
        )


def _decode_spec(
    dtype: str,
    inputs: Any,
    sequence_lengths: Any,
    strategy: str,
    beam_width: int,
    top_paths: int,
    merge_repeated: bool,
    mask_index: int | None,
) -> tuple[KerasTensor, KerasTensor]:
    _check_decode(inputs, sequence_lengths, strategy, beam_width, top_paths, mask_index)
    batch, steps, _ = inputs.shape
    paths = 1 if strategy == "greedy" else top_paths
    return KerasTensor((paths, batch, steps), "int32"), KerasTensor((batch, paths), dtype)


def _to_wide(found: list[str]) -> str:
    return dtypes.promote(rules.to_float(found), "float32")


def _compacted(labels: Any) -> Any:
    """Along the last axis: what is -1 moved to the end, the rest in its order."""
    count = core.shape(labels)[-1]
    place = creation.arange(count)
    order = sorting.argsort(arithmetic.where(arithmetic.less(labels, 0), place + count, place), -1)
    return indexing.take_along_axis(labels, order, -1)


def _greedy(inputs: Any, lengths: Any, merge_repeated: bool, blank: int) -> tuple[Any, Any]:
    best = core.cast(reductions.argmax(inputs, -1), "int32")
    inside = arithmetic.less(
        creation.arange(core.shape(inputs)[1]), shaping.expand_dims(lengths, -1)
    )
    keep = arithmetic.logical_and(inside, arithmetic.not_equal(best, blank))
    if merge_repeated:
        before = shaping.pad(best[:, :-1], ((0, 0), (1, 0)), constant_values=-1)
        keep = arithmetic.logical_and(keep, arithmetic.not_equal(best, before))
    labels = _compacted(arithmetic.where(keep, best, -1))
    score = -reductions.sum(arithmetic.where(inside, reductions.max(inputs, -1), 0.0), -1)
    return shaping.expand_dims(labels, 0), shaping.expand_dims(score, -1)


def _hashed(prefix: Any, label: Any) -> Any:
    """The hash of a prefix with one more label: integer products that wrap around, mixed."""
    mixed = bitwise.bitwise_xor(prefix, (label + 1) * 668265263) * 374761393 + 1013904223
    return bitwise.bitwise_xor(mixed, bitwise.right_shift(mixed, 15))


def _columns(x: Any, index: Any) -> Any:
    return indexing.take_along_axis(x, index, 1)


def _grown(beams: dict[str, Any], scores: Any, blank: int) -> tuple[dict[str, Any], Any, Any]:
    """The beams after one step of log probabilities (batch, classes): with the beam that each
    comes from, and the label that it added or -1."""
    width, classes = beams["last"].shape[1], scores.shape[1]
    on_blank, on_label, last = beams["blank"], beams["label"], beams["last"]
    total = _either(on_blank, on_label)
    alive = arithmetic.greater(total, _NEVER / 2)
    known = arithmetic.maximum(last, 0)
    again = arithmetic.where(arithmetic.less(last, 0), _NEVER, _columns(scores, known))
    hot = indexing.one_hot(last, classes, dtype=core.dtype(scores))
    # Beam v (axis 1) is beam w (axis 2) with its last label: one prefix reached in two ways.
    child = arithmetic.logical_and(
        arithmetic.equal(beams["parent"][:, :, None], beams["prefix"][:, None, :]),
        arithmetic.logical_and(
            arithmetic.equal(beams["count"][:, :, None], beams["count"][:, None, :] + 1),
            arithmetic.logical_and(alive[:, :, None], alive[:, None, :]),
        ),
    )
    same = arithmetic.equal(last[:, :, None], last[:, None, :])
    source = arithmetic.where(same, on_blank[:, None, :], total[:, None, :])
    joined = reductions.max(arithmetic.where(child, source, _NEVER), 2)
    stay_blank = total + scores[:, blank : blank + 1]
    stay_label = again + _either(on_label, joined)
    taken = products.einsum("bvw,bvc->bwc", core.cast(child, core.dtype(scores)), hot)
    taken = taken + indexing.one_hot(blank, classes, dtype=core.dtype(scores))
    base = arithmetic.where(
        arithmetic.greater(hot, 0), on_blank[:, :, None], total[:, :, None]
    )
    grown = arithmetic.where(arithmetic.greater(taken, 0), _NEVER, base + scores[:, None, :])
    every = shaping.concatenate(
        [_either(stay_blank, stay_label), shaping.reshape(grown, (-1, width * classes))], 1
    )
    best, index = sorting.top_k(every, width)
    stays = arithmetic.less(index, width)
    grows = arithmetic.maximum(index - width, 0)
    origin = arithmetic.where(stays, index, arithmetic.floor_divide(grows, classes))
    label = arithmetic.where(stays, -1, arithmetic.mod(grows, classes))
    prefix = _columns(beams["prefix"], origin)
    new = {
        "blank": arithmetic.where(stays, _columns(stay_blank, origin), _NEVER),
        "label": arithmetic.where(stays, _columns(stay_label, origin), best),
        "last": arithmetic.where(stays, _columns(last, origin), label),
        "count": _columns(beams["count"], origin) + core.cast(~stays, "int32"),
        "prefix": arithmetic.where(stays, prefix, _hashed(prefix, label)),
        "parent": arithmetic.where(stays, _columns(beams["parent"], origin), prefix),
    }
    return new, origin, label


def _beam_search(
    inputs: Any, lengths: Any, width: int, top_paths: int, blank: int
) -> tuple[Any, Any]:
    nothing = shaping.expand_dims(lengths * 0, -1) + creation.zeros((1, width), "int32")
    first = arithmetic.equal(creation.arange(width), 0)
    log_one = arithmetic.where(first, 0.0, _NEVER)
    empty = core.cast(nothing, core.dtype(inputs))
    beams = {
        "blank": empty + core.cast(log_one, core.dtype(inputs)),
        "label": empty + _NEVER,
        "last": nothing - 1,
        "count": nothing,
        "prefix": nothing,
        "parent": nothing - 1,
    }
    itself = nothing + creation.arange(width)

    def step(state: tuple, scores: Any) -> tuple:
        number, beams = state
        going = shaping.expand_dims(arithmetic.less(number, lengths), -1)
        new, origin, label = _grown(beams, scores, blank)
        new = {name: arithmetic.where(going, new[name], beams[name]) for name in beams}
        trace = (arithmetic.where(going, origin, itself), arithmetic.where(going, label, -1))
        return (number + 1, new), trace

    (_, beams), traces = scan(
        step, (lengths * 0, beams), shaping.moveaxis(log_softmax(inputs), 1, 0)
    )

    def back(beam: Any, trace: tuple) -> tuple:
        origin, label = trace
        return _columns(origin, beam), _columns(label, beam)

    _, labels = scan(back, itself[:, :top_paths], traces, reverse=True)
    score = _either(beams["blank"], beams["label"])[:, :top_paths]
    alive = arithmetic.greater(score, _NEVER / 2)
    score = arithmetic.where(alive, score, -float("inf"))
    labels = arithmetic.where(alive, labels, -1)
    return _compacted(shaping.transpose(labels, (2, 1, 0))), score


@op(
    Rule(
        _decode_spec,
        _to_wide,
        ("inputs", "sequence_lengths"),
        "float",
        loose=("sequence_lengths",),
    ),
    compiled=True,
)
def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> tuple[Any, Any]:
    """The label sequences that logits most likely stand for.

    "greedy" reads the path of the best class of each step. "beam_search" adds up the paths that
    read the same, and keeps the `beam_width` best prefixes after each step (Graves, "Supervised
    Sequence Labelling with Recurrent Neural Networks", 2012, 7.5; no language model).

    Args:
        inputs: logits (batch, steps, classes).
        sequence_lengths: the number of steps of each sequence, (batch,).
        strategy: "greedy" or "beam_search".
        beam_width: how many prefixes the beam search keeps.
        top_paths: how many sequences it returns; "greedy" returns one.
        merge_repeated: whether "greedy" takes a class that follows itself as one label.
        mask_index: the class that is the blank; None: the last one.

    Returns:
        `(labels, scores)`. The labels are int32 (top_paths, batch, steps), -1 after the end.
        The scores (batch, top_paths), of float32 or wider, are log probabilities of
        "beam_search"; of "greedy", minus the sum of the chosen logits. Where there are fewer
        sequences than `top_paths`, the rest are empty with score -infinity.

    Raises:
        ValueError: for tensors of other ranks, an unknown strategy, a `mask_index` that is no
            class, or more paths than beams.

    Example:
        >>> from multikeras import ops
        >>> path = ops.one_hot([[1, 1, 0, 1, 2]], 3) * 9
        >>> labels, _ = ops.ctc_decode(path, [5])
        >>> ops.convert_to_numpy(labels).tolist()
        [[[1, 1, 2, -1, -1]]]
    """
    _check_decode(inputs, sequence_lengths, strategy, beam_width, top_paths, mask_index)
    inputs = core.cast(inputs, _to_wide([core.dtype(inputs)]))
    lengths = core.cast(sequence_lengths, "int32")
    blank = inputs.shape[2] - 1 if mask_index is None else int(mask_index)
    if strategy == "greedy":
        return _greedy(inputs, lengths, merge_repeated, blank)
    return _beam_search(inputs, lengths, beam_width, top_paths, blank)
