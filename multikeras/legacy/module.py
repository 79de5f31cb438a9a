"""`LegacyModule`: a layer as the modules of TensorFlow are: `submodules`, `name_scope`.

On a framework that has modules of its own, these are found beside the layers, and its own name
scope is entered together with that of the layer's variables.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from multikeras.backends import native
from multikeras.scopes import absolute_name_scope

# What the framework itself calls a module; `object` where it has none.
_Module: type = native.core.BaseLayer.__bases__[0]


class NameScope:
    """The name scope of a layer, which can be entered any number of times.

    Args:
        path: the prefix of the variables made inside.
        native_scope: the framework's own scope to enter too, or None.

    Example:
        >>> import multikeras as keras
        >>> with NameScope("block/scale", None) as path:
        ...     (path, keras.Variable(1.0, name="w").path)
        ('block/scale', 'block/scale/w')
    """

    def __init__(self, path: str, native_scope: Any) -> None:
        self.name = path
        self._native = native_scope
        self._open: list[contextlib.ExitStack] = []

    def __enter__(self) -> str:
        stack = contextlib.ExitStack()
        stack.enter_context(absolute_name_scope(self.name))
        if self._native is not None:
            stack.enter_context(self._native)
        self._open.append(stack)
        return self.name

    def __exit__(self, *error: Any) -> None:
        self._open.pop().__exit__(*error)

    def __repr__(self) -> str:
        return f"<NameScope {self.name!r}>"


class LegacyModule:
    """What a layer has as a module."""

    if TYPE_CHECKING:  # defined by Layer

        def _claim_path(self) -> str: ...

        _flatten_layers: Any

    @property
    def submodules(self) -> tuple[Any, ...]:
        """The layers below this one, each once, parents first; then modules of the framework
        that attributes hold.

        Example:
            >>> import multikeras as keras
            >>> class Outer(keras.layers.Layer):
            ...     def __init__(self):
            ...         super().__init__()
            ...         self.inner = keras.layers.Dense(2)
            >>> outer = Outer()
            >>> outer.submodules == (outer.inner,), outer.inner.submodules
            (True, ())
        """
        layers = self._flatten_layers()
        found = {id(layer): layer for layer in layers[1:]}
        if _Module is not object:
            for layer in layers:
                for value in vars(layer).values():
                    for module in _foreign(value):
                        found.setdefault(id(module), module)
        found.pop(id(self), None)
        return tuple(found.values())

    @property
    def name_scope(self) -> NameScope:
        """A context manager: what is made inside is named below the layer.

        Example:
            >>> import multikeras as keras
            >>> layer = keras.layers.Layer(name="scale")
            >>> with layer.name_scope:
            ...     w = keras.Variable(1.0, name="w")
            >>> w.path
            'scale/w'
        """
        return NameScope(self._claim_path(), getattr(super(), "name_scope", None))

    @classmethod
    def with_name_scope(cls, method: Callable) -> Callable:
        """A decorator of methods: they run inside the layer's `name_scope`.

        Args:
            method: a method of a layer.

        Returns:
            The method, wrapped.

        Example:
            >>> import multikeras as keras
            >>> class Scale(keras.layers.Layer):
            ...     @keras.layers.Layer.with_name_scope
            ...     def make(self):
            ...         return keras.Variable(1.0, name="w")
            >>> Scale(name="scale").make().path
            'scale/w'
        """

        @functools.wraps(method)
        def scoped(self: Any, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return scoped


def _foreign(value: Any) -> Iterator[Any]:
    """The framework's own modules that an attribute holds, those below them included."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _foreign(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _foreign(item)
    elif isinstance(value, _Module) and not isinstance(value, native.core.BaseLayer):
        yield value
        below: Any = getattr(value, "submodules", None) or getattr(value, "modules", tuple)()
        yield from (module for module in below if not isinstance(module, native.core.BaseLayer))
