"""Reverse-mode engine and the decorator of fused kernels, on top of `autograd`'s tracing.

`run` calls a function on traced arrays and returns its value with the gradients of several
arrays at once; `differentiable` turns a pair (plain function, function that also hands back its
backward pass) into one node of the trace. Gradients keep the dtype of the value they belong to:
a float32 graph stays float32 to the leaves. Refused: a root that is not a floating-point array,
a loss that is not a scalar, and derivatives of higher order through a kernel that was declared
without a `composed` form.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy  # noqa: F401  registers the array boxes and the gradients of NumPy
import ml_dtypes
import numpy as np
import optree
from autograd.core import SparseObject, VJPNode, VSpace, add_outgrads, make_vjp
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.numpy.numpy_vspaces import ArrayVSpace
from autograd.tracer import Box, box_types, new_box, notrace_primitives, trace_stack

__all__ = ["Box", "TapeNode", "differentiable", "is_traced", "run", "unboxed"]

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
HALVES = frozenset((np.dtype(np.float16), BFLOAT16))

# 0-d results of NumPy are scalars of the dtype's own class; autograd knows NumPy's, not these.
ArrayBox.register(ml_dtypes.bfloat16)
ArrayVSpace.register(ml_dtypes.bfloat16)


class TapeNode(VJPNode):
    """A node that lists itself on its trace's tape and knows the dtype of its value.

    The tape is in order of creation, so the backward pass needs no topological sort, and it is
    consumed from the end, so what a node keeps for its backward pass is freed as soon as used.
    """

    __slots__ = ("dtype", "tape", "grad", "owned")

    def __init__(
        self, value: Any, fun: Any, args: Any, kwargs: Any, parent_argnums: Any, parents: Any
    ) -> None:
        VJPNode.__init__(self, value, fun, args, kwargs, parent_argnums, parents)
        self._enlist(value, parents[0].tape)

    def initialize_root(self, value: Any, tape: list[TapeNode]) -> None:
        self.parents: Any = ()
        self.vjp = None
        self.dtype = value.dtype
        self.tape = tape
        self.grad = None
        self.owned = False

    def _enlist(self, value: Any, tape: list[TapeNode]) -> None:
        self.dtype = getattr(value, "dtype", None)
        self.tape = tape
        self.grad = None
        self.owned = False
        tape.append(self)


# The set itself is shared: what is declared non-differentiable for autograd's own nodes, now or
# later, is so for these.
notrace_primitives[TapeNode] = notrace_primitives[VJPNode]


class _Parts:
    """Gradients of the outputs of one kernel with several outputs, `None` where none came."""

    __slots__ = ("items",)

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __add__(self, other: _Parts) -> _Parts:
        pairs = zip(self.items, other.items, strict=True)
        return _Parts([a if b is None else b if a is None else a + b for a, b in pairs])


class _PartsVSpace(VSpace):
    """Lets autograd's own backward pass add `_Parts`."""

    def _mut_add(self, x: _Parts, y: _Parts) -> _Parts:
        return x + y


_PartsVSpace.register(_Parts)


def is_traced(x: Any) -> bool:
    """True if `x` is an array that a gradient is being taken through."""
    return type(x) in box_types


def unboxed(x: Any) -> Any:
    """The plain array behind `x`, however many traces deep; anything else unchanged."""
    while type(x) in box_types:
        x = x._value
    return x


# ------------------------------------------------------------------------------------ the engine


def run(
    fn: Callable[[list[Any]], tuple[Any, Any]], values: Sequence[np.ndarray]
) -> tuple[Any, Any, list[np.ndarray]]:
    """Value, side results and gradients of `fn` with respect to `values`.

    Args:
        fn: called with one list, a traced array for each of `values`; returns `(loss, aux)`. The
            loss is a scalar; `aux` any nested structure (or `None`), traced arrays in it are
            returned plain.
        values: floating-point arrays, of any shapes and dtypes.

    Returns:
        `(loss, aux, gradients)`: the plain loss, `aux` without traces, and one array for each of
        `values` with its shape and dtype, zeros where the loss does not depend on it. Gradients
        may share memory with each other: read them, don't write into them.

    Raises:
        TypeError: a value is not a floating-point array.
        ValueError: the loss is not a scalar.

    Example:

    >>> import numpy as np
    >>> x = np.array([1.0, 2.0], "float32")
    >>> value, _, (gradient,) = run(lambda v: ((v[0] * v[0]).sum(), None), [x])
    >>> float(value), gradient.tolist(), gradient.dtype.name
    (5.0, [2.0, 4.0], 'float32')
    """
    for i, value in enumerate(values):
        if getattr(value, "dtype", None) is None or not _is_inexact(value.dtype):
            raise TypeError(
                f"value_and_grad: values[{i}] must be a floating-point array to be differentiated;"
                f" got {getattr(value, 'dtype', type(value).__name__)}"
            )
    tape: list[TapeNode] = []
    roots = [TapeNode.new_root(value, tape) for value in values]
    # Not autograd's own context manager: it stays a level too deep after an exception.
    trace_stack.top += 1
    level = trace_stack.top
    try:
        loss, aux = fn([new_box(v, level, r) for v, r in zip(values, roots, strict=True)])

        def strip(x: Any) -> Any:
            return x._value if type(x) in box_types and x._trace == level else x

        if aux is not None:
            aux = optree.tree_map(strip, aux, none_is_leaf=True)
        node = loss._node if type(loss) in box_types and loss._trace == level else None
        loss = strip(loss)
        if np.size(unboxed(loss)) != 1:
            raise ValueError(
                "value_and_grad: the function must return a scalar loss; "
                f"got shape {np.shape(unboxed(loss))}"
            )
        if node is not None:
            node.grad = np.ones(np.shape(unboxed(loss)), getattr(loss, "dtype", None))
            _backward(tape)
    finally:
        trace_stack.top -= 1
        tape.clear()
    return loss, aux, [_leaf_gradient(r, v) for r, v in zip(roots, values, strict=True)]


def _is_inexact(dtype: np.dtype) -> bool:
    return dtype.kind in "fc" or (dtype.kind == "V" and dtype == BFLOAT16) or _is_custom(dtype)


def _is_custom(dtype: np.dtype) -> bool:
    try:
        ml_dtypes.finfo(dtype)
    except ValueError:
        return False
    return True


def _backward(tape: list[TapeNode]) -> None:
    """Runs the tape back to the roots, leaving each root's gradient in `grad`."""
    while tape:
        node = tape.pop()
        g = node.grad
        if g is None:
            continue
        dtype = node.dtype
        if dtype is not None and g.dtype != dtype:
            # Some gradient rules of NumPy functions answer in float64: brought back at once.
            g = g.real.astype(dtype) if g.dtype.kind == "c" != dtype.kind else g.astype(dtype)
        node.grad = None
        for parent, ingrad in zip(node.parents, node.vjp(g), strict=True):
            _accumulate(parent, ingrad)


def _accumulate(node: TapeNode, g: Any) -> None:
    held = node.grad
    if type(g) is np.ndarray:
        if held is None:
            node.grad = g
            return
        if node.owned and type(held) is np.ndarray:
            held += g
            return
    elif type(g) is SparseObject and type(held) not in box_types:
        if held is None:
            held = g.vs.zeros()
        elif not node.owned:
            held = np.array(held)
        node.grad, node.owned = g.mut_add(held), True
        return
    elif type(held) in box_types or type(g) in box_types:
        node.grad, node.owned = add_outgrads(None if held is None else (held, False), g)
        return
    # A gradient that came once may be shared with another node; a sum is this node's own.
    node.grad, node.owned = (g, False) if held is None else (held + g, True)


def _leaf_gradient(root: TapeNode, value: Any) -> Any:
    g = root.grad
    if g is None:
        return np.zeros(value.shape, value.dtype)
    if type(g) in box_types:
        return g
    g = np.asarray(g)
    if g.dtype != value.dtype:
        g = g.real if g.dtype.kind == "c" != value.dtype.kind else g
        g = g.astype(value.dtype)
    return g


# ------------------------------------------------------------------------------------ the kernels


def differentiable(
    gradient: Callable[..., tuple[Any, Callable[..., tuple[Any, ...]]]],
    *,
    outputs: int = 0,
    widen: bool = True,
    composed: Callable[..., Any] | None = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Declares a plain NumPy function to be one node of a trace, with a hand-written gradient.

    Called on plain arrays, the function costs one look at the type of each argument more than
    its raw self, which stays reachable as `.fun`.

    Args:
        gradient: `gradient(needs, *args)` gets the numbers of the arguments that are
            differentiated and the arguments of the function, and returns `(answer, backward)`.
            `backward(g)` (one `g` an output, `None` for outputs that nothing depends on, if
            `outputs` is set) returns one gradient for each leading argument, anything in the
            places that are not in `needs`. It must not write into `g`.
        outputs: 0 for a function of one array. Else the function returns a tuple, of which the
            first `outputs` are differentiated and the rest are constants to the trace.
        widen: compute 16-bit floats in float32 and round the results.
        composed: the same function out of `autograd.numpy` calls, used where traces are nested
            (derivatives of higher order). Without it these raise NotImplementedError.

    Returns:
        A decorator.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        raw = _widened(function) if widen else function
        raw_gradient = _widened_gradient(gradient, outputs) if widen else gradient
        parameters = list(inspect.signature(function).parameters.values())

        @functools.wraps(function)
        def kernel(*args: Any, **kwargs: Any) -> Any:
            for arg in args:
                if type(arg) in box_types:
                    break
            else:
                for arg in kwargs.values():
                    if type(arg) in box_types:
                        break
                else:
                    return raw(*args, **kwargs)
            if kwargs:
                args = _positional(parameters, args, kwargs)
            return _record(function.__name__, raw_gradient, outputs, composed, args)

        kernel.fun = raw  # type: ignore[attr-defined]
        kernel.composed = composed  # type: ignore[attr-defined]
        return kernel

    return decorate


def _positional(parameters: list[inspect.Parameter], args: tuple, kwargs: dict) -> tuple:
    kwargs = dict(kwargs)
    rest = [kwargs.pop(p.name, p.default) for p in parameters[len(args) :]]
    if kwargs:
        raise TypeError(f"unexpected keyword arguments {sorted(kwargs)}")
    for p, value in zip(parameters[len(args) :], rest, strict=True):
        if value is inspect.Parameter.empty:
            raise TypeError(f"missing argument {p.name!r}")
    return (*args, *rest)


def _is_half(x: Any) -> bool:
    return type(x) is np.ndarray and x.dtype.itemsize == 2 and x.dtype in HALVES


def _widen(args: tuple) -> tuple:
    return tuple(a.astype(np.float32) if _is_half(a) else a for a in args)


def _narrow(answer: Any, dtype: np.dtype) -> Any:
    if type(answer) is tuple:
        return tuple(_narrow(part, dtype) for part in answer)
    return answer.astype(dtype)


def _widened(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def raw(*args: Any, **kwargs: Any) -> Any:
        for arg in args:
            if type(arg) is np.ndarray and arg.dtype.itemsize == 2 and arg.dtype in HALVES:
                kwargs = dict(zip(kwargs, _widen(tuple(kwargs.values())), strict=True))
                return _narrow(function(*_widen(args), **kwargs), arg.dtype)
        return function(*args, **kwargs)

    return raw


def _widened_gradient(gradient: Callable[..., Any], outputs: int) -> Callable[..., Any]:
    def raw(needs: tuple[int, ...], *args: Any) -> Any:
        half = next((a.dtype for a in args if _is_half(a)), None)
        if half is None:
            return gradient(needs, *args)
        answer, backward = gradient(needs, *_widen(args))
        dtypes = {i: args[i].dtype for i in needs}

        def narrowed(*gs: Any) -> list[Any]:
            grads = backward(*(None if g is None else g.astype(np.float32) for g in gs))
            return [g.astype(dtypes[i]) if i in dtypes else None for i, g in enumerate(grads)]

        return _narrow(answer, half), narrowed

    return raw


def _record(
    name: str, gradient: Callable[..., Any], outputs: int, composed: Any, args: tuple
) -> Any:
    """Calls a kernel on traced arguments and puts it on the innermost trace."""
    level = max(a._trace for a in args if type(a) in box_types)
    needs = tuple(i for i, a in enumerate(args) if type(a) in box_types and a._trace == level)
    values = [a._value if i in needs else a for i, a in enumerate(args)]
    kind = type(args[needs[0]]._node)
    if not issubclass(kind, VJPNode) or any(type(v) in box_types for v in values):
        if composed is None:
            raise NotImplementedError(
                f"{name}: only first derivatives in reverse mode are available on this backend"
            )
        return composed(*args)
    parents = tuple(args[i]._node for i in needs)
    answer, backward = gradient(needs, *values)
    if not outputs:
        vjp = _single_vjp(name, backward, composed, needs, values)
        return new_box(answer, level, _node(kind, parents, vjp, answer))

    def joint_vjp(parts: _Parts) -> list[Any]:
        if any(type(p) in box_types for p in parts.items):
            return _nested_gradients(name, composed, needs, values, parts.items)
        grads = backward(*parts.items)
        return [grads[i] for i in needs]

    joint = _node(kind, parents, joint_vjp, None)
    boxes = tuple(
        new_box(part, level, _node(kind, (joint,), _part_vjp(i, outputs), part))
        for i, part in enumerate(answer[:outputs])
    )
    return boxes + tuple(answer[outputs:])


def _node(kind: type[VJPNode], parents: tuple, vjp: Callable[..., Any], value: Any) -> VJPNode:
    node = kind.__new__(kind)
    node.parents = parents
    node.vjp = vjp
    if kind is TapeNode:
        node._enlist(value, parents[0].tape)
    return node


def _part_vjp(index: int, outputs: int) -> Callable[[Any], tuple[_Parts]]:
    def vjp(g: Any) -> tuple[_Parts]:
        items: list[Any] = [None] * outputs
        items[index] = g
        return (_Parts(items),)

    return vjp


def _single_vjp(
    name: str,
    backward: Callable[..., Any],
    composed: Any,
    needs: tuple[int, ...],
    values: list[Any],
) -> Callable[[Any], Any]:
    def vjp(g: Any) -> Any:
        if type(g) in box_types:
            return _nested_gradients(name, composed, needs, values, [g])
        grads = backward(g)
        return [grads[i] for i in needs]

    return vjp


def _nested_gradients(
    name: str, composed: Any, needs: tuple[int, ...], values: list[Any], gs: list[Any]
) -> list[Any]:
    """The backward pass of a kernel under another trace; `gs`: one an output, None for none."""
    if composed is None:
        raise NotImplementedError(f"{name}: only first derivatives are available on this backend")

    def pulled(i: int, number: int, g: Any) -> Any:
        def one(x: Any) -> Any:
            answer = composed(*values[:i], x, *values[i + 1 :])
            return answer[number] if type(answer) is tuple else answer

        return make_vjp(one, values[i])[0](g)

    some = [(number, g) for number, g in enumerate(gs) if g is not None]
    return [sum(pulled(i, number, g) for number, g in some) for i in needs]
