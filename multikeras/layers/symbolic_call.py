"""`SymbolicCalls`: what a layer gives for KerasTensors, and the graph node of the call.

Output shapes come from `compute_output_shape` where a layer has its own, else from running
`call` on KerasTensors; a `call` in the framework's own functions is run on zeros.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from multikeras import tree
from multikeras import variables as scopes
from multikeras.backends import native
from multikeras.layers.building import Building
from multikeras.layers.call_context import CallContext, calls
from multikeras.layers.signatures import CallInfo, call_info, signature
from multikeras.layers.tensor_specs import shapes_of
from multikeras.shapes import merge
from multikeras.symbolic import KerasTensor, SymbolicScope
from multikeras.symbolic.operation import record
from multikeras.variables import StatelessScope

core = native.core


class SymbolicCalls(Building):
    """The symbolic half of `Layer`."""

    # Set by Layer.
    _info: CallInfo
    # Whether `call` makes metrics, which must be there before a step is compiled.
    _adds_metrics = False

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Output KerasTensors, linked to the inputs by a graph node."""
        if self._input_spec is not None and args:
            self._check_inputs(args[0])
        self._build_for(args, kwargs)
        if calls.context is not None:
            outputs = self._symbolic_outputs(args, kwargs)
        else:
            calls.context = CallContext()
            try:
                outputs = self._symbolic_outputs(args, kwargs)
            finally:
                calls.context = None
        return record(self, args, kwargs, outputs)

    def _symbolic_outputs(self, args: tuple, kwargs: dict) -> Any:
        return self.compute_output_spec(*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Output KerasTensors for input KerasTensors, without values."""
        if type(self).compute_output_shape is not SymbolicCalls.compute_output_shape:
            if self._adds_metrics:
                with SymbolicScope(), contextlib.suppress(NotImplementedError):
                    self._run_symbolically(args, kwargs)
            return self._spec_from_shape(args, kwargs)
        with SymbolicScope():
            return self._run_symbolically(args, kwargs)

    def _spec_from_shape(self, args: tuple, kwargs: dict) -> Any:
        names = list(signature(self.compute_output_shape).parameters)
        if len(names) > 1 and all(n.endswith("_shape") for n in names):
            given = dict(zip(call_info(type(self)).names, args)) | kwargs
            wanted = {n: given.get(n.removesuffix("_shape")) for n in names}
            shape = self.compute_output_shape(
                **{n: shapes_of(v) for n, v in wanted.items() if v is not None}
            )
        else:
            shape = self.compute_output_shape(shapes_of(args[0]))
        return tree.map_shape_structure(lambda s: KerasTensor(s, self.compute_dtype), shape)

    def _run_symbolically(self, args: tuple, kwargs: dict) -> Any:
        """`call` on KerasTensors; a call in the framework's own functions is traced by it."""
        context = calls.context or CallContext()
        outer, calls.context = calls.context, CallContext(context.training)
        try:
            with scopes.absolute_name_scope(self._claim_path()):
                try:
                    return self._run_bare(args, kwargs)
                except Exception as error:
                    traced = _spec_by_running(self._run_bare, args, kwargs)
                    if traced is None:
                        raise error
                    return traced
        finally:
            calls.context = outer

    def _run_bare(self, args: tuple, kwargs: dict) -> Any:
        info = self._info
        if not (info.has_training or info.accepts_any):
            kwargs = {name: value for name, value in kwargs.items() if name != "training"}
        previous = scopes.swap_autocast(self._autocast_variables)
        try:
            return self.call(*args, **kwargs)
        finally:
            scopes.swap_autocast(previous)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Output shape(s) for input shape(s), batch dimension included. The layer is not built.

        Args:
            input_shape: a shape (None for an unknown size), or a structure of shapes; layers of
                several arguments take `<argument>_shape` for each.

        Returns:
            The output's shape, or a structure of shapes.

        Example:
            >>> import multikeras as keras
            >>> layer = keras.layers.Dense(2)
            >>> layer.compute_output_shape((None, 3)), layer.built
            ((None, 2), False)
        """
        if not args and "input_shape" in kwargs:
            args = (kwargs.pop("input_shape"),)

        def spec(shape: Any) -> KerasTensor:
            return KerasTensor(shape, self.compute_dtype)

        by_name = {
            name.removesuffix("_shape"): tree.map_shape_structure(spec, kwargs.pop(name))
            for name in list(kwargs)
            if name.endswith("_shape")
        }
        specs = tree.map_shape_structure(spec, args) if args else ()  # () would be a scalar
        with SymbolicScope():
            outputs = self.compute_output_spec(*specs, **by_name, **kwargs)
        return tree.map_structure(lambda t: t.shape, outputs)


def _spec_by_running(call: Any, args: tuple, kwargs: dict) -> Any:
    """Output KerasTensors of a `call` written in the framework's own functions, or None.

    It is run on zeros twice, with 2 and with 3 for what is unknown; state is left untouched.
    """

    def run(unknown: int) -> Any:
        def zeros(leaf: Any) -> Any:
            if not isinstance(leaf, KerasTensor):
                return leaf
            shape = tuple(unknown if d is None else d for d in leaf.shape)
            return core.convert_to_tensor(np.zeros(shape), leaf.dtype)

        real_args, real_kwargs = tree.map_structure(zeros, (args, kwargs))
        with StatelessScope():
            return call(real_args, real_kwargs)

    try:
        first, second = run(2), run(3)
    except Exception:
        return None
    return tree.map_structure(
        lambda a, b: KerasTensor(merge(core.shape(a), core.shape(b)), core.dtype_name(a)),
        first,
        second,
    )
