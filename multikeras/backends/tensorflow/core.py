"""Tensors, dtypes, variables and the layer base class of the TensorFlow backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from multikeras import dtypes

TENSOR_TYPES = frozenset({type(tf.constant(0.0))})
_DTYPES = {name: tf.as_dtype(name) for name in dtypes.ALL_DTYPES}
PLAIN_TYPES = TENSOR_TYPES
FLOATS = frozenset(_DTYPES[name] for name in dtypes.FLOAT_DTYPES)


class BaseVariable:
    """What lets `tf` functions take variables, and `tf.GradientTape` differentiate by them."""

    __array_priority__ = 100
    _should_act_as_resource_variable = True

    @property
    def handle(self) -> Any:
        return self.storage.handle  # type: ignore[attr-defined]

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> tf.Tensor:
        return tf.convert_to_tensor(self.value, dtype=dtype, name=name)  # type: ignore[attr-defined]


class BaseLayer(tf.Module):
    """Makes a layer a `tf.Module` that checkpoints and `tf.saved_model` see into.

    Attributes are set plainly: lists and dicts stay lists and dicts. Layers are looked up when a
    checkpoint asks for them; variables are handed over by `adopt_variable`.
    """

    def __init__(self) -> None:
        super().__init__()

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, (tf.Variable, tf.Module)):
            super().__setattr__(name, value)
        else:
            object.__setattr__(self, name, value)

    @property
    def name_scope(self) -> tf.name_scope:
        # By the layer's name; `tf.Module` settles one by the class before that is known.
        return tf.name_scope(self.name)

    def _trackable_children(self, *args: Any, **kwargs: Any) -> Any:
        # Looked up when a checkpoint asks: layers in lists and dicts are found, built or not.
        children = getattr(self, "checkpoint_children", None)
        children = children or self.child_layers  # type: ignore[attr-defined]
        for name, layer in children().items():
            self._track_trackable(layer, name, overwrite=True)
        return super()._trackable_children(*args, **kwargs)

    def adopt_variable(self, name: str, variable: Any) -> None:
        self._track_trackable(variable.storage, name, overwrite=True)


def plain(fn: Callable) -> Callable:
    """The same function: no quicker one for plain tensors."""
    return fn


def compiled_body(body: Callable, tensors: tuple[int, ...]) -> Callable:
    """The body of a composed op as it is: eager calls compile nothing."""
    return body


def is_tensor(x: Any) -> bool:
    return isinstance(x, (tf.Tensor, tf.Variable))


def dtype_name(x: Any) -> str:
    return x.dtype.name


def native_dtype(dtype: str) -> tf.DType:
    return _DTYPES[dtype]


def shape(x: Any) -> tuple[int | None, ...]:
    return tuple(x.shape)


def cast(x: Any, dtype: str) -> tf.Tensor:
    target = _DTYPES[dtype]
    return x if x.dtype is target else tf.cast(x, target)


def convert_to_tensor(x: Any, dtype: str | None = None) -> tf.Tensor:
    target = None if dtype is None else _DTYPES[dtype]
    if isinstance(x, tf.Variable):
        x = x.value()
    if isinstance(x, tf.Tensor):
        return x if target is None or x.dtype is target else tf.cast(x, target)
    if isinstance(x, tf.IndexedSlices):  # a tape's gradient of a lookup
        return convert_to_tensor(tf.convert_to_tensor(x), dtype)
    if isinstance(x, (bool, int, float, complex)):
        if target is not None and target.is_complex:
            x = complex(x)  # TensorFlow takes no bool for one
        return tf.constant(x, dtype=target)
    if isinstance(x, np.ndarray) or not (isinstance(x, (list, tuple)) and _holds_tensor(x)):
        x = np.asarray(x)
        if target is not None and dtype != "string":
            x = x.astype(dtypes.numpy_dtype(dtype), copy=False)
        return tf.convert_to_tensor(x)
    return tf.stack([convert_to_tensor(item, dtype) for item in x])


def _holds_tensor(x: Any) -> bool:
    return isinstance(x, (tf.Tensor, tf.Variable)) or (
        isinstance(x, (list, tuple)) and any(map(_holds_tensor, x))
    )


def scalar(value: float, like: Any) -> Any:
    """A Python number beside a tensor, in the tensor's dtype."""
    return tf.constant(value, like.dtype)


def convert_to_numpy(x: Any) -> np.ndarray:
    return x.numpy() if isinstance(x, (tf.Tensor, tf.Variable)) else np.asarray(x)


def make_variable(value: Any, dtype: str, trainable: bool, name: str) -> tf.Variable:
    with tf.init_scope():  # also where a step is being traced
        return tf.Variable(
            convert_to_tensor(value, dtype), dtype=_DTYPES[dtype], trainable=trainable, name=name
        )


def read_variable(storage: tf.Variable) -> tf.Tensor:
    return storage.value()


def set_trainable(storage: tf.Variable, trainable: bool) -> tf.Variable:
    storage._trainable = trainable
    return storage


def assign_variable(storage: tf.Variable, value: tf.Tensor) -> tf.Variable:
    storage.assign(value)
    return storage


def stop_gradient(variable: tf.Tensor) -> tf.Tensor:
    return tf.stop_gradient(variable)


def dynamic_shape(x: Any) -> tuple[Any, ...]:
    """The shape with scalar tensors where tracing leaves a dimension unknown."""
    static = tuple(x.shape)
    if None not in static:
        return static
    dynamic = tf.shape(x)
    return tuple(dynamic[i] if dim is None else dim for i, dim in enumerate(static))
