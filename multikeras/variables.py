"""`Variable`: a tensor that keeps its value between calls.

The value lives in the backend's own storage (`native.core` makes, reads and assigns it); inside
a `StatelessScope` reads and writes go to the scope instead.
Refuses an assignment of another shape, naming the variable and both shapes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from multikeras import config, dtypes, shapes
from multikeras.backends import native
from multikeras.scopes import StatelessScope as StatelessScope
from multikeras.scopes import absolute_name_scope as absolute_name_scope
from multikeras.scopes import auto_name as auto_name
from multikeras.scopes import autocast as autocast
from multikeras.scopes import current as _scopes
from multikeras.scopes import current_path as current_path
from multikeras.scopes import get_uid as get_uid
from multikeras.scopes import name_scope as name_scope
from multikeras.scopes import reset_names as reset_names
from multikeras.scopes import stateless_scope as stateless_scope
from multikeras.scopes import swap_autocast as swap_autocast

core = native.core


if TYPE_CHECKING:

    class Operators:
        """What `ops.operators` installs on variables and symbolic tensors."""

        def __add__(self, other: Any) -> Any: ...
        def __radd__(self, other: Any) -> Any: ...
        def __sub__(self, other: Any) -> Any: ...
        def __rsub__(self, other: Any) -> Any: ...
        def __mul__(self, other: Any) -> Any: ...
        def __rmul__(self, other: Any) -> Any: ...
        def __truediv__(self, other: Any) -> Any: ...
        def __rtruediv__(self, other: Any) -> Any: ...
        def __floordiv__(self, other: Any) -> Any: ...
        def __rfloordiv__(self, other: Any) -> Any: ...
        def __mod__(self, other: Any) -> Any: ...
        def __rmod__(self, other: Any) -> Any: ...
        def __pow__(self, other: Any) -> Any: ...
        def __rpow__(self, other: Any) -> Any: ...
        def __matmul__(self, other: Any) -> Any: ...
        def __rmatmul__(self, other: Any) -> Any: ...
        def __and__(self, other: Any) -> Any: ...
        def __rand__(self, other: Any) -> Any: ...
        def __or__(self, other: Any) -> Any: ...
        def __ror__(self, other: Any) -> Any: ...
        def __xor__(self, other: Any) -> Any: ...
        def __rxor__(self, other: Any) -> Any: ...
        def __lt__(self, other: Any) -> Any: ...
        def __le__(self, other: Any) -> Any: ...
        def __gt__(self, other: Any) -> Any: ...
        def __ge__(self, other: Any) -> Any: ...
        def __neg__(self) -> Any: ...
        def __pos__(self) -> Any: ...
        def __abs__(self) -> Any: ...
        def __invert__(self) -> Any: ...
        def __round__(self, ndigits: int | None = None) -> Any: ...
        def __getitem__(self, key: Any) -> Any: ...

    class BaseVariable(Operators):
        """What a variable is to the framework, where that has a protocol for it."""

        def __bool__(self) -> bool: ...
        def __len__(self) -> int: ...
        def __iter__(self) -> Iterator[Any]: ...
        def __float__(self) -> float: ...
        def __int__(self) -> int: ...

else:
    BaseVariable = core.BaseVariable


class Variable(BaseVariable):
    """A tensor that keeps its value between calls.

    Args:
        initializer: an array-like, or a callable `(shape, dtype) -> value`.
        shape: needed with a callable.
        dtype: default: that of the value if it is float, else `floatx()`.
        trainable: whether a layer counts it among its trainable variables.
        autocast: whether mixed precision may read it in the compute dtype.
        aggregation: "none", "mean", "sum" or "only_first_replica": how replicas combine.
        synchronization: kept for compatibility.
        name: one path component; default: a unique one.
        layout: how the variable is laid out over devices; None: not distributed.

    Raises:
        ValueError: for a callable without a shape, or a name with "/".

    Example:
        >>> v = Variable([1.0, 2.0], name="v")
        >>> _ = v.assign_add([1.0, 1.0])
        >>> v.numpy().tolist()
        [2.0, 3.0]
    """

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise TypeError(f"Variable got unknown arguments {sorted(kwargs)}.")
        name = name or auto_name("variable")
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"Variable: name must be a string without '/', got {name!r}.")
        if aggregation not in ("none", "mean", "sum", "only_first_replica", None):
            raise ValueError(f"Variable: unknown aggregation {aggregation!r}.")
        self.name = name
        self.path = f"{current_path()}/{name}" if current_path() else name
        self._trainable = bool(trainable)
        self.autocast = bool(autocast)
        self.aggregation = aggregation or "none"
        self.synchronization = synchronization
        self.layout = layout
        self.overwrite_with_gradient = False
        self.regularizer: Callable | None = None
        self.constraint: Callable | None = None
        host, self.dtype = _host_value(initializer, shape, dtype, name)
        self.shape: tuple[int, ...] = tuple(host.shape)
        self._casts = self.autocast and dtypes.is_float_dtype(self.dtype)
        self._value = core.make_variable(host, self.dtype, self._trainable, name)

    @property
    def value(self) -> Any:
        """The value as a tensor of the backend (inside a scope: the scope's value)."""
        scope = _scopes.stateless
        if scope is None:
            value = core.read_variable(self._value)
        else:
            value = self._scoped_value(scope)
        if _scopes.autocast is not None and self._casts and _scopes.autocast != self.dtype:
            return core.cast(value, _scopes.autocast)
        return value

    def _scoped_value(self, scope: StatelessScope | None) -> Any:
        while scope is not None:
            value = scope.values.get(self)
            if value is not None:
                return value
            scope = scope._outer
        return core.read_variable(self._value)

    @property
    def storage(self) -> Any:
        """The backend's own object that holds the value (a `torch.nn.Parameter`, a
        `tf.Variable`, an array)."""
        return self._value

    def replace_storage(self, storage: Any) -> None:
        """Puts another backend object of the same shape and dtype in place (engines only)."""
        self._value = storage

    @property
    def trainable(self) -> bool:
        """Whether optimizers update it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        self._value = core.set_trainable(self._value, self._trainable)

    @property
    def ndim(self) -> int:
        """Rank."""
        return len(self.shape)

    def check_shape(self, value: Any) -> None:
        """Raises ValueError if `value` does not have the variable's shape."""
        if (given := core.shape(value)) != self.shape and None not in given:
            raise ValueError(
                f"Variable {self.path!r}: expected a value of shape {self.shape}, got {given}."
            )

    def fit(self, value: Any) -> Any:
        """A value as a tensor of the variable's dtype, checked to have its shape."""
        value = core.convert_to_tensor(value, self.dtype)
        self.check_shape(value)
        return value

    def assign(self, value: Any) -> Any:
        """Sets the value (shape `self.shape`, cast to `self.dtype`) and returns it."""
        value = self.fit(value)
        scope = _scopes.stateless
        if scope is not None:
            scope.add_update((self, value))
        else:
            self._value = core.assign_variable(self._value, value)
        return value

    @property
    def uncast_value(self) -> Any:
        """The value in the variable's own dtype, whatever autocasting is on."""
        scope = _scopes.stateless
        return core.read_variable(self._value) if scope is None else self._scoped_value(scope)

    def assign_add(self, value: Any) -> Any:
        """Adds to the value and returns the sum."""
        return self.assign(self.uncast_value + core.convert_to_tensor(value, self.dtype))

    def assign_sub(self, value: Any) -> Any:
        """Subtracts from the value and returns the difference."""
        return self.assign(self.uncast_value - core.convert_to_tensor(value, self.dtype))

    def numpy(self) -> np.ndarray:
        """The value as a NumPy array."""
        return core.convert_to_numpy(self.uncast_value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.numpy(), dtype=dtype)

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}>"

    def __hash__(self) -> int:
        return id(self)


def _host_value(initializer: Any, shape: Any, dtype: Any, name: str) -> tuple[Any, str]:
    """The initial value, on the host where it can be made there, and the dtype."""
    if not callable(initializer) or core.is_tensor(initializer):
        if isinstance(initializer, Variable):
            initializer = initializer.numpy()
        if core.is_tensor(initializer):
            native_dtype = core.dtype_name(initializer)
        else:
            initializer = np.asarray(initializer)
            native_dtype = dtypes.standardize_dtype(initializer.dtype)
            if native_dtype == "float64":
                native_dtype = dtypes.floatx()
        if dtype is None:
            dtype = native_dtype if dtypes.is_float_dtype(native_dtype) else dtypes.floatx()
        dtype = dtypes.standardize_dtype(dtype)
        if shape is not None and tuple(initializer.shape) != shapes.standardize_shape(shape):
            raise ValueError(
                f"Variable {name!r}: the value has shape {tuple(initializer.shape)}, "
                f"the argument `shape` says {tuple(shape)}."
            )
        return initializer, dtype
    if shape is None:
        raise ValueError(f"Variable {name!r}: an initializer function needs `shape`.")
    shape = shapes.standardize_shape(shape)
    if None in shape:
        raise ValueError(f"Variable {name!r}: the shape must be known, got {shape}.")
    dtype = dtypes.standardize_dtype(dtype or config.floatx())
    if _scopes.allowance is not None:
        size = math.prod(shape) * dtypes.numpy_dtype(dtype).itemsize
        _scopes.allowance.take(name, shape, size)
    host = getattr(initializer, "host", None)
    value = host(shape, dtype) if host else initializer(shape, dtype=dtype)
    if isinstance(value, Variable):
        value = value.value
    if not core.is_tensor(value):
        value = np.asarray(value)
    if tuple(value.shape) != shape:
        raise ValueError(
            f"Variable {name!r}: the initializer gave shape {tuple(value.shape)}, "
            f"expected {shape}."
        )
    return value, dtype
