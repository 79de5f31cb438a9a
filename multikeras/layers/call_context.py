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


class CallContext:
    """State of one outermost call.

    Attributes:
        training: what `training` argument the calls inside inherit.
        masks: id of a tensor -> (the tensor, its mask). Keeping the tensor keeps its id valid.
        touched: layers that got an `add_loss` in this call.
    """

    __slots__ = ("masks", "touched", "training")

    def __init__(self, training: bool | None = None) -> None:
        self.training = training
        self.masks: dict[int, tuple[Any, Any]] = {}
        self.touched: list[Any] = []

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
