"""`composed`: declares an op out of other ops, whose symbolic result comes from its own body.

The body is run on KerasTensors, so shapes and dtypes need no rule of their own. Refused: a body
that looks at values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multikeras.ops._declare import Rule, op
from multikeras.symbolic import SymbolicScope


def composed(
    *tensors: str,
    promote: Callable[[list[str]], str] | None = None,
    compiled: bool = False,
) -> Callable[[Callable], Callable]:
    """A decorator like `op`.

    Args:
        *tensors: names of the tensor arguments, "*name" for a sequence of tensors.
        promote: as in `Rule`; None leaves each argument's dtype to the ops of the body.
        compiled: as of `op`.
    """

    def declare(body: Callable) -> Callable:
        def spec(_: str | None, *args: Any) -> Any:
            with SymbolicScope():
                return body(*args)

        fast = "any" if promote is None or promote.__name__ == "common" else "float"
        return op(Rule(spec, promote, tensors, fast), compiled)(body)

    return declare
