"""`@op`: one declaration gives an op its conversion, promotion, dispatch, symbolic result and name.

    @op(elementwise())
    def add(x1, x2):
        '''Sum, element by element. ...'''

A body that is only a docstring marks a primitive: the selected backend supplies a function of
that name in the module of the same name as the file (`native.elementwise.add`), or names it in
`UNSUPPORTED` with the reason. A real body is a composed op; a backend may override it.

From the declaration a function of the same signature is generated (`_dispatch`), which calls the
backend at once where the arguments need no preparation. All else goes the slow way: `Op.prepare`
converts and promotes by the rule, and KerasTensors lead to `Op.symbolic`, which never runs the
backend. Refused with an error that names the op and the argument: whatever can't be a tensor.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from multikeras import dtypes, registry, tree
from multikeras.backends import native
from multikeras.ops._dispatch import NUMBERS, generate
from multikeras.symbolic import KerasTensor, Operation
from multikeras.symbolic.operation import in_symbolic_scope, record
from multikeras.variables import Variable, auto_name

core = native.core
REGISTRY: dict[str, Op] = {}
# The public function has the annotations of the one that declares it.
Declared = TypeVar("Declared", bound=Callable)
# Exact types: a np.float64 is a float too, but has a dtype of its own.
_SCALARS = {bool: "bool", int: "int", float: "float", complex: "complex"}


@dataclass(frozen=True)
class Rule:
    """How a family of ops treats its arguments.

    Attributes:
        spec: `(dtype, *arguments) -> KerasTensor or structure`, arguments as the op's own, with
            KerasTensors for tensors, `dtype` the promoted dtype (None if `promote` is None).
        promote: `(dtypes) -> dtype` to which all tensor arguments are cast (an entry is "int",
            "float" or "complex" for a Python scalar), or None to leave each as it is.
        tensors: names of the tensor arguments; None: every parameter without a default.
            A name that begins with "*" is a sequence of tensors.
        fast: which dtypes may skip the slow path: "any" (one dtype in, whichever), "float", "int",
            "bits" (integers and bool).
        loose: names of tensor arguments that keep their own dtype when the others promote.
        saturates: whether a Python number that the promoted dtype can't hold becomes the nearest
            that it can; otherwise it is what the framework makes of it.
    """

    spec: Callable[..., Any]
    promote: Callable[[list[str]], str] | None = None
    tensors: tuple[str, ...] | None = None
    fast: str = "any"
    loose: tuple[str, ...] = ()
    saturates: bool = False


@dataclass(eq=False)
class Op:
    """A declared op; `public` is the generated function."""

    name: str
    family: str
    rule: Rule
    body: Callable
    primitive: bool
    signature: inspect.Signature
    compiled: bool = False
    tensors: tuple[tuple[int, str, bool], ...] = ()  # (position, name, is a sequence)
    public: Callable = field(default=lambda: None)
    impl: Callable = field(default=lambda: None)
    promotions: dict[tuple[str, ...], str] = field(default_factory=dict)

    def slow(self, *args: Any) -> Any:
        """The general call; `args` are all parameters by position."""
        symbolic, dtype, prepared = self.prepare(args)
        return self.symbolic(dtype, prepared, args) if symbolic else self.impl(*prepared)

    def prepare(self, args: tuple) -> tuple[bool, str | None, list[Any]]:
        """Whether any is symbolic, the promoted dtype, and the arguments converted to it."""
        prepared = list(args)
        symbolic = False
        found: list[str] = []
        for position, name, sequence in self.tensors:
            value = prepared[position]
            if value is None:
                continue
            if sequence:
                if not isinstance(value, (list, tuple)):
                    value = list(value) if not isinstance(value, KerasTensor) else [*value]
                value = [self._native(item, name) for item in value]
                symbolic = symbolic or any(isinstance(item, KerasTensor) for item in value)
                found.extend(map(_dtype, value))
            else:
                value = self._native(value, name)
                symbolic = symbolic or isinstance(value, KerasTensor)
                if name not in self.rule.loose:
                    found.append(_dtype(value))
            prepared[position] = value
        dtype = self._promoted(found) if self.rule.promote else None
        convert = _symbolic_cast if symbolic else _convert
        for position, name, sequence in self.tensors:
            value = prepared[position]
            if sequence:
                prepared[position] = [convert(item, dtype) for item in value]
            elif value is not None:
                if self.rule.saturates and type(value) in NUMBERS:
                    value = _nearest(value, dtype or "")
                prepared[position] = convert(value, None if name in self.rule.loose else dtype)
        return symbolic, dtype, prepared

    def _promoted(self, found: list[str]) -> str:
        """The rule's promotion, remembered."""
        key = (dtypes.floatx(), *found)
        dtype = self.promotions.get(key)
        if dtype is None:
            dtype = self.promotions[key] = self.rule.promote(found)  # type: ignore[misc]
        return dtype

    def _native(self, value: Any, name: str) -> Any:
        """A tensor, KerasTensor or Python scalar for whatever was given."""
        if core.is_tensor(value) or isinstance(value, KerasTensor) or type(value) in _SCALARS:
            return value
        if isinstance(value, Variable):
            return value.value
        if isinstance(value, (list, tuple)):
            leaves = tree.flatten(value)
            if any(isinstance(leaf, KerasTensor) for leaf in leaves):
                raise ValueError(
                    f"{self.name}: argument `{name}` is a list with symbolic tensors; "
                    "use multikeras.ops.stack or concatenate first."
                )
            if any(isinstance(leaf, Variable) for leaf in leaves):
                value = tree.map_structure(
                    lambda v: v.value if isinstance(v, Variable) else v, value
                )
            elif not any(core.is_tensor(leaf) for leaf in leaves):
                value = host_array(value)
        try:
            return core.convert_to_tensor(value)
        except Exception as error:
            raise ValueError(
                f"{self.name}: argument `{name}` can't be made a tensor: got "
                f"{type(value).__name__} {_short(value)} ({error})."
            ) from None

    def symbolic(self, dtype: str | None, prepared: list[Any], args: tuple) -> Any:
        """The result as KerasTensors, with a node that remembers the call as it was made."""
        try:
            outputs = self.rule.spec(dtype, *prepared)
        except ValueError as error:
            shapes = [str(t.shape) for t in tree.flatten(prepared) if isinstance(t, KerasTensor)]
            raise ValueError(f"{self.name} on shapes {', '.join(shapes)}: {error}") from None
        names = list(self.signature.parameters)
        if in_symbolic_scope():
            return outputs
        positional = self.tensors[-1][0] + 1 if self.tensors else 0
        kinds = [p.kind for p in self.signature.parameters.values()]
        first_keyword = min(
            (i for i, kind in enumerate(kinds) if kind is inspect.Parameter.KEYWORD_ONLY),
            default=len(kinds),
        )
        positional = min(max(positional, 1), first_keyword)
        kwargs = {
            name: value
            for name, value in zip(names[positional:], args[positional:], strict=True)
            if value is not self.signature.parameters[name].default
        }
        return record(OpCall(self), args[:positional], kwargs, outputs)

    def spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic result for arguments as the op takes them, without a node."""
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        _, dtype, prepared = self.prepare(tuple(bound.arguments.values()))
        return self.rule.spec(dtype, *prepared)


class OpCall(Operation):
    """The call of an op as an operation of a graph."""

    def __init__(self, op: Op | str, name: str | None = None) -> None:
        self.op = REGISTRY[op] if isinstance(op, str) else op
        super().__init__(name or auto_name(self.op.name))

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self.op.public(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.op.public(*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return self.op.spec(*args, **kwargs)


def host_array(value: Any) -> np.ndarray:
    """An array of nested numbers: float to `floatx()`, complex like it, int to int32."""
    array = np.asarray(value)
    if array.dtype == np.float64:
        return array.astype(dtypes.numpy_dtype(dtypes.floatx()))
    if array.dtype == np.complex128 and dtypes.floatx() != "float64":
        return array.astype(np.complex64)
    if array.dtype == np.int64 and (not array.size or np.abs(array).max() < 2**31):
        return array.astype(np.int32)
    return array


def _dtype(value: Any) -> str:
    if type(value) in _SCALARS:
        return _SCALARS[type(value)]
    return value.dtype if isinstance(value, KerasTensor) else core.dtype_name(value)


def _scalar_dtype(value: Any) -> str:
    return dtypes.promote(_dtype(value))


def _convert(value: Any, dtype: str | None) -> Any:
    if type(value) in _SCALARS:
        return core.convert_to_tensor(value, dtype or _scalar_dtype(value))
    return core.convert_to_tensor(value, dtype)


def _nearest(value: float, dtype: str) -> float:
    """A number that an integer dtype can hold; other dtypes hold any."""
    if not dtypes.is_int_dtype(dtype):
        return value
    limits = np.iinfo(dtype)
    return int(min(max(value, limits.min), limits.max))


def _symbolic_cast(value: Any, dtype: str | None) -> Any:
    if type(value) in _SCALARS:
        return KerasTensor((), dtype or _scalar_dtype(value))
    if not isinstance(value, KerasTensor):
        value = KerasTensor(core.shape(value), core.dtype_name(value))
    if dtype is None or value.dtype == dtype:
        return value
    return KerasTensor(value.shape, dtype)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "..."


def _docstring_only() -> None:
    """What the body of a primitive compiles to."""


def _is_primitive(fn: Callable) -> bool:
    """Whether the body is only a docstring; told by its code, as sources take long to parse."""
    code = fn.__code__
    return code.co_code == _docstring_only.__code__.co_code and all(
        constant is None or constant == fn.__doc__ for constant in code.co_consts
    )


def _find_impl(op: Op) -> Callable:
    module = getattr(native, op.family, None)
    found = getattr(module, op.name, None)
    # The backend's `core` is no set of overrides: its `cast` takes standard names of dtypes only.
    if found is not None and (op.primitive or op.family != "core"):
        return found
    if not op.primitive:
        places = tuple(position for position, *_ in op.tensors)
        return core.compiled_body(op.body, places) if op.compiled else op.body
    reason = native.UNSUPPORTED.get(op.name)

    def unsupported(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"multikeras.ops.{op.name} is not available on this backend: {reason or 'no reason'}."
        )

    return unsupported


def op(rule: Rule, compiled: bool = False) -> Callable[[Declared], Declared]:
    """Declares an op by the rule of its family; see the module's docstring.

    `compiled`: whether the body of a composed op runs as one compiled function where the framework
    has a compiler. For long bodies that are pure functions of their tensors: they must draw no
    random numbers and look at no values.
    """

    def declare(fn: Any) -> Any:
        signature = inspect.signature(fn)
        declared = Op(
            name=fn.__name__,
            family=fn.__module__.rsplit(".", 1)[-1],
            rule=rule,
            body=fn,
            primitive=_is_primitive(fn),
            signature=signature,
            compiled=compiled,
        )
        wanted = rule.tensors
        if wanted is None:
            wanted = tuple(n for n, p in signature.parameters.items() if p.default is p.empty)
        names = list(signature.parameters)
        declared.tensors = tuple(
            (names.index(n.lstrip("*")), n.lstrip("*"), n.startswith("*")) for n in wanted
        )
        declared.impl = _find_impl(declared)
        declared.public = generate(declared)
        REGISTRY[declared.name] = declared
        registry.expose("multikeras.ops", declared.name)(declared.public)
        return declared.public

    return declare
