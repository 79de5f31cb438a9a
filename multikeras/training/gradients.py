"""`value_and_grad`: gradients the same way on every backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multikeras import ops
from multikeras.backends import native
from multikeras.variables import Variable


def value_and_grad(
    fn: Callable,
    variables: Variable | list[Variable] | None = None,
    has_aux: bool = False,
    argnums: int | tuple[int, ...] | None = None,
) -> Callable:
    """A function that computes `fn` and its gradients with respect to variables, or arguments.

    It works inside and outside a compiled step, and inside itself: the gradients may be part of
    another function that is differentiated (a gradient penalty). State that `fn` changes (moving
    statistics, seed generators, metrics) is changed once.

    Args:
        fn: returns a scalar tensor, or (scalar, anything) with `has_aux`.
        variables: one Variable or a list of them; None with `argnums`.
        has_aux: whether `fn` returns a pair.
        argnums: the number of a positional argument of `fn`, a float tensor, or a tuple of
            numbers: gradients are taken with respect to these.

    Returns:
        A function of `fn`'s arguments that gives (value, gradients), with `has_aux`
        ((value, aux), gradients). The gradients have the structure of `variables`, without
        these that of `argnums`, and with both they are a pair; they are zeros for what the value
        does not depend on.

    Raises:
        TypeError: if something other than a Variable is given, or an argument isn't a tensor of
            floats.
        ValueError: if neither `variables` nor `argnums` is given, or an argument is missing.

    Example:
        >>> import multikeras as keras
        >>> v = keras.Variable(3.0)
        >>> value, gradient = value_and_grad(lambda: v * v, v)()
        >>> float(value), float(gradient)
        (9.0, 6.0)
        >>> value, gradient = value_and_grad(lambda x: v * x * x, argnums=0)(5.0)
        >>> float(gradient)
        30.0
    """
    if variables is None and argnums is None:
        raise ValueError("value_and_grad: give `variables`, `argnums` or both.")
    single = isinstance(variables, Variable)
    listed = [variables] if isinstance(variables, Variable) else list(variables or ())
    for variable in listed:
        if not isinstance(variable, Variable):
            raise TypeError(f"value_and_grad: expected Variables, got {variable!r}.")
    if argnums is None:
        compute = native.engine.value_and_grad(fn, listed, has_aux)
        if not single:
            return compute
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums or ())
    compute = native.engine.value_and_grad(fn, listed, has_aux, numbers)

    def arranged(*args: Any, **kwargs: Any) -> Any:
        value, gradients = compute(*_with_tensors(args, numbers), **kwargs)
        own = gradients[0] if single else gradients[: len(listed)]
        if argnums is None:
            return value, own
        given = gradients[-1] if isinstance(argnums, int) else tuple(gradients[len(listed) :])
        return value, given if variables is None else (own, given)

    return arranged


def _with_tensors(args: tuple, numbers: tuple[int, ...]) -> tuple:
    """The arguments, those to be differentiated as tensors."""
    listed = list(args)
    for number in numbers:
        if number not in range(len(args)):
            raise ValueError(
                f"value_and_grad: argnums has {number}, but {len(args)} positional arguments came."
            )
        listed[number] = tensor = ops.convert_to_tensor(args[number])
        if "float" not in ops.dtype(tensor):
            raise TypeError(
                f"value_and_grad: argument {number} must be a tensor of floats to be "
                f"differentiated, got {ops.dtype(tensor)}."
            )
    return tuple(listed)
