"""Functions of functions: derivatives along a direction, and functions of elements for tensors.

They take functions of tensors, as those of `control_flow` do.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from typing import Any

from multikeras import shapes, tree
from multikeras.backends import native
from multikeras.ops import control_flow, core, shaping
from multikeras.symbolic import KerasTensor, SymbolicScope, any_symbolic
from multikeras.symbolic.operation import record


def _tensors(structure: Any) -> Any:
    return tree.map_structure(core.convert_to_tensor, structure)


def _check_directions(primals: Any, tangents: Any) -> None:
    for name, value in (("primals", primals), ("tangents", tangents)):
        if not isinstance(value, (tuple, list)):
            raise TypeError(
                f"jvp: expected a tuple of arguments for `{name}`, got {type(value).__name__}."
            )
    points, directions = tree.flatten(list(primals)), tree.flatten(list(tangents))
    if len(points) != len(directions):
        raise ValueError(
            f"jvp: `tangents` must be built as `primals`, got {len(directions)} tensors for "
            f"{len(points)}."
        )
    for point, direction in zip(points, directions, strict=True):
        if tuple(point.shape) != tuple(direction.shape):
            raise ValueError(
                "jvp: a tangent must have the shape of its primal, got "
                f"{tuple(direction.shape)} for {tuple(point.shape)}."
            )
        if not any(kind in core.dtype(point) for kind in ("float", "complex")):
            raise TypeError(f"jvp: expected floats for `primals`, got {core.dtype(point)}.")


def jvp(fun: Callable, primals: Any, tangents: Any, has_aux: bool = False) -> tuple:
    """The value of a function, and how it changes along a direction (Jacobian times vector).

    Args:
        fun: a function of tensors (or of structures of them) that returns a tensor or a
            structure of tensors; with `has_aux` a pair of that and side results.
        primals: a tuple of its arguments, floats.
        tangents: the direction: a tuple built as `primals`.
        has_aux: whether `fun` returns side results too, which are handed on.

    Returns:
        `(value, change)`, with `has_aux` `(value, change, aux)`.

    Raises:
        TypeError: if `primals` or `tangents` is not a tuple, or a primal is not of a float dtype.
        ValueError: if `tangents` is not built as `primals`.

    Example:
        >>> from multikeras import ops
        >>> x = ops.convert_to_tensor([1.0, 3.0])
        >>> value, change = ops.jvp(ops.square, (x,), (ops.convert_to_tensor([1.0, 10.0]),))
        >>> ops.convert_to_numpy(change).tolist()
        [2.0, 60.0]
    """
    if any_symbolic((primals, tangents), {}):
        with SymbolicScope():
            result = fun(*primals)
            value, aux = result if has_aux else (result, None)
            change = tree.map_structure(lambda t: KerasTensor(t.shape, t.dtype), value)
        outputs = (value, change, aux) if has_aux else (value, change)
        call = control_flow.FlowCall(functools.partial(jvp, fun, has_aux=has_aux), "jvp")
        return record(call, (primals, tangents), {}, outputs)
    if isinstance(primals, (tuple, list)) and isinstance(tangents, (tuple, list)):
        primals, tangents = tuple(map(_tensors, primals)), tuple(map(_tensors, tangents))
    _check_directions(primals, tangents)
    tangents = tree.map_structure(
        lambda point, direction: core.cast(direction, core.dtype(point)), primals, tangents
    )
    return native.control_flow.jvp(fun, primals, tangents, has_aux)


# ------------------------------------------------------------------------------------ vectorize

_DIMS = r"\(\s*(?:\w+(?:\s*,\s*\w+)*)?\s*\)"
_SIGNATURE = re.compile(rf"\s*{_DIMS}(?:\s*,\s*{_DIMS})*\s*->\s*{_DIMS}(?:\s*,\s*{_DIMS})*\s*")

Cores = list[tuple[str, ...]]


def _parse(signature: str) -> tuple[Cores, Cores]:
    """The names of the dimensions of each argument and of each result."""
    if not isinstance(signature, str) or not _SIGNATURE.fullmatch(signature):
        raise ValueError(
            f"vectorize: expected a signature such as '(m,n),(n)->(m)', got {signature!r}."
        )
    sides = [
        [tuple(re.findall(r"\w+", part)) for part in re.findall(_DIMS, side)]
        for side in signature.split("->")
    ]
    return sides[0], sides[1]


def _outer_shape(values: list[Any], cores: Cores) -> shapes.Shape:
    """What of the shapes is not the functions' own, broadcast; checks the named dimensions."""
    sizes: dict[str, int | None] = {}
    outer = []
    for value, names in zip(values, cores, strict=True):
        shape = tuple(value.shape)
        if len(shape) < len(names):
            raise ValueError(
                f"vectorize: an argument of shape {shape} lacks dimensions of ({', '.join(names)})."
            )
        split = len(shape) - len(names)
        for name, size in zip(names, shape[split:], strict=True):
            known = sizes.setdefault(name, size)
            if None not in (known, size) and known != size:
                raise ValueError(f"vectorize: dimension {name!r} is {known} and {size} at once.")
        outer.append(shape[:split])
    return shapes.broadcast(*outer)


def _mapped(function: Callable, values: list[Any], cores: Cores) -> Any:
    """`function` of all tuples of elements (of the cores' ranks)."""
    outer = _outer_shape(values, cores)
    if any(isinstance(value, KerasTensor) for value in values):
        inner = [
            KerasTensor(v.shape[len(v.shape) - len(names) :], core.dtype(v))
            for v, names in zip(values, cores, strict=True)
        ]
        result = function(*inner)
        return tree.map_structure(lambda t: KerasTensor((*outer, *t.shape), t.dtype), result)
    if not outer:
        return function(*values)
    flat = []
    for value, names in zip(values, cores, strict=True):
        own = tuple(value.shape)[len(value.shape) - len(names) :]
        full = shaping.broadcast_to(value, (*outer, *own))
        flat.append(shaping.reshape(full, (-1, *own)))
    found = control_flow.vectorized_map(lambda elements: function(*elements), tuple(flat))
    return tree.map_structure(lambda t: shaping.reshape(t, (*outer, *tuple(t.shape)[1:])), found)


def _check_results(found: Any, cores: Cores, outer_rank: int) -> None:
    results = list(found) if isinstance(found, (tuple, list)) else [found]
    ranks = [len(result.shape) - outer_rank for result in results]
    if ranks != [len(names) for names in cores]:
        raise ValueError(
            f"vectorize: the signature promises results of ranks {[len(n) for n in cores]}, "
            f"the function returned ranks {ranks}."
        )


def vectorize(
    pyfunc: Callable | None = None,
    *,
    excluded: Iterable[int | str] | None = None,
    signature: str | None = None,
) -> Callable:
    """A function of tensors from a function of single elements, with broadcasting.

    Args:
        pyfunc: a function of scalar tensors (of tensors of the ranks that `signature` tells);
            it returns a tensor or a tuple of tensors. Without it, a decorator is returned.
        excluded: positions and names of arguments that are handed on as they are.
        signature: such as "(m,n),(n)->(m)": the dimensions that belong to the function, in
            letters that must mean one size each. Default: none, the function is of scalars.

    Returns:
        A function that calls `pyfunc` on all elements at once where the framework can.

    Raises:
        TypeError: if `pyfunc` is not a function, or is given another number of arguments than
            the signature has.
        ValueError: if `signature` can't be read, or shapes don't fit it.

    Example:
        >>> from multikeras import ops
        >>> distance = ops.vectorize(lambda a, b: ops.sum(abs(a - b)), signature="(n),(n)->()")
        >>> ops.convert_to_numpy(distance([[0.0, 1.0], [2.0, 5.0]], [1.0, 1.0])).tolist()
        [1.0, 5.0]
    """
    if pyfunc is None:
        return functools.partial(vectorize, excluded=excluded, signature=signature)
    if not callable(pyfunc):
        raise TypeError(f"vectorize: expected a function for `pyfunc`, got {pyfunc!r}.")
    left_out = frozenset(excluded or ())
    wrong = [key for key in left_out if not isinstance(key, (int, str))]
    if wrong:
        raise TypeError(f"vectorize: `excluded` holds positions and names, got {wrong[0]!r}.")
    parsed = None if signature is None else _parse(signature)

    @functools.wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        keys = [k for k in (*range(len(args)), *kwargs) if k not in left_out]
        every: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
        values = [core.convert_to_tensor(every[key]) for key in keys]
        cores: Cores = [()] * len(values) if parsed is None else parsed[0]
        if len(cores) != len(values):
            raise TypeError(
                f"vectorize: the signature {signature!r} has {len(cores)} arguments, "
                f"got {len(values)}."
            )

        def function(*elements: Any) -> Any:
            filled = {**every, **dict(zip(keys, elements, strict=True))}
            positional = [filled.pop(place) for place in range(len(args))]
            return pyfunc(*positional, **filled)

        if not values:
            return pyfunc(*args, **kwargs)
        if any_symbolic(args, kwargs):
            with SymbolicScope():
                found = _mapped(function, values, cores)
            outputs = record(control_flow.FlowCall(vectorized, "vectorize"), args, kwargs, found)
        else:
            outputs = found = _mapped(function, values, cores)
        if parsed is not None:
            _check_results(found, parsed[1], len(_outer_shape(values, cores)))
        return outputs

    return vectorized
