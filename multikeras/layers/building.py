"""`Building`: how a layer comes to its weights, once, below a path of its own.

Refused with the layer's name: shapes from which a layer of layers can't be built.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from multikeras import tree
from multikeras import variables as scopes
from multikeras.layers.configuration import Configured
from multikeras.layers.signatures import call_info, function_signature, signature
from multikeras.layers.tensor_specs import shapes_of
from multikeras.symbolic import KerasTensor, SymbolicScope


class Building(Configured):
    """The building half of `Layer`."""

    if TYPE_CHECKING:  # defined by Layer

        def _is_composite(self) -> bool: ...

        def _run_symbolically(self, args: tuple, kwargs: dict) -> Any: ...

    def _claim_path(self) -> str:
        """The layer's path, settled the first time it is needed."""
        if self._path is None:
            outer = scopes.current_path()
            self._path = f"{outer}/{self.name}" if outer else self.name
        return self._path

    def build(self, input_shape: Any) -> None:
        """Makes the weights. Overridden by layers that have some.

        Args:
            input_shape: the shape of the first call argument (or a structure of shapes); an
                override may instead take `<argument>_shape` for several arguments.

        Raises:
            ValueError: for a layer of layers, if this is no shape (a tuple or list of sizes
                and Nones, or a structure of such), if shapes do not suffice to run `call` on
                symbolic floats (more arguments are needed, or integers), or if layers inside
                are left unbuilt. Such a layer is built by a call on data.

        Example:
            >>> import multikeras as keras
            >>> class Mlp(keras.Model):
            ...     def __init__(self):
            ...         super().__init__()
            ...         self.dense = keras.layers.Dense(2)
            ...     def call(self, x):
            ...         return self.dense(x)
            >>> model = Mlp()
            >>> model.build((None, 3))
            >>> model.count_params()
            8
        """
        if self._is_composite():
            self._build_by_shapes(input_shape)
            unbuilt = [layer for layer in self._flatten_layers(False) if not layer.built]
            if unbuilt:
                names = ", ".join(repr(layer.name) for layer in unbuilt)
                raise ValueError(
                    f"{self._who()} can't be built from the shape {input_shape} alone: it leaves "
                    f"{names} unbuilt. Call it on data, or override build()."
                )
        self.built = True

    def _build_by_shapes(self, input_shape: Any) -> None:
        """Builds the layers inside by running `call` on symbolic floats of a shape."""
        input_shape = _checked_shapes(input_shape, self._who())
        specs = tree.map_shape_structure(lambda s: KerasTensor(s, self.compute_dtype), input_shape)
        with SymbolicScope():
            try:
                self._run_symbolically((specs,), {})
            except (ValueError, TypeError, AttributeError, NotImplementedError) as error:
                raise ValueError(
                    f"{self._who()} can't be built from the shape {input_shape} alone "
                    f"({error}). Call it on data, or override build()."
                ) from error

    def _build_for(self, args: tuple, kwargs: dict) -> None:
        """Builds with the shapes of a call's arguments, if this is the first."""
        if self.built:
            return
        with scopes.absolute_name_scope(self._claim_path()):
            names = list(signature(self.build).parameters)
            if type(self).build is Building.build:
                self.built = True
                self._build_config = {"input_shape": shapes_of(args[0]) if args else None}
            elif len(names) == 1 or not all(n.endswith("_shape") for n in names):
                self.build(shapes_of(args[0] if args else next(iter(kwargs.values()))))
            else:
                given = dict(zip(call_info(type(self)).names, args)) | kwargs
                wanted = {n: given.get(n.removesuffix("_shape")) for n in names}
                self.build(**{n: shapes_of(v) for n, v in wanted.items() if v is not None})
        self.built = True

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layer was built with."""
        shapes = self._build_config
        if shapes is None or set(shapes) == {"input_shape"}:
            return shapes
        if len(shapes) == 1:
            return {"input_shape": next(iter(shapes.values()))}
        return {"shapes_dict": shapes}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds with `get_build_config`'s result."""
        if self.built or not config:
            return
        shapes = config.get("shapes_dict", config)
        shapes = {
            key: tree.map_shape_structure(tuple, value) if value is not None else None
            for key, value in shapes.items()
        }
        if type(self).build is Building.build:
            if self._is_composite():
                self._build_by_shapes(next(iter(shapes.values())))
            self.built = True
        elif set(shapes) <= set(signature(self.build).parameters):
            self.build(**shapes)
        else:  # a layer of Keras's that names them otherwise: the first is that of the inputs
            self.build(next(iter(shapes.values())))


def _checked_shapes(shapes: Any, who: str) -> Any:
    """Shapes of plain tuples from shapes of tuples, lists or `TensorShape`s."""
    if hasattr(shapes, "as_list"):
        return tuple(shapes.as_list())
    if isinstance(shapes, dict):
        return {key: _checked_shapes(shape, who) for key, shape in shapes.items()}
    if isinstance(shapes, (tuple, list)):
        if all(size is None or isinstance(size, (int, np.integer)) for size in shapes):
            return tuple(shapes)
        return type(shapes)(_checked_shapes(shape, who) for shape in shapes)
    raise ValueError(
        f"{who}.build: expected a shape (a tuple or list of sizes and Nones), or a list or dict "
        f"of shapes, got {shapes!r}."
    )


def wrapped_build(build: Any) -> Any:
    """`build` that remembers its shapes, runs below the layer's path and marks it as built."""
    if getattr(build, "_wraps_build", False):
        return build

    @functools.wraps(build)
    def wrapper(self: Building, *args: Any, **kwargs: Any) -> Any:
        if self._build_config is None:
            bound = function_signature(build).bind(self, *args, **kwargs)
            shapes_ = dict(list(bound.arguments.items())[1:])
            self._build_config = shapes_ if shapes_ else None
        outer = self._weight_list
        self._weight_list = "open"  # also while an override calls super().build()
        try:
            with scopes.absolute_name_scope(self._claim_path()):
                result = build(self, *args, **kwargs)
        finally:
            self._weight_list = outer
        if outer != "open":
            self._weight_list = "closed"
        self.built = True
        return result

    wrapper._wraps_build = True  # type: ignore[attr-defined]
    return wrapper
