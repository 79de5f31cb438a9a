"""`InputSpec`: what a layer demands of an input, and the check with a readable error."""

from __future__ import annotations

from typing import Any

import numpy as np

from multikeras import registry, shapes, tree


@registry.expose("keras")
class InputSpec:
    """Demands on the rank, shape and dtype of one input.

    Args:
        dtype: the dtype wanted, or None for any.
        shape: the shape wanted, None in it for any size.
        ndim: the rank wanted.
        max_ndim, min_ndim: bounds on the rank.
        axes: {axis: size} for single dimensions.
        allow_last_axis_squeeze: whether a last dimension of 1 may be missing or too many.
        name: the key of this input where inputs are given as a dict.
        optional: whether None may come.

    Example:
        >>> InputSpec(ndim=2, axes={-1: 4})
        InputSpec(ndim=2, axes={-1: 4})
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = dtype
        self.shape = None if shape is None else shapes.standardize_shape(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """A spec from `get_config`'s result."""
        return cls(**config)

    def __repr__(self) -> str:
        given = [f"{k}={v}" for k, v in vars(self).items() if v not in (None, {}, False)]
        return f"InputSpec({', '.join(given)})"

    def problem(self, shape: tuple, dtype: Any = None) -> str | None:
        """What is wrong with an input of this shape: "expected ..., found ...", or None."""
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim:
            if self.shape is not None and self.allow_last_axis_squeeze:
                if shape[-1:] == (1,) and rank == self.ndim + 1:
                    return self.problem(shape[:-1])
                if self.shape[-1:] == (1,) and rank == self.ndim - 1:
                    return self.problem(shape + (1,))
            return f"expected ndim={self.ndim}, found ndim={rank}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={rank}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={rank}"
        for axis, size in self.axes.items():
            if size is not None and -rank <= axis < rank and shape[axis] not in (size, None):
                return f"expected axis {axis} of size {size}, found size {shape[axis]}"
        for wanted, given in zip(self.shape or (), shape):
            if wanted is not None and given is not None and wanted != given:
                return f"expected shape={self.shape}, found shape={shape}"
        if self.dtype is not None and dtype is not None and str(dtype) != str(self.dtype):
            return f"expected dtype={self.dtype}, found dtype={dtype}"
        return None


def assert_compatible(
    input_spec: Any, inputs: Any, who: str, shape_of: Any, dtype_of: Any
) -> None:
    """Raises ValueError, naming the layer, unless the inputs meet the spec(s)."""

    def problem_of(spec: InputSpec, value: Any) -> str | None:
        if isinstance(value, np.ndarray) and value.dtype.kind in "OSU":
            return f"expected numbers, found an array of dtype {value.dtype}"
        return spec.problem(shape_of(value), None if spec.dtype is None else dtype_of(value))

    if isinstance(input_spec, InputSpec):
        if hasattr(inputs, "shape"):
            problem = problem_of(input_spec, inputs)
            if problem:
                raise _incompatible(who, "input 0", problem, shape_of(inputs))
            return
        if isinstance(inputs, dict) and input_spec.name is None:
            raise ValueError(f"{who}: expected a tensor, got a dict with keys {list(inputs)}.")
    specs = tree.flatten(input_spec)
    if isinstance(inputs, dict) and all(spec.name for spec in specs):
        names = [spec.name for spec in specs]
        missing = [s.name for s in specs if s.name not in inputs and not s.optional]
        if missing:
            raise ValueError(
                f"{who}: expected inputs {names}, got {list(inputs)}: {missing} missing."
            )
        flat = [inputs.get(name) for name in names]
    else:
        flat = tree.flatten(inputs)
    if len(flat) != len(specs):
        raise ValueError(f"{who}: expected {len(specs)} inputs, got {len(flat)}.")
    for index, (spec, value) in enumerate(zip(specs, flat, strict=True)):
        label = f"input {spec.name or index}"
        if value is None:
            if not spec.optional:
                raise ValueError(f"{who}: {label}: expected a tensor, got None.")
            continue
        if not hasattr(value, "shape"):
            raise ValueError(
                f"{who}: {label}: expected a tensor, got {type(value).__name__} {value!r}."
            )
        problem = problem_of(spec, value)
        if problem:
            raise _incompatible(who, label, problem, shape_of(value))


def _incompatible(who: str, label: str, problem: str, shape: Any) -> ValueError:
    return ValueError(
        f"{who}: {label} is incompatible with the layer: {problem}. "
        f"Full shape received: {tuple(shape)}."
    )
