"""What travels inside one outermost call: the training flag, masks, losses.

Masks are kept beside the tensors, keyed by identity, for as long as the call lasts; a tensor
carries no attribute. So they reach later layers of the same call, in a functional model, a
Sequential or hand-written `call`, eagerly and while compiling alike.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from multikeras import tree
from multikeras.metrics.metric import Metric, listeners
from multikeras.symbolic import KerasTensor


class CallContext:
    """State of one outermost call.

    Attributes:
        training: what `training` argument the calls inside inherit.
        masks: id of a tensor -> (the tensor, its mask). Keeping the tensor keeps its id valid.
        touched: layers that got an `add_loss` in this call.
        results: id of what a metric's call gave -> (it, the metric); None: there was none.
    """

    __slots__ = ("masks", "results", "touched", "training")

    def __init__(self, training: bool | None = None) -> None:
        self.training = training
        self.masks: dict[int, tuple[Any, Any]] = {}
        self.touched: list[Any] = []
        self.results: dict[int, tuple[Any, Metric]] | None = None

    def mask_of(self, tensor: Any) -> Any:
        """The mask of a tensor, or None."""
        entry = self.masks.get(id(tensor))
        return None if entry is None else entry[1]

    def set_mask(self, tensor: Any, mask: Any) -> None:
        """Remembers a tensor's mask."""
        if mask is not None:
            self.masks[id(tensor)] = (tensor, mask)


class _Calls(threading.local):
    context: CallContext | None = None


calls = _Calls()


def _note_result(metric: Metric, result: Any) -> None:
    """Keeps, for as long as the call lasts, which metric a result came from."""
    context = calls.context
    if context is not None:
        if context.results is None:
            context.results = {}
        context.results[id(result)] = (result, metric)


listeners.append(_note_result)


def metric_behind(value: Any) -> Metric | None:
    """The metric whose call gave a value, in the call that is running; or None."""
    if isinstance(value, KerasTensor):
        return value.metric
    context = calls.context
    if context is None or context.results is None:
        return None
    entry = context.results.get(id(value))
    return None if entry is None else entry[1]


@contextmanager
def call_scope(training: bool | None = None) -> Iterator[CallContext]:
    """Opens a context for several calls that belong together (a training step)."""
    outer = calls.context
    calls.context = context = CallContext(training)
    try:
        yield context
    finally:
        calls.context = outer


def masks_of(context: CallContext, tensors: Any) -> Any:
    """The masks of a structure of tensors, or None if no tensor has one."""
    if not isinstance(tensors, (list, tuple, dict)):
        return context.mask_of(tensors)
    masks = tree.map_structure(context.mask_of, tensors)
    return masks if any(m is not None for m in tree.flatten(masks)) else None
