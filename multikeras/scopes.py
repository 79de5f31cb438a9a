"""Scopes that calls run in: overlaid variable values, autocasting, names.

While a `StatelessScope` is open, variables read and write the values it holds instead of their
own, which is how pure functions of the state are traced and gradients are taken. Nothing here
knows a backend.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multikeras.variables import Variable


class _Scopes(threading.local):
    stateless: StatelessScope | None = None
    autocast: str | None = None
    names: tuple[str, ...] = ()
    prefix: str = ""
    allowance: Allowance | None = None


current = _Scopes()
_uids: dict[str, int] = {}


def auto_name(prefix: str) -> str:
    """A name unique in this session: prefix, prefix_1, prefix_2, ..."""
    count = _uids.get(prefix, 0)
    _uids[prefix] = count + 1
    return f"{prefix}_{count}" if count else prefix


def get_uid(prefix: str = "") -> int:
    """A number that grows with each call for the same prefix, from 1.

    Example:
        >>> first = get_uid("example"); get_uid("example") - first
        1
    """
    _uids[prefix] = _uids.get(prefix, 0) + 1
    return _uids[prefix]


def reset_names() -> None:
    """Lets automatic names start again."""
    _uids.clear()


@contextmanager
def name_scope(name: str, **kwargs: Any) -> Iterator[None]:
    """Prefixes the paths of variables made inside.

    Args:
        name: one component of the path; it may not contain "/".

    Example:
        >>> import multikeras as keras
        >>> with name_scope("outer"):
        ...     keras.Variable(0.0, name="count").path
        'outer/count'
    """
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(f"name_scope: expected a name without '/', got {name!r}.")
    previous = current.names
    current.names = previous + (name,)
    try:
        yield
    finally:
        current.names = previous


@contextmanager
def absolute_name_scope(path: str) -> Iterator[None]:
    """Sets the whole prefix: a layer's variables stand below the layer wherever they are made."""
    previous = current.names
    current.names = tuple(path.split("/"))
    try:
        yield
    finally:
        current.names = previous


def current_path() -> str:
    """The prefix of variables made now."""
    return "/".join(current.names)


@contextmanager
def autocast(dtype: str | None) -> Iterator[None]:
    """Reads of float variables that allow it are cast to `dtype` (None: they are not)."""
    previous = current.autocast
    current.autocast = dtype
    try:
        yield
    finally:
        current.autocast = previous


def swap_autocast(dtype: str | None) -> str | None:
    """Sets the autocast dtype and returns the previous one (the cheap form of `autocast`)."""
    previous = current.autocast
    current.autocast = dtype
    return previous


class Allowance:
    """How many bytes the variables made inside may take in all: what a file declares is not
    believed.

    Args:
        max_bytes: the limit.
        what: what declares the variables, for the message.

    Raises:
        ValueError: from the variable that goes over the limit, before its value is made.
    """

    def __init__(self, max_bytes: int, what: str) -> None:
        self.max_bytes = max_bytes
        self.what = what
        self.taken = 0

    def take(self, name: str, shape: tuple[int, ...], size: int) -> None:
        """Counts a variable of `size` bytes."""
        self.taken += size
        if self.taken > self.max_bytes:
            raise ValueError(
                f"{self.what} declares a variable {name!r} of shape {shape}, with which its "
                f"variables take {self.taken} bytes; what it holds allows {self.max_bytes}."
            )

    def __enter__(self) -> Allowance:
        self._outer = current.allowance
        current.allowance = self
        return self

    def __exit__(self, *error: object) -> None:
        current.allowance = self._outer


class StatelessScope:
    """Inside, variables read and write values held by this scope; the variables stay untouched.

    Args:
        state_mapping: pairs (variable, value) to start from.
        collect_losses: whether layers' losses are to be kept in `losses`.
        initialize_variables: kept for compatibility; variables made inside are real at once.

    Example:
        >>> import multikeras as keras
        >>> v = keras.Variable(1.0)
        >>> with StatelessScope([(v, 5.0)]) as scope:
        ...     _ = v.assign_add(1.0)
        >>> float(scope.get_current_value(v)), float(v.numpy())
        (6.0, 1.0)
    """

    def __init__(
        self,
        state_mapping: Any = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.values: dict[Variable, Any] = {}
        self.written: dict[Variable, None] = {}
        self.collect_losses = collect_losses
        self.losses: list[Any] = []
        for variable, value in state_mapping or ():
            if not hasattr(variable, "fit"):
                raise ValueError(
                    f"StatelessScope: expected (Variable, value) pairs, got {variable!r}."
                )
            self.values[variable] = variable.fit(value)

    @classmethod
    def over(cls, variables: list[Variable], values: Any) -> StatelessScope:
        """A scope over values that are known to fit (the hot path)."""
        scope = cls()
        scope.values = dict(zip(variables, values, strict=True))
        return scope

    def add_loss(self, loss: Any) -> None:
        """Keeps a loss."""
        self.losses.append(loss)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Keeps a new value: `update` is (variable, value)."""
        variable, value = update
        self.values[variable] = value
        self.written[variable] = None

    def get_current_value(self, variable: Variable) -> Any:
        """The value inside this scope, or None if the scope has none."""
        return self.values.get(variable)

    def __enter__(self) -> StatelessScope:
        self._outer = current.stateless
        current.stateless = self
        return self

    def __exit__(self, *error: Any) -> None:
        current.stateless = self._outer


def stateless_scope() -> StatelessScope | None:
    """The innermost open scope."""
    return current.stateless
