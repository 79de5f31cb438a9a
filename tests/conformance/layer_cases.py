"""`LayerCase`: one row of a table of layers, and where all tables are gathered.

A table is a module `layers_<family>.py` with a list `CASES`. Every NumPy array among a case's
inputs (also inside lists) is a tensor to the layer. A layer inside another is written as a
`functools.partial`, which is called anew for every layer that is made.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from multikeras import layers, tree
from multikeras.layers import Layer

# Exported classes without a row, and why.
NO_CASE = {
    "Layer": "the base class; tests/layers are about it",
    "Wrapper": "a base class without call(); tests/layers/test_calls.py has a subclass",
    "InputLayer": "is never called on tensors; tests/layers/test_input.py is about it",
}


@dataclass(frozen=True)
class LayerCase:
    """What to make, what to call it with, and what must come out.

    Attributes:
        cls, args, kwargs: the class and its constructor's arguments.
        inputs: positional call arguments.
        call: keyword call arguments.
        reference: `(weights, *inputs, **call)` -> outputs, all float64 arrays, weights in the
            order of `layer.weights`; None: values are not checked.
        weights: the numbers of trainable and other weights.
        training: what `training=True` does: "same" outputs, "random" ones, or "differs".
        mask: what becomes of masks of the inputs: "lost" (`supports_masking` is False), "ends"
            (used or dropped), "passes" (the first input's), or a function of the masks or of
            (inputs, masks) that gives that of the (first) output; None: not asked.
        no_grad: ends of the paths of trainable weights whose gradient is 0 by nature.
        tol: tolerance of values.
        batch: whether the batch dimension may be unknown.
        files: whether the layer can be written to a file.
        name: what tells cases of one class apart.
    """

    cls: type[Layer]
    args: tuple = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    inputs: tuple = ()
    call: dict[str, Any] = field(default_factory=dict)
    reference: Callable | None = None
    weights: tuple[int, int] = (0, 0)
    training: str = "same"
    mask: Any = "lost"
    no_grad: tuple[str, ...] = ()
    tol: float = 1e-5
    batch: bool = True
    files: bool = True
    name: str = ""

    def __str__(self) -> str:
        if self.name:
            return f"{self.cls.__name__}-{self.name}"
        given = [*self.args, *(f"{k}={v}" for k, v in self.kwargs.items())]
        plain = [str(v).replace(" ", "") for v in given if not isinstance(v, functools.partial)]
        return "-".join([self.cls.__name__, *plain])

    def make(self, **kwargs: Any) -> Layer:
        """A new layer."""
        args, settings = tree.map_structure(_made, (self.args, self.kwargs | kwargs))
        return self.cls(*args, **settings)

    def arrays(self) -> list[np.ndarray]:
        """The arrays among the call's arguments, in order."""
        return [x for x in tree.flatten((self.inputs, self.call)) if isinstance(x, np.ndarray)]

    def run(self, layer: Callable, convert: Callable, **kwargs: Any) -> Any:
        """The layer called on the inputs, every array of them converted."""

        def leaf(x: Any) -> Any:
            return convert(x) if isinstance(x, np.ndarray) else x

        args, call = tree.map_structure(leaf, (self.inputs, self.call))
        return layer(*args, **call, **kwargs)


def _made(value: Any) -> Any:
    return value() if isinstance(value, functools.partial) else value


def row(cls: type[Layer], *args: Any, x: Any, **given: Any) -> LayerCase:
    """A case: fields of `LayerCase` by their names, all else goes to the constructor.

    `x`: the input, or a tuple of several call arguments. A constructor's argument that is named
    as a field is written with a trailing "_".
    """
    fields = {k: given.pop(k) for k in list(given) if k in LayerCase.__dataclass_fields__}
    kwargs = {k.removesuffix("_"): v for k, v in given.items()}
    inputs = x if isinstance(x, tuple) else (x,)
    return LayerCase(cls, args, kwargs, inputs, **fields)


def all_cases() -> list[LayerCase]:
    """The cases of every table in this folder."""
    found: list[LayerCase] = []
    for path in sorted(Path(__file__).parent.glob("layers_*.py")):
        found += importlib.import_module(f"{__package__}.{path.stem}").CASES
    return found


def exported() -> dict[str, type[Layer]]:
    """The layer classes of `multikeras.layers` by name; a class with two names stands once."""
    found = {id(c): (name, c) for name, c in vars(layers).items() if _is_layer(c)}
    return dict(found.values())


def _is_layer(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, Layer)
