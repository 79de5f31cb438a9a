"""Shape and dtype rules by family of ops; `op(rule)` takes one.

Each function here returns a `Rule`. A `promote` takes the dtypes of the tensor arguments
("int", "float", "complex" for Python scalars); `out` turns the promoted dtype into the
result's. Shapes that can't fit are refused with a ValueError, which the op completes with its
name and the shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from multikeras import dtypes, shapes
from multikeras.ops._declare import Rule
from multikeras.symbolic import KerasTensor

Promote = Callable[[list[str]], str]


def common(found: list[str]) -> str:
    """The dtype to which all promote."""
    return dtypes.promote(*found)


def to_float(found: list[str]) -> str:
    """The common dtype, made float."""
    return dtypes.to_float(dtypes.promote(*found))


def to_numeric(found: list[str]) -> str:
    """The common dtype; bool becomes int32."""
    dtype = dtypes.promote(*found)
    return "int32" if dtype == "bool" else dtype


def _out(out: str | Callable[[str], str] | None, dtype: str) -> str:
    if out is None:
        return dtype
    return out if isinstance(out, str) else out(dtype)


def _fast(promote: Promote | None) -> str:
    """Which dtypes need no promotion when all arguments have the same."""
    return "any" if promote in (None, common) else "float"


def elementwise(
    promote: Promote | None = common,
    out: str | Callable[[str], str] | None = None,
    tensors: tuple[str, ...] | None = None,
) -> Rule:
    """Broadcasts all tensor arguments against each other."""

    def spec(dtype: str | None, *args: Any) -> KerasTensor:
        given = [a for a in args if isinstance(a, KerasTensor)]
        shape = shapes.broadcast(*(t.shape for t in given))
        return KerasTensor(shape, _out(out, dtype or given[0].dtype))

    return Rule(spec, promote, tensors, _fast(promote))


def real_dtype(dtype: str) -> str:
    """The dtype of a complex number's parts; others stay."""
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def where_rule() -> Rule:
    """`where(condition, x1, x2)`: two branches that promote, a condition that does not."""

    def promote(found: list[str]) -> str:
        if len(found) == 1:
            raise ValueError("where: `x1` and `x2` go together; only one was given.")
        return dtypes.promote(*found) if found else "bool"

    def spec(dtype: str, *args: Any) -> KerasTensor:
        if args[1] is None:
            raise ValueError(
                "without `x1` and `x2` the result's shape depends on the values of `condition`."
            )
        return KerasTensor(shapes.broadcast(*(t.shape for t in args)), dtype)

    return Rule(spec, promote, ("condition", "x1", "x2"), "any", loose=("condition",))


def clip_rule() -> Rule:
    """`clip(x, x_min, x_max)`: the bounds take the dtype of `x`."""

    def promote(found: list[str]) -> str:
        return to_numeric([dtypes.promote(found[0])])

    def spec(dtype: str, *args: Any) -> KerasTensor:
        return KerasTensor(shapes.broadcast(*(t.shape for t in args if t is not None)), dtype)

    return Rule(spec, promote, ("x", "x_min", "x_max"), "float", saturates=True)


def sum_dtype(dtype: str) -> str:
    """Small integers add up in 32 bits."""
    if dtype in ("bool", "int8", "int16"):
        return "int32"
    return "uint32" if dtype in ("uint8", "uint16") else dtype


def to_sum(found: list[str]) -> str:
    """The common dtype, widened to one that sums are made in."""
    return sum_dtype(dtypes.promote(*found))


def reduction(
    promote: Promote | None = None, out: str | Callable[[str], str] | None = None
) -> Rule:
    """Reduces the first argument over `axis` (second), with `keepdims` (third)."""

    def spec(
        dtype: str | None, x: KerasTensor, axis: Any = None, keepdims: bool = False, *_: Any
    ) -> KerasTensor:
        return KerasTensor(shapes.reduce(x.shape, axis, keepdims), _out(out, dtype or x.dtype))

    return Rule(spec, promote, ("x",), _fast(promote))


def like(
    shape: Callable[..., Any],
    promote: Promote | None = None,
    out: str | Callable[[str], str] | None = None,
    tensors: tuple[str, ...] | None = None,
) -> Rule:
    """One output whose shape is `shape(*args)` and whose dtype is that of the first tensor."""

    def spec(dtype: str | None, *args: Any) -> KerasTensor:
        first = next((a for a in _leaves(args) if isinstance(a, KerasTensor)), None)
        result = dtype or (first.dtype if first is not None else dtypes.floatx())
        return KerasTensor(shape(*args), _out(out, result))

    return Rule(spec, promote, tensors, _fast(promote))


def _leaves(args: Sequence[Any]) -> list[Any]:
    flat: list[Any] = []
    for value in args:
        flat.extend(value) if isinstance(value, (list, tuple)) else flat.append(value)
    return flat


def unary(
    promote: Promote | None = None,
    out: str | Callable[[str], str] | None = None,
    tensor: str = "x",
) -> Rule:
    """A function of the first argument, element by element; other arguments are settings."""
    return like(lambda x, *_: x.shape, promote, out, (tensor,))


def custom(
    spec: Callable[..., Any],
    tensors: tuple[str, ...],
    promote: Promote | None = None,
) -> Rule:
    """An op with its own `spec(dtype, *args)`."""
    return Rule(spec, promote, tensors, _fast(promote))
