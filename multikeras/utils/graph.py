"""Questions about symbolic tensors."""

from __future__ import annotations

from typing import Any

from multikeras.symbolic import KerasTensor
from multikeras.symbolic.operation import node_of


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor.

    Args:
        x: anything.

    Example:
        >>> is_keras_tensor(KerasTensor((None, 2))), is_keras_tensor(1.0)
        (True, False)
    """
    return isinstance(x, KerasTensor)


def get_source_inputs(tensor: KerasTensor) -> list[KerasTensor]:
    """The inputs that a symbolic tensor was computed from.

    Args:
        tensor: a symbolic tensor.

    Returns:
        The `Input`s, in the order in which they are met; `[tensor]` if nothing made it.

    Example:
        >>> tensor = KerasTensor((None, 2))
        >>> get_source_inputs(tensor) == [tensor]
        True
    """
    if tensor.keras_history is None:
        return [tensor]
    found: dict[int, KerasTensor] = {}
    seen: set[int] = set()
    waiting = [tensor]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        node = None if current.keras_history is None else node_of(current)
        if node is None or node.is_input:
            found[id(current)] = current
        else:
            waiting.extend(reversed(node.inputs))
    return list(found.values())
