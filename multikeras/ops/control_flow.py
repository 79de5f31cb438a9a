"""Branches and loops that also work where the framework compiles, and gradients of one's own.

They take functions of tensors (or of nested structures of tensors). On NumPy and PyTorch they are
Python loops; JAX and TensorFlow trace the function once. Under JAX, a `while_loop` has no gradient
in reverse mode (its length is unknown to the compiler): use `scan`, or `fori_loop` with plain
numbers as bounds.
"""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from multikeras import tree
from multikeras.backends import native
from multikeras.ops import core, indexing, shaping
from multikeras.symbolic import KerasTensor, Operation, SymbolicScope, any_symbolic
from multikeras.symbolic.operation import record

_flow = native.control_flow


class FlowCall(Operation):
    """The call of one of these functions as an operation of a graph."""

    def __init__(self, function: Callable, name: str | None = None) -> None:
        super().__init__(name)
        self.function = function

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def _symbolic(spec: Callable) -> Callable[[Callable], Callable]:
    """Gives a function a result for KerasTensors: `spec`, with the function's own arguments."""

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def public(*args: Any, **kwargs: Any) -> Any:
            if not any_symbolic(args, kwargs):
                return function(*args, **kwargs)
            with SymbolicScope():
                outputs = spec(*args, **kwargs)
            return record(FlowCall(public), args, kwargs, outputs)

        return public

    return decorate


def _tensors(structure: Any) -> Any:
    return tree.map_structure(
        lambda leaf: leaf if leaf is None else core.convert_to_tensor(leaf), structure
    )


def _leaves(structure: Any) -> list[Any]:
    """The tensors of a structure: a None is none, and stays where it is."""
    return [leaf for leaf in tree.flatten(structure) if leaf is not None]


def _refilled(structure: Any, leaves: Sequence[Any]) -> Any:
    """The structure with other tensors."""
    supply = iter(leaves)
    return tree.map_structure(lambda leaf: None if leaf is None else next(supply), structure)


def _next_leaves(who: str, before: Any, after: Any) -> list[Any]:
    """The tensors of what the function of a loop returned, which must be built as it was given."""
    after = _tensors(after)
    nones = [[leaf is None for leaf in tree.flatten(x)] for x in (before, after)]
    try:
        tree.assert_same_paths(before, after)
    except ValueError as error:
        raise ValueError(f"{who} must return what it is given, in the same form. {error}") from None
    if nones[0] != nones[1]:
        raise ValueError(f"{who} must return None where, and only where, it is given None.")
    return _leaves(after)


def _flat_function(who: str, f: Callable, xs: Any) -> tuple[Callable, list[Any], Callable]:
    """`f` as a function from tensors to tensors, the tensors of `xs`, and what puts results back
    into the form that `f` returns."""
    leaves = _leaves(xs)
    if not leaves:
        raise ValueError(f"{who}: expected at least one tensor, got {xs!r}.")
    shapes = [tuple(x.shape) for x in leaves]
    if () in shapes or len({shape[0] for shape in shapes} - {None}) > 1:
        raise ValueError(
            f"{who}: all tensors need the same first dimension, got shapes "
            f"{', '.join(str(shape) for shape in shapes)}."
        )
    forms: list[Any] = []

    def flat(parts: Sequence[Any]) -> tuple:
        result = _tensors(f(_refilled(xs, parts)))
        forms[:] = [result]
        return tuple(_leaves(result))

    return flat, leaves, lambda found: _refilled(forms[0], found)


def _like(structure: Any) -> Any:
    """KerasTensors of the same shapes and dtypes."""
    structure = _tensors(structure)
    return tree.map_structure(
        lambda x: x if x is None else KerasTensor(tuple(x.shape), core.dtype(x)), structure
    )


def _first(xs: Any) -> Any:
    """KerasTensors of one step of `xs`."""
    return tree.map_structure(
        lambda x: x if x is None else KerasTensor(x.shape[1:], x.dtype), _like(xs)
    )


def _steps(ys: Any, length: int | None) -> Any:
    return tree.map_structure(
        lambda y: y if y is None else KerasTensor((length, *y.shape), y.dtype), _like(ys)
    )


def _length(xs: Any, length: int | None = None) -> int | None:
    leaves = [x for x in tree.flatten(xs) if x is not None]
    return length if not leaves else _like(leaves[0]).shape[0]


def _cond_spec(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    yes, no = _like(true_fn()), _like(false_fn())
    tree.assert_same_structure(yes, no)
    for a, b in zip(tree.flatten(yes), tree.flatten(no), strict=True):
        if a is not None and (len(a.shape) != len(b.shape) or a.dtype != b.dtype):
            raise ValueError(f"cond: the branches return {a} and {b}.")
    return tree.map_structure(
        lambda a, b: (
            a
            if a is None
            else KerasTensor(
                tuple(x if x == y else None for x, y in zip(a.shape, b.shape, strict=True)), a.dtype
            )
        ),
        yes,
        no,
    )


@_symbolic(_cond_spec)
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """The result of one of two functions, as `pred` says.

    Args:
        pred: a bool or a scalar tensor of bools.
        true_fn, false_fn: functions without arguments that return the same structure of tensors.
            While compiling both are traced.

    Example:
        >>> from multikeras import ops
        >>> x = ops.convert_to_tensor(3.0)
        >>> float(ops.cond(x > 2, lambda: x * 2, lambda: x))
        6.0
    """
    return _flow.cond(pred, true_fn, false_fn)


@_symbolic(lambda index, branches, *operands: _like(branches[0](*operands)))
def switch(index: Any, branches: Sequence[Callable], *operands: Any) -> Any:
    """The result of the branch with the number `index`, called with `operands`.

    Args:
        index: an integer scalar; below 0 means the first branch, too large the last.
        branches: functions of the operands that return the same structure of tensors.
        *operands: what they are called with.

    Example:
        >>> from multikeras import ops
        >>> x = ops.convert_to_tensor(3.0)
        >>> float(ops.switch(1, [lambda v: v, lambda v: v * 10], x))
        30.0
    """
    if not branches:
        raise ValueError("switch: expected at least one branch.")
    return _flow.switch(index, list(branches), *_tensors(operands))


def _loop_spec(cond: Any, body: Any, loop_vars: Any, maximum_iterations: Any = None) -> Any:
    return _like(loop_vars)


@_symbolic(_loop_spec)
def while_loop(
    cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """Calls `body` on the loop variables as long as `cond` of them is true.

    Args:
        cond: takes the loop variables, returns a scalar bool.
        body: takes the loop variables, returns new ones of the same shapes and dtypes.
        loop_vars: a tuple or list (whose items are the arguments), or a single tensor.
        maximum_iterations: where to stop in any case.

    Returns:
        The last loop variables, in the form of `loop_vars`.

    Example:
        >>> from multikeras import ops
        >>> i, total = ops.while_loop(lambda i, t: i < 4, lambda i, t: (i + 1, t + i), (0, 0))
        >>> int(total)
        6
    """
    single = not isinstance(loop_vars, (tuple, list))
    kind = type(loop_vars)
    start = _tensors([loop_vars] if single else list(loop_vars))

    def step(*leaves: Any) -> tuple:
        result = body(*_refilled(start, leaves))
        result = list(result) if isinstance(result, (tuple, list)) else [result]
        if len(result) != len(start):
            raise ValueError(
                f"while_loop: `body` returned {len(result)} loop variables, expected {len(start)}."
            )
        return tuple(_next_leaves("while_loop: `body`", start, result))

    def go_on(*leaves: Any) -> Any:
        return cond(*_refilled(start, leaves))

    leaves = _flow.while_loop(go_on, step, tuple(_leaves(start)), maximum_iterations)
    end = _refilled(start, leaves)
    if single:
        return end[0]
    return kind(end) if kind in (tuple, list) else tuple(end)


# The steps made of functions that are still there: a compiler knows a function by its identity.
_STEPS: weakref.WeakKeyDictionary[Callable, tuple[Any, Callable]] = weakref.WeakKeyDictionary()


def _fori_step(body_fun: Callable, form: Any) -> Callable:
    """`body_fun` as a function of the tensors of a structure of that form."""
    body: Callable[[], Callable | None]
    try:
        known, step = _STEPS.get(body_fun, (None, None))
        body = weakref.ref(body_fun)  # a step must not keep the function that it is kept for
    except TypeError:  # no function that can be remembered
        known, step, body = None, None, lambda: body_fun
    if step is not None and known == form:
        return step

    def new(i: Any, leaves: Any) -> tuple:
        result = body()(i, _refilled(form, leaves))  # type: ignore[misc]
        return tuple(_next_leaves("fori_loop: `body_fun`", form, result))

    with contextlib.suppress(TypeError):
        _STEPS[body_fun] = (form, new)
    return new


@_symbolic(lambda lower, upper, body_fun, init_val: _like(init_val))
def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    """Calls `value = body_fun(i, value)` for each i from `lower` up to, but without, `upper`.

    Args:
        lower, upper: integers or integer scalars.
        body_fun: returns a structure like `init_val`.
        init_val: a tensor or a structure of tensors.

    Example:
        >>> from multikeras import ops
        >>> int(ops.fori_loop(0, 4, lambda i, total: total + i, 10))
        16
    """
    start = _tensors(init_val)
    form = tree.map_structure(lambda leaf: None if leaf is None else 0, start)
    step = _fori_step(body_fun, form)
    return _refilled(form, _flow.fori_loop(lower, upper, step, tuple(_leaves(start))))


def _scan_spec(
    f: Callable,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> Any:
    carry, y = f(_like(init), None if xs is None else _first(xs))
    return _like(carry), _steps(y, _length(xs, length))


@_symbolic(_scan_spec)
def scan(
    f: Callable,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> Any:
    """Carries a state along the first axis: `carry, y = f(carry, x)` for each x of `xs`.

    Args:
        f: takes the state and one step of `xs`; returns the new state and the step's output.
        init: the first state, a structure of tensors.
        xs: a structure of tensors with the same first dimension, or None.
        length: the number of steps, needed if `xs` is None.
        reverse: from the last step to the first.
        unroll: how many steps the compiler writes out (JAX); others ignore it.

    Returns:
        `(carry, ys)`: the last state, and the outputs of all steps along a new first axis.

    Raises:
        ValueError: if the number of steps is neither given nor in `xs`.

    Example:
        >>> from multikeras import ops
        >>> last, sums = ops.scan(lambda c, x: (c + x, c + x), 0, ops.convert_to_tensor([1, 2, 3]))
        >>> int(last), ops.convert_to_numpy(sums).tolist()
        (6, [1, 3, 6])
    """
    xs = None if xs is None else _tensors(xs)
    found = _length(xs, length)
    if xs is None and length is None:
        raise ValueError("scan: give `length` where there are no `xs`.")
    if length is not None and found is not None and int(length) != found:
        raise ValueError(f"scan: `length` is {length}, `xs` has {found} steps.")
    return _flow.scan(f, _tensors(init), xs, found, reverse, unroll)


@_symbolic(lambda f, xs: _steps(f(_first(xs)), _length(xs)))
def map(f: Callable, xs: Any) -> Any:
    """`f` of each step along the first axis, one after the other, stacked.

    Args:
        f: a function of a tensor (or a structure of them).
        xs: a tensor or a structure of tensors with the same first dimension.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.map(lambda x: x * x, ops.convert_to_tensor([1, 2]))).tolist()
        [1, 4]
    """
    flat, leaves, back = _flat_function("map", f, _tensors(xs))
    return back(_flow.map(flat, tuple(leaves)))


@_symbolic(lambda function, elements: _steps(function(_first(elements)), _length(elements)))
def vectorized_map(function: Callable, elements: Any) -> Any:
    """`function` of each step along the first axis, all at once where the framework can.

    Args:
        function: a function of a tensor (or a structure of them).
        elements: a tensor or a structure of tensors with the same first dimension.

    Example:
        >>> from multikeras import ops
        >>> x = ops.convert_to_tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> ops.convert_to_numpy(ops.vectorized_map(lambda row: row * 2, x)).tolist()
        [[2.0, 4.0], [6.0, 8.0]]
    """
    flat, leaves, back = _flat_function("vectorized_map", function, _tensors(elements))
    return back(_flow.vectorized_map(flat, tuple(leaves)))


def _along(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    front = (slice(None),) * (axis % len(x.shape))
    return indexing.get_item(x, (*front, slice(start, stop)))


@_symbolic(lambda f, elems, reverse=False, axis=0: _like(elems))
def associative_scan(f: Callable, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """All partial results of an associative function along an axis, in log(n) steps.

    Args:
        f: takes two structures like `elems` (several elements at once) and combines them.
        elems: a tensor or a structure of tensors with the same size along `axis`.
        reverse: from the end.
        axis: default 0.

    Returns:
        A structure like `elems`: its i-th element combines the first i + 1.

    Example:
        >>> from multikeras import ops
        >>> x = ops.convert_to_tensor([1, 2, 3, 4])
        >>> ops.convert_to_numpy(ops.associative_scan(lambda a, b: a + b, x)).tolist()
        [1, 3, 6, 10]
    """
    elems = _tensors(elems)
    if reverse:
        elems = tree.map_structure(lambda x: shaping.flip(x, axis), elems)
    sizes = {x.shape[axis] for x in tree.flatten(elems)}
    if len(sizes) != 1 or None in sizes:
        raise ValueError(f"associative_scan: needs one known size along axis {axis}, got {sizes}.")
    reach, size = 1, int(next(iter(sizes)))
    while reach < size:
        combined = f(
            tree.map_structure(lambda x: _along(x, axis, None, size - reach), elems),  # noqa: B023
            tree.map_structure(lambda x: _along(x, axis, reach, None), elems),  # noqa: B023
        )
        elems = tree.map_structure(
            lambda x, new: shaping.concatenate([_along(x, axis, None, reach), new], axis),  # noqa: B023
            elems,
            combined,
        )
        reach *= 2
    if reverse:
        elems = tree.map_structure(lambda x: shaping.flip(x, axis), elems)
    return elems


def custom_gradient(f: Callable) -> Callable:
    """A function whose gradient is what it says itself.

    Args:
        f: takes tensors, returns `(output, grad)`, where `grad(upstream)` returns the gradient
            for each argument (a tuple if there are several), given that of the output.

    Returns:
        A function of the same arguments that returns the output.

    Example:
        >>> from multikeras import ops
        >>> def halved(x):
        ...     return x * 1.0, lambda upstream: upstream * 0.5
        >>> float(ops.custom_gradient(halved)(ops.convert_to_tensor(3.0)))
        3.0
    """
    native_function = _flow.custom_gradient(f)

    @functools.wraps(f)
    def public(*args: Any) -> Any:
        if any_symbolic(args):
            return f(*args)[0]
        return native_function(*(_tensors(arg) for arg in args))

    return public
