"""`Input` and `InputLayer`: where a graph begins."""

from __future__ import annotations

from typing import Any

from multikeras import dtypes, registry, shapes
from multikeras.layers.layer import Layer
from multikeras.symbolic import KerasTensor
from multikeras.symbolic.operation import Node


@registry.expose("keras.layers")
class InputLayer(Layer):
    """The start of a graph: holds one KerasTensor.

    Args:
        shape: without the batch dimension; or
        batch_shape: with it.
        batch_size: the batch dimension that goes with `shape`.
        dtype: default: `floatx()`.
        sparse, ragged: only None and False are supported.
        input_tensor: a KerasTensor to take shape and dtype from.
        optional: whether None may be passed for it.
        name: default: a unique one.

    Example:
        >>> InputLayer(shape=(3,)).output.shape
        (None, 3)
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name)
        if sparse or ragged:
            raise ValueError(f"{self._who()}: sparse and ragged inputs are not supported.")
        if shape is None and batch_shape is None:
            batch_shape = kwargs.pop("batch_input_shape", None)
            shape = kwargs.pop("input_shape", None)
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        if (shape is None) == (batch_shape is None):
            raise ValueError(f"{self._who()}: give exactly one of `shape` and `batch_shape`.")
        if batch_shape is None:
            batch_shape = (batch_size, *shapes.standardize_shape(shape))
        self.batch_shape = shapes.standardize_shape(batch_shape)
        self.optional = bool(optional)
        self._dtype = dtypes.standardize_dtype(dtype)
        tensor = KerasTensor(self.batch_shape, self._dtype, name=self.name)
        Node(self, (), {}, tensor)
        self.built = self._settled = True

    @property
    def dtype(self) -> str:
        """Dtype of the input."""
        return self._dtype

    def call(self) -> None:
        """Not called: a graph passes its inputs in."""
        raise NotImplementedError(f"{self._who()} can't be called.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {
            "batch_shape": self.batch_shape,
            "dtype": self._dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
        }
        return config | ({"optional": True} if self.optional else {})


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> KerasTensor:
    """A symbolic tensor to begin a functional model with.

    Args:
        shape: without the batch dimension, None for unknown sizes; or
        batch_shape: with the batch dimension.
        batch_size: the batch dimension that goes with `shape`.
        dtype: default: `floatx()`.
        sparse, ragged: only None and False are supported.
        name: default: a unique one.
        tensor: a KerasTensor to take shape and dtype from.
        optional: whether None may be passed for it.

    Example:
        >>> Input((None, 8), batch_size=4).shape
        (4, None, 8)
    """
    return InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        ragged=ragged,
        batch_shape=batch_shape,
        input_tensor=tensor,
        optional=optional,
        name=name,
    ).output
