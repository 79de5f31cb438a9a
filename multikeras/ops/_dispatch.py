"""The public function of an op, generated from its declaration: what need not be prepared isn't.

The function tests a few types and calls the backend at once where

- every tensor argument is the backend's own tensor (of one dtype, where the rule promotes); there
  are two such paths where the backend has a quicker function for plain tensors (`core.plain`);
- a float tensor stands beside Python numbers, which take its dtype;
- a list holds nothing but tensors of one dtype.

It refuses nothing: everything else goes to `Op.slow`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Any

from multikeras import dtypes
from multikeras.backends import native

if TYPE_CHECKING:
    from multikeras.ops._declare import Op

core = native.core
# Exact types: a np.float64 is a float too, but has a dtype of its own.
NUMBERS = frozenset({int, float})
_NUMBERS_OR_NONE = NUMBERS | {type(None)}
_SEQUENCES = frozenset({list, tuple})
_WIDE_FLOATS = frozenset(dtype for dtype in core.FLOATS if "16" not in str(dtype))
_INTS = frozenset(core.native_dtype(name) for name in sorted(dtypes.INT_DTYPES))
_BITS = _INTS | {core.native_dtype("bool")}


def generate(op: Op) -> Callable:
    """The public function, of the declaration's own signature."""
    parameters = op.signature.parameters
    defaults = {f"_default_{n}": p.default for n, p in parameters.items()}
    pieces, calls, keyword_only = [], [], False
    for name, parameter in parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            pieces.append("*")
            keyword_only = True
        if parameter.kind is parameter.VAR_POSITIONAL:
            pieces.append(f"*{name}")
        elif parameter.default is parameter.empty:
            pieces.append(name)
        else:
            pieces.append(f"{name}=_default_{name}")
        calls.append(name)
    arguments = ", ".join(calls)
    lines = [f"def op({', '.join(pieces)}):"]
    plain = core.plain(op.impl)
    paths = [("_PLAIN", "_plain")] if plain is not op.impl else []
    paths.append(("_TENSORS", "_impl"))
    for types, target in paths:
        if condition := _fast_condition(op, types):
            lines += [f"    if {condition}:", f"        return {target}({arguments})"]
    lines += _special_paths(op, paths)
    lines.append(f"    return _slow({arguments})")
    namespace: dict[str, Any] = {
        "_PLAIN": core.PLAIN_TYPES,
        "_plain": plain,
        "_TENSORS": core.TENSOR_TYPES,
        "_FLOATS": core.FLOATS,
        "_WIDE_FLOATS": _WIDE_FLOATS,
        "_INTS": _INTS,
        "_BITS": _BITS,
        "_NUMBERS": NUMBERS,
        "_NUMBERS_OR_NONE": _NUMBERS_OR_NONE,
        "_scalar": core.scalar,
        "_alike": _alike,
        "_impl": op.impl,
        "_slow": op.slow,
        **defaults,
    }
    exec(_compiled("\n".join(lines)), namespace)
    public = namespace["op"]
    public.__code__ = public.__code__.replace(co_name=op.name)
    return functools.update_wrapper(public, op.body, updated=())


@functools.cache
def _compiled(source: str) -> CodeType:
    """The code of a generated module; ops of like signatures share it."""
    return compile(source, "<op>", "exec")


def _fast_condition(op: Op, types: str) -> str | None:
    """Source of the test for a fast path, or None where only the slow one serves."""
    if not op.tensors or any(sequence for *_, sequence in op.tensors):
        return None
    defaults = {n: p.default for n, p in op.signature.parameters.items()}
    terms = []
    loose = op.rule.loose
    first = next((name for _, name, _ in op.tensors if name not in loose), op.tensors[0][1])
    # Where the argument that sets the dtype may be None, the fast path is for all given.
    may_lack = defaults[first] is not None
    for _, name, _ in op.tensors:
        promoted = op.rule.promote and name != first and name not in loose
        same = f" and {name}.dtype is {first}.dtype" if promoted else ""
        term = f"type({name}) in {types}{same}"
        lacking = may_lack and defaults[name] is None
        terms.append(f"({name} is None or {term})" if lacking else term)
    if op.rule.fast in ("int", "bits"):
        terms.append(f"{first}.dtype in {'_INTS' if op.rule.fast == 'int' else '_BITS'}")
    elif op.rule.fast == "float":
        keeps = op.rule.promote is None or _keeps_floats(op.rule.promote)
        terms.append(f"{first}.dtype in {'_FLOATS' if keeps else '_WIDE_FLOATS'}")
    return " and ".join(terms)


def _alike(values: Any) -> bool:
    """Whether a list or tuple holds nothing but the backend's tensors, all of one dtype."""
    if type(values) not in _SEQUENCES or not values or type(values[0]) not in core.TENSOR_TYPES:
        return False
    dtype = values[0].dtype
    return all(type(x) in core.TENSOR_TYPES and x.dtype is dtype for x in values)


def _keeps_floats(promote: Callable[[list[str]], str]) -> bool:
    """Whether a float tensor beside a Python number keeps its dtype."""
    try:
        return all(promote([d, s]) == d for d in ("float32", "bfloat16") for s in ("float", "int"))
    except ValueError:  # no floats wanted here
        return False


def _special_paths(op: Op, paths: list[tuple[str, str]]) -> list[str]:
    """Source of quick paths for a list of tensors alike, and for a float tensor and numbers.

    Of two tensors that promote either may be the number, of three the last two (or None).
    """
    names = [name for _, name, _ in op.tensors]
    parameters = op.signature.parameters
    if len(names) == 1 and op.tensors[0][2]:
        arguments = ", ".join(f"list({n})" if n == names[0] else n for n in parameters)
        return [f"    if _alike({names[0]}):", f"        return _impl({arguments})"]
    loose = [name for name in names if name in op.rule.loose]
    alike = [name for name in names if name not in op.rule.loose]
    if op.rule.promote is None or len(alike) not in (2, 3) or not _keeps_floats(op.rule.promote):
        return []
    numbers, scalar = "_NUMBERS", "_scalar({n}, {like})"
    if len(alike) == 3:
        numbers, scalar = "_NUMBERS_OR_NONE", "None if {n} is None else _scalar({n}, {like})"
    sides = [(alike[1:], alike[0])] + ([(alike[:1], alike[1])] if len(alike) == 2 else [])
    lines = []
    for scalars, tensor in sides:
        arguments = ", ".join(
            scalar.format(n=n, like=tensor) if n in scalars else n for n in parameters
        )
        terms = [f"type({n}) in {numbers}" for n in scalars]
        terms += [f"type({n}) in _TENSORS" for n in (tensor, *loose)]
        lines.append(f"    if {' and '.join(terms)} and {tensor}.dtype in _FLOATS:")
        for types, target in paths[:-1]:
            plain = " and ".join(f"type({n}) in {types}" for n in (tensor, *loose))
            lines += [f"        if {plain}:", f"            return {target}({arguments})"]
        lines.append(f"        return {paths[-1][1]}({arguments})")
    return lines
