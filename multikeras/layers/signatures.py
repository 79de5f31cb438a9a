"""What the signatures of a layer's methods say, each looked at once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import MethodType
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class CallInfo:
    """What the signature of a layer class's `call` says."""

    names: tuple[str, ...]
    has_training: bool
    masks: tuple[tuple[str, str], ...]  # (mask argument, tensor argument)
    accepts_any: bool


def cached_by_class(fn: Callable[[type], T]) -> Callable[[type], T]:
    """`functools.cache`, typed for functions of a class."""
    return functools.cache(fn)


@cached_by_class
def call_info(cls: Any) -> CallInfo:
    """The `CallInfo` of a layer class."""
    parameters = list(inspect.signature(cls.call).parameters.values())[1:]
    kinds = inspect.Parameter
    names = tuple(
        p.name for p in parameters if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.POSITIONAL_ONLY)
    )
    every = {p.name for p in parameters}
    masks = []
    for name in every:
        if name == "mask" and names:
            masks.append(("mask", names[0]))
        elif name.endswith("_mask") and name.removesuffix("_mask") in every:
            masks.append((name, name.removesuffix("_mask")))
    return CallInfo(
        names=names,
        has_training="training" in every,
        masks=tuple(masks),
        accepts_any=any(p.kind is kinds.VAR_KEYWORD for p in parameters),
    )


@functools.lru_cache(maxsize=4096)
def function_signature(function: Any, bound: bool = False) -> inspect.Signature:
    return inspect.signature(MethodType(function, 0) if bound else function)


def signature(method: Any) -> inspect.Signature:
    """The signature of a method, remembered: it takes longer to find than to build a layer."""
    function = getattr(method, "__func__", None)
    if function is None:
        return inspect.signature(method)
    return function_signature(function, bound=True)
