"""Tensors, dtypes, variables and the layer base class of the PyTorch backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from multikeras import dtypes, tree

TENSOR_TYPES = frozenset({torch.Tensor, torch.nn.Parameter})
PLAIN_TYPES = TENSOR_TYPES
_DTYPES = {name: getattr(torch, name) for name in dtypes.ALL_DTYPES if name != "string"}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
FLOATS = frozenset(_DTYPES[name] for name in dtypes.FLOAT_DTYPES)
_device: str | None = None


def default_device() -> str:
    """The device of new tensors: CUDA where there is one."""
    global _device
    if _device is None:
        _device = "cuda" if torch.cuda.is_available() else "cpu"
    return _device


class BaseVariable:
    """What lets `torch` functions take variables."""

    __array_priority__ = 100

    @classmethod
    def __torch_function__(
        cls, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        def value(x: Any) -> Any:
            return x.value if isinstance(x, cls) else x

        args, kwargs = tree.map_structure(value, (args, kwargs or {}))
        return func(*args, **kwargs)


class BaseLayer(torch.nn.Module):
    """Makes a layer a real `torch.nn.Module`.

    The module finds the layers below whenever it looks at its `_modules`, in lists and dicts too,
    built or not. They stand in the instance's `__dict__` alone, so that reading them never goes
    through `nn.Module.__getattr__`.
    """

    def __init__(self) -> None:
        super().__init__()

    @property
    def _modules(self) -> dict[str, Any]:  # type: ignore[override]
        modules = self.__dict__["_modules"]
        layers = self.child_layers()  # type: ignore[attr-defined]
        for name in self.__dict__.get("_listed", frozenset()) - layers.keys():
            modules.pop(name, None)
        modules.update(layers)
        self.__dict__["_listed"] = frozenset(layers)
        return modules

    @_modules.setter
    def _modules(self, modules: dict[str, Any]) -> None:
        self.__dict__["_modules"] = modules

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, torch.nn.Module) and not isinstance(value, BaseLayer):
            self.__dict__["_modules"][name] = value
            object.__setattr__(self, name, value)
        elif isinstance(value, torch.nn.Parameter):
            super().__setattr__(name, value)
        else:
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        # A property that refuses says why; `nn.Module` would say that there is no such attribute.
        found = getattr(type(self), name, None)
        return found.__get__(self) if isinstance(found, property) else super().__getattr__(name)

    def __delattr__(self, name: str) -> None:
        self.__dict__["_modules"].pop(name, None)
        if name in self.__dict__:
            object.__delattr__(self, name)
        else:
            super().__delattr__(name)

    def adopt_variable(self, name: str, variable: Any) -> None:
        if isinstance(variable.storage, torch.nn.Parameter):
            self._parameters[name] = variable.storage
        else:
            self._buffers[name] = variable.storage
        self.__dict__.setdefault("_adopted", []).append((name, variable))

    def _apply(self, fn: Callable, recurse: bool = True) -> BaseLayer:
        super()._apply(fn, recurse)
        for name, variable in self.__dict__.get("_adopted", ()):
            storage = self._parameters.get(name)
            variable._value = storage if storage is not None else self._buffers[name]
        return self

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self(*args, **kwargs)


def plain(fn: Callable) -> Callable:
    """The same function: no quicker one for plain tensors."""
    return fn


def compiled_body(body: Callable, tensors: tuple[int, ...]) -> Callable:
    """The body of a composed op as it is: eager calls compile nothing."""
    return body


def is_tensor(x: Any) -> bool:
    return isinstance(x, torch.Tensor)


def dtype_name(x: torch.Tensor) -> str:
    return _NAMES[x.dtype]


def native_dtype(dtype: str) -> torch.dtype:
    return _DTYPES[dtype]


def shape(x: torch.Tensor) -> tuple[int, ...]:
    return tuple(x.shape)


def cast(x: torch.Tensor, dtype: str) -> torch.Tensor:
    target = _DTYPES[dtype]
    return x if x.dtype is target else x.to(target)


def convert_to_tensor(x: Any, dtype: str | None = None) -> torch.Tensor:
    target = None if dtype is None else _DTYPES[dtype]
    if isinstance(x, torch.Tensor):
        return x if target is None or x.dtype is target else x.to(target)
    if isinstance(x, (bool, int, float, complex)):
        return torch.tensor(x, dtype=target, device=default_device())
    if isinstance(x, (list, tuple)) and _holds_tensor(x):
        stacked = torch.stack([convert_to_tensor(item, dtype) for item in x])
        return stacked if target is None else stacked.to(target)
    array = np.asarray(x)
    if torch.compiler.is_dynamo_compiling():
        # What the tracer has in an array's place can't be asked for more than its values.
        return torch.as_tensor(array).to(device=default_device(), dtype=target)
    if array.dtype.name in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
        name = array.dtype.name
        bits = torch.from_numpy(array.view(np.uint8 if "8" in name[5:7] else np.int16).copy())
        tensor = bits.view(_DTYPES[name])
    else:
        # torch can't hold read-only, reversed or non-native arrays: those are copied.
        if (
            not array.flags.writeable
            or any(s < 0 for s in array.strides)
            or not array.dtype.isnative
        ):
            array = array.astype(array.dtype.newbyteorder("="), copy=True)
        tensor = torch.from_numpy(array)
    return tensor.to(device=default_device(), dtype=target)


def _holds_tensor(x: Any) -> bool:
    return isinstance(x, torch.Tensor) or (
        isinstance(x, (list, tuple)) and any(map(_holds_tensor, x))
    )


def scalar(value: float, like: Any) -> Any:
    """A Python number beside a tensor, in the tensor's dtype."""
    return torch.scalar_tensor(value, dtype=like.dtype, device=like.device)


def convert_to_numpy(x: torch.Tensor) -> np.ndarray:
    x = x.detach().cpu().resolve_conj()
    if x.dtype in (torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2):
        bits = x.contiguous().view(torch.int16 if x.dtype is torch.bfloat16 else torch.uint8)
        return bits.numpy().view(dtypes.numpy_dtype(_NAMES[x.dtype]))
    return x.numpy()


def make_variable(value: Any, dtype: str, trainable: bool, name: str) -> torch.Tensor:
    tensor = convert_to_tensor(value, dtype).detach().clone()
    if trainable and tensor.dtype in FLOATS:
        return torch.nn.Parameter(tensor)
    return tensor


def read_variable(storage: torch.Tensor) -> torch.Tensor:
    return storage


def set_trainable(storage: torch.Tensor, trainable: bool) -> torch.Tensor:
    if isinstance(storage, torch.nn.Parameter):
        storage.requires_grad_(trainable)
    return storage


def assign_variable(storage: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        storage.copy_(value)
    return storage


def stop_gradient(variable: torch.Tensor) -> torch.Tensor:
    return variable.detach()


dynamic_shape = shape


def widened(fn: Callable) -> Callable:
    """The function of tensors, by way of int64 for the unsigned dtypes it has no kernel for."""

    def call(*args: Any) -> Any:
        try:
            return fn(*args)
        except NotImplementedError:
            dtype = next(a.dtype for a in args if isinstance(a, torch.Tensor))
            if dtype.is_floating_point or dtype.is_signed:
                raise
            wide = (a.to(torch.int64) if isinstance(a, torch.Tensor) else a for a in args)
            result = fn(*wide)
            return result if result.dtype is torch.bool else result.to(dtype)

    return call
