"""`value_and_grad`: gradients the same way on every backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multikeras.backends import native
from multikeras.variables import Variable


def value_and_grad(
    fn: Callable, variables: Variable | list[Variable], has_aux: bool = False
) -> Callable:
    """A function that computes `fn` and its gradients with respect to variables.

    It works inside and outside a compiled step. State that `fn` changes (moving statistics,
    seed generators, metrics) is changed once.

    Args:
        fn: returns a scalar tensor, or (scalar, anything) with `has_aux`.
        variables: one Variable or a list of them.
        has_aux: whether `fn` returns a pair.

    Returns:
        A function of `fn`'s arguments that gives (value, gradients), with `has_aux`
        ((value, aux), gradients). The gradients have the structure of `variables`; they are
        zeros for variables that the value does not depend on.

    Raises:
        TypeError: if something other than a Variable is given.

    Example:
        >>> import multikeras as keras
        >>> v = keras.Variable(3.0)
        >>> value, gradient = value_and_grad(lambda: v * v, v)()
        >>> float(value), float(gradient)
        (9.0, 6.0)
    """
    single = isinstance(variables, Variable)
    listed = [variables] if isinstance(variables, Variable) else list(variables)
    for variable in listed:
        if not isinstance(variable, Variable):
            raise TypeError(f"value_and_grad: expected Variables, got {variable!r}.")
    compute = native.engine.value_and_grad(fn, listed, has_aux)
    if not single:
        return compute

    def first(*args: Any, **kwargs: Any) -> Any:
        value, gradients = compute(*args, **kwargs)
        return value, gradients[0]

    return first
